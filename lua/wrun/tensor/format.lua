--- Tensors as text, as PyTorch prints them.
--
-- Large tensors show the first and last three of each dimension, and the numbers' common format is
-- chosen from the values that are shown.

local core = require "wrun.core"

local M = {}

-- the types that PyTorch names behind every tensor
local NAMED = { uint8 = true, int32 = true, float64 = true }

local PRECISION, THRESHOLD, EDGE_ITEMS, LINE_WIDTH = 4, 1000, 3, 80

--- nested tables of the values that are shown; a cut dimension has a `false` in its middle
local function shown_values(t, cut)
  if t.ndim == 0 then
    return t:item()
  end
  local n, rows = #t, {}
  if cut and n > 2 * EDGE_ITEMS then
    for i = 1, EDGE_ITEMS do
      rows[i] = shown_values(t[i], cut)
      rows[EDGE_ITEMS + 1 + i] = shown_values(t[n - EDGE_ITEMS + i], cut)
    end
    rows[EDGE_ITEMS + 1] = { cut = true }
    return rows
  end
  for i = 1, n do
    rows[i] = shown_values(t[i], cut)
  end
  return rows
end

local function is_finite(x)
  return x == x and x ~= math.huge and x ~= -math.huge
end

local function visit(values, f)
  if type(values) ~= "table" then
    f(values)
  elseif not values.cut then
    for _, value in ipairs(values) do
      visit(value, f)
    end
  end
end

--- "nan", "inf", "-inf" or nil
local function special(x)
  if x ~= x then
    return "nan"
  elseif not is_finite(x) then
    return x > 0 and "inf" or "-inf"
  end
end

--- the function that writes one float, from the nonzero finite values among those shown
local function float_format(values)
  local least, most, whole, any = math.huge, 0, true, false
  visit(values, function(x)
    if is_finite(x) and x ~= 0 then
      any = true
      local size = math.abs(x)
      least, most = math.min(least, size), math.max(most, size)
      whole = whole and x == math.ceil(x)
    end
  end)
  local pattern = "%." .. PRECISION .. "f"
  local scientific = "%." .. PRECISION .. "e"
  if whole then
    local far = any and (most / least > 1000 or most > 1e8)
    return function(x)
      return special(x) or (far and scientific:format(x) or ("%.0f."):format(x))
    end
  elseif most / least > 1000 or most > 1e8 or least < 1e-4 then
    pattern = scientific
  end
  return function(x)
    return special(x) or pattern:format(x)
  end
end

local function plain_format(x)
  return x == true and "True" or x == false and "False" or tostring(x)
end

--- values and format -> nested strings of one width
local function write_all(t, values)
  local is_float = t.dtype == "float32" or t.dtype == "float64"
  local write = is_float and float_format(values) or plain_format
  local width = 0
  visit(values, function(x)
    local text = write(x)
    -- PyTorch measures only nonzero finite numbers, but pads to nothing smaller than what it shows
    if type(x) ~= "number" or math.type(x) == "integer" or (is_finite(x) and x ~= 0) then
      width = math.max(width, #text)
    end
  end)
  return function(x)
    local text = write(x)
    return (" "):rep(width - #text) .. text, math.max(width, 1)
  end
end

local function vector_text(values, write, indent)
  local per_line, parts, lines = nil, {}, {}
  for _, value in ipairs(values) do
    if type(value) == "table" then
      parts[#parts + 1] = " ..."
    else
      local text, width = write(value)
      per_line = per_line or math.max(1, (LINE_WIDTH - indent) // (width + 2))
      parts[#parts + 1] = text
    end
  end
  per_line = per_line or 1
  for first = 1, #parts, per_line do
    lines[#lines + 1] = table.concat(parts, ", ", first, math.min(first + per_line - 1, #parts))
  end
  return "[" .. table.concat(lines, ",\n" .. (" "):rep(indent + 1)) .. "]"
end

local function body_text(values, ndim, write, indent)
  if ndim == 0 then
    return (write(values))
  elseif ndim == 1 then
    return vector_text(values, write, indent)
  end
  local parts = {}
  for i, value in ipairs(values) do
    parts[i] = value.cut and "..." or body_text(value, ndim - 1, write, indent + 1)
  end
  return "[" .. table.concat(parts, "," .. ("\n"):rep(ndim - 1) .. (" "):rep(indent + 1)) .. "]"
end

local function suffixes(t)
  local list = {}
  if t:numel() == 0 and t.ndim ~= 1 then
    list[#list + 1] = "size=(" .. table.concat(t.shape, ", ") .. ")"
  end
  local dtype = t.dtype
  if NAMED[dtype] or (t:numel() == 0 and dtype ~= "float32") then
    list[#list + 1] = "dtype=torch." .. dtype
  end
  if t.grad_fn then
    list[#list + 1] = "grad_fn=" .. tostring(t.grad_fn)
  elseif t.requires_grad then
    list[#list + 1] = "requires_grad=True"
  end
  return list
end

--- The text of a tensor.
---@param t Tensor  of any shape and type
---@return string  e.g. "tensor([[1., 2.], [3., 4.]])" on two lines
function M.tensor(t)
  local prefix = "tensor("
  local body = "[]"
  if t:numel() > 0 then
    local values = shown_values(t:detach(), t:numel() > THRESHOLD)
    body = body_text(values, t.ndim, write_all(t, values), #prefix)
  end
  local parts = { prefix .. body }
  local last_line = #(parts[1]:match("[^\n]*$")) + 1
  for _, suffix in ipairs(suffixes(t)) do
    if last_line + #suffix + 2 > LINE_WIDTH then
      parts[#parts + 1] = ",\n" .. (" "):rep(#prefix) .. suffix
      last_line = #prefix + #suffix
    else
      parts[#parts + 1] = ", " .. suffix
      last_line = last_line + #suffix + 2
    end
  end
  local text = table.concat(parts) .. ")"
  return core.is_parameter(t) and "Parameter containing:\n" .. text or text
end

return M
