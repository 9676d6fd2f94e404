--- Data sets of tensors and of other data sets: their samples, their batches, what they refuse.

local data = require "wrun.data"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

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
    assert.is_nil(data.loader(data.ConcatDataset { data.Subset(one, {}) }):batches()())
  end)

  it("hands out each set's samples as a loader of that set alone does", function()
    local bytes = { x = (wrun.ones(2, 3) * 255):byte(), y = wrun.tensor({ 1, 2 }) }
    local numbers = { x = wrun.full({ 1, 3 }, 0.5), y = wrun.tensor({ 3 }) }
    local set = data.Subset(data.ConcatDataset { bytes, numbers }, { 3, 2, 1 })
    local x = data.loader(set, { batch_size = 3 }):batches()()
    assert.same({ { 0.5, 0.5, 0.5 }, { 1, 1, 1 }, { 1, 1, 1 } }, x:tolist())
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

describe("every data set", function()
  local sets = require "wrun.data.sets"
  local x, y = wrun.arange(12):reshape(4, 3), wrun.tensor { 1, 2, 1, 2 }

  it("has a length, samples from both ends, and an end for ipairs", function()
    local fields = sets.Fields { x = x, y = y, classes = { "a", "b" } }
    for name, set in pairs {
      fields = fields, tensors = data.TensorDataset(x, y),
      subset = data.Subset(fields, { 1, 2, 3, 4 }), joined = data.ConcatDataset { fields },
    } do
      assert.equal(4, #set, name)
      assert.same({ { 9, 10, 11 }, 2 }, { set[4][1]:tolist(), set[-1][2]:item() })
      local count = 0
      for i, sample in ipairs(set) do
        count = count + i * sample[2]:item()
      end
      assert.equal(1 + 4 + 3 + 8, count)
      assert.matches(": expected an index from 1 to 4 or from %-4 to %-1, got 5$",
        refusal(function() return set[5] end))
    end
  end)

  it("of fields follows what a script makes of them", function()
    local set = sets.Fields { x = x, y = y }
    set.x = x:float() / 2
    assert.same({ 0, 0.5, 1 }, set[1][1]:tolist())
    set.y = nil
    assert.equal(1, #set[1])
    set.x = wrun.ones(2, 3)
    assert.equal(2, #set)
    set.x = 5
    assert.equal("#: argument 1: expected field x to be a tensor of samples, got 5",
      refusal(function() return #set end))
  end)
end)
