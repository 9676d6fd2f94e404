--- The negative phase: what the model believes, for each training method.
--- A strategy is a function of (trainer, v0) that returns the hidden means p0 [batch, hidden] of
--- the batch and the model's side: visible states v [rows, visible], hidden means p [rows, hidden],
--- and the weight of each row (nil: all the same). Strategies with a memory keep it in
--- trainer.memory, a table of tensors, or trainer.ladder, chains, so that a resumed run goes on as
--- it would have.

local enumerate = require "wrun.rbm.enumerate"
local unrecorded = require "wrun.unrecorded"
local wrun = require "wrun"

local M = {}

-- hidden means and, of the same input, a sample
local function hidden_both(model, v)
  local x = model:_to_hidden(v)
  local sample = wrun.empty(x.shape, { dtype = x.dtype })
  model.hidden_kind.sample(x, model.hidden_bias, model.generator, { out = sample })
  return x, sample
end

-- The visible units after k steps that begin with the hidden ones.
local function walk(model, h, k)
  for _ = 2, k do
    h = model:_draw_hidden(model:_draw_visible(h))
  end
  return model:_draw_visible(h)
end

--- Contrastive divergence [Hinton2002]: chains that start at the batch.
function M.cd(trainer, v0)
  local model = trainer.model
  local p0, h = hidden_both(model, v0)
  local v = walk(model, h, trainer.options.k)
  return p0, v, model:hidden(v)
end

-- Chains that were never stepped start from samples of the visible units alone.
local function chain_hidden(trainer)
  local model, memory = trainer.model, trainer.memory
  if not memory.hidden then
    local v = model:chains(trainer.options.chains).v
    memory.hidden = model:sample_h(v)
  end
  return memory.hidden
end

--- Persistent contrastive divergence [Tieleman2008]: the chains live on from batch to batch.
function M.pcd(trainer, v0)
  local model, memory = trainer.model, trainer.memory
  local h = chain_hidden(trainer)
  local v = walk(model, h, trainer.options.k)
  local p, sample = hidden_both(model, v)
  memory.hidden = sample
  return model:hidden(v0), v, p
end

local FAST = { "weight", "visible_bias", "hidden_bias" }

-- The fast weights, which all shards of a step have in common.
local function fast_weights(trainer)
  local model, memory = trainer.model, (trainer.whole or trainer).memory
  for _, name in ipairs(FAST) do
    memory[name] = memory[name] or model[name] * 0
  end
  return memory
end

--- Persistent chains on fast weights [Tieleman2009], which decay by 1/20 each step.
function M.fpcd(trainer, v0)
  local model, memory, fast = trainer.model, trainer.memory, fast_weights(trainer)
  local h = chain_hidden(trainer)
  local weight = model.weight + fast.weight
  local visible_bias = model.visible_bias + fast.visible_bias
  local hidden_bias = model.hidden_bias + fast.hidden_bias
  local v
  for _ = 1, trainer.options.k do
    v = model.visible_kind.sample(unrecorded.matmul(h, weight), visible_bias, model.generator)
    h = model.hidden_kind.sample(unrecorded.linear(v, weight), hidden_bias, model.generator)
  end
  memory.hidden = h
  return model:hidden(v0), v, model:hidden(v)
end

--- What FPCD's fast weights learn from a step; grads as of the model, divided by the batch size.
function M.learn_fast(trainer, grads, lr)
  local fast = fast_weights(trainer)
  for _, name in ipairs(FAST) do
    fast[name]:copy_(fast[name] * (19 / 20) + grads[name] * lr)
  end
end

-- The chains at all temperatures, which start at `start` or, if nil, at the reference model.
function M.ladder(trainer, start)
  local o = trainer.options
  return trainer.model:chains(o.chains, { temperatures = o.temperatures, start = start })
end

--- Parallel tempering [Desjardins2010]: of a ladder of chains, the ones at the model itself.
function M.pt(trainer, v0)
  local model = trainer.model
  trainer.ladder = trainer.ladder or M.ladder(trainer)
  trainer.ladder:step(trainer.options.k)
  local v = trainer.ladder.v
  return model:hidden(v0), v, model:hidden(v)
end

--- The gradient of the likelihood itself, by enumerating the smaller side.
function M.exact(trainer, v0)
  local model = trainer.model
  local v, p, weight = enumerate.expectation(model)
  return model:hidden(v0), v, p, weight
end

return M
