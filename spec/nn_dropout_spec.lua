--- Dropout: how much it drops, what it leaves, and when it does nothing.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn

local function generator()
  return wrun.Generator({ seed = 1 })
end

describe("nn.Dropout", function()
  it("drops a share p in training, and scales the rest to the same mean", function()
    local n, p = 100000, 0.2
    local y = nn.Dropout(p, { generator = generator() })(wrun.ones(n))
    local dropped = y:eq(0):float():sum():item()
    -- five standard deviations of a binomial count
    assert.near(n * p, dropped, 5 * math.sqrt(n * p * (1 - p)))
    assert.is_true(y:gt(0):eq(y:eq(wrun.ones(1) / 0.8)):all():item())
  end)

  it("returns its input after eval(), and where p is 0", function()
    local x = wrun.ones(3)
    assert.equal(x, nn.Dropout(0.5):eval()(x))
    assert.equal(x, nn.Dropout(0)(x))
  end)

  it("drops everything where p is 1", function()
    assert.same({ 0.0, 0.0 }, nn.Dropout(1)(wrun.ones(2)):tolist())
  end)

  it("hands gradients only through what it keeps", function()
    local x = wrun.ones(1000, { requires_grad = true })
    local y = nn.Dropout(0.5, { generator = generator() })(x)
    y:sum():backward()
    assert.is_true(x.grad:equal(y:detach()))
  end)

  it("draws from its generator, or from the default one", function()
    local x = wrun.ones(100)
    wrun.manual_seed(1)
    local y = nn.Dropout()(x)
    assert.is_true(y:equal(nn.Dropout(0.5, { generator = generator() })(x)))
    assert.is_false(y:equal(nn.Dropout()(x)))
  end)

  it("prints its probability and refuses others", function()
    assert.equal("Dropout(p=0.5)", tostring(nn.Dropout()))
    assert.equal("Dropout: argument 1: expected a number from 0 to 1, got 2",
      refusal(nn.Dropout, 2))
    assert.equal("Dropout: option inplace: unknown; the options are generator",
      refusal(nn.Dropout, 0.5, { inplace = true }))
  end)
end)
