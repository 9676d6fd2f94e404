--- The coordinate check, by hand and on parametrisations whose powers are known.

local child = require "spec.support.child"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local init, nn, optim = wrun.nn.init, wrun.nn, wrun.optim

-- y = width^power x w, whose first step changes y by width^(2 power).
local Scaled = nn.Module:extend("Scaled")

function Scaled:init(factor)
  self.factor = factor
  self.weight = nn.Parameter(wrun.ones(3, 2))
end

function Scaled:forward(x)
  return x:matmul(self.weight) * self.factor
end

local function scaled(power)
  return function(width)
    local model = Scaled(width ^ power)
    return model, optim.SGD(model:parameters(), { lr = 0.1 })
  end
end

local function total(y)
  return y:sum()
end

describe("nn.init.coordinate_check", function()
  it("has the sizes of outputs, and of their changes", function()
    local x = wrun.randn(5, 3)
    local r = init.coordinate_check(scaled(1), { 2, 3 }, x, {
      target = x, criterion = total, steps = 2,
    })
    local layer = r.layers[1]
    assert.same({ "", "Scaled" }, { layer.path, layer.name })
    for nth, width in ipairs { 2, 3 } do
      local y = x:sum(2, true) * width -- both columns
      assert.near(y:square():mean():sqrt():item(), layer.start[nth], 1e-5)
      -- the gradient of each weight is width times the sum of its input
      local change = x:matmul(x:sum(1):unsqueeze(2)) * width ^ 2 * 0.1
      for step = 1, 2 do
        assert.near(change:square():mean():sqrt():item() * step, layer.change[step][nth], 1e-4)
      end
    end
  end)

  it("finds the power of the width, and says what it means", function()
    local x = wrun.randn(5, 3)
    for power, verdict in pairs { [0] = "holds", [1] = "grows", [-1] = "fades" } do
      local r = init.coordinate_check(scaled(power), { 2, 4, 16, 8 }, x, {
        target = x, criterion = total,
      })
      assert.near(2 * power, r.layers[1].slope, 1e-5)
      assert.equal(verdict, r.layers[1].verdict)
      assert.equal(power == 0, r.holds)
    end
    local r = init.coordinate_check(scaled(1), { 2, 4 }, x * 0, { target = x, criterion = total })
    assert.is_nil(r.layers[1].slope)
    assert.equal("no power", r.layers[1].verdict)
  end)

  it("holds for mup_, and shows how usual starts grow #many", function()
    wrun.manual_seed(1)
    local x, y = wrun.randn(64, 20), wrun.randint(1, 11, { 64 })
    local function network(width)
      return nn.Sequential(nn.Linear(20, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
        nn.Linear(width, 10))
    end
    local widths = { 64, 128, 256, 512 }
    for optimizer, class in pairs { adam = optim.Adam, sgd = optim.SGD } do
      local lr = optimizer == "adam" and 0.01 or 0.1
      local r = init.coordinate_check(function(width)
        local model, base = network(width), network(16)
        return model, class(init.mup_(model, base, { lr = lr, optimizer = optimizer }), { lr = 1 })
      end, widths, x, { target = y })
      assert.is_true(r.holds, tostring(r))
      r = init.coordinate_check(function(width)
        local model = init.apply(network(width), "he_normal")
        return model, class(model:parameters(), { lr = lr })
      end, widths, x, { target = y })
      assert.equal("grows", r.layers[3].verdict)
    end
  end)

  it("leaves the default generator, and sees the same chance at each pass", function()
    local x = wrun.randn(9, 4)
    local state = wrun.get_rng_state()
    local r = init.coordinate_check(function(width)
      local model = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, width))
      return model, { zero_grad = function() end, step = function() end }
    end, { 2, 4 }, x, { target = x, criterion = total, steps = 1 })
    assert.is_true(state:equal(wrun.get_rng_state()))
    assert.same({ 0.0, 0.0 }, r.layers[1].change[1])
  end)

  it("is a table, and a picture", function()
    local x = wrun.ones(1, 3)
    local r = init.coordinate_check(scaled(1), { 2, 4 }, x, {
      target = x, criterion = total, steps = 1,
    })
    assert.equal(table.concat({
      "change of    2    4  power of width  verdict",
      "Scaled     1.2  4.8            2.00  grows",
      "layers do not learn alike at every width: the best learning rate will depend on it",
    }, "\n"), tostring(r))
    child.with_folder(function(folder)
      r:save(folder .. "/check.png")
      assert.same({ 420, 640 }, wrun.image.load(folder .. "/check.png").shape)
    end)
  end)

  it("refuses what it cannot check", function()
    local x, o = wrun.ones(1, 3), { target = wrun.ones(1, 2) }
    local checked = init.coordinate_check
    assert.equal("coordinate_check: argument 1: expected a function, got 3",
      refusal(checked, 3, { 2, 4 }, x, o))
    for got, widths in pairs {
      ["3"] = 3, ["a table"] = { 2 }, ["a list of 2"] = { 2, 2 }, ["a list of 3"] = { 2, 3.5, 4 },
    } do
      local text = refusal(checked, scaled(1), widths, x, o)
      assert.equal("coordinate_check: argument 2: expected a list of two or more widths, each once",
        (text:gsub(", got.*", "")), got)
    end
    assert.equal("coordinate_check: argument 3: expected a tensor, got nil",
      refusal(checked, scaled(1), { 2, 4 }, nil, o))
    assert.equal("coordinate_check: option target: expected a tensor, got nil",
      refusal(checked, scaled(1), { 2, 4 }, x))
    assert.equal("coordinate_check: argument 1: expected a function that gives a model and its "
      .. "optimiser, got an object of Scaled and nil for the width 2",
      refusal(checked, function() return Scaled(1) end, { 2, 4 }, x, o))
    assert.equal("coordinate_check: argument 1: expected models with the same layers, got others "
      .. "for the width 4", refusal(checked, function(width)
        local model = nn.Sequential(Scaled(1), width == 4 and nn.Linear(2, 2) or nn.ReLU())
        return model, optim.SGD(model:parameters(), { lr = 1 })
      end, { 2, 4 }, x, o))
  end)
end)
