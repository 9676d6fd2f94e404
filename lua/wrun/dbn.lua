--- Deep belief networks: machines stacked greedily, sampled, and turned into networks of nn.
--- Each layer is an RBM trained on the hidden probabilities of the one below it [Hinton2006]. The
--- weights then start a classifier, or an autoencoder [HintonSalakhutdinov2006].

local autograd = require "wrun.autograd"
local check = require "wrun.check"
local Class = require "wrun.class"
local names = require "wrun.names"
local nn = require "wrun.nn"
local rbm = require "wrun.rbm"
local repr = require "wrun.repr"
local wrun = require "wrun"

local fail = check.fail

local ROWS = 10000 -- so many samples go up at a time

---@class wrun.dbn.Model: wrun.Class
---@field layers wrun.rbm.Model[] from the data upwards
---@field sizes integer[] visible units, then the hidden units of each layer
local Model = Class:extend("dbn.Model")

local SIZES = check.rule(nil, "a list of at least two integers >= 1", function(value)
  if type(value) ~= "table" or rawlen(value) < 2 then
    return nil
  end
  local sizes = {}
  for i, size in ipairs(check.list(value)) do
    sizes[i] = type(size) == "number" and math.tointeger(size) or 0
    if sizes[i] < 1 then
      return nil
    end
  end
  return sizes
end)

local RULES = {
  sizes = SIZES,
  visible_units = check.choice("binary", { "binary", "gaussian" }),
  code_units = check.choice("binary", { "binary", "gaussian" }),
  center = check.boolean(true),
  std = check.number(0.01, 0),
  seed = check.optional(check.integer()),
  dtype = check.float_dtype("float32"),
}

--- A stack of machines: `wrun.dbn.new` makes one, and says more.
--- domain  as dbn.new
--- raises  as dbn.new
---     print(dbn.new { sizes = { 784, 500, 500, 2000 } })
---@param options table
function Model:init(options)
  local o = check.options("dbn.new", options, RULES)
  local seed = o.seed or wrun.randint(0, 2 ^ 52, { 1 }, { dtype = "int64" }):item()
  self.options, self.sizes, self.layers = o, o.sizes, {}
  for i = 1, #o.sizes - 1 do
    self.layers[i] = rbm.new {
      visible = o.sizes[i],
      hidden = o.sizes[i + 1],
      visible_units = i == 1 and o.visible_units or "binary",
      hidden_units = i == #o.sizes - 1 and o.code_units or "binary",
      center = o.center,
      std = o.std,
      seed = seed + i,
      dtype = o.dtype,
    }
  end
end

function Model:__tostring()
  return ("DBN(%s)"):format(table.concat(self.sizes, "-"))
end

