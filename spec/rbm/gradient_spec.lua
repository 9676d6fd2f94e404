--- The gradient of a step, beside finite differences of the likelihood, and in parts.

require "wrun.testing"
local enumerate = require "wrun.rbm.enumerate"
local gradient = require "wrun.rbm.gradient"
local tiny = require "spec.support.tiny_rbm"
local wrun = require "wrun"

local NAMES = { "weight", "visible_bias", "hidden_bias" }
local STEP = 1e-5 -- of central differences, whose error is then about 1e-9
local TOLERANCE = { atol = 1e-7, rtol = 1e-6 }

describe("the gradient", function()
  local data = tiny.random_data(9, 6, 2)

  local function machine(center)
    local r = wrun.rbm.new { visible = 6, hidden = 4, dtype = "float64", seed = 1, center = center }
    local offsets = wrun.Generator { seed = 9 }
    r.weight:copy_(tiny.new(6, 4, 0.7, 3).weight)
    r.visible_offset:uniform_(0, 1, { generator = offsets })
    r.hidden_offset:uniform_(0, 1, { generator = offsets })
    return r
  end

  local function sums_of(r)
    return gradient.sums(data, r:hidden(data), enumerate.expectation(r))
  end

  local function whole(grads, r)
    grads.weight = grads.weight
      or gradient.accumulate(wrun.zeros_like(r.weight), grads.products, 1)
    return grads
  end

  it("is that of the likelihood, without centring", function()
    local r = machine(false)
    local grads = whole(gradient.center(r, sums_of(r), 9), r)
    for _, name in ipairs(NAMES) do
      local flat, slope = r[name]:reshape(-1), {}
      for i = 1, flat:numel() do
        local value = flat[i]:item()
        local function at(x)
          flat:narrow(1, i, 1):fill_(x)
          return tiny.log_likelihood(r, data) * 9
        end
        slope[i] = (at(value + STEP) - at(value - STEP)) / (2 * STEP)
        at(value)
      end
      assert.tensor_near(wrun.tensor(slope, { dtype = "float64" }), grads[name]:reshape(-1),
        TOLERANCE)
    end
  end)

  it("is, centred, that of the parameters of [Melchior2016]", function()
    -- dW = sum (h - lambda)(v - mu), da = dv - lambda dW, db = dh - dW mu
    local r = machine(true)
    local plain = whole(gradient.center(machine(false), sums_of(r), 9), r)
    local centred = whole(gradient.center(r, sums_of(r), 9), r)
    local mu, lambda = r.visible_offset, r.hidden_offset
    local weight = plain.weight - plain.hidden_bias:unsqueeze(2) * mu
      - lambda:unsqueeze(2) * plain.visible_bias
    assert.tensor_near(weight, centred.weight, TOLERANCE)
    assert.tensor_near(plain.visible_bias - lambda:matmul(weight), centred.visible_bias, TOLERANCE)
    assert.tensor_near(plain.hidden_bias - weight:matmul(mu), centred.hidden_bias, TOLERANCE)
  end)

  it("comes out of the sums of shards", function()
    local r = machine(true)
    local v, p, row_weight = enumerate.expectation(r)
    local total
    for _, rows in ipairs { { 1, 4 }, { 5, 5 } } do
      local part = data:narrow(1, rows[1], rows[2])
      local sums = rows[1] == 1 and gradient.sums(part, r:hidden(part), v, p, row_weight, 9)
        or gradient.sums(part, r:hidden(part))
      sums.weight = gradient.accumulate(wrun.zeros_like(r.weight), sums.products, 1)
      sums.products = {}
      for name, value in pairs(total or {}) do
        sums[name] = name ~= "products" and value + sums[name] or value
      end
      total = sums
    end
    local extra = wrun.arange(1, 5, { dtype = "float64" })
    local parts = gradient.center(r, total, 9, extra)
    local one = whole(gradient.center(r, sums_of(r), 9, extra), r)
    for _, name in ipairs(NAMES) do
      assert.tensor_near(one[name], parts[name], TOLERANCE)
    end
  end)
end)
