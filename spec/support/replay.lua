--- Replays programs of random draws: each step names a draw, its arguments and its outcome.

local near = require "spec.support.near"
local wrun = require "wrun"

local M = {}

-- log, sin and cos may differ by a step or two from one library to the next; a shift by the mean
-- carries that over in steps of the mean's size.
local NORMAL_ULP = 2
-- A decomposition's errors are relative to the size of the matrix, a gain of 1 to 2.
local ORTHOGONAL = { float32 = { atol = 2e-6 }, float64 = { atol = 1e-14 } }
-- The inverse error function is steep at its ends, where it magnifies a last place.
local INVERSE = { float32 = { rtol = 1e-5, atol = 1e-6 }, float64 = { rtol = 1e-12, atol = 1e-13 } }
local LAWS = { exponential = true, law = true }

local function empty(step)
  return wrun.zeros(step.shape, { dtype = step.dtype })
end

local function like(step, generator)
  return { dtype = step.dtype, generator = generator }
end

local VIEWS = {
  transposed = function(base)
    return base:t()
  end,
  stepped = function(base)
    return base[{ {}, { 1, -1, 2 } }]
  end,
  rows = function(base)
    return base[{ { 1, -1, 3 } }]
  end,
  inner = function(base)
    return base[{ { 2, -2 }, { 2, -2 } }]
  end,
}

-- Each draws what its step says from `generator` (nil: the default one) and returns a tensor.
local DRAWS = {}

function DRAWS.rand(step, generator)
  return wrun.rand(step.shape, like(step, generator))
end

function DRAWS.uniform(step, generator)
  return empty(step):uniform_(step.a, step.b, { generator = generator })
end

function DRAWS.normal(step, generator)
  if step.mean == 0 and step.std == 1 then
    return wrun.randn(step.shape, like(step, generator))
  end
  return empty(step):normal_(step.mean, step.std, { generator = generator })
end

function DRAWS.randint(step, generator)
  return wrun.randint(step.lo, step.hi, step.shape, like(step, generator))
end

function DRAWS.random(step, generator)
  local arguments = table.move(step.bounds, 1, #step.bounds, 1, {})
  arguments[#arguments + 1] = { generator = generator }
  return empty(step):random_(table.unpack(arguments))
end

function DRAWS.randperm(step, generator)
  return wrun.randperm(step.n, { generator = generator })
end

function DRAWS.coins(step, generator)
  return empty(step):bernoulli_(step.p, { generator = generator })
end

function DRAWS.bernoulli(step, generator)
  return wrun.bernoulli(wrun.tensor(step.p, { dtype = step.dtype }), { generator = generator })
end

function DRAWS.exponential(step, generator)
  return empty(step):exponential_(step.rate, { generator = generator })
end

function DRAWS.multinomial(step, generator)
  local p = wrun.tensor(step.p, { dtype = step.dtype })
  return wrun.multinomial(p, step.n, step.replacement, { generator = generator })
end

function DRAWS.law(step, generator)
  local a, b = table.unpack(step.arguments)
  if step.law == "geometric" then
    return empty(step):geometric_(a, { generator = generator })
  end
  return empty(step)[step.law .. "_"](empty(step), a, b, { generator = generator })
end

function DRAWS.poisson(step, generator)
  return wrun.poisson(wrun.tensor(step.rates, { dtype = step.dtype }), { generator = generator })
end

function DRAWS.coins_each(step, generator)
  local x = empty(step)
  local p = wrun.tensor(step.p, { dtype = step.p_dtype })
  local view = step.transposed and x:t() or x
  view:bernoulli_(p, { generator = generator })
  return x
end

function DRAWS.normal_of(step, generator)
  local function moment(x)
    return type(x) == "table" and wrun.tensor(x, { dtype = step.dtype }) or x
  end
  return wrun.normal(moment(step.mean), moment(step.std), { generator = generator })
end

function DRAWS.view(step, generator)
  local base = empty(step)
  local view = VIEWS[step.kind](base)
  if step.draw == "uniform" then
    view:uniform_(-1, 2, { generator = generator })
  else
    view:normal_(0, 1, { generator = generator })
  end
  return base
end

function DRAWS.linear(step)
  local layer = wrun.nn.Linear(step.inputs, step.outputs)
  return wrun.cat({ layer.weight:detach():flatten(), layer.bias:detach() }, 1)
end

-- Everything else is an initialiser of nn.init.
local function draw(step, generator)
  if DRAWS[step.op] then
    return DRAWS[step.op](step, generator)
  end
  local options = { generator = generator }
  for name, value in pairs(step.options) do
    options[name] = value
  end
  return wrun.nn.init[step.op](empty(step), options)
end

local function rule_of(step)
  if LAWS[step.op] then
    return { ulp = 2 }
  elseif step.op == "normal_of" then
    return { ulp = NORMAL_ULP, scale = 16 }
  elseif step.op == "orthogonal_" then
    return ORTHOGONAL[step.dtype]
  elseif step.options and step.options.method == "inverse" then
    return INVERSE[step.dtype]
  elseif step.op:find("normal") or step.draw == "normal" or step.op == "sparse_" then
    local mean = step.mean or (step.options and step.options.mean) or 0
    return { ulp = NORMAL_ULP, scale = math.abs(mean) }
  end
end

--- Takes one step and asserts its outcome.
function M.step(step, generator)
  local got = near.flat(draw(step, generator))
  if step.hash then
    assert(near.hash(got) == step.hash, step.op .. ": other values than PyTorch's")
  else
    local ok, message = pcall(near.lists, step.want, got, rule_of(step), step.dtype)
    assert(ok, ("%s: %s"):format(step.op, message))
  end
end

--- Names a program by its seed and steps.
function M.title(case)
  local parts = {}
  for i, step in ipairs(case.steps) do
    local size = step.shape and "[" .. table.concat(step.shape, ",") .. "]" or ""
    local dtype = step.dtype and step.dtype ~= "float32" and " " .. step.dtype or ""
    parts[i] = step.op .. size .. dtype
  end
  return ("seed %d: %s"):format(case.seed, table.concat(parts, ", "))
end

return M
