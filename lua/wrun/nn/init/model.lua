--- Starts of whole models: a rule for every weight, and those that look at a batch.

local autograd = require "wrun.autograd"
local check = require "wrun.check"
local common = require "wrun.nn.init.common"
local registry = require "wrun.nn.registry"
local wrun = require "wrun"

local fail = check.fail

local M = {}

local RULE = common.initialiser()

-- The modules of a model that have a weight of two or more dimensions, in the order of `modules`.
local function with_weights(model)
  local list = {}
  for _, module in ipairs(model:modules()) do
    local weight = registry.field(module, "weight")
    list[#list + 1] = check.is_tensor(weight) and weight.ndim >= 2 and module or nil
  end
  return list
end

--- Starts every weight of a model by one rule, and every bias from zeros, and returns the model.
---
--- Weights are the parameters of that name with two or more dimensions, in the order of
--- `named_modules`; what has fewer, as in normalising layers, is left as it is, and so is the bias
--- beside it.
--- shapes  any
--- domain  a function fills the tensor that it is given, in place; a name is that of an initialiser
---   without its last "_"
--- raises  `apply: argument 1: expected a module`; `apply: argument 2: expected a function`
---     local model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
---     print(nn.init.apply(model, "he_normal")[1].bias)
---@param model wrun.nn.Module
---@return wrun.nn.Module
function M.apply(model, rule)
  common.check_model("apply", model)
  rule = check.argument("apply", 2, rule, RULE)
  local _ <close> = autograd.no_grad()
  for _, module in ipairs(with_weights(model)) do
    rule(module.weight)
    local bias = registry.field(module, "bias")
    if check.is_tensor(bias) then
      bias:zero_()
    end
  end
  return model
end

-- Starts that look at a batch ------------------------------------------------

-- What a pass of the batch calls, in order: modules with a weight of two or more dimensions, each
-- once.
local function called(model, batch)
  local order, seen, handles = {}, {}, {}
  for i, module in ipairs(with_weights(model)) do
    handles[i] = module:register_forward_pre_hook(function()
      if not seen[module] then
        seen[module] = true
        order[#order + 1] = module
      end
    end)
  end
  model(batch)
  for _, handle in ipairs(handles) do
    handle:remove()
  end
  return order
end

-- What the first call of a module gives when the batch passes.
local function output_of(model, module, batch)
  local output
  local handle = module:register_forward_hook(function(_, _, y)
    output = output or y:detach()
  end)
  model(batch)
  handle:remove()
  return output:double()
end

-- Calls visit(module, path) for what a pass calls, in order, with nothing recorded and the default
-- generator as it was; a path names a module in errors.
local function each_layer(model, batch, visit)
  local paths = {}
  for path, module in model:named_modules() do
    paths[module] = path
  end
  local _ <close> = autograd.no_grad()
  local _ <close> = wrun.fork_rng()
  for _, module in ipairs(called(model, batch)) do
    visit(module, paths[module])
  end
end

local LSUV = {
  tolerance = check.number(0.02, 0), most = check.integer(10, 1), generator = check.generator(),
}

--- Starts a model so that each layer's output has the variance 1 for a batch, and returns it:
--- orthogonal weights, scaled layer by layer; biases stay as they are.
--- shapes  batch [rows, ...] as `model` takes
--- domain  `options`: tolerance = 0.02 of the variance, most = 10 scalings of a layer, generator. A
---   layer whose output is constant cannot be scaled
--- raises  `lsuv_: PATH: expected outputs that differ`
--- cost    up to `most` passes a layer
--- source  [Mishkin2016]
---     local model = nn.Sequential(nn.Linear(8, 16), nn.Sigmoid(), nn.Linear(16, 16))
---     local x = wrun.randn(100, 8)
---     print(nn.init.lsuv_(model, x)(x):var()) -- 1
---@param model wrun.nn.Module
---@return wrun.nn.Module
function M.lsuv_(model, batch, options)
  local o = check.options("lsuv_", options, LSUV)
  common.check_batch("lsuv_", model, batch)
  each_layer(model, batch, function(module, path)
    wrun.nn.init.orthogonal_(module.weight, { generator = o.generator })
    for _ = 1, o.most do
      local variance = output_of(model, module, batch):var():item()
      if not (variance > 0 and variance < math.huge) then
        fail("lsuv_: %s: expected outputs that differ, got the variance %s", path, variance)
      elseif math.abs(variance - 1) <= o.tolerance then
        return
      end
      module.weight:div_(math.sqrt(variance))
    end
  end)
  return model
end

--- Scales and shifts each unit of each layer so that its output has mean 0 and variance 1 over a
--- batch, and returns the model: weights keep their directions, biases take the means away.
--- shapes  batch [rows, ...] as `model` takes; two rows or more
--- domain  a unit whose output is constant is only shifted. Layers without a bias are only scaled
--- raises  as lsuv_
--- cost    two passes a layer
--- source  [Kraehenbuehl2016], algorithm 1
---     local model, x = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4)), wrun.randn(9, 8)
---     print(nn.init.data_dependent_(model, x)(x):std(1)) -- 1 each
---@param model wrun.nn.Module
---@return wrun.nn.Module
function M.data_dependent_(model, batch)
  common.check_batch("data_dependent_", model, batch)
  each_layer(model, batch, function(module)
    local weight, bias = module.weight, module.bias
    local y = output_of(model, module, batch)
    y = y:reshape(-1, y:size(-1))
    local mean, std = y:mean(1), y:std(1, false)
    std = wrun.where(std:gt(0), std, 1)
    local shape = { -1 }
    for d = 2, weight.ndim do
      shape[d] = 1
    end
    weight:div_(std:to(weight.dtype):reshape(shape))
    if bias ~= nil then
      bias:copy_((bias:double() - mean) / std)
    end
  end)
  return model
end

--- Starts residual branches so that at first each adds nothing, and the weights of all together
--- learn at a rate that does not depend on how many there are: the last layer of each is zero, the
--- others are He's times L^(-1 / (2 m - 2)), for L branches of m layers. Returns the branches.
--- shapes  any
--- domain  modules, each with layers whose weights have two or more dimensions; biases become 0
--- raises  `fixup_: argument 1: expected a list of modules`
--- source  [ZhangDauphin2019]
---     local branch = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
---     nn.init.fixup_({ branch })
---     print(branch(wrun.randn(2, 4))) -- zeros
---@param branches wrun.nn.Module[]
---@return wrun.nn.Module[]
function M.fixup_(branches, options)
  local o = check.options("fixup_", options, { generator = check.generator() })
  local list = type(branches) == "table" and not branches.named_modules and check.list(branches)
  if not list or #list == 0 then
    fail("fixup_: argument 1: expected a list of modules, got %s", check.describe(branches))
  end
  for _, branch in ipairs(list) do
    common.check_model("fixup_", branch)
  end
  for _, branch in ipairs(list) do
    local weights = {}
    M.apply(branch, function(weight)
      weights[#weights + 1] = weight
    end)
    for i, weight in ipairs(weights) do
      if i == #weights then
        weight:detach():zero_()
      else
        wrun.nn.init.he_normal_(weight, { nonlinearity = "relu", generator = o.generator })
        weight:detach():mul_((#list) ^ (-1 / (2 * #weights - 2)))
      end
    end
  end
  return branches
end

return M
