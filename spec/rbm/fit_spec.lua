--- Training: runs against runs, schedules, regularisers, and the guard against divergence.

local refusal = require "spec.support.refusal"
local stub = require "luassert.stub"
local tiny = require "spec.support.tiny_rbm"
local wrun = require "wrun"

local rbm = wrun.rbm

local NAMES = { "weight", "visible_bias", "hidden_bias" }

describe("fit", function()
  local data = tiny.bars_and_stripes(4)

  local function trained(options, more)
    local r = rbm.new { visible = 16, hidden = 8, seed = 5, dtype = more and more.dtype }
    r:fit(data, options)
    return r
  end

  for _, method in ipairs { "cd", "pcd", "fpcd", "pt", "exact" } do
    it(("by %s goes on, bit for bit, from a saved state"):format(method), function()
      local options = { method = method, epochs = 6, batch_size = 10, lr = { 0.1, 0 } }
      options.momentum, options.sparsity = 0.5, { target = 0.2 }
      local whole, state = trained(options), nil
      options.callback = function(info)
        if info.epoch == 3 then
          state = info.trainer:state_dict()
          return false
        end
      end
      trained(options)
      options.callback, options.resume = nil, state
      local resumed = trained(options)
      for _, name in ipairs(NAMES) do
        assert.is_true(whole[name]:equal(resumed[name]))
      end
    end)
  end

  it("draws its bar when it is asked to, which changes no bit", function()
    local bars, updates, sets = require "wrun.progress", {}, {}
    local stubbed = stub(bars, "bar", function(options)
      assert.same({ label = "pcd", count = 3, unit = " epochs" }, options)
      return setmetatable({
        update = function(_, done)
          updates[#updates + 1] = done
        end,
        set = function(_, values)
          sets[#sets + 1] = values.update_ratio
        end,
      }, { __close = function() updates[#updates + 1] = "closed" end })
    end)
    local loud = trained { epochs = 3, batch_size = 10, verbose = true }
    stubbed:revert()
    local quiet = trained { epochs = 3, batch_size = 10 }
    for _, name in ipairs(NAMES) do
      assert.is_true(loud[name]:equal(quiet[name]))
    end
    assert.equal("closed", table.remove(updates))
    assert.equal(3, updates[#updates])
    assert.equal(3 * math.ceil(#data / 10), #updates)
    assert.equal(3, #sets)
  end)

  it("gives the same bits with any number of threads #many", function()
    local threads = wrun.get_num_threads()
    local first
    for count = 1, 3 do
      wrun.set_num_threads(count)
      local r = rbm.new { visible = 300, hidden = 200, seed = 5 }
      r:fit(tiny.random_data(300, 300, 1), { epochs = 2, binarize = "stochastic" })
      local z = r:ais { steps = 30 }
      first = first or { r.weight, z.log_z }
      assert.is_true(first[1]:equal(r.weight))
      assert.equal(first[2], z.log_z)
    end
    wrun.set_num_threads(threads)
  end)

  it("starts the visible biases from the data's mean, clipped where pixels are constant", function()
    local constant = wrun.zeros(10, 4)
    constant:narrow(2, 1, 2):fill_(1)
    local r = rbm.new { visible = 4, hidden = 2, seed = 1, center = false }
    r:fit(constant, { epochs = 1, lr = 0 })
    local limit = math.log(0.999 / 0.001)
    for i, bias in ipairs(r.visible_bias:tolist()) do
      assert.near(i <= 2 and limit or -limit, bias, 1e-3)
    end
  end)

  it("comes to flipped data as to the data when centred", function()
    local x = tiny.random_data(200, 12, 3)
    x:narrow(2, 1, 6):copy_(x:narrow(2, 7, 6)) -- something to learn
    local function curve(center, rows)
      local r = rbm.new { visible = 12, hidden = 6, seed = 2, dtype = "float64", center = center,
        std = 0.1 }
      if rows ~= x then
        r.weight:copy_(-r.weight) -- the model of 1 - v with the same hidden units
      end
      local values = {}
      r:fit(rows, {
        method = "exact", batch_size = 200, epochs = 30, lr = 0.5,
        callback = function()
          values[#values + 1] = tiny.log_likelihood(r, rows)
        end,
      })
      return values
    end
    local centred, flipped = curve(true, x), curve(true, 1 - x)
    local plain, plain_flipped = curve(false, x), curve(false, 1 - x)
    for epoch = 1, 30 do
      assert.near(centred[epoch], flipped[epoch], 1e-9)
    end
    assert.is_true(math.abs(plain[30] - plain_flipped[30]) > 1e-3)
  end)

  it("draws hidden units towards a sparse activity, and weights towards zero #many", function()
    local function activity(options)
      options.epochs, options.batch_size, options.lr = 200, 32, 0.1
      return trained(options)
    end
    local free = activity {}
    local sparse = activity { sparsity = { target = 0.1, cost = 1 } }
    local mean = sparse:hidden(data):mean():item()
    assert.is_true(math.abs(mean - 0.1) < math.abs(free:hidden(data):mean():item() - 0.1))
    for _, name in ipairs { "l1", "l2" } do
      local small = activity { [name] = 0.05 }
      assert.is_true(small.weight:abs():sum():item() < 0.7 * free.weight:abs():sum():item())
    end
  end)

  it("stops when it diverges, with the model of the last good epoch", function()
    local r = rbm.new { visible = 16, hidden = 8, seed = 5, visible_units = "gaussian" }
    local good
    local text = refusal(r.fit, r, data * 20, {
      epochs = 50, batch_size = 8, method = "cd",
      lr = function(progress)
        return progress < 0.05 and 1e-6 or 1e3
      end,
      callback = function()
        good = r:state_dict()
      end,
    })
    assert.matches("^fit: diverged in epoch %d+ %(a parameter of size .*%); the model is as it was "
      .. "after epoch %d+; lower lr, now .*, and scale the data to unit variance$", text)
    for _, name in ipairs(NAMES) do
      assert.is_true(r[name]:equal(good[name]))
    end
  end)

  it("reports what Hinton's checklist asks for", function()
    local info, weights = nil, {}
    trained {
      epochs = 2, valid = data, batch_size = 32, lr = { 0.1, 0.05 },
      callback = function(report)
        info, weights[report.epoch] = report, report.model.weight:clone()
      end,
    }
    local change = (weights[2] - weights[1]):abs():mean():item() -- an epoch is one step here
    assert.near(change / weights[2]:abs():mean():item(), info.update_ratio, 1e-9)
    assert.equal(0, info.free_energy_gap)
    assert.near(0.05, info.lr, 1e-12)
  end)

  it("refuses options that make no sense", function()
    local r = rbm.new { visible = 16, hidden = 30, seed = 5 }
    assert.equal("fit: option k: expected an integer >= 1, got 0",
      refusal(r.fit, r, data, { k = 0 }))
    assert.matches("^fit: option method: expected cd, pcd, fpcd, pt or exact, got",
      refusal(r.fit, r, data, { method = "cdd" }))
    assert.matches("^fit: option sparsity: option target: expected a number from 0 to 1, got 2",
      refusal(r.fit, r, data, { sparsity = { target = 2 } }))
    local wide = rbm.new { visible = 18, hidden = 18, seed = 5 }
    assert.equal("fit: option method: expected at most 16 units on the smaller side for exact, "
      .. "got 18", refusal(wide.fit, wide, wrun.zeros(2, 18), { method = "exact" }))
  end)
end)
