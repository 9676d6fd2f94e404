--- Averages of models over their training.

local check = require "wrun.check"
local Class = require "wrun.class"
local common = require "wrun.optim.common"
local names = require "wrun.names"
local repr = require "wrun.repr"
local wrun = require "wrun"

local fail = check.fail

-- What has parameters and buffers and can be copied; optimisers know no modules by name.
local MODEL = check.rule(nil, "a module", function(value)
  return check.has_methods(value, "clone", "parameters", "buffers") and value or nil
end)

--- Makes a copy of a model, `averaged.module`, that holds the average of its parameters over all
--- updates; called, it is that copy.
--- With `decay` the average is an exponential one: each update makes a = decay a + (1 - decay) p.
--- Buffers are those of the last update, unless `use_buffers`, which averages those of floats too.
--- source  [Izmailov2018]; torch.optim.swa_utils
---     local model = nn.Linear(1, 1, { bias = false })
---     local averaged = optim.swa_utils.AveragedModel(model)
---     for _, value in ipairs { 1, 3, 8 } do
---       nn.init.constant_(model.weight, value)
---       averaged:update_parameters(model)
---     end
---     print(averaged(wrun.ones(1)):item()) -- 4.0
---@class wrun.optim.swa_utils.AveragedModel: wrun.Class
---@field module wrun.nn.Module the averaged copy
---@field n_averaged integer how many updates were made
---@field decay number?
---@field use_buffers boolean
local AveragedModel = Class:extend("AveragedModel")

AveragedModel.rules = {
  decay = check.optional(check.number(nil, 0, 1)), use_buffers = check.boolean(false),
}

--- Begins with a copy of the model as it is.
--- domain  a module
function AveragedModel:init(model, options)
  local o = check.options("AveragedModel", options, AveragedModel.rules)
  model = check.argument("AveragedModel", 1, model, MODEL)
  self.decay, self.use_buffers = o.decay, o.use_buffers
  self.module, self.n_averaged = model:clone(), 0
end

function AveragedModel:__call(...)
  return self.module(...)
end

-- The pairs of averaged and new tensors that `list` ("parameters" or "buffers") names.
local function pairs_of(averaged, model, list)
  local old, new = averaged[list](averaged), model[list](model)
  if #old ~= #new then
    fail("AveragedModel: update_parameters: expected a model with %d %s, got %d", #old, list, #new)
  end
  local both = {}
  for i, tensor in ipairs(old) do
    if not check.same_shape(tensor, new[i]) then
      fail("AveragedModel: update_parameters: %s %d: expected %s, got %s", list, i,
        check.shape_text(tensor), check.shape_text(new[i]))
    end
    both[i] = { tensor, new[i] }
  end
  return both
end

--- Takes the model's parameters into the average; the first update copies them.
--- domain  a model of the same parameters; on an error nothing has changed
--- raises  `parameters N: expected [2], got [3]`
function AveragedModel:update_parameters(model)
  check.argument("AveragedModel: update_parameters", 1, model, MODEL)
  local parameters = pairs_of(self.module, model, "parameters")
  local buffers = pairs_of(self.module, model, "buffers")
  local old_share = self.decay or self.n_averaged / (self.n_averaged + 1)
  old_share = self.n_averaged > 0 and old_share or 0
  local _ <close> = wrun.no_grad()
  local function take(both, is_averaged)
    for _, pair in ipairs(both) do
      local average, new = pair[1], pair[2]
      if is_averaged and old_share > 0 and check.is_float(average) then
        common.average_(average, new, old_share)
      else
        average:copy_(new)
      end
    end
  end
  take(parameters, true)
  take(buffers, self.use_buffers)
  self.n_averaged = self.n_averaged + 1
end

--- Returns the count of updates and the state of the averaged copy.
---@return { n_averaged: integer, module: table }
function AveragedModel:state_dict()
  return repr.record("StateDict",
    { n_averaged = self.n_averaged, module = self.module:state_dict() })
end

local SAVED = { n_averaged = check.integer(nil, 0), module = check.table() }

--- Takes over what `state_dict` returned.
--- domain  the state of an average of a like model
--- raises  as the module's load_state_dict
---@param saved { n_averaged: integer, module: table }
function AveragedModel:load_state_dict(saved)
  saved = check.options("AveragedModel: load_state_dict", saved, SAVED)
  self.module:load_state_dict(saved.module)
  self.n_averaged = saved.n_averaged
end

return names.closed("optim.swa_utils", { AveragedModel = AveragedModel })
