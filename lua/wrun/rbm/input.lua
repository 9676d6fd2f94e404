--- What scripts hand to a machine: layers checked and brought to its type, data made binary.

local check = require "wrun.check"
local core = require "wrun.core"
local wrun = require "wrun"

local fail = check.fail

local M = {}

-- uint8 images as 0..1; a contiguous matrix of the machine's type
local function to_matrix(model, x)
  if x.ndim > 2 then
    x = x:reshape(x:size(1), -1)
  end
  if x.dtype == "uint8" then
    x = x:to(model.options.dtype) / 255
  end
  return x:to(model.options.dtype):contiguous()
end

--- Returns argument `index` as a contiguous matrix [batch, width] of the machine's type.
function M.layer(model, fname, x, width, index)
  index = index or 1
  check.tensor_argument(fname, index, x)
  local columns = x.ndim >= 2 and x:numel() // math.max(x:size(1), 1)
  if columns ~= width and not (x.ndim == 2 and x:size(2) == width) then
    fail("%s: argument %d: expected [batch, %d], got %s", fname, index, width,
      check.describe(x))
  end
  return to_matrix(model, x)
end

--- Returns a clamping mask as bool, [visible] or [batch, visible].
function M.mask(fname, mask, v)
  local width = v:size(2)
  local fits = check.is_tensor(mask) and mask:numel() > 0
    and (check.same_shape(mask, v) or mask.ndim == 1 and mask:size(1) == width)
  if not fits then
    fail("%s: argument 3: expected a mask [%d] or %s, got %s", fname, width, check.shape_text(v),
      check.describe(mask))
  end
  return mask:ne(0)
end

--- Refuses data that the machine's visible units cannot take.
function M.check_data(model, fname, data)
  check.tensor_argument(fname, 1, data)
  local o = model.options
  local width = data.ndim >= 2 and data:size(1) > 0 and data:numel() // data:size(1)
  if width ~= o.visible then
    fail("%s: argument 1: expected [n, %d] with n >= 1, got %s", fname, o.visible,
      check.describe(data))
  end
  if data.dtype == "uint8" or data.dtype == "bool" then
    return
  end
  if not data:isfinite():all():item() then
    fail("%s: argument 1: expected finite numbers, got NaN or infinity", fname)
  end
  local low, high = data:min():item(), data:max():item()
  local least, most = model.visible_kind.least or low, model.visible_kind.most or high
  if low < least or high > most then
    fail("%s: argument 1: expected values from %.6g to %.6g for %s units, got %.6g to %.6g", fname,
      least, most, tostring(o.visible_units), low, high)
  end
end

M.BINARIZE = check.choice("none", { "none", "threshold", "stochastic" })

--- Rows of data as the visible units take them: "threshold" makes 1 of 0.5 and more, "stochastic"
--- draws each unit with its value as probability, "none" leaves values as they are.
--- shapes  rows [batch, ...] -> [batch, visible]
function M.binarize(model, rows, how, generator)
  local dtype = model.options.dtype
  if how == "threshold" then
    local most = rows.dtype == "uint8" and 128 or 0.5
    return to_matrix(model, rows:ge(most):to(dtype))
  end
  local v = to_matrix(model, rows)
  if how == "stochastic" then
    v = v == rows and v:clone() or v
    return core.rbm_sample(v, nil, generator)
  end
  return v
end

--- Is every value 0 or 1?
function M.is_binary(v)
  return (v * (1 - v)):eq(0):all():item()
end

--- The mean of each visible unit over the data as it is after binarisation.
function M.mean(model, data, how)
  local n, sum = data:size(1), wrun.zeros(model.options.visible, { dtype = "float64" })
  for first = 1, n, 10000 do
    local rows = data:narrow(1, first, math.min(10000, n - first + 1))
    sum = sum + M.binarize(model, rows, how == "threshold" and how or "none"):double():sum(1)
  end
  return (sum / n):to(model.options.dtype)
end

return M
