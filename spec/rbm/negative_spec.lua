--- The training methods: gradients against finite differences, and what each learns.

local tiny = require "spec.support.tiny_rbm"
local wrun = require "wrun"

local rbm = wrun.rbm

local NAMES = { "weight", "visible_bias", "hidden_bias" }

-- The step that one exact update makes, divided by the learning rate.
local function exact_gradient(r, data)
  local before = r:plain()
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
  local above = tiny.log_likelihood(r, data)
  flat[{ i }] = value - h
  local below = tiny.log_likelihood(r, data)
  flat[{ i }] = value
  return (above - below) / (2 * h)
end

describe("the exact gradient", function()
  for _, sizes in ipairs { { 6, 4 }, { 4, 6 } } do
    it(("is the likelihood's, by central differences: %d visible, %d hidden"):format(
      sizes[1], sizes[2]), function()
      local r = tiny.new(sizes[1], sizes[2], 0.7, 1)
      r.options.center = false
      local data = tiny.random_data(12, sizes[1], 2)
      local gradient = exact_gradient(r, data)
      for _, name in ipairs(NAMES) do
        for i, got in ipairs(gradient[name]:reshape(-1):tolist()) do
          assert.near(finite_difference(r, data, name, i), got, 1e-8)
        end
      end
    end)
  end

  it("centred is the plain one after the change of variables", function()
    local data = tiny.random_data(12, 6, 2)
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
    local data = tiny.bars_and_stripes(3)
    local r = rbm.new { visible = 9, hidden = 10, seed = 1, dtype = "float64", std = 0.1 }
    local last, optimum = -math.huge, tiny.bars_and_stripes_optimum(3)
    r:fit(data, {
      method = "exact", batch_size = 16, epochs = 300, lr = 0.1,
      callback = function()
        local now = tiny.log_likelihood(r, data) * 16
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
    local v0, state = tiny.random_data(12, 6, 2), r.generator:get_state()
    local before = r:plain()
    r.options.center = false
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
    local data = tiny.bars_and_stripes(3)
    local r = rbm.new { visible = 9, hidden = 16, seed = 3, dtype = "float64" }
    r:fit(data, {
      method = "pcd", k = 10, chains = 100, batch_size = 16, epochs = 6000, lr = { 0.2, 0 },
    })
    local reached, optimum = tiny.log_likelihood(r, data) * 16, tiny.bars_and_stripes_optimum(3)
    assert.is_true(reached <= optimum)
    assert.is_true(reached >= optimum * 1.03)
  end)
end)

describe("training #many", function()
  local data = tiny.bars_and_stripes(4)

  for _, method in ipairs { "cd", "pcd", "fpcd", "pt", "exact" } do
    it(("by %s makes the data likelier"):format(method), function()
      local r = rbm.new { visible = 16, hidden = 8, seed = 5 }
      r:fit(data, { method = method, k = 2, epochs = 1000, batch_size = 32, lr = 0.1 })
      local alone = rbm.new { visible = 16, hidden = 8, seed = 5 }
      alone:fit(data, { epochs = 1, lr = 0 })
      assert.is_true(tiny.log_likelihood(r, data) > tiny.log_likelihood(alone, data) + 0.5)
    end)
  end
end)
