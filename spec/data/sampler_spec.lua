--- Samplers, data sets made of others, and loaders that use them: PyTorch's draws, and the rest.

local data = require "wrun.data"
local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

-- What an iterator gives, all of it; tensors as lists.
local function collect(next_value)
  local list = {}
  for value in next_value do
    list[#list + 1] = wrun.is_tensor(value) and value:tolist() or value
  end
  return list
end

-- A loader, as something to iterate.
local function walk(set, options)
  local loader = data.loader(set, options)
  return {
    iterate = function()
      return loader:batches()
    end,
  }
end

-- The indices of the parts of a split, as something to iterate.
local function parts(subsets)
  return {
    iterate = function()
      local i = 0
      return function()
        i = i + 1
        return subsets[i] and subsets[i].indices
      end
    end,
  }
end

describe("PyTorch's draws are those of", function()
  for _, case in ipairs(require("spec.fixtures.samplers")) do
    local seed, text, passes, after, own = table.unpack(case)
    it(("%s from seed %d"):format(text, seed), function()
      wrun.manual_seed(seed)
      local g = wrun.Generator({ seed = seed + 1 })
      local names = { g = g, walk = walk, parts = parts, arange = wrun.arange }
      local environment = setmetatable(names, { __index = data })
      local made = assert(load("return " .. text, text, "t", environment))()
      for _, pass in ipairs(passes) do
        assert.same(pass, collect(made:iterate()))
      end
      near.lists({ after, own },
        { wrun.rand(1):item(), wrun.rand(1, { generator = g }):item() })
    end)
  end
end)

describe("a sampler", function()
  local function lengths(...)
    local list = {}
    for i, sampler in ipairs { ... } do
      list[i] = #sampler
    end
    return list
  end

  it("has a length", function()
    assert.same({ 5, 0, 7, 12, 2, 9, 3, 2 }, lengths(data.SequentialSampler(5),
      data.SequentialSampler(0), data.RandomSampler(7), data.RandomSampler(7, { num_samples = 12 }),
      data.SubsetRandomSampler({ 3, 4 }), data.WeightedRandomSampler({ 1, 2 }, 9),
      data.BatchSampler(data.SequentialSampler(5), 2),
      data.BatchSampler(data.SequentialSampler(5), 2, { drop_last = true })))
  end)

  it("takes a data set of any kind in place of a number", function()
    local object = setmetatable({}, {
      __len = function()
        return 3
      end,
    })
    for _, set in ipairs { { x = wrun.zeros(3, 2) }, data.TensorDataset(wrun.zeros(3)), object,
      { 7, 8, 9 } } do
      assert.same({ 1, 2, 3 }, collect(data.SequentialSampler(set):iterate()))
      assert.equal(3, #data.RandomSampler(set))
    end
  end)

  it("with replacement draws 32 at a time, when they are needed", function()
    local g, twin = wrun.Generator({ seed = 4 }), wrun.Generator({ seed = 4 })
    local next_index = data.RandomSampler(10, { replacement = true, num_samples = 70,
      generator = g }):iterate()
    for _, taken in ipairs { 32, 32, 6 } do
      local block = wrun.randint(1, 11, { taken }, { generator = twin }):tolist()
      for i = 1, taken do
        assert.equal(block[i], next_index())
        assert.is_true(wrun.equal(twin:get_state(), g:get_state()))
      end
    end
    assert.is_nil(next_index())
  end)

  it("of nothing gives nothing", function()
    assert.same({}, collect(data.SequentialSampler(0):iterate()))
    assert.same({}, collect(data.RandomSampler(0):iterate()))
    assert.same({}, collect(data.BatchSampler({}, 3):iterate()))
  end)

  it("for batches takes any sampler, or a list of indices", function()
    assert.same({ { 3, 1 }, { 2 } }, collect(data.BatchSampler({ 3, 1, 2 }, 2):iterate()))
    assert.same({ { 3, 1 } },
      collect(data.BatchSampler(wrun.tensor({ 3, 1, 2 }), 2, { drop_last = true }):iterate()))
    local own = {
      iterate = function()
        local i = 4
        return function()
          i = i - 1
          return i > 0 and i or nil
        end
      end,
    }
    assert.same({ { 3, 2 }, { 1 } }, collect(data.BatchSampler(own, 2):iterate()))
  end)

  it("refuses what makes no sense", function()
    assert.equal("SequentialSampler: argument 1: expected a data set, got the string 'x'",
      refusal(data.SequentialSampler, "x"))
    assert.equal("SequentialSampler: argument 1: expected a number of samples, got -1",
      refusal(data.SequentialSampler, -1))
    assert.equal("RandomSampler: argument 1: expected a data set, got nil",
      refusal(data.RandomSampler))
    assert.equal("RandomSampler: option num_samples: expected an integer >= 1, got 0",
      refusal(data.RandomSampler, 3, { num_samples = 0 }))
    assert.equal("RandomSampler: option num_samples: expected none of no samples, got 3",
      refusal(data.RandomSampler, 0, { num_samples = 3 }))
    assert.equal("RandomSampler: option replacement: expected true or false, got 1",
      refusal(data.RandomSampler, 3, { replacement = 1 }))
    assert.equal("SubsetRandomSampler: argument 1: expected a list of indices, got 3",
      refusal(data.SubsetRandomSampler, 3))
    assert.equal("SubsetRandomSampler: argument 1: expected indices from 1 to "
      .. "9223372036854775807, got 0", refusal(data.SubsetRandomSampler, { 1, 0 }))
    assert.equal("WeightedRandomSampler: argument 1: expected a list of weights, got a table",
      refusal(data.WeightedRandomSampler, {}, 3))
    assert.equal("WeightedRandomSampler: argument 2: expected an integer >= 1, got 0",
      refusal(data.WeightedRandomSampler, { 1 }, 0))
    assert.equal("BatchSampler: argument 1: expected a sampler or a list of indices, got 3",
      refusal(data.BatchSampler, 3, 2))
    assert.equal("BatchSampler: argument 2: expected an integer >= 1, got 0",
      refusal(data.BatchSampler, { 1 }, 0))
  end)
end)

describe("a loader", function()
  local set = { x = wrun.arange(12):reshape(6, 2):byte(), y = wrun.arange(1, 7) }

  local function targets(options, dataset)
    local list = {}
    for _, y in data.loader(dataset or set, options):batches() do
      list[#list + 1] = y:tolist()
    end
    return list
  end

  it("takes a list of indices as sampler, and batches of them", function()
    assert.same({ { 6, 1 }, { 1 } }, targets({ sampler = { 6, 1, 1 }, batch_size = 2 }))
    local batches = {
      iterate = function()
        local list = { { 2, 3 }, wrun.tensor({ 1 }) }
        return function()
          return table.remove(list, 1)
        end
      end,
    }
    assert.same({ { 2, 3 }, { 1 } }, targets({ batch_sampler = batches }))
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
      targets({ batch_size = 4 })
      targets({ batch_size = 4, sampler = data.SequentialSampler(set) })
      targets({ batch_size = 4, sampler = { 1, 2, 3 } })
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

  it("takes any object with a length and samples", function()
    local squares = setmetatable({}, {
      __len = function()
        return 5
      end,
      __index = function(_, i)
        return { wrun.tensor({ i, i * i }), i / 2, tostring(i), i > 3 }
      end,
    })
    local batches = {}
    for x, half, text, big in data.loader(squares, { batch_size = 3 }):batches() do
      batches[#batches + 1] = { x:tolist(), half:tolist(), text, big:tolist(), half.dtype }
    end
    assert.same({
      { { { 1, 1 }, { 2, 4 }, { 3, 9 } }, { 0.5, 1, 1.5 }, { "1", "2", "3" },
        { false, false, false }, "float32" },
      { { { 4, 16 }, { 5, 25 } }, { 2, 2.5 }, { "4", "5" }, { true, true }, "float32" },
    }, batches)
    for x in data.loader({ 5, 6, 7 }, { batch_size = 3 }):batches() do
      assert.same({ 5, 6, 7 }, x:tolist())
    end
    for fields in data.loader({ { a = 1 }, { a = 2 } }, { batch_size = 2 }):batches() do
      assert.same({ 1, 2 }, fields.a:tolist())
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

describe("data.TensorDataset", function()
  it("has a length and samples, from both ends", function()
    local x, y = wrun.arange(6):reshape(3, 2), wrun.arange(1, 4)
    local set = data.TensorDataset(x, y)
    assert.equal(3, #set)
    assert.same({ 2, 3 }, set[2][1]:tolist())
    assert.equal(3, set[-1][2]:item())
    assert.equal(x, set.tensors[1])
    assert.is_nil(set.missing)
    assert.equal("TensorDataset: expected an index from 1 to 3 or from -3 to -1, got 4",
      refusal(function()
        return set[4]
      end))
  end)

  it("refuses tensors that do not go together", function()
    assert.equal("TensorDataset: argument 1: expected a tensor of samples, got nil",
      refusal(data.TensorDataset))
    assert.equal("TensorDataset: argument 1: expected a tensor of samples, got a float32 tensor []",
      refusal(data.TensorDataset, wrun.tensor(1.5)))
    assert.equal("TensorDataset: argument 2: expected a tensor of 3 samples, got a float32 tensor "
      .. "[2]", refusal(data.TensorDataset, wrun.zeros(3), wrun.zeros(2)))
  end)
end)

describe("data.Subset", function()
  local set = { x = (wrun.arange(8):reshape(4, 2) * 10):byte(), y = wrun.arange(1, 5) }

  it("shows some samples of another set, which a loader treats as that one's", function()
    local subset = data.Subset(data.Subset(set, { 4, 1, 2 }), wrun.tensor({ 3, 1 }))
    assert.equal(2, #subset)
    assert.same({ 20, 30 }, subset[1][1]:tolist())
    assert.same({ { 20, 30 }, { 60, 70 } }, subset.x:tolist())
    assert.same({ 2, 4 }, subset.y:tolist())
    for x, y in data.loader(subset, { batch_size = 2 }):batches() do
      assert.equal("float32", x.dtype)
      assert.same({ 2, 4 }, y:tolist())
    end
    local tensors = data.Subset(data.TensorDataset(set.x), { 1 })
    assert.is_nil(tensors.x)
    assert.equal("uint8", data.loader(tensors):batches()().dtype)
  end)

  it("may be empty", function()
    local subset = data.Subset(set, {})
    assert.equal(0, #subset)
    assert.same({ 0, 2 }, subset.x.shape)
    assert.is_nil(data.loader(subset):batches()())
  end)

  it("refuses indices that the set has not", function()
    assert.equal("Subset: argument 2: expected indices from 1 to 4, got 5",
      refusal(data.Subset, set, { 1, 5 }))
    assert.equal("Subset: argument 2: expected a list of indices, got {1.5}",
      refusal(data.Subset, set, { 1.5 }))
    assert.equal("Subset: argument 1: expected a data set, got nil", refusal(data.Subset))
  end)
end)

describe("data.ConcatDataset", function()
  it("is one set after the other, in any order of indices", function()
    local one = { x = wrun.zeros(2, 3), y = wrun.tensor({ 1, 2 }) }
    local two = { x = wrun.ones(3, 3), y = wrun.tensor({ 3, 4, 5 }) }
    local set = data.ConcatDataset { one, data.Subset(one, {}), two }
    assert.equal(5, #set)
    assert.equal(4, set[4][2]:item())
    assert.equal(1, set[-5][2]:item())
    local found = {}
    for x, y in data.loader(set, { batch_size = 4, sampler = { 5, 1, 4, 2, 3 } }):batches() do
      found[#found + 1] = { x:sum(2):tolist(), y:tolist() }
    end
    assert.same({ { { 3, 0, 3, 0 }, { 5, 1, 4, 2 } }, { { 3 }, { 3 } } }, found)
    assert.same({}, collect(data.loader(data.ConcatDataset { data.Subset(one, {}) }):batches()))
  end)

  it("refuses what is no list of sets", function()
    assert.equal("ConcatDataset: argument 1: expected a list of data sets, got nil",
      refusal(data.ConcatDataset))
    assert.equal("ConcatDataset: argument 1: expected a data set, got 3",
      refusal(data.ConcatDataset, { 3 }))
    local texts = data.ConcatDataset { { "a", "b" }, { "c" } }
    assert.equal("ConcatDataset: expected samples of tensors and numbers, got a table",
      refusal(data.loader(texts, { batch_size = 3 }):batches()))
  end)
end)

describe("data.random_split", function()
  it("gives every sample to one part", function()
    local seen = {}
    for _, part in ipairs(data.random_split({ x = wrun.zeros(100) }, { 0.2, 0.3, 0.5 })) do
      for _, i in ipairs(part.indices:tolist()) do
        assert.is_nil(seen[i])
        seen[i] = true
      end
    end
    assert.equal(100, #seen)
  end)

  it("refuses lengths that do not add up", function()
    local set = { x = wrun.zeros(10) }
    local two = "random_split: argument 2: expected "
    local sums = two .. "lengths that add up to 10, or fractions to 1, got "
    assert.equal(sums .. "9", refusal(data.random_split, set, { 4, 5 }))
    assert.equal(sums .. "0.9", refusal(data.random_split, set, { 0.5, 0.4 }))
    assert.equal(sums .. "10.0", refusal(data.random_split, set, { 5.5, 4.5 }))
    assert.equal(two .. "lengths or fractions, got -1", refusal(data.random_split, set, { 11, -1 }))
    assert.equal(two .. "lengths or fractions, got the string 'x'",
      refusal(data.random_split, set, { "x" }))
    assert.equal(two .. "a table, got 3", refusal(data.random_split, set, 3))
    assert.equal("random_split: argument 1: expected a data set, got 3",
      refusal(data.random_split, 3, {}))
  end)
end)

describe("data.collate", function()
  it("refuses samples that do not go together", function()
    assert.equal("collate: argument 1: expected a list of samples, got a table",
      refusal(data.collate, {}))
    assert.equal("collate: sample 2: expected a tensor [2] as the first one, got a float32 tensor "
      .. "[3]", refusal(data.collate, { wrun.zeros(2), wrun.zeros(3) }))
    assert.equal("collate: sample 2: expected a number as the first one, got the string 'x'",
      refusal(data.collate, { 1, "x" }))
    assert.equal("collate: sample 2: expected a field a as in the first one, got a table",
      refusal(data.collate, { { a = 1 }, { b = 1 } }))
    assert.equal("collate: sample 2: expected a field 2 as in the first one, got {1}",
      refusal(data.collate, { { 1, 2 }, { 1 } }))
  end)
end)
