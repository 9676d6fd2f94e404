--- The maximal update parametrisation: starts and learning rates by width, so that a rate that was
--- found with a narrow network is right for a wide one.

local autograd = require "wrun.autograd"
local check = require "wrun.check"
local common = require "wrun.nn.init.common"
local model_starts = require "wrun.nn.init.model"
local wrun = require "wrun"

local fail = check.fail

local M = {}

-- The ratio of widths on the way into a parameter and out of it: 1 where it is the same in both
-- models. A parameter of one dimension has only outputs.
local function ratios(parameter, base, is_embedding)
  local ins, outs = 1, parameter.ndim > 0 and parameter:size(1) / base:size(1) or 1
  for d = 2, parameter.ndim do
    ins = ins * parameter:size(d) / base:size(d)
  end
  if is_embedding then
    return outs, ins
  end
  return ins, outs
end

-- By what the learning rate changes [Yang2022, table 3]: hidden weights have both ratios, input
-- weights and biases that of outputs, output weights that of inputs.
local FACTORS = {
  adam = function(ins)
    return 1 / ins
  end,
  sgd = function(ins, outs)
    return outs / ins
  end,
}

-- The parameters of both models by their paths, each once; refuses models that differ by more than
-- their widths.
local function pairs_of(model, base)
  local of_base, list = {}, {}
  for path, parameter in base:named_parameters() do
    of_base[path] = parameter
  end
  for path, parameter in model:named_parameters() do
    local narrow = of_base[path]
    if not narrow or narrow.ndim ~= parameter.ndim then
      fail("mup_: argument 2: expected a module like the first, with a parameter %s of %d "
        .. "dimensions, got %s", path, parameter.ndim, check.describe(narrow))
    elseif narrow:numel() == 0 or parameter:numel() == 0 then
      fail("mup_: argument 2: expected parameters with elements, got none at %s", path)
    end
    of_base[path] = nil
    list[#list + 1] = { path = path, parameter = parameter, base = narrow }
  end
  local path = next(of_base)
  if path then
    fail("mup_: argument 2: expected a module like the first, which has no parameter %s", path)
  end
  return list
end

local MUP = {
  lr = check.positive(),
  optimizer = check.choice("adam", { "adam", "sgd" }),
  rule = check.optional(common.initialiser()),
}

--- Starts a model in the maximal update parametrisation, and returns the groups of its parameters
--- for an optimiser: as wide as `base`, it starts and learns as usual; wider, its output weights
--- start smaller, and each group has the learning rate with which its layer learns as much as that
--- of `base`. The best `lr` is then the same for every width.
--- shapes  any; the parameters of `base` have the same paths and numbers of dimensions
--- domain  `options`: lr, the learning rate for `base`; optimizer, "adam" (and its kin, whose steps
---   do not depend on the gradient's size) or "sgd"; rule = "he_normal", whose draws have variances
---   proportional to 1 / fan_in, for every weight but an Embedding's, which stays; biases become 0
--- raises  `mup_: argument 2: expected a module like the first`; `mup_: option lr: expected`
--- source  [Yang2022], table 3
---     local function network(width)
---       return nn.Sequential(nn.Linear(8, width), nn.ReLU(), nn.Linear(width, 2))
---     end
---     local groups = nn.init.mup_(network(512), network(64), { lr = 0.01 })
---     print(optim.Adam(groups).param_groups[2].lr) -- of the last weight: 0.01 / 8
---@param model wrun.nn.Module
---@param base wrun.nn.Module
---@return { params: wrun.Tensor[], lr: number }[]
function M.mup_(model, base, options)
  local o = check.options("mup_", options, MUP)
  common.check_model("mup_", model)
  if not wrun.nn.Module:is_instance(base) then
    fail("mup_: argument 2: expected a module, got %s", check.describe(base))
  end
  local list, is_embedding = pairs_of(model, base), {}
  for _, module in ipairs(model:modules()) do
    if wrun.nn.Embedding:is_instance(module) then
      is_embedding[module.weight] = true
    end
  end
  local rule = o.rule or wrun.nn.init.he_normal_
  model_starts.apply(model, function(weight)
    return is_embedding[weight] or rule(weight)
  end)
  local groups, group_of = {}, {}
  for _, entry in ipairs(list) do
    local parameter = entry.parameter
    local ins, outs = ratios(parameter, entry.base, is_embedding[parameter])
    if ins ~= 1 and outs == 1 and not is_embedding[parameter] then
      local _ <close> = autograd.no_grad()
      parameter:div_(math.sqrt(ins))
    end
    local lr = o.lr * FACTORS[o.optimizer](ins, outs)
    local group = group_of[lr] or { params = {}, lr = lr }
    if not group_of[lr] then
      group_of[lr] = group
      groups[#groups + 1] = group
    end
    table.insert(group.params, parameter)
  end
  return groups
end

return M
