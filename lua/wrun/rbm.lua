--- Restricted Boltzmann Machines: trained by five methods, sampled, and scored by log-likelihood.
--- What each file adds to the class: model (energies and conditionals), fit (training), score
--- (likelihoods), chains (samplers).

local Model = require "wrun.rbm.model"
local chains = require "wrun.rbm.chains"
local fit = require "wrun.rbm.fit"
local names = require "wrun.names"
local publish = require "wrun.publish"
local score = require "wrun.rbm.score"
local units = require "wrun.rbm.units"

for _, part in ipairs { chains, fit, score } do
  publish.into(Model, part.methods)
end

local M = {
  Model = Model, autocorrelation = chains.autocorrelation, units = units.new,
}

--- Makes a machine with small random weights and biases of zero.
--- shapes  weight [hidden, visible], visible_bias [visible], hidden_bias [hidden]
--- domain  options visible and hidden (numbers of units); visible_units "binary" (default),
---   "gaussian" (unit variance), "softmax" with `categories` a group, or what rbm.units makes;
---   hidden_units "binary", "gaussian" or what rbm.units makes; center (true: train with the
---   centred gradient); std of the weights (0.01); seed (drawn from the default generator when not
---   given); dtype
--- raises  `rbm.new: option NAME: expected`
--- source  [Hinton2012]
---     local r = rbm.new { visible = 784, hidden = 500 }
---     print(r)
---@param options table
---@return wrun.rbm.Model
function M.new(options)
  return Model(options)
end

return names.closed("rbm", M)
