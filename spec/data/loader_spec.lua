--- Batches: their number, their sizes, their types, whose memory they are, and PyTorch's orders.

local data = require "wrun.data"
local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
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
    assert.equal("loader: " .. expected, refusal(data.loader, ...))
  end

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

-- A pass over a loader of the samples 1..n, as a list of batches.
local function pass_over(n, options)
  local x = wrun.arange(n):float():reshape(n, 1)
  local y = wrun.arange(1, n + 1)
  local batches = {}
  for inputs, wanted in data.loader({ x = x, y = y }, options):batches() do
    batches[#batches + 1] = near.flat(wanted)
    assert.same(near.flat(wanted:float() - 1), near.flat(inputs))
  end
  return batches
end

describe("a shuffled loader", function()
  it("meets the published order of seed 1", function()
    wrun.manual_seed(1)
    local want = {
      { 15, 14, 13, 9 }, { 4, 18, 8, 7 }, { 11, 2, 5, 1 }, { 20, 19, 17, 16 }, { 6, 10, 12, 3 },
    }
    assert.same(want, pass_over(20, { batch_size = 4, shuffle = true, order = "pytorch" }))
  end)

  for _, case in ipairs(require("spec.fixtures.loader")) do
    local title = ("has PyTorch's %s order: seed %d, %d samples by %d%s%s"):format(case.order,
      case.seed, case.n, case.batch_size, case.drop_last and ", last dropped" or "",
      case.explicit and ", own generator" or "")
    it(title, function()
      wrun.manual_seed(case.seed)
      local generator = case.explicit and wrun.Generator({ seed = case.seed + 1 }) or nil
      local options = {
        batch_size = case.batch_size,
        shuffle = true,
        drop_last = case.drop_last,
        order = case.order,
        generator = generator,
      }
      for _, pass in ipairs(case.passes) do
        assert.same(pass.batches, pass_over(case.n, options))
        assert.equal(pass.after, wrun.rand(1, { generator = generator }):item())
      end
    end)
  end

  it("draws nothing when it is not shuffled", function()
    wrun.manual_seed(6)
    local want = wrun.rand(1):item()
    wrun.manual_seed(6)
    assert.same({ { 1, 2, 3 }, { 4, 5 } }, pass_over(5, { batch_size = 3 }))
    assert.equal(want, wrun.rand(1):item())
  end)
end)

describe("a loader's options", function()
  local set = { x = wrun.arange(12):reshape(6, 2):byte(), y = wrun.arange(1, 7) }

  local function passed(options)
    return targets(data.loader(set, options))
  end

  it("takes a list of indices as sampler, and batches of them", function()
    assert.same({ { 6, 1 }, { 1 } }, passed({ sampler = { 6, 1, 1 }, batch_size = 2 }))
    local batches = {
      iterate = function()
        local list = { { 2, 3 }, wrun.tensor({ 1 }) }
        return function()
          return table.remove(list, 1)
        end
      end,
    }
    assert.same({ { 2, 3 }, { 1 } }, passed({ batch_sampler = batches }))
  end)

  it("over validation data disturbs no shuffle of the training data", function()
    local function orders(between)
      wrun.manual_seed(3)
      local train, found = data.loader(set, { shuffle = true, batch_size = 6 }), {}
      for _ = 1, 3 do
        for _, y in train:batches() do
          found[#found + 1] = y:tolist()
        end
        between()
      end
      return found
    end
    local plain = orders(function() end)
    assert.same(plain, orders(function()
      passed({ batch_size = 4 })
      passed({ batch_size = 4, sampler = data.SequentialSampler(set) })
      passed({ batch_size = 4, sampler = { 1, 2, 3 } })
    end))
  end)

  it("hands out tensors of a TensorDataset as they are", function()
    local tensors = data.TensorDataset(wrun.zeros(3, 2, 2):byte(), wrun.arange(3), wrun.ones(3))
    for x, y, z in data.loader(tensors, { batch_size = 3 }):batches() do
      assert.same({ 3, 2, 2 }, x.shape)
      assert.equal("uint8", x.dtype)
      assert.same({ 0, 1, 2 }, y:tolist())
      assert.same({ 1, 1, 1 }, z:tolist())
    end
  end)

  it("lets a function of yours make the batches", function()
    local function collate(samples)
      return #samples, samples[1][1]:tolist(), samples[#samples][2]:item()
    end
    local found = {}
    for n, first, last in data.loader(set, { batch_size = 4, collate = collate }):batches() do
      found[#found + 1] = { n, first, last }
    end
    assert.same({ { 4, { 0, 1 }, 4 }, { 2, { 8, 9 }, 6 } }, found)
  end)

  it("keeps the shape of samples on demand, and applies transforms last", function()
    local images = { x = (wrun.ones(2, 3, 4) * 255):byte(), y = wrun.tensor({ 2, 1 }) }
    local t = data.transforms
    local loader = data.loader(images, { batch_size = 2, flatten = false, transform = t.scale(2),
      target_transform = t.one_hot(2) })
    for x, y in loader:batches() do
      assert.same({ 2, 3, 4 }, x.shape)
      assert.equal(2, x:max():item())
      assert.same({ { 0, 1 }, { 1, 0 } }, y:tolist())
    end
    for x in data.loader({ x = wrun.ones(2) }, { transform = function(x)
      return x + 1
    end, target_transform = error }):batches() do
      assert.equal(2, x:item())
    end
  end)

  it("refuses options that contradict each other, or make no sense", function()
    local function refused(options)
      return refusal(data.loader, set, options)
    end
    local batches = data.BatchSampler(data.SequentialSampler(6), 2)
    local others = { batch_size = 2, drop_last = true, shuffle = true, sampler = { 1 } }
    for name, value in pairs(others) do
      assert.equal("loader: option batch_sampler: cannot go together with option " .. name,
        refused({ batch_sampler = batches, [name] = value }))
    end
    assert.equal("loader: option sampler: cannot go together with option shuffle",
      refused({ sampler = { 1 }, shuffle = true }))
    assert.equal("loader: option sampler: expected a sampler or a list of indices, got a table",
      refused({ sampler = { a = 1 } }))
    assert.equal("loader: option batch_sampler: expected a sampler of batches, got {1}",
      refused({ batch_sampler = { 1 } }))
    assert.equal("loader: option transform: expected a function, got 3", refused({ transform = 3 }))
    assert.equal("loader: option collate: expected a function, got 3", refused({ collate = 3 }))
    local late = data.loader(set, { sampler = { 7 } }):batches()
    assert.matches("index_select: .*", refusal(late))
    late = data.loader(set, { sampler = { 7 }, collate = print }):batches()
    assert.equal("loader: option sampler: expected an index from 1 to 6 or from -6 to -1, got 7",
      refusal(late))
  end)
end)

describe("a loader", function()
  it("says how it is walked, and that options are read when it is made", function()
    local loader = data.loader({ x = wrun.ones(4, 2) }, { batch_size = 2 })
    local text = "Loader: cannot be walked by itself; write for x, y in loader:batches() do"
    assert.equal(text, refusal(function() for x in loader do print(x) end end))
    assert.equal(text, refusal(function() for _, x in ipairs(loader) do print(x) end end))
    assert.equal(text, refusal(function() for _, x in pairs(loader) do print(x) end end))
    assert.equal("loader: option batch_size: is read when the loader is made; make another one",
      refusal(function() loader.batch_size = 4 end))
    loader.note = "mine"
    assert.equal("mine", loader.note)
  end)
end)
