--- What the initialisers share: their settings, fans, and draws outside autograd.

local check = require "wrun.check"
local Module = require("wrun.nn.registry").Module
local names = require "wrun.names"
local wrun = require "wrun"

local fail = check.fail

local M = {}

local TENSOR = check.tensor()

-- fill(tensor), which is refused where it leaves the tensor as it is and returns another.
local function in_place(fill)
  return function(tensor)
    local version = tensor.version
    local result = fill(tensor)
    if check.is_tensor(result) and not rawequal(result, tensor) and tensor.version == version then
      fail("initialiser: expected the tensor to be filled in place, as by tensor:copy_(values); "
        .. "what the function returned would be lost")
    end
    return result
  end
end

--- A rule for what fills a tensor: a function, or the name of an initialiser without its last "_".
function M.initialiser()
  return check.rule(nil, "a function of a tensor or the name of one, like \"xavier_uniform\"",
    function(value)
      if type(value) == "string" and value:sub(-1) ~= "_" then
        return names.find(wrun.nn.init, value .. "_")
      end
      return type(value) == "function" and in_place(value) or nil
    end)
end

--- Refuses what is no tensor.
function M.check_tensor(fname, tensor)
  if type(tensor) == "table" and check.is_tensor(tensor.weight) then
    fail("%s: argument 1: expected a tensor, got %s; write layer.weight", fname,
      check.describe(tensor))
  end
  check.argument(fname, 1, tensor, TENSOR)
end

--- Refuses a first argument that is no module.
function M.check_model(fname, model)
  if not Module:is_instance(model) then
    fail("%s: argument 1: expected a module, got %s", fname, check.describe(model))
  end
end

--- Refuses what is no module, and then a second argument that is no batch of it.
function M.check_batch(fname, model, batch)
  M.check_model(fname, model)
  check.tensor_argument(fname, 2, batch)
  if batch.ndim < 1 or batch:numel() == 0 then
    fail("%s: argument 2: expected a batch [rows, ...] with elements, got %s", fname,
      check.describe(batch))
  end
end

--- Refuses a tensor that has not one of the numbers of dimensions from `least` to `most`.
function M.check_dimensions(fname, tensor, least, most)
  M.check_tensor(fname, tensor)
  if tensor.ndim < least or tensor.ndim > most then
    local wanted = least == most and least or most == math.huge and "at least " .. least
      or ("%d to %d"):format(least, most)
    fail("%s: argument 1: expected %s dimensions, got %s", fname, wanted, check.shape_text(tensor))
  end
end

--- Gathers settings given by position, named in `order`, and in a last table, and checks them.
function M.settings(fname, tensor, rules, order, ...)
  M.check_tensor(fname, tensor)
  local given, arguments = {}, table.pack(...)
  local count = arguments.n
  if type(arguments[count]) == "table" then
    for name, value in pairs(arguments[count]) do
      given[name] = value
    end
    count = count - 1
  end
  if count > #order then
    fail("%s: argument %d: expected a table of options, got %s", fname, #order + 2,
      check.describe(arguments[#order + 1]))
  end
  for i = 1, count do
    given[order[i]] = arguments[i]
  end
  return check.options(fname, given, rules)
end

--- Calls the tensor's method with two settings and a generator, and returns the tensor.
function M.draw(tensor, method, first, second, generator)
  local _ <close> = wrun.no_grad()
  tensor[method](tensor, first, second, { generator = generator })
  return tensor
end

return M
