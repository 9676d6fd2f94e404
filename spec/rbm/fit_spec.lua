--- Training: gradients against finite differences, optima against closed forms, runs against runs.

local refusal = require "spec.support.refusal"
local tiny = require "spec.support.tiny_rbm"
local wrun = require "wrun"

local rbm = wrun.rbm
local enumerate = require "wrun.rbm.enumerate"

local SCORE = 4 -- standard deviations
local NAMES = { "weight", "visible_bias", "hidden_bias" }

-- Bars and stripes of n x n pixels: every union of rows, and of columns; 2^(n + 1) - 2 patterns,
-- of which the empty and the full one come twice.
local function bars_and_stripes(n)
  local list = {}
  for _, lines in ipairs(tiny.states(n)) do
    local by_row, by_column = {}, {}
    for i = 1, n do
      for j = 1, n do
        by_row[(i - 1) * n + j], by_column[(i - 1) * n + j] = lines[i], lines[j]
      end
    end
    list[#list + 1], list[#list + 2] = by_row, by_column
  end
  return wrun.tensor(list, { dtype = "float64" })
end

-- log-likelihood of all patterns at the best possible distribution, summed
local function bars_and_stripes_optimum(n)
  local total = 2 * 2 ^ n
  return (total - 4) * math.log(1 / total) + 4 * math.log(2 / total)
end

local function log_likelihood(r, data)
  return r:log_likelihood(data, r:log_z()):mean():item()
end

local function random_data(n, width, seed)
  local generator = wrun.Generator({ seed = seed })
  return wrun.rand(n, width, { dtype = "float64", generator = generator }):lt(0.4):double()
end

-- The step that one exact update makes, divided by the learning rate.
local function exact_gradient(r, data)
  local before = r:plain()
  r.is_trained = true -- keep the biases
  r:fit(data, {
    method = "exact", batch_size = data:size(1), epochs = 1, lr = 1, offset_rate = 0,
  })
  local gradient = {}
  for _, name in ipairs(NAMES) do
    gradient[name] = r[name] - before[name]
    r[name]:copy_(before[name])
  end
  return gradient
end

local function finite_difference(r, data, name, i)
  local h, flat = 1e-5, r[name]:view(-1)
  local value = flat[i]:item()
  flat[{ i }] = value + h
  local above = log_likelihood(r, data)
  flat[{ i }] = value - h
  local below = log_likelihood(r, data)
  flat[{ i }] = value
  return (above - below) / (2 * h)
end

describe("the exact gradient", function()
  for _, sizes in ipairs { { 6, 4 }, { 4, 6 } } do
    it(("is the likelihood's, by central differences: %d visible, %d hidden"):format(
      sizes[1], sizes[2]), function()
      local r = tiny.new(sizes[1], sizes[2], 0.7, 1)
      r.options.center = false
      local data = random_data(12, sizes[1], 2)
      local gradient = exact_gradient(r, data)
      for _, name in ipairs(NAMES) do
        for i, got in ipairs(gradient[name]:reshape(-1):tolist()) do
          assert.near(finite_difference(r, data, name, i), got, 1e-8)
        end
      end
    end)
  end

  it("centred is the plain one after the change of variables", function()
    local data = random_data(12, 6, 2)
    local r = tiny.new(6, 4, 0.7, 1)
    r.options.center = false
    local plain = exact_gradient(r, data)
    r.options.center = true
    r.visible_offset:uniform_(0, 1)
    r.hidden_offset:uniform_(0, 1)
    local centred = exact_gradient(r, data)
    local mu, lambda = r.visible_offset, r.hidden_offset
    local dw = plain.weight - plain.hidden_bias:outer(mu) - lambda:outer(plain.visible_bias)
    assert.is_true(dw:allclose(centred.weight, { rtol = 1e-10, atol = 1e-12 }))
    assert.is_true((plain.visible_bias - lambda:matmul(dw)):allclose(centred.visible_bias,
      { rtol = 1e-10, atol = 1e-12 }))
    assert.is_true((plain.hidden_bias - dw:matmul(mu)):allclose(centred.hidden_bias,
      { rtol = 1e-10, atol = 1e-12 }))
  end)

  it("climbs bars and stripes at every step, and never above the optimum #many", function()
    local data = bars_and_stripes(3)
    local r = rbm.new { visible = 9, hidden = 10, seed = 1, dtype = "float64", std = 0.1 }
    local last, optimum = -math.huge, bars_and_stripes_optimum(3)
    r:fit(data, {
      method = "exact", batch_size = 16, epochs = 300, lr = 0.1,
      callback = function()
        local now = log_likelihood(r, data) * 16
        assert.is_true(now > last and now <= optimum)
        last = now
      end,
    })
    assert.near(-41.59, optimum, 0.005) -- the published figure
  end)
end)

describe("CD", function()
  it("follows the difference of the free energies of data and reconstruction", function()
    local r = tiny.new(6, 4, 0.5, 1)
    local v0, state = random_data(12, 6, 2), r.generator:get_state()
    local before = r:plain()
    r.options.center, r.is_trained = false, true
    r:fit(v0, { method = "cd", batch_size = 12, epochs = 1, lr = 1 })
    r.generator:set_state(state) -- the same draws again: order, hidden units, visible units
    v0 = v0:index_select(1, wrun.randperm(12, { generator = r.generator }))
    local after = r:plain()
    for _, name in ipairs(NAMES) do
      r[name]:copy_(before[name])
      before[name]:requires_grad_()
    end
    local v = r:sample_v(r:sample_h(v0))
    local function free_energy(x)
      local x_hidden = x:matmul(before.weight:t()) + before.hidden_bias
      return (-x:matmul(before.visible_bias) - x_hidden:softplus():sum(2)):mean()
    end
    (free_energy(v0) - free_energy(v)):backward()
    for _, name in ipairs(NAMES) do
      local step = after[name] - before[name]:detach()
      assert.is_true(step:allclose(-before[name].grad, { rtol = 1e-10, atol = 1e-12 }))
    end
  end)
end)

describe("PCD #many", function()
  it("learns bars and stripes to within 3 % of the optimum, and not above it", function()
    local data = bars_and_stripes(3)
    local r = rbm.new { visible = 9, hidden = 16, seed = 3, dtype = "float64" }
    r:fit(data, {
      method = "pcd", k = 10, chains = 100, batch_size = 16, epochs = 6000, lr = { 0.2, 0 },
    })
    local reached, optimum = log_likelihood(r, data) * 16, bars_and_stripes_optimum(3)
    assert.is_true(reached <= optimum)
    assert.is_true(reached >= optimum * 1.03)
  end)
end)

-- Geweke's test: exact samples stay exact under a right sampler. Returns the worst standard score
-- of the second moments after `step`.
local function geweke(r, step)
  local count = 40000
  local v = enumerate.sample(r, count)
  for _ = 1, 5 do
    v = step(v)
  end
  local _, p = tiny.distribution(r)
  local n, worst = r.weight:size(2), 0
  local moments = v:t():matmul(v):tolist()
  local states = tiny.states(n)
  for i = 1, n do
    for j = 1, i do
      local exact = 0
      for code, state in ipairs(states) do
        exact = exact + p[code] * state[i] * state[j]
      end
      local deviation = math.sqrt(exact * (1 - exact) / count)
      worst = math.max(worst, math.abs(moments[i][j] / count - exact) / deviation)
    end
  end
  return worst
end

describe("Geweke's joint test #many", function()
  local r

  before_each(function()
    r = tiny.new(7, 5, 0.9, 4)
  end)

  it("passes for the sampler", function()
    assert.is_true(geweke(r, function(v)
      return r:gibbs(v)
    end) < SCORE)
  end)

  it("fails when one sign is flipped", function()
    local wrong = tiny.new(7, 5, 0.9, 4)
    wrong.weight[{ 2, 3 }] = -wrong.weight[2][3]:item()
    assert.is_true(geweke(r, function(v)
      return wrong:gibbs(v)
    end) > 2 * SCORE)
  end)

  it("fails when probabilities replace samples", function()
    assert.is_true(geweke(r, function(v)
      return r:sample_v(r:hidden(v))
    end) > 2 * SCORE)
  end)
end)

describe("fit", function()
  local data = bars_and_stripes(4)

  local function trained(options, more)
    local r = rbm.new { visible = 16, hidden = 8, seed = 5, dtype = more and more.dtype }
    r:fit(data, options)
    return r
  end

  for _, method in ipairs { "cd", "pcd", "fpcd", "pt", "exact" } do
    it(("by %s makes the data likelier #many"):format(method), function()
      local r = trained { method = method, k = 2, epochs = 1000, batch_size = 32, lr = 0.1 }
      local alone = rbm.new { visible = 16, hidden = 8, seed = 5 }
      alone:fit(data, { epochs = 1, lr = 0 })
      assert.is_true(log_likelihood(r, data) > log_likelihood(alone, data) + 0.5)
    end)

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

  it("gives the same bits with any number of threads #many", function()
    local threads = wrun.get_num_threads()
    local first
    for count = 1, 3 do
      wrun.set_num_threads(count)
      local r = rbm.new { visible = 300, hidden = 200, seed = 5 }
      r:fit(random_data(300, 300, 1), { epochs = 2, binarize = "stochastic" })
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
    local x = random_data(200, 12, 3)
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
          values[#values + 1] = log_likelihood(r, rows)
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
    local r = trained {
      epochs = 2, valid = data, batch_size = 32, lr = { 0.1, 0.05 },
      callback = function(report)
        info, weights[report.epoch] = report, report.model.weight:clone()
      end,
    }
    local change = (weights[2] - weights[1]):abs():mean():item() -- an epoch is one step here
    assert.near(change / weights[2]:abs():mean():item(), info.update_ratio, 1e-9)
    assert.equal(0, info.free_energy_gap)
    assert.near(0.05, info.lr, 1e-12)
    local s = r:statistics(data)
    assert.same({ 8 }, s.activity.shape)
    assert.same({ 32, 8 }, s.map.shape)
    assert.near(r.weight:mean():item(), s.weight.mean, 1e-6)
    assert.near(r.weight:double():std():item(), s.weight.std, 0.01 * s.weight.std)
    assert.equal(16 * 8, s.weight.histogram:sum():item())
    local upper = r.weight:ge((s.weight.low + s.weight.high) / 2):sum():item()
    assert.equal(upper, s.weight.histogram:narrow(1, 11, 10):sum():item())
    assert.equal(0, s.dead + s.always_on)
  end)

  it("refuses what it cannot learn from", function()
    local r = rbm.new { visible = 16, hidden = 30, seed = 5 }
    assert.equal("fit: argument 1: expected [n, 16] with n >= 1, got a float32 tensor [3, 5]",
      refusal(r.fit, r, wrun.zeros(3, 5)))
    assert.equal("fit: argument 1: expected values from 0 to 1 for binary units, got 0 to 2",
      refusal(r.fit, r, data * 2))
    assert.equal("fit: argument 1: expected finite numbers, got NaN or infinity",
      refusal(r.fit, r, data / 0))
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