--- Returns the hidden probabilities (means, for Gaussian units) of layer `n`, the top by default.
--- shapes  x [batch, visible] or [batch, ...] -> [batch, sizes[n + 1]]
--- domain  floats, or uint8 (which counts as 0..1); n from 0 (x itself) to the number of layers
--- raises  `hidden: argument 1: expected`
---     local d = dbn.new { sizes = { 6, 4, 2 }, seed = 1 }
---     print(d:up(wrun.rand(3, 6)).shape[2], d:up(wrun.rand(3, 6), 1).shape[2])
function Model:up(x, n)
  n = check.argument("up", 2, n, check.integer(#self.layers, 0, #self.layers))
  for i = 1, n do
    x = self.layers[i]:hidden(x)
  end
  return x
end

-- Training -------------------------------------------------------------------

-- All samples one layer up, a part at a time.
local function lift(layer, x)
  local count = x:size(1)
  local y = wrun.empty(count, layer.options.hidden, { dtype = layer.options.dtype })
  for first = 1, count, ROWS do
    local rows = math.min(ROWS, count - first + 1)
    y:narrow(1, first, rows):copy_(layer:hidden(x:narrow(1, first, rows)))
  end
  return y
end

-- What fit of layer `i` is given: the options for all layers, and over them those of this one.
local function options_of_layer(options, i)
  local result = {}
  for _, part in ipairs { options, options.layers and options.layers[i] or {} } do
    for name, value in pairs(part) do
      result[name] = value
    end
  end
  result.layers = nil
  local callback = result.callback
  result.callback = callback and function(info)
    info.layer = i
    return callback(info)
  end
  return result
end

local LAYERS = check.optional(check.table())

--- Trains the layers one after the other, each on the hidden probabilities of the one below it.
--- shapes  data [n, visible] or [n, ...]
--- domain  the options of rbm's fit, for every layer; `layers` is a list of such tables, whose
---   options win in their layer. callback(info) gets the layer's number as info.layer; when it
---   returns false, the next layer begins
--- raises  as rbm's fit
--- cost    the memory of the widest layer's activity over all data, twice
--- source  [Hinton2006] section 4
---     local d, x = dbn.new { sizes = { 6, 4, 2 } }, wrun.rand(50, 6)
---     d:fit(x, { method = "cd", epochs = 2, layers = { { epochs = 1 } } })
---     print(d:up(x).shape[2])
function Model:fit(data, options)
  options = check.argument("fit", 2, options, check.table({}))
  check.options("fit", { layers = options.layers }, { layers = LAYERS })
  if options.layers and #options.layers > #self.layers then
    fail("fit: option layers: expected at most %d tables, got %d", #self.layers, #options.layers)
  end
  autograd.no_grad(function()
    local x = data
    for i, layer in ipairs(self.layers) do
      layer:fit(x, options_of_layer(options, i))
      x = i < #self.layers and lift(layer, x) or nil
    end
  end)
  return self
end

--- Returns copies of all that the layers are; see rbm's state_dict.
---     print(dbn.new({ sizes = { 6, 4, 2 } }):state_dict()[2].weight)
---@return table[] states of the layers
function Model:state_dict()
  local states = {}
  for i, layer in ipairs(self.layers) do
    states[i] = layer:state_dict()
  end
  return repr.record("StateDict", states)
end

--- Makes the model what `state_dict` of a model of the same sizes returned.
--- domain  copied, and converted to the model's dtype
--- raises  as rbm's
---     local d, other = dbn.new { sizes = { 6, 4, 2 } }, dbn.new { sizes = { 6, 4, 2 } }
---     other:load_state_dict(d:state_dict())
---     assert(other.layers[2].weight:equal(d.layers[2].weight))
---@param states table[]
function Model:load_state_dict(states)
  if type(states) ~= "table" or #states ~= #self.layers then
    fail("load_state_dict: argument 1: expected a list of %d states, got %s", #self.layers,
      type(states) == "table" and "a list of " .. #states or check.describe(states))
  end
  for i, layer in ipairs(self.layers) do
    layer:load_state_dict(states[i])
  end
end

-- Sampling -------------------------------------------------------------------

local COUNT = check.integer(nil, 1)
local STEPS = check.integer(1000, 1)

--- Draws from the model: Gibbs sampling in the top machine, then down to the visible units.
--- shapes  -> [n, visible]
--- domain  n >= 1, steps >= 1 (1000); the probabilities (means) of the visible units, the layers
---   between are sampled. The chains start from independent units of the top machine
--- cost    steps products there and back in the top machine
--- source  [Hinton2006] section 6
---     local d = dbn.new { sizes = { 6, 4, 2 }, seed = 1 }
---     print(d:sample(3, 10))
function Model:sample(n, steps)
  n = check.argument("sample", 1, n, COUNT)
  steps = check.argument("sample", 2, steps, STEPS)
  return autograd.no_grad(function()
    local top = self.layers[#self.layers]
    local chains = top:chains(n)
    if #self.layers == 1 then
      local h = top:sample_h(steps > 1 and top:gibbs(chains.v, steps - 1) or chains.v)
      return top:visible(h)
    end
    local x = top:gibbs(chains.v, steps)
    for i = #self.layers - 1, 2, -1 do
      x = self.layers[i]:sample_v(x)
    end
    return self.layers[1]:visible(x)
  end)
end

-- Networks -------------------------------------------------------------------

-- A Linear on these tensors' memory.
local function linear(weight, bias)
  local layer = nn.Linear(0, 0, { dtype = weight.dtype })
  layer.in_features, layer.out_features = weight:size(2), weight:size(1)
  layer.weight, layer.bias = nn.Parameter(weight), nn.Parameter(bias)
  return layer
end

local function encoder(self)
  local model = nn.Sequential()
  for _, layer in ipairs(self.layers) do
    model:append(linear(layer.weight, layer.hidden_bias))
    if layer.options.hidden_units == "binary" then
      model:append(nn.Sigmoid())
    end
  end
  return model
end

local NN = { classes = check.optional(check.integer(nil, 1)) }

--- Returns the recognition network: Linear and Sigmoid for each layer, and with `classes` a fresh
--- Linear to so many logits. The weights are the machines' own memory: training one trains both.
--- shapes  x [batch, visible] -> [batch, classes], without classes [batch, top]
--- domain  the fresh layer draws from the default generator
---     print(dbn.new({ sizes = { 784, 100, 50 } }):to_nn({ classes = 10 }))
---@return wrun.nn.Sequential
function Model:to_nn(options)
  local o = check.options("to_nn", options, NN)
  local model = encoder(self)
  if o.classes then
    local top = self.sizes[#self.sizes]
    model:append(nn.Linear(top, o.classes, { dtype = self.options.dtype }))
  end
  return model
end

--- Returns the deep autoencoder Sequential(encoder, decoder): up through all layers and down again.
--- The encoder's weights are the machines' own memory, the decoder's are transposed copies.
--- shapes  x [batch, visible] -> [batch, visible]; model[1] gives the codes [batch, top]
--- domain  Gaussian layers are linear, all others sigmoid
--- source  [HintonSalakhutdinov2006] fig. 1
---     local d = dbn.new { sizes = { 6, 4, 2 }, seed = 1 }
---     print(d:unroll())
---@return wrun.nn.Sequential
function Model:unroll()
  local decoder = nn.Sequential()
  for i = #self.layers, 1, -1 do
    local layer = self.layers[i]
    decoder:append(linear(layer.weight:t():clone():contiguous(), layer.visible_bias:clone()))
    if layer.options.visible_units == "binary" then
      decoder:append(nn.Sigmoid())
    end
  end
  return nn.Sequential(encoder(self), decoder)
end

local M = { Model = Model }

--- Makes a stack of machines with small random weights.
--- shapes  layers[i].weight [sizes[i + 1], sizes[i]]
--- domain  options sizes: visible units, then hidden units from below; visible_units "binary"
---   (default) or "gaussian"; code_units, those of the top layer, "binary" (default) or "gaussian"
---   (a linear code); center, std, dtype as in rbm.new; seed (layer i gets seed + i; drawn from the
---   default generator when not given)
--- raises  `dbn.new: option NAME: expected`
--- source  [Hinton2006]
---     local d = dbn.new { sizes = { 784, 500, 500, 2000 }, seed = 1 }
---     print(d)
---@param options table
---@return wrun.dbn.Model
function M.new(options)
  return Model(options)
end

return names.closed("dbn", M)
