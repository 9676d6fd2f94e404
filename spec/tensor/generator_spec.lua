--- Generators and their state: own ones, and the default one.

local near = require "spec.support.near"
local replay = require "spec.support.replay"
local wrun = require "wrun"

-- n uniforms of a generator, as a list
local function uniforms(n, generator)
  return near.flat(wrun.rand({ n }, { generator = generator }))
end

describe("a generator", function()
  local interleavings = require "spec.fixtures.random_interleavings"

  it("draws what the default one draws from the same seed", function()
    for _, case in ipairs(interleavings) do
      local generator = wrun.Generator({ seed = case.seed })
      for _, step in ipairs(case.steps) do
        replay.step(step, generator)
      end
    end
  end)

  it("can hand its state to another after every step, a cached normal included", function()
    for _, case in ipairs(interleavings) do
      local state = wrun.Generator({ seed = case.seed }):get_state()
      for _, step in ipairs(case.steps) do
        local generator = wrun.Generator({ seed = 999 })
        generator:set_state(state)
        replay.step(step, generator)
        state = generator:get_state()
      end
    end
  end)

  it("gives its state as bytes of its own", function()
    local generator = wrun.Generator({ seed = 3 })
    local state = generator:get_state()
    assert.equal("uint8", state.dtype)
    local before = near.hash(near.flat(state))
    local first = uniforms(700, generator)
    assert.equal(before, near.hash(near.flat(state)))
    generator:set_state(state)
    assert.same(first, uniforms(700, generator))
  end)

  it("remembers the whole seed but draws from its low 32 bits", function()
    for _, seed in ipairs({ 0, 777, (1 << 32) + 5, -1, math.maxinteger }) do
      local a, b = wrun.Generator({ seed = seed }), wrun.Generator({ seed = seed & 0xffffffff })
      assert.equal(seed, a:initial_seed())
      assert.same(uniforms(9, a), uniforms(9, b))
    end
  end)

  it("starts over when it is seeded, without the cached normal", function()
    local generator = wrun.Generator({ seed = 11 })
    local first = near.flat(wrun.randn({ 3 }, { generator = generator }))
    assert.equal(generator, generator:manual_seed(11))
    assert.same(first, near.flat(wrun.randn({ 3 }, { generator = generator })))
  end)

  it("does not disturb the default one", function()
    wrun.manual_seed(4)
    local first = near.flat(wrun.rand(5))
    wrun.manual_seed(4)
    wrun.rand({ 50 }, { generator = wrun.Generator({ seed = 8 }) })
    assert.same(first, near.flat(wrun.rand(5)))
  end)

  it("seeded by manual_seed is the default one, and says its seed", function()
    assert.equal(wrun.default_generator, wrun.manual_seed(31))
    assert.equal(31, wrun.initial_seed())
    assert.equal(31, wrun.default_generator:initial_seed())
  end)
end)

describe("the default generator", function()
  it("has a state to get and to set, and a seed of its own each time", function()
    wrun.manual_seed(3)
    wrun.randn(1) -- its twin waits in the state
    local state = wrun.get_rng_state()
    local first = near.flat(wrun.randn(3))
    wrun.set_rng_state(state)
    assert.same(first, near.flat(wrun.randn(3)))
    local seed = wrun.seed()
    assert.equal(seed, wrun.initial_seed())
    assert.not_equal(seed, wrun.seed())
  end)

  it("stands after fork_rng where it stood before, also after an error", function()
    wrun.manual_seed(5)
    local want = near.flat(wrun.randn(4))
    wrun.manual_seed(5)
    local x, y = wrun.fork_rng(function(n)
      wrun.manual_seed(n)
      return wrun.rand(n), "more"
    end, 3)
    assert.same({ 3 }, x.shape)
    assert.equal("more", y)
    assert.is_false(pcall(wrun.fork_rng, function()
      wrun.rand(100)
      error("stop")
    end))
    do
      local _ <close> = wrun.fork_rng()
      wrun.seed()
    end
    assert.equal(5, wrun.initial_seed())
    assert.same(want, near.flat(wrun.randn(4)))
  end)
end)
