--- A machine's work in shards: the same mathematics as in one piece, and draws of its own for each.
--- That all numbers of ranks give the same bits is in `spec/mpi/`.

require "wrun.testing"
local refusal = require "spec.support.refusal"
local tiny = require "spec.support.tiny_rbm"
local wrun = require "wrun"

local rbm = wrun.rbm

local ROUNDING = 1e-12 -- of float64 sums of numbers of size 1, in another order
local NAMES = { "weight", "visible_bias", "hidden_bias", "hidden_offset" }
local METHODS = { "cd", "pcd", "fpcd", "pt", "exact" }

describe("a distributed machine", function()
  local data = tiny.bars_and_stripes(4)

  local function machine(options, is_whole)
    local given = { visible = 16, hidden = 8, seed = 5, dtype = "float64" }
    for name, value in pairs(options or {}) do
      given[name] = value
    end
    local r = rbm.new(given)
    return is_whole and r or r:distribute(wrun.mpi)
  end

  local function trained(options, of_machine, is_whole)
    return machine(of_machine, is_whole):fit(data, options)
  end

  local function assert_same(a, b)
    for _, name in ipairs(NAMES) do
      assert.is_true(a[name]:equal(b[name]), name)
    end
  end

  it("adds up the gradient of a machine in one piece", function()
    -- with all data in a batch, and the model's side by enumeration, nothing is drawn
    for _, more in ipairs {
      {}, { momentum = 0.5 }, { l1 = 0.01, l2 = 0.01 }, { sparsity = { target = 0.2 } },
    } do
      for _, center in ipairs { true, false } do
        local options = { method = "exact", epochs = 20, batch_size = data:size(1), lr = 0.1 }
        for name, value in pairs(more) do
          options[name] = value
        end
        local whole = trained(options, { center = center }, true)
        local shared = trained(options, { center = center })
        for _, name in ipairs(NAMES) do
          assert.tensor_near(whole[name], shared[name], { atol = ROUNDING, rtol = ROUNDING })
        end
      end
    end
  end)

  for _, method in ipairs(METHODS) do
    local name = "learns by %s, and goes on, bit for bit, from a saved state #many"
    it(name:format(method), function()
      local options = {
        method = method, epochs = 150, batch_size = 7, chains = 20, temperatures = 3,
        lr = { 0.5, 0 }, momentum = 0.5,
      }
      local whole = trained(options)
      local state
      options.callback = function(info)
        if info.epoch == 13 then
          state = info.trainer:state_dict()
          return false
        end
      end
      trained(options)
      options.callback, options.resume = nil, state
      assert_same(whole, trained(options))
      local before = machine()
      assert.is_true(tiny.log_likelihood(whole, data) > tiny.log_likelihood(before, data) + 1)
    end)
  end

  it("has shards without chains, and without rows of a batch", function()
    for _, method in ipairs(METHODS) do
      for _, size in ipairs { 1, 31 } do
        local options = { method = method, epochs = 1, batch_size = size, chains = 2 }
        local r = trained(options)
        assert.is_true(r.weight:isfinite():all():item())
        assert_same(r, trained(options))
      end
    end
  end)

  it("counts the exchanges of all its chains, also of those before it was saved", function()
    local options = { method = "pt", epochs = 2, chains = 20, temperatures = 3, batch_size = 32 }
    local trainer = machine():trainer(data, options)
    trainer:run_epoch()
    local later = machine():trainer(data, options)
    later:load_state_dict(trainer:state_dict())
    trainer:run_epoch()
    later:run_epoch()
    local ladder = trainer:state_dict().ladder
    assert.same({ 20, 20 }, ladder.tried) -- a pair of temperatures in turn, 20 chains each
    assert.same(ladder.swapped, later:state_dict().ladder.swapped)
    assert.is_true(ladder.swapped[1] + ladder.swapped[2] > 0)
    assert.equal(2, ladder.steps)
  end)

  it("draws differently in each shard and each step", function()
    local r = rbm.new { visible = 64, hidden = 3, seed = 1, dtype = "float64", std = 0 }
    r:distribute(wrun.mpi)
    local seen = {}
    local grey = wrun.full({ 32, 64 }, 0.5, { dtype = "float64" })
    local trainer = r:trainer(grey, { method = "cd", binarize = "stochastic", lr = 0, epochs = 2 })
    local sampled = r.visible_kind.sample
    local kind = setmetatable({
      sample = function(...)
        local v = sampled(...)
        for _, row in ipairs(v:tolist()) do
          seen[#seen + 1] = table.concat(row, " ")
        end
        return v
      end,
    }, { __index = r.visible_kind })
    r.visible_kind = kind
    trainer:run_epoch()
    trainer:run_epoch()
    local different = {}
    for _, row in ipairs(seen) do
      different[row] = true
    end
    local count = 0
    for _ in pairs(different) do
      count = count + 1
    end
    assert.equal(64, #seen)
    assert.equal(64, count) -- of 2^64 that are equally likely
  end)

  it("takes units of every kind", function()
    for _, kinds in ipairs {
      { visible_units = "gaussian" }, { visible_units = "softmax", categories = 4 },
      { hidden_units = "gaussian", std = 0.001 },
    } do
      local r = trained({ epochs = 2, batch_size = 10, lr = 0.001 }, kinds)
      assert.is_true(r.weight:isfinite():all():item())
    end
  end)

  it("estimates log Z by runs that are shared out, up and down", function()
    local r = tiny.new(6, 5, 0.5, 3)
    local exact = r:log_z()
    r:distribute(wrun.mpi)
    local heard = {}
    local up = r:ais { chains = 300, steps = 200, progress = function(done, all)
      heard[#heard + 1] = done / all
    end }
    local down = r:ais { chains = 300, steps = 200, reverse = true }
    assert.equal(300, up.log_weight:size(1))
    assert.is_true(math.abs(up.log_z - exact) < 5 * up.sd)
    assert.is_true(math.abs(down.log_z - exact) < 5 * down.sd)
    assert.equal(1, heard[#heard])
    for i = 2, #heard do
      assert.is_true(heard[i] > heard[i - 1])
    end
    local start = wrun.ones(10, 6, { dtype = "float64" })
    assert.equal(10, r:ais({ start = start, steps = 5, reverse = true }).chains)
  end)

  it("wants ranks", function()
    local r = rbm.new { visible = 4, hidden = 2 }
    assert.equal("distribute: argument 1: expected wrun.mpi, got 3", refusal(r.distribute, r, 3))
  end)
end)
