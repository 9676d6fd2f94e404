--- A model beside one of PyTorch: the reference's weights, inputs, activations and gradients, as the
--- Python function in the guide writes them, replayed layer by layer. Its tensors are named by what
--- they are, their number, and PyTorch's name: `output.0002.net.1`.

local check = require "wrun.check"
local method = require "wrun.method"
local wrun = require "wrun"

local fail = check.fail

local M = {}

--- What `wrun.compare` returns; `tostring` makes it a table, with what the first difference may come
--- from.
---@class wrun.Comparison
local Comparison = method.object("Comparison")

-- What two layers of a kind differ by most often, by the beginning of their name.
local USUAL = {
  { "BatchNorm", "eps or momentum; or one of the two is in train() and the other in eval()" },
  { "LayerNorm", "eps, or the shape that is normalised" },
  { "GroupNorm", "eps, or the number of groups" },
  { "Dropout", "it draws at random: compare both in eval()" },
  { "GELU", 'one of the two is its approximation, nn.GELU("tanh")' },
  { "LeakyReLU", "negative_slope" },
  { "Softmax", "the dimension, which counts from 1" },
  { "LogSoftmax", "the dimension, which counts from 1" },
  { "Flatten", "start_dim, which counts from 1" },
  { "Embedding", "indices, which count from 1; padding_idx" },
}


local CLOSE = { rtol = 0, atol = 1e-6 }

-- Are all elements of x, none of them 0 but where it has none, nearly the first? Returns that.
local function constant(x)
  local first = x:numel() > 1 and x:flatten()[1]:item() or 0
  return first ~= 0 and (x - first):abs():max():item() <= 1e-4 * math.abs(first) and first or nil
end

-- How a tensor differs from the reference as a whole, where that can be told; both are as parts of
-- `largest`.
local function relation(ours, theirs, largest)
  if ours:numel() < 2 then
    return nil
  elseif #ours.shape == 2 and ours.shape[1] == ours.shape[2]
    and ours:t():allclose(theirs, CLOSE) then
    return "it is the reference transposed"
  elseif (ours:flatten():sort()):allclose(theirs:flatten():sort(), CLOSE) then
    return "it has the reference's numbers in another order"
  end
  local factor, shift = constant(ours / theirs), constant(ours - theirs)
  return factor and ("it is %.6g times the reference"):format(factor)
    or shift and ("it is the reference plus %.6g"):format(shift * largest)
end

-- How far `ours` lies from `theirs`, as a part of the reference's largest element, or of `least`.
local function compare(row, ours, theirs, tolerance, least)
  row.shape, row.reference_shape = ours.shape, theirs.shape
  if not check.same_shape(ours, theirs) then
    row.is_right, row.difference = false, math.huge
    row.cause = ("its shape is %s, and the reference's %s"):format(check.shape_text(ours),
      check.shape_text(theirs))
    return
  end
  ours, theirs = ours:detach():double(), theirs:double()
  local is_same = ours:eq(theirs):logical_or(ours:ne(ours):logical_and(theirs:ne(theirs)))
  local apart = wrun.where(is_same, wrun.zeros_like(ours), ours - theirs):abs()
  local largest = math.max(ours:numel() > 0 and theirs:abs():max():item() or 0, least or 0)
  local most = ours:numel() > 0 and apart:max():item() or 0
  row.difference = most == 0 and 0.0 or largest > 0 and most / largest or math.huge
  row.is_right = row.difference <= tolerance -- never of NaN
  if not row.is_right then
    row.cause = relation(ours / largest, theirs / largest, largest)
  end
end

