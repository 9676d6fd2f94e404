--- Dropout and AlphaDropout: inputs set to a constant at random while training.

local check = require "wrun.check"
local Module = require "wrun.nn.module"
local repr = require "wrun.repr"
local wrun = require "wrun"

local M = {}

local P = check.number(0.5, 0, 1)
local OPTIONS = { generator = check.generator() }

-- Elements that are 1 with probability p, else 0, in the shape and layout of x; they are drawn in
-- the order they have in memory, as PyTorch draws them.
local function bernoulli_like(x, p, generator)
  local order, sizes, back = {}, {}, {}
  for d = 1, x.ndim do
    order[d] = d
  end
  if not x:is_contiguous() then
    table.sort(order, function(a, b)
      local by_a, by_b = x:stride(a), x:stride(b)
      return by_a > by_b or by_a == by_b and a < b
    end)
  end
  for i, d in ipairs(order) do
    sizes[i], back[d] = x:size(d), i
  end
  local drawn = wrun.empty(sizes, { dtype = x.dtype }):bernoulli_(p, { generator = generator })
  return x.ndim > 0 and drawn:permute(back) or drawn
end

-- A layer that in training returns drop(x, p, kept), where an element of `kept` is 1 with
-- probability 1 - p, else 0; p = 0 and p = 1 go without a draw.
local function define(name, drop)
  local class = Module:extend(name)

  function class:init(p, options)
    self.p = check.argument(name, 1, p, P)
    self.generator = check.options(name, options, OPTIONS).generator
  end

  function class:forward(x)
    check.tensor_argument(name, 1, x)
    if not self.training or self.p == 0 then
      return x
    elseif self.p == 1 then
      return x * 0
    end
    return drop(x, self.p, bernoulli_like(x, 1 - self.p, self.generator))
  end

  function class:extra_repr()
    return repr.settings("p", self.p)
  end
  return class
end

--- Makes a layer that, in training, sets each element to 0 with probability p and divides the rest
--- by 1 - p; after `eval()` it returns its input.
--- shapes  x [...] -> same
--- domain  p in 0..1, default 0.5; option generator (the default generator)
--- raises  `bernoulli_` for an x of no float dtype
--- source  [Srivastava2014]
---     local layer = nn.Dropout(0.2)
---     print(layer(wrun.ones(5)), layer:eval()(wrun.ones(5)))
---@type fun(p: number?, options: { generator: wrun.Generator }?): wrun.nn.Module
M.Dropout = define("Dropout", function(x, p, kept)
  return x * (kept / (1 - p))
end)

-- SELU tends to -ALPHA for large negative inputs
local ALPHA = 1.7580993408473766

--- Makes a layer that, in training, sets each element to SELU's lower limit with probability p, and
--- scales and shifts all so that mean 0 and variance 1 stay; after `eval()` it returns its input.
--- as  Dropout
--- source  [Klambauer2017]
---     local y = nn.AlphaDropout(0.2)(wrun.randn(10000))
---     print(y:mean(), y:std())
M.AlphaDropout = define("AlphaDropout", function(x, p, kept)
  local a = 1 / math.sqrt((ALPHA * ALPHA * p + 1) * (1 - p))
  return x * (kept * a) + ((kept - 1) * (ALPHA * a) + ALPHA * a * p)
end)

return M
