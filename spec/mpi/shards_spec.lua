--- Micro-shards, beside the cut and the tree written out.

local child = require "spec.support.child"
local mpirun = require "spec.support.mpirun"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local mpi = wrun.mpi

-- The sum of a binary tree over a list in which some may be missing.
local function tree(parts, first, last)
  if first == last then
    return parts[first]
  end
  local middle = (first + last) // 2
  local a, b = tree(parts, first, middle), tree(parts, middle + 1, last)
  return a and b and a + b or a or b
end

local function parts_of(n)
  wrun.manual_seed(n)
  local x, parts = wrun.randn(n, 50), {}
  for _, shard in ipairs(mpi.shards(n)) do
    parts[shard.index] = x:narrow(1, shard.first, shard.count):sum(1)
  end
  return parts
end

describe("shards", function()
  it("cut a batch of any size into at most 16 pieces, whose sizes differ by at most one", function()
    for n = 0, 200 do
      local next_one, least, most = 1, math.huge, 0
      for _, shard in ipairs(mpi.shards(n)) do
        assert.equal(next_one, shard.first)
        next_one = next_one + shard.count
        least, most = math.min(least, shard.count), math.max(most, shard.count)
      end
      assert.equal(n + 1, next_one)
      assert.equal(math.min(n, 16), #mpi.shards(n))
      assert.is_true(n == 0 or most - least <= 1)
    end
  end)

  it("print as what they hold", function()
    assert.equal("Shard(count=1, first=1, index=16)", tostring(mpi.shards(1)[1]))
  end)

  it("are summed by a tree, whichever are missing", function()
    for _, n in ipairs { 100, 33, 16, 7, 2, 1 } do
      local expected = tree(parts_of(n), 1, 16)
      assert.is_true(mpi.sum_shards(parts_of(n)):equal(expected))
    end
    assert.is_nil(mpi.sum_shards({}))
  end)

  it("are summed to the same bits by any number of ranks", function()
    if not mpirun.is_there(pending) then
      return
    end
    local text = [[
      local wrun = require "wrun"
      local mpi = wrun.mpi
      local owner = mpi.size() - 1
      for _, n in ipairs { 100, 33, 16, 7, 2, 1, 0 } do
        wrun.manual_seed(n)
        local x, parts = wrun.randn(n, 50), {}
        for _, shard in ipairs(mpi.shards(n)) do
          parts[shard.index] = x:narrow(1, shard.first, shard.count):sum(1)
        end
        local copies = {}
        for index, part in pairs(parts) do copies[index] = part:clone() end
        local total = mpi.sum_shards(parts)
        local owned = mpi.sum_shards(copies, owner)
        assert((owned == nil) == (n == 0 or mpi.rank() ~= owner))
        assert(owned == nil or owned:equal(total))
        local line = total and wrun.fingerprint({ total }) or "none"
        for _, other in ipairs(mpi.all_gather(line)) do assert(other == line) end
        print(line)
      end
    ]]
    local alone = child.run({ "-e", text })
    assert.equal(0, alone.status, alone.err)
    for _, ranks in ipairs { 3, 17 } do
      local result = mpirun.run(ranks, text)
      assert.equal(alone.out, result.out, result.err)
    end
  end)

  it("are summed in pieces of any size, on all ranks or one, to the tree's bits", function()
    if not mpirun.is_there(pending) then
      return
    end
    local text = [[
      local wrun = require "wrun"
      local mpi, shards = wrun.mpi, require "wrun.mpi.shards"
      for _, width in ipairs { 3, 50, 5001, 300007 } do
        for _, n in ipairs { 100, 33, 7, 1, 0 } do
          wrun.manual_seed(n)
          local parts = wrun.randn(16, width)
          parts:narrow(2, 1, 1):narrow(1, 1, 8):fill_(0 / 0)
          parts:narrow(2, 1, 1):narrow(1, 9, 8):fill_(-(0 / 0))
          local sum = shards.sum(wrun.empty(width))
          local owned = shards.sum(wrun.empty(width), n % mpi.size())
          for _, shard in ipairs(mpi.shards(n)) do
            sum:add(shard.index, parts[shard.index]:clone())
            owned:add(shard.index, parts[shard.index])
          end
          local total, part = sum:finish(), owned:finish()
          assert((part == nil) == (n == 0 or mpi.rank() ~= n % mpi.size()))
          local line = total and wrun.fingerprint({ total }) or "none"
          assert(not part or wrun.fingerprint({ part }) == line)
          for _, other in ipairs(mpi.all_gather(line)) do assert(other == line) end
          print(line)
        end
      end
    ]]
    local alone = child.run({ "-e", text })
    assert.equal(0, alone.status, alone.err)
    for _, ranks in ipairs { 2, 3, 4, 8, 16 } do
      local result = mpirun.run(ranks, text)
      assert.equal(alone.out, result.out, result.err)
    end
  end)

  it("refuse what is no number of samples, and no table of tensors", function()
    assert.equal("shards: argument 1: expected an integer >= 0, got -1", refusal(mpi.shards, -1))
    assert.equal("sum_shards: argument 1: expected a table, got 1", refusal(mpi.sum_shards, 1))
    assert.equal("sum_shards: argument 1: expected a tensor, got 1", refusal(mpi.sum_shards, { 1 }))
    assert.equal("sum_shards: argument 2: expected an integer from 0 to 0, got 1",
      refusal(mpi.sum_shards, {}, 1))
  end)
end)
