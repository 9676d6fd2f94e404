--- Loss, the base of every loss: options, checks of the arguments, and the reduction at the end.
--- A loss is made by `Loss.define(name, function_name, rules, compute)`: its mathematics is
--- compute(o, ...), which returns the losses before their reduction and, where they do not count
--- alike in the mean, what each counts. Losses that are a row of ops.def may be its name and two or
--- three arguments instead: their sum then makes no tensor of them. `o` holds the options as fields
--- and the name for errors as `o.__name`: it is the module, or the options of a call of its
--- functional form, `class.call`.

local check = require "wrun.check"
local core = require "wrun.core"
local Module = require "wrun.nn.module"
local operations = require "wrun.operations"

local fail = check.fail

local TENSOR = check.tensor()

--- What losses share.
--- shapes  input [...], target the same; the loss [], with reduction "none" like the input
--- domain  float32 or float64
--- options  reduction: of the losses to one number, or none
--- raises  `option NAME: expected`; `argument 2: expected SHAPE to match`
---@class wrun.nn.losses.Loss: wrun.nn.Module
---@field reduction "mean"|"sum"|"none"
---@param options table?
---@return wrun.nn.losses.Loss
local Loss = Module:extend("Loss")

--- A rule for an option that is a tensor or missing.
Loss.WEIGHT = check.optional(TENSOR)

--- Refuses an argument that is no tensor of this shape, which matches that of a tensor: argument
--- 1, unless it is given.
function Loss.check_shape(o, index, x, shape, matched)
  if not check.is_tensor(x) then
    check.tensor_argument(o.__name, index, x)
  elseif not check.same_shape(x, shape) then
    fail("%s: argument %d: expected %s to match %s, got %s", o.__name, index,
      check.shape_text(shape), matched and check.shape_text(matched) or "argument 1",
      check.shape_text(x))
  end
end

--- Checks an input and a target of its shape.
function Loss.check_pair(o, input, target)
  check.float_argument(o.__name, 1, input)
  Loss.check_shape(o, 2, target, input)
end

--- Returns an optional weight of the losses, which broadcasts to their shape; 1 when there is none.
function Loss.weight_of(o, name, input)
  local weight = o[name]
  if weight == nil then
    return 1
  end
  local lead = input.ndim - weight.ndim
  local fits = lead >= 0
  for d = 1, fits and weight.ndim or 0 do
    fits = fits and (weight:size(d) == 1 or weight:size(d) == input:size(lead + d))
  end
  if not fits then
    fail("%s: option %s: expected a shape that broadcasts to %s, got %s", o.__name, name,
      check.shape_text(input), check.shape_text(weight))
  end
  return weight
end

--- Returns t x, which is 0 where t is, though x be infinite: no event counts that cannot happen.
--- shapes  t broadcasts to x, or is 1 -> x
function Loss.weigh(t, x)
  if t == 1 then
    return x
  end
  local is_void = t:eq(0)
  if t.requires_grad then
    is_void = is_void:logical_and(x:isfinite():logical_not())
  end
  return t * x:masked_fill(is_void, 0)
end

-- The losses themselves: what a row gives of its arguments, unless it is them.
local function each(row, a, b, c)
  return check.is_tensor(row) and row or operations[row](a, b, c)
end

local function total(is_mean, row, a, b, c)
  if not check.is_tensor(row) and core.are_alike(a, b, c) then
    return operations._sum_of(a, b, c or 0, row, is_mean)
  end
  local losses = each(row, a, b, c)
  return is_mean and losses:mean() or losses:sum()
end

-- Of what compute returns: losses and, if not nil, their shares, or a row and its arguments.
local function reduce(o, losses, a, b, c)
  local reduction = o.reduction
  if reduction == "none" then
    return each(losses, a, b, c)
  elseif reduction == "batchmean" then
    local x = check.is_tensor(losses) and losses or a
    return total(false, losses, a, b, c) / (x.ndim > 0 and x:size(1) or 1)
  elseif reduction == "mean" and a ~= nil and b == nil then
    return losses:sum() / a:sum()
  end
  return total(reduction == "mean", losses, a, b, c)
end

-- The names of what compute takes besides o.
local function tensors_of(compute)
  local names = {}
  for i = 2, debug.getinfo(compute, "u").nparams do
    names[i - 1] = debug.getlocal(compute, i)
  end
  return names
end

--- Makes the class of a loss, and its functional form as `class.call(options, ...)`, which
--- nn.functional has under its own name, the options last.
--- domain  `rules` as for check.options; without a rule `reduction` it is mean, none or sum
---@param name string what errors call the class
---@param function_name string what errors call the functional form
function Loss.define(name, function_name, rules, compute)
  local class = Loss:extend(name)
  class.function_name, class.tensors, class.rules = function_name, tensors_of(compute), rules
  rules.reduction = rules.reduction or check.choice("mean", { "mean", "none", "sum" })
  local names = check.sorted_keys(rules)

  --- shapes  input [...], target the same; the loss [], with reduction "none" like the input
  --- domain  float32 or float64
  --- raises  `NAME: option OPTION: expected`; `NAME: argument N: expected SHAPE to match`
  ---@param options table?
  function class:init(options)
    local o = check.options(name, options, rules)
    for _, option in ipairs(names) do
      if check.is_tensor(o[option]) then
        self:register_buffer(option, o[option])
      else
        self[option] = o[option]
      end
    end
  end

  function class:forward(...)
    return reduce(self, compute(self, ...))
  end

  --- Returns the loss as the functional form computes it: first the options, then what forward
  --- takes.
  --- shapes  as forward
  --- domain  the options of the class
  --- raises  as the class, under the name of the functional form
  ---@param ... wrun.Tensor
  ---@return wrun.Tensor
  function class.call(options, ...)
    local o = check.options(function_name, options, rules)
    o.__name = function_name
    return reduce(o, compute(o, ...))
  end
  return class
end

return Loss
