--- What must be true of the core's steps of optimisers, each over a whole group.
---
--- A step is described by { options =, booleans =, blocks = }: the options it needs, the names of
--- its switches, and those of the tensors it remembers.

local assert = require "luassert"
local busted = require "busted"
local core = require "wrun.core"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local describe, it = busted.describe, busted.it

local M = {}

--- Returns a copy of options with some of them changed.
function M.changed(options, changes)
  local result = {}
  for _, part in ipairs({ options, changes }) do
    for name, value in pairs(part) do
      result[name] = value
    end
  end
  return result
end

-- What does not lie beside its parameter, and what the error says it is.
local MISFITS = {
  { wrun.zeros(3, 2), "a float32 tensor [3, 2]" },
  { wrun.zeros(2, 3):double(), "a float64 tensor [2, 3]" },
  { wrun.zeros(3, 2):t(), "a float32 tensor [2, 3]" },
  { 5, "5" },
}

local function refuses(name, about)
  it("refuses what are no lists and tables", function()
    local expected = { "a list of tensors", "a list of tensors", "a table of states",
      "a table of options" }
    for index, what in ipairs(expected) do
      local arguments = { {}, {}, {}, {} }
      arguments[index] = false
      assert.equal(("%s: argument %d: expected %s, got false"):format(name, index, what),
        refusal(core[name], table.unpack(arguments)))
    end
  end)

  it("refuses options that are not there or of another kind", function()
    local p = wrun.ones(2)
    local function text(option, value)
      local options = M.changed(about.options, {})
      options[option] = value
      return refusal(core[name], { p }, { p }, {}, options)
    end
    for option, value in pairs(about.options) do
      if type(value) == "number" then
        local expected = ("%s: option %s: expected a number, got "):format(name, option)
        assert.equal(expected .. "nil", text(option, nil))
        assert.equal(expected .. "the string 'x'", text(option, "x"))
      end
    end
    for _, option in ipairs(about.booleans) do
      assert.equal(("%s: option %s: expected true or false, got 1"):format(name, option),
        text(option, 1))
    end
    assert.same({ 1, 1 }, p:tolist())
  end)

  it("refuses parameters, gradients and states by their number, and changes none", function()
    local p, q, states = wrun.ones(2, 3), wrun.ones(2, 3), {}
    local function text(parameters, gradients)
      return refusal(core[name], parameters, gradients, states, about.options)
    end
    assert.equal(name .. ": parameter 2: expected a tensor, got 3", text({ p, 3 }, { q, q }))
    assert.equal(name .. ": parameter 1: expected a float32 or float64 tensor, "
      .. "got an int64 tensor [2, 3]", text({ p:long() }, { q }))
    assert.equal(name .. ": parameter 1: expected a contiguous tensor, "
      .. "got a float32 tensor [3, 2]", text({ p:t() }, { q }))
    local expected = " of parameter 2: expected a contiguous tensor like the parameter, "
      .. "a float32 tensor [2, 3], got "
    assert.equal(name .. ": gradient" .. expected .. "nil", text({ p, q }, { p }))
    for _, misfit in ipairs(MISFITS) do
      local value, got = table.unpack(misfit)
      assert.equal(name .. ": gradient" .. expected .. got, text({ p, q }, { p, value }))
      for _, block in ipairs(about.blocks) do
        states[q] = { [block] = value }
        assert.equal(name .. ": state " .. block .. expected .. got, text({ p, q }, { p, q }))
        states[q] = nil
      end
    end
    states[q] = 3
    assert.equal(name .. ": state of parameter 2: expected a table, got 3",
      text({ p, q }, { p, q }))
    assert.is_nil(states[p])
    assert.is_true(p:equal(wrun.ones(2, 3)))
    assert.equal(0, p.version)
  end)
end

-- Runs three steps of parameters of these sizes, all in one call or each in its own, and returns
-- the parameters and what is remembered of them.
local function run(name, about, sizes, is_together)
  wrun.manual_seed(3)
  local parameters, gradients, states = {}, {}, {}
  for i, size in ipairs(sizes) do
    local options = { dtype = i % 3 == 0 and "float64" or "float32" }
    parameters[i], gradients[i] = wrun.randn(size, options), wrun.randn(size, options)
  end
  for _ = 1, 3 do
    if is_together then
      core[name](parameters, gradients, states, about.options)
    else
      for i, parameter in ipairs(parameters) do
        core[name]({ parameter }, { gradients[i] }, states, about.options)
      end
    end
  end
  local tensors = {}
  for _, parameter in ipairs(parameters) do
    tensors[#tensors + 1] = parameter
    for _, block in ipairs(about.blocks) do
      tensors[#tensors + 1] = states[parameter][block]
    end
  end
  return tensors
end

local function assert_equal_bits(want, got)
  assert.equal(#want, #got)
  for i, tensor in ipairs(want) do
    assert.is_true(tensor:equal(got[i]))
  end
end

-- Two views of one tensor, which overlap, changed by one call; a gradient overlaps the other one.
local function run_overlapping(name, about)
  local whole = wrun.arange(100000):float():sin()
  local function part(first)
    return whole:narrow(1, first, 40000):detach()
  end
  local parameters, gradients = { part(1), part(30001) }, { part(60001), wrun.ones(40000) }
  for _ = 1, 3 do
    core[name](parameters, gradients, {}, about.options)
  end
  return { whole }
end

local function with_threads(count, f, ...)
  local before = wrun.get_num_threads()
  wrun.set_num_threads(count)
  local result = f(...)
  wrun.set_num_threads(before)
  return result
end

local function has_the_same_bits(name, about)
  -- Ranges of 2^14 elements begin and end within parameters, between them, and hold many.
  local sizes = { 1, 0, 16383, 5, 40000, 3, 16384, 0, 7, 7, 7, 32768, 0 }

  it("gives the bits of one call a parameter, for any number of threads", function()
    local want = with_threads(1, run, name, about, sizes, false)
    for _, threads in ipairs({ 1, 2, 5 }) do
      assert_equal_bits(want, with_threads(threads, run, name, about, sizes, true))
    end
  end)

  it("changes parameters that share memory one after the other", function()
    local want = with_threads(1, run_overlapping, name, about)
    for _ = 1, 5 do
      assert_equal_bits(want, with_threads(4, run_overlapping, name, about))
    end
  end)

  it("takes no parameters at all", function()
    core[name]({}, {}, {}, about.options)
  end)
end

--- The specs of a step of the core.
function M.changes_a_group(name, about)
  describe(name, function()
    refuses(name, about)
    has_the_same_bits(name, about)
  end)
end

return M
