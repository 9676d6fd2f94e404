--- Samplers: PyTorch's draws, also through loaders and splits, and what else they do.

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
