--- Batches: their number, their sizes, their types and whose memory they are.
---
--- random_spec.lua compares the orders of shuffled passes with PyTorch's.

local data = require "wrun.data"
local wrun = require "wrun"

-- Five samples of three bytes each, targets 1..5.
local function small()
  return { x = wrun.arange(15):byte():reshape(5, 3), y = wrun.arange(1, 6) }
end

local function targets(loader)
  local batches = {}
  for _, y in loader:batches() do
    batches[#batches + 1] = y:tolist()
  end
  return batches
end

describe("data.loader", function()
  it("hands the samples out in order, one at a time", function()
    local loader = data.loader(small())
    assert.equal(5, #loader)
    assert.same({ { 1 }, { 2 }, { 3 }, { 4 }, { 5 } }, targets(loader))
  end)

  it("hands out a smaller last batch, or leaves it out", function()
    local loader = data.loader(small(), { batch_size = 2 })
    assert.equal(3, #loader)
    assert.same({ { 1, 2 }, { 3, 4 }, { 5 } }, targets(loader))
    loader = data.loader(small(), { batch_size = 2, drop_last = true })
    assert.equal(2, #loader)
    assert.same({ { 1, 2 }, { 3, 4 } }, targets(loader))
  end)

  it("has one batch, or none, of a set smaller than a batch", function()
    assert.same({ { 1, 2, 3, 4, 5 } }, targets(data.loader(small(), { batch_size = 8 })))
    for _, shuffle in ipairs({ false, true }) do
      local loader = data.loader(small(), { batch_size = 8, drop_last = true, shuffle = shuffle })
      assert.equal(0, #loader)
      assert.same({}, targets(loader))
    end
  end)

  it("has no batch of an empty set", function()
    for _, shuffle in ipairs({ false, true }) do
      local loader = data.loader({ x = wrun.zeros(0, 3), y = wrun.zeros(0) }, { shuffle = shuffle })
      assert.equal(0, #loader)
      assert.same({}, targets(loader))
    end
  end)

  it("hands out every sample once a shuffled pass, with its target, in a new order", function()
    local n = 1000
    local set = { x = wrun.arange(n):reshape(n, 1), y = wrun.arange(1, n + 1) }
    local loader = data.loader(set, { batch_size = 64, shuffle = true })
    local function pass()
      local order = {}
      for x, y in loader:batches() do
        assert.is_true((x:reshape(-1) + 1):eq(y):all():item())
        for _, target in ipairs(y:tolist()) do
          order[#order + 1] = target
        end
      end
      return order
    end
    local first, second = pass(), pass()
    assert.is_not.same(first, second)
    table.sort(first)
    table.sort(second)
    assert.same(set.y:tolist(), first)
    assert.same(set.y:tolist(), second)
  end)

  it("turns bytes into float32 from 0 to 1, rounded as a division rounds", function()
    local set = { x = wrun.arange(256):byte():reshape(256, 1) }
    local expected = {}
    for value = 0, 255 do
      expected[value + 1] = string.unpack("f", string.pack("f", value / 255))
    end
    for _, shuffle in ipairs({ false, true }) do
      local options = { batch_size = 256, shuffle = shuffle, generator = wrun.Generator() }
      local values = {}
      for x in data.loader(set, options):batches() do
        assert.equal("float32", x.dtype)
        values = x:reshape(-1):tolist()
      end
      table.sort(values)
      assert.same(expected, values)
    end
  end)

  it("leaves other types, and all targets, as they are", function()
    for _, dtype in ipairs({ "bool", "int64", "float32", "float64" }) do
      local set = { x = wrun.ones(4, 2, { dtype = dtype }), y = wrun.ones(4, { dtype = "uint8" }) }
      for _, shuffle in ipairs({ false, true }) do
        for x, y in data.loader(set, { batch_size = 2, shuffle = shuffle }):batches() do
          assert.equal(dtype, x.dtype)
          assert.equal("uint8", y.dtype)
          assert.is_true(x:double():eq(1):all():item())
        end
      end
    end
  end)

  it("makes a row of features of every sample, and no less than a row", function()
    local function shapes(...)
      local set = { x = wrun.zeros(3, ...), y = wrun.zeros(3, 2, 2) }
      local found = {}
      for x, y in data.loader(set, { batch_size = 2 }):batches() do
        found[#found + 1] = x.shape
        found[#found + 1] = y.shape
      end
      return found
    end
    assert.same({ { 2 }, { 2, 2, 2 }, { 1 }, { 1, 2, 2 } }, shapes())
    assert.same({ { 2, 4 }, { 2, 2, 2 }, { 1, 4 }, { 1, 2, 2 } }, shapes(4))
    assert.same({ { 2, 784 }, { 2, 2, 2 }, { 1, 784 }, { 1, 2, 2 } }, shapes(28, 28))
    assert.same({ { 2, 24 }, { 2, 2, 2 }, { 1, 24 }, { 1, 2, 2 } }, shapes(2, 3, 4))
  end)

  it("takes a set without targets", function()
    local loader = data.loader({ x = wrun.zeros(5, 3) }, { batch_size = 2, shuffle = true })
    local count = 0
    for x, y in loader:batches() do
      assert.equal(3, x:size(2))
      assert.is_nil(y)
      count = count + 1
    end
    assert.equal(3, count)
  end)

  it("takes a set that is not contiguous", function()
    local set = { x = wrun.arange(6):reshape(2, 3):t(), y = wrun.arange(6)[{ { 1, -1, 2 } }] }
    for _, shuffle in ipairs({ false, true }) do
      for x, y in data.loader(set, { shuffle = shuffle }):batches() do
        assert.equal(y:item(), 2 * x:tolist()[1][1])
        assert.equal(3, x:tolist()[1][2] - x:tolist()[1][1])
      end
    end
  end)

  it("hands out copies, so that a batch may be changed", function()
    for _, dtype in ipairs({ "uint8", "float32" }) do
      local set = { x = wrun.ones(4, 2):to(dtype), y = wrun.ones(4) }
      for _, shuffle in ipairs({ false, true }) do
        for x, y in data.loader(set, { batch_size = 4, shuffle = shuffle }):batches() do
          x:zero_()
          y:zero_()
        end
      end
      assert.equal(8, set.x:sum():item())
      assert.equal(4, set.y:sum():item())
    end
  end)

  it("can be left early, and passes may run side by side", function()
    local loader = data.loader(small(), { batch_size = 2 })
    local seen = 0
    for _ in loader:batches() do
      seen = seen + 1
      if seen == 2 then
        break
      end
    end
    local one, two = loader:batches(), loader:batches()
    local _, first = one()
    local _, other = two()
    assert.same(first:tolist(), other:tolist())
    assert.same({ 3, 4 }, select(2, one()):tolist())
    one()
    assert.is_nil(one())
    assert.is_nil(one())
    assert.same({ 3, 4 }, select(2, two()):tolist())
  end)

  it("draws two words when a shuffled pass begins, and the order before its first batch", function()
    wrun.manual_seed(5)
    local it = data.loader(small(), { shuffle = true, order = "pytorch-0.4" }):batches()
    wrun.manual_seed(5)
    it()
    local after = wrun.rand(1):item()
    wrun.manual_seed(5)
    wrun.randperm(5)
    assert.equal(wrun.rand(1):item(), after)
  end)

  -- PyTorch's BatchSampler asks for the next sample to know that there is none: for a short last
  -- batch while it gathers that, otherwise after the last batch.
  it("draws the surplus permutation of PyTorch's sampler when the samples run out", function()
    local function state_of(generator)
      return generator:get_state():tolist()
    end
    local twin = wrun.Generator({ seed = 3 })
    wrun.empty(1, { dtype = "int64" }):random_({ generator = twin })
    wrun.randperm(5, { generator = twin })
    local shuffled = state_of(twin)
    wrun.randperm(5, { generator = twin })
    local over = state_of(twin)

    local function states(options)
      options.shuffle = true
      options.generator = wrun.Generator({ seed = 3 })
      local next_batch = data.loader({ x = wrun.zeros(5) }, options):batches()
      local found = {}
      repeat
        local x = next_batch()
        found[#found + 1] = state_of(options.generator)
      until x == nil
      return found
    end
    assert.same({ shuffled, over }, states({ batch_size = 5 }))
    assert.same({ shuffled, over, over }, states({ batch_size = 3 }))
    assert.same({ shuffled, over }, states({ batch_size = 3, drop_last = true }))
    assert.same({ shuffled, shuffled, shuffled }, states({ batch_size = 3, order = "pytorch-0.4" }))
  end)

  local function assert_refused(expected, ...)
    local ok, message = pcall(data.loader, ...)
    assert.is_false(ok)
    assert.equal("loader: " .. expected, message:match(":%d+: (.*)$"))
  end

  it("refuses what is no data set", function()
    assert_refused("argument 1: expected a data set, got 3", 3)
    local field = "argument 1: expected field %s to be a tensor of samples, got "
    local x, y = field:format("x"), field:format("y")
    assert_refused(x .. "nil", {})
    assert_refused(x .. "false", { x = false })
    assert_refused(x .. "a function", { x = print })
    assert_refused(x .. "a float32 tensor []", { x = wrun.tensor(1.5) })
    assert_refused(y .. "1", { x = wrun.zeros(2), y = 1 })
    assert_refused("argument 1: expected as many targets as samples, got x [2, 3] and y [3]",
      { x = wrun.zeros(2, 3), y = wrun.zeros(3) })
  end)

  it("refuses options that make no sense", function()
    local size = "option batch_size: expected an integer >= 1, got "
    assert_refused(size .. "0", small(), { batch_size = 0 })
    assert_refused(size .. "2.5", small(), { batch_size = 2.5 })
    assert_refused("option shuffle: expected true or false, got 1", small(), { shuffle = 1 })
    assert_refused("option order: expected pytorch or pytorch-0.4, got the string 'old'", small(),
      { order = "old" })
    assert_refused("option workers: unknown; the options are batch_sampler, batch_size, collate, "
      .. "drop_last, flatten, generator, order, sampler, shuffle, target_transform, transform",
      small(), { workers = 2 })
  end)
end)
