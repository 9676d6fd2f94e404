--- Dropout: some inputs set to zero at random while training [Srivastava2014].

local Module = require "wrun.nn.module"
local check = require "wrun.check"
local wrun = require "wrun"

local P = check.number(0.5, 0, 1)
local OPTIONS = { generator = check.optional(check.passed_on()) }

---@class wrun.nn.Dropout: wrun.nn.Module
---@field p number
local Dropout = Module:extend("Dropout")

--- Makes a layer that, in training, sets each element to 0 with probability p and divides the rest
--- by 1 - p; after `eval()` it returns its input.
--- domain  p in 0..1, default 0.5; option generator (the default generator)
--- raises  `Dropout: argument 1: expected a number from 0 to 1`
--- source  [Srivastava2014]
---
---     local layer = nn.Dropout(0.2)
---@param p number?
---@param options { generator: wrun.Generator }?
function Dropout:init(p, options)
  self.p = check.argument("Dropout", 1, p, P)
  self.generator = check.options("Dropout", options, OPTIONS).generator
end

--- shapes  x [...] -> same
--- raises  `bernoulli_` for an x of no float dtype
---@param x wrun.Tensor
---@return wrun.Tensor
function Dropout:forward(x)
  if not self.training or self.p == 0 then
    return x
  end
  local keep = 1 - self.p
  local mask = wrun.empty(x.shape, { dtype = x.dtype })
  mask:bernoulli_(keep, { generator = self.generator })
  return x * (keep > 0 and mask / keep or mask)
end

function Dropout:extra_repr()
  return "p=" .. self.p
end

return Dropout
