--- Tensors as text, as PyTorch prints them.
--- Large tensors show the first and last three of each dimension, and the numbers' common format is
--- chosen from the values that are shown. The options that set_printoptions takes change all this.

local check = require "wrun.check"
local core = require "wrun.core"
local repr = require "wrun.repr"

local M = {}

-- the types that PyTorch names behind every tensor
local NAMED = { uint8 = true, int32 = true, float64 = true }

local PROFILES = {
  default = { precision = 4, threshold = 1000, edgeitems = 3, linewidth = 80 },
  short = { precision = 2, threshold = 1000, edgeitems = 2, linewidth = 80 },
  full = { precision = 4, threshold = math.huge, edgeitems = 3, linewidth = 80 },
}

-- what texts obey now; never changed, but replaced as a whole
local options = PROFILES.default

--- nested tables of the values that are shown; a cut dimension has a `false` in its middle
local function shown_values(t, cut)
  if t.ndim == 0 then
    return t:item()
  end
  local n, rows, edge = #t, {}, options.edgeitems
  if cut and n > 2 * edge then
    for i = 1, edge do
      rows[i] = shown_values(t[i], cut)
      rows[edge + 1 + i] = shown_values(t[n - edge + i], cut)
    end
    rows[edge + 1] = { cut = true }
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
  local scientific = any and options.sci_mode
  if any and scientific == nil then
    scientific = most / least > 1000 or most > 1e8 or (not whole and least < 1e-4)
  end
  local pattern = scientific and "%." .. options.precision .. "e"
    or whole and "%.0f." or "%." .. options.precision .. "f"
  return function(x)
    return special(x) or core.format(pattern, x)
  end
end

local function plain_format(x)
  return x == true and "True" or x == false and "False" or tostring(x)
end

--- values and format -> nested strings of one width
local function write_all(t, values)
  local is_float = check.is_float(t)
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
  local per_line, texts, lines = nil, {}, {}
  for _, value in ipairs(values) do
    if type(value) == "table" then
      texts[#texts + 1] = #values > 1 and " ..." or "..."
    else
      local text, width = write(value)
      per_line = per_line or math.max(1, (options.linewidth - indent) // (width + 2))
      texts[#texts + 1] = text
    end
  end
  per_line = per_line or 1
  for first = 1, #texts, per_line do
    lines[#lines + 1] = table.concat(texts, ", ", first, math.min(first + per_line - 1, #texts))
  end
  return "[" .. table.concat(lines, ",\n" .. (" "):rep(indent + 1)) .. "]"
end

local function body_text(values, ndim, write, indent)
  if ndim == 0 then
    return (write(values))
  elseif ndim == 1 then
    return vector_text(values, write, indent)
  end
  local texts = {}
  for i, value in ipairs(values) do
    texts[i] = value.cut and "..." or body_text(value, ndim - 1, write, indent + 1)
  end
  return "[" .. table.concat(texts, "," .. ("\n"):rep(ndim - 1) .. (" "):rep(indent + 1)) .. "]"
end

local function suffixes(t)
  local list = {}
  local is_empty = t:numel() == 0
  if is_empty and t.ndim ~= 1 or not is_empty and options.edgeitems == 0 then
    list[#list + 1] = "size=(" .. table.concat(t.shape, ", ") .. (t.ndim == 1 and ",)" or ")")
  end
  local dtype = t.dtype
  if NAMED[dtype] or (is_empty and dtype ~= "float32") then
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
---@param t wrun.Tensor  of any shape and type
---@return string  e.g. "tensor([[1., 2.], [3., 4.]])" on two lines
function M.tensor(t)
  local prefix = "tensor("
  local body = "[]"
  if t:numel() > 0 then
    local values = shown_values(t:detach(), t:numel() > options.threshold)
    body = body_text(values, t.ndim, write_all(t, values), #prefix)
  end
  local texts = { prefix .. body }
  local last_line = #(texts[1]:match("[^\n]*$")) + 2
  for _, suffix in ipairs(suffixes(t)) do
    if last_line + #suffix + 2 > options.linewidth then
      texts[#texts + 1] = ",\n" .. (" "):rep(#prefix) .. suffix
      last_line = #prefix + #suffix
    else
      texts[#texts + 1] = ", " .. suffix
      last_line = last_line + #suffix + 2
    end
  end
  local text = table.concat(texts) .. ")"
  return core.is_parameter(t) and "Parameter containing:\n" .. text or text
end

--- The text of a list of sizes or strides, whatever a script has made of it: "Size([3, 4])".
---@return string
function M.sizes(list)
  local texts = {}
  for i, value in ipairs(list) do
    texts[i] = tostring(value)
  end
  return ("%s([%s])"):format(getmetatable(list).__name, table.concat(texts, ", "))
end

-- how many digits string.format takes
local MOST_DIGITS = 99

local OPTIONS = {
  precision = check.optional(check.integer(nil, 0, MOST_DIGITS)),
  threshold = check.optional(check.number(nil, 0)),
  edgeitems = check.optional(check.integer(nil, 0)),
  linewidth = check.optional(check.integer(nil, 1)),
  sci_mode = check.optional(check.boolean()),
  profile = check.optional(check.choice(nil, { "default", "short", "full" })),
}

--- Sets how tensors are written as text, from now on.
--- domain  options precision (digits after the point, 4), threshold (of more elements only the
---   edges are shown, 1000), edgeitems (of each dimension at either edge, 3), linewidth (columns,
---   80), sci_mode (true always, false never; left out, the numbers decide) and profile: "default",
---   "short" (precision 2, edgeitems 2) or "full" (threshold infinite), which sets the first four
---   before the others are looked at; what is left out stays, but sci_mode, as in PyTorch
---     wrun.set_printoptions { precision = 2, sci_mode = false }
---     print(wrun.tensor { 3.14159, 1e-5 }) -- tensor([3.14, 0.00])
---     wrun.set_printoptions { profile = "default" }
---@param given table?
function M.set_printoptions(given)
  local new = check.options("set_printoptions", given, OPTIONS)
  for name, value in pairs(PROFILES[new.profile] or options) do
    if new[name] == nil and name ~= "sci_mode" then
      new[name] = value
    end
  end
  new.profile = nil
  options = new
end

--- Returns the options that texts of tensors obey, as a table for set_printoptions.
--- domain  changes of the table change nothing; sci_mode is nil where the numbers decide
---     local before = wrun.get_printoptions()
---     wrun.set_printoptions { profile = "full" }
---     wrun.set_printoptions(before)
---     print(before.precision, wrun.get_printoptions().threshold)
---@return table
function M.get_printoptions()
  local copy = {}
  for name, value in pairs(options) do
    copy[name] = value
  end
  return repr.record("Options", copy)
end

return M