-- The reference's tensors of one kind, in order, each { name, tensor }.
local function numbered(reference, kind)
  local list = {}
  for name, tensor in pairs(reference) do
    local number, rest = tostring(name):match("^" .. kind .. "%.(%d+)%.(.*)$")
    if number and check.is_tensor(tensor) then
      list[#list + 1] = { number = math.tointeger(number), name = rest, tensor = tensor }
    end
  end
  table.sort(list, function(a, b)
    return a.number < b.number
  end)
  return list
end

-- PyTorch counts classes and indices from 0.
local function counted_from_1(tensor)
  return tensor.dtype == "int64" and tensor + 1 or tensor
end

local function tensors_of(reference, kind)
  local list = {}
  for i, entry in ipairs(numbered(reference, kind)) do
    list[i] = counted_from_1(entry.tensor):clone()
  end
  return list
end

-- Puts the reference's weights and buffers into the model's, in order; false where one cannot.
local function load_state(rows, model, reference)
  local theirs, number = numbered(reference, "state"), 0
  for name, tensor in pairs(model:state_dict()) do
    number = number + 1
    local entry = theirs[number]
    local row = { kind = "weight", name = name, reference_name = entry and entry.name or "-" }
    if not entry or not check.same_shape(entry.tensor, tensor) then
      row.is_right, row.difference = false, math.huge
      row.cause = entry and ("its shape is %s, and the reference's %s"):format(
        check.shape_text(tensor), check.shape_text(entry.tensor)) or "the reference has none"
      rows[#rows + 1] = row
      return false
    end
    tensor:copy_(entry.tensor)
  end
  if theirs[number + 1] then
    rows[#rows + 1] = {
      kind = "weight", name = "-", reference_name = theirs[number + 1].name, is_right = false,
      difference = math.huge, cause = "the model has none",
    }
    return false
  end
  return true
end

-- Has every module without modules note what it gives, in `calls`. Returns the hooks' handles.
local function watch(model, calls)
  local handles = {}
  for path, module in model:named_modules() do
    if module:children()[1] == nil then
      handles[#handles + 1] = module:register_forward_hook(function(_, _, output)
        if check.is_tensor(output) then
          calls[#calls + 1] = {
            name = (path == "" and "" or path .. " ") .. module:label(),
            tensor = output:detach():clone(),
          }
        end
      end)
    end
  end
  return handles
end

local function forward(model, inputs)
  local calls = {}
  local handles = watch(model, calls)
  local result = table.pack(pcall(model, table.unpack(inputs)))
  for _, handle in ipairs(handles) do
    handle:remove()
  end
  if not result[1] then
    error(result[2], 0)
  end
  return result[2], calls
end

local function add_row(comparison, kind, ours, theirs, least)
  local row = { kind = kind, name = ours.name, reference_name = theirs.name }
  compare(row, ours.tensor, theirs.tensor, comparison.tolerance, least)
  comparison.rows[#comparison.rows + 1] = row
end

local function compare_calls(comparison, calls, theirs)
  for i = 1, math.min(#calls, #theirs) do
    add_row(comparison, "output", calls[i], theirs[i])
  end
  if #calls ~= #theirs then
    comparison.rows[#comparison.rows + 1] = {
      kind = "output", name = "-", reference_name = "-", is_right = false, difference = math.huge,
      cause = ("%d layers gave something, and %d of the reference"):format(#calls, #theirs),
    }
  end
end

-- The gradients, from the output's end to the input's, as the backward pass meets them.
local function compare_gradients(comparison, model, inputs, reference)
  local ours, theirs, least = {}, numbered(reference, "gradient"), 0
  for _, entry in ipairs(theirs) do
    least = math.max(least, 1e-3 * entry.tensor:abs():max():item()) -- below are the roundings of 0
  end
  for name, parameter in model:named_parameters() do
    ours[#ours + 1] = { name = name, tensor = parameter.grad }
  end
  for i = #ours, 1, -1 do
    if ours[i].tensor and theirs[i] then
      add_row(comparison, "gradient", ours[i], theirs[i], least)
    end
  end
  for i, entry in ipairs(numbered(reference, "input_gradient")) do
    if inputs[i] and inputs[i].grad then
      add_row(comparison, "gradient", { name = "input " .. i, tensor = inputs[i].grad }, entry)
    end
  end
end

local function first_wrong(rows)
  for _, row in ipairs(rows) do
    if not row.is_right then
      return row
    end
  end
end

-- What the row may differ by, in the words for a user.
local function causes(row)
  local list = { row.cause }
  local own, other = row.name:match("(%a%w*)[^ ]*$"), row.reference_name:match("(%a%w*)$")
  if row.kind == "output" and own and other and own ~= other then
    list[#list + 1] = "PyTorch has another layer here, " .. other
  end
  for _, usual in ipairs(USUAL) do
    if row.name:find("%f[%w]" .. usual[1]) then
      list[#list + 1] = usual[2]
    end
  end
  if row.kind == "weight" then
    list[#list + 1] = "layers in another order, or of another size"
  elseif row.kind == "loss" then
    list[#list + 1] = "mean or sum over the batch; classes, which count from 1 here"
  elseif row.kind == "gradient" and not row.cause then
    list[#list + 1] = "a detach() or no_grad() on the way; a weight that two layers share"
  elseif #list == 0 then
    list[#list + 1] = "an option of this layer, or what forward does before it"
  end
  return list
end

-- "output 2 GELU, by 1.7e-04 of the largest element"
local function row_text(row)
  local by = row.difference < math.huge
    and (", by %.1e of the largest element"):format(row.difference) or ""
  return row.kind .. (row.name ~= "" and " " .. row.name or "") .. by
end

-- "1.2e-07"
local function difference_text(row)
  return row.difference == math.huge and "-" or ("%.1e"):format(row.difference)
end

function Comparison:__tostring()
  local rows, widths = { { "", "wrun", "PyTorch", "difference" } }, {}
  for i, row in ipairs(self.rows) do
    rows[i + 1] = {
      row.kind, row.name, row.reference_name,
      difference_text(row) .. (row.is_right and "" or "  <- differs"),
    }
  end
  for _, row in ipairs(rows) do
    for column, text in ipairs(row) do
      widths[column] = math.max(widths[column] or 0, #text)
    end
  end
  local lines = {}
  for i, row in ipairs(rows) do
    local cells = {}
    for column, text in ipairs(row) do
      cells[column] = text .. (" "):rep(widths[column] - #text)
    end
    lines[i] = table.concat(cells, "  "):gsub(" +$", "")
  end
  local first = self.first
  if not first then
    lines[#lines + 1] = ("the same, within %g of the largest element"):format(self.tolerance)
  else
    lines[#lines + 1] = "the first that differs: " .. row_text(first)
    for _, cause in ipairs(self.causes) do
      lines[#lines + 1] = "  perhaps: " .. cause
    end
  end
  return check.escape(table.concat(lines, "\n"))
end

local MODULE = check.rule(nil, "a module", function(value)
  return wrun.nn.Module:is_instance(value) and value or nil
end)

local OPTIONS = {
  loss = check.optional(check.callable()),
  tolerance = check.number(1e-4, 0),
}

local function mean_square(output)
  return output:square():mean()
end

--- Replays in a model what a reference of PyTorch did, layer by layer, and returns what differs;
--- `tostring` makes it a table, with what the first difference may come from. The model gets the
--- reference's weights and buffers, in their order, whatever they are called.
---
--- `wrun check reference.pt script.lua` does the same from the shell; the guide has the Python
--- function that writes a reference, in "From PyTorch to wrun".
---
--- Options:
---   loss       loss(output, target), as the reference's (the mean square of the output)
---   tolerance  the largest difference that is none, as a part of the reference's largest element
---              (1e-4)
--- shapes  as the model takes
--- domain  integers of the reference, inputs and targets, are raised by 1: classes and indices count
---   from 1 here. The result has `rows`, in the order of the run, each with kind ("weight", "output",
---   "loss" or "gradient"), name, reference_name, difference, is_right and perhaps cause; `first`,
---   the first row that is not right, or nil; and its `causes`
--- raises  `compare: argument 2: expected a reference`; what `forward` raises
---     local model, x = nn.Linear(2, 1), wrun.ones(3, 2)
---     local reference = {
---       ["input.0000.x"] = x, ["output.0000."] = model(x) + 1,
---       ["state.0000.weight"] = model.weight, ["state.0001.bias"] = model.bias,
---     }
---     print(wrun.compare(model, reference))
---@param model wrun.nn.Module
---@param reference table<string, wrun.Tensor>  what `wrun.load` read
---@return wrun.Comparison
function M.compare(model, reference, options)
  check.argument("compare", 1, model, MODULE)
  check.argument("compare", 2, reference, check.table())
  local o = check.options("compare", options, OPTIONS)
  local inputs = tensors_of(reference, "input")
  if #inputs == 0 then
    fail("compare: argument 2: expected a reference, with input.0000, got %s",
      check.describe(reference))
  end
  local self = setmetatable({ rows = {}, tolerance = o.tolerance }, Comparison)
  if load_state(self.rows, model, reference) then
    local training = reference.training
    model:train(check.is_tensor(training) and training:sum():item() ~= 0)
    model:zero_grad()
    for _, input in ipairs(inputs) do
      input:requires_grad_(check.is_float_tensor(input))
    end
    local output, calls = forward(model, inputs)
    compare_calls(self, calls, numbered(reference, "output"))
    if check.is_tensor(reference.loss) then
      local loss = (o.loss or mean_square)(output, table.unpack(tensors_of(reference, "target")))
      add_row(self, "loss", { name = "", tensor = loss }, { name = "", tensor = reference.loss })
      loss:backward()
      compare_gradients(self, model, inputs, reference)
    end
  end
  self.first = first_wrong(self.rows)
  self.causes = self.first and causes(self.first) or {}
  return self
end

return M
