--- The results of a decomposition, taken out of the one flat tensor that holds them.
--- Each lies there column by column, for the whole batch, one after another
--- (runtime/bind/bind_linalg_factor.c). A flat tensor is a single result, so it is recorded like any
--- other; its parts are views.

local M = {}

--- the batch dimensions of x with the given ones behind
local function with_batch(x, ...)
  local shape = x.shape
  shape[#shape], shape[#shape - 1] = nil, nil
  for _, size in ipairs { ... } do
    shape[#shape + 1] = size
  end
  return shape
end

--- a function that takes parts from the front of `flat`: matrices, or vectors of `rows`
local function reader(flat, x)
  local start = 1
  return function(rows, columns)
    local shape = with_batch(x, columns or rows, columns and rows)
    local count = 1
    for _, size in ipairs(shape) do
      count = count * size
    end
    local part = flat:narrow(1, start, count):reshape(shape)
    start = start + count
    return columns and part:transpose(-1, -2) or part
  end
end

--- Returns u, s and the transpose of v, from the flat result of `_svd(x, full)`.
function M.svd(flat, x, full)
  local m, n, read = x:size(-2), x:size(-1), reader(flat, x)
  local least = math.min(m, n)
  local u = read(m, full and m or least)
  return u, read(least), read(full and n or least, n)
end

--- Returns q and r, from the flat result of `_qr(x, mode)`; q has no elements if mode is "r".
function M.qr(flat, x, mode)
  local m, n, read = x:size(-2), x:size(-1), reader(flat, x)
  local k = mode == "complete" and m or math.min(m, n)
  local q = mode == "r" and flat:narrow(1, 1, 0) or read(m, k)
  return q, read(k, n)
end

--- Returns the eigenvalues and the vectors, from the flat result of `_eigh(x, upper)`.
function M.eigh(flat, x)
  local n, read = x:size(-1), reader(flat, x)
  return read(n), read(n, n)
end

return M
