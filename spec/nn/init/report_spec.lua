--- Reports of starts: what they say of known good and known bad ones.

local child = require "spec.support.child"
local networks = require "spec.support.networks"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

require "wrun.testing"

local init, nn = wrun.nn.init, wrun.nn

local function deep(depth, activation, rule)
  wrun.manual_seed(1)
  return networks.deep {
    inputs = 40, width = 64, depth = depth, outputs = 10, activation = activation, rule = rule,
  }
end

-- The spread that keeps the signal's, but for the last layer, whose output has no activation.
local function holding(name)
  return function(weight)
    local gain = weight:size(1) == 10 and 1 or init.gain_of(name)
    init.normal_(weight, 0, gain / math.sqrt(weight:size(2)))
  end
end

local function batch()
  wrun.manual_seed(2)
  return wrun.randn(50, 40), wrun.randint(1, 11, { 50 })
end

local function report(model, options)
  local x, y = batch()
  options = options or {}
  options.target = y
  return init.report(model, x, options)
end

local function assert_fault(pattern, r)
  for _, fault in ipairs(r.faults) do
    if fault:find(pattern) then
      return
    end
  end
  error(("no fault like %q in:\n%s"):format(pattern, table.concat(r.faults, "\n")), 2)
end

describe("nn.init.report #many", function()
  it("finds nothing in a start that holds the signal", function()
    for _, case in ipairs {
      { 20, nn.ReLU, init.he_normal_ }, { 4, nn.ReLU, init.xavier_normal_ },
      { 10, nn.Tanh, holding("tanh") }, { 3, nn.SiLU, holding("silu") },
    } do
      local r = report(deep(table.unpack(case)))
      assert.same({}, r.faults)
      for _, call in ipairs(r.calls) do
        assert.equal("good", call.verdict)
      end
    end
  end)

  it("says that Xavier on ReLU shrinks by 0.707 a layer, and what would hold it", function()
    local r = report(deep(30, nn.ReLU, init.xavier_normal_))
    assert_fault("the signal shrinks by 0.[67]%d* a layer: Xavier on ReLU; He would hold it", r)
    assert_fault("the gradient shrinks by 0.[67]%d* a layer: Xavier on ReLU", r)
    assert.equal("vanished", r.calls[#r.calls].verdict)
    assert_fault("the signal shrinks by 0.[78]%d* a layer: He on SiLU; 1.559 / sqrt%(fan_in%)",
      report(deep(20, nn.SiLU, init.he_normal_)))
  end)

  it("finds what grows, and a cost that starts too high", function()
    local r = report(deep(3, nn.ReLU, function(w) init.normal_(w) end))
    assert_fault("the signal grows by 5.%d* a layer: N%(0, 1^2%) on ReLU; He would hold it", r)
    assert_fault("the cost starts at .* where knowing nothing costs ln 10 = 2.303", r)
  end)

  it("finds units that start alike, and stay so", function()
    assert_fault("the 64 units of 1 compute the same and will learn the same: its weights are z",
      report(deep(2, nn.ReLU, init.zeros_)))
    assert_fault("the 64 units of 3 compute .* its weights are a constant; draw them, from He",
      report(deep(2, nn.ReLU, function(w) init.constant_(w, 0.1) end)))
    local half = deep(2, nn.ReLU, init.he_normal_)
    init.zeros_(half[5].weight)
    assert.same({ "no gradient reaches 3: the weights of 5 are zeros" }, report(half).faults)
  end)

  it("finds what is no number, in weights or in what they give", function()
    for _, value in ipairs { 0 / 0, 1 / 0 } do
      local model = deep(2, nn.ReLU, init.he_normal_)
      model[3].weight:detach()[2]:fill_(value)
      local r = report(model)
      assert.same({ "the weights of 3 hold NaN or infinity; draw them, from He" }, r.faults)
      assert.equal("not finite", r.calls[3].verdict)
      assert.is_nil(tostring(r):find("-nan", 1, true))
    end
    local model = deep(2, nn.ReLU, init.he_normal_)
    model[3].bias:detach():fill_(1 / 0)
    assert_fault("the output of 3 is not finite, and so is all that follows", report(model))
  end)

  it("finds dead and saturated units", function()
    local model = deep(2, nn.ReLU, init.he_normal_)
    init.constant_(model[1].bias, -100)
    assert_fault("100 %% of the units of 2 are 0 for the whole batch", report(model))
    local wide = report(deep(2, nn.Tanh, function(w) init.normal_(w, 0, 2) end))
    assert_fault("^2 is saturated in %d+ %%, where no gradient passes", wide)
    assert.equal("saturated", wide.calls[2].verdict)
  end)

  it("tries the better start, from the same batch", function()
    local r = report(deep(30, nn.ReLU, init.xavier_normal_), { try = 60 })
    assert.equal("He", r.better)
    assert.equal(60, #r.trial.present)
    assert.near(math.log(10), r.trial.present[60], 0.1)
    assert.is_true(math.min(table.unpack(r.trial.better)) < 2)
  end)

  it("changes nothing: parameters, modes, buffers, gradients, generator", function()
    local x, y = batch()
    local model = nn.Sequential(nn.Linear(40, 8), nn.BatchNorm1d(8), nn.Dropout(0.5),
      nn.Linear(8, 10))
    model[1].weight:requires_grad_(false)
    local before, state = model:clone():state_dict(), wrun.get_rng_state()
    local r = init.report(model, x, { target = y, try = 3 })
    assert.equal("other", r.calls[3].kind)
    for name, value in pairs(model:state_dict()) do
      assert.same_bits(before[name], value)
    end
    assert.same_bits(state, wrun.get_rng_state())
    assert.is_true(model.training)
    assert.is_false(model[1].weight.requires_grad)
    assert.is_nil(model[4].weight.grad)
    assert.is_false(rawget(model[1], "_hooks"))
  end)

  it("takes float targets, a criterion, no target, no recording", function()
    local x, y = batch()
    local model = deep(2, nn.ReLU, init.he_normal_)
    local r = init.report(model, x, { target = model(x):detach() })
    assert.equal(0, r.cost)
    assert.is_nil(r.ignorance)
    assert.equal(7, init.report(model, x, {
      target = y, criterion = function(output) return output:sum() * 0 + 7 end,
    }).cost)
    wrun.no_grad(function()
      assert.is_nil(init.report(model, x).cost)
    end)
  end)

  it("draws itself", function()
    child.with_folder(function(folder)
      local r = report(deep(3, nn.ReLU, init.he_normal_), { try = 3 })
      r:save(folder .. "/start.png")
      assert.same({ 420, 1920 }, wrun.image.load(folder .. "/start.png").shape)
      -- also what has no logarithm
      for _, rule in ipairs { init.he_normal_, init.zeros_, holding("relu") } do
        report(deep(2, nn.ReLU, rule), { try = 1 }):save(folder .. "/start.svg")
      end
      report(deep(30, nn.ReLU, function(w) init.constant_(w, 1e30) end))
        :save(folder .. "/start.svg")
      local lost = report(deep(2, nn.ReLU, function(w) init.constant_(w, 0 / 0) end))
      assert.equal("save: nothing to draw: no spread is finite and above 0",
        refusal(lost.save, lost, folder .. "/start.svg"))
      local x, y = batch()
      lost = init.report(deep(1, nn.ReLU, init.he_normal_), x * (0 / 0), { target = y, try = 1 })
      assert.truthy(refusal(lost.save, lost, folder .. "/start.svg"):find("^save: nothing to draw"))
      init.report(deep(1, nn.ReLU, init.he_normal_), (batch())):save(folder .. "/start.svg")
    end)
  end)

  it("refuses what it cannot look at", function()
    local x = batch()
    local model = deep(1, nn.ReLU, init.he_normal_)
    assert.equal("report: argument 1: expected a module, got 3", refusal(init.report, 3, x))
    assert.equal("report: argument 2: expected a tensor, got nil", refusal(init.report, model))
    assert.equal("report: argument 2: expected a batch [rows, ...] with elements, got "
      .. "a float32 tensor [0, 40]", refusal(init.report, model, x:narrow(1, 1, 0)))
    assert.equal("report: option try: expected a target to learn, got none",
      refusal(init.report, model, x, { try = 1 }))
    assert.equal("report: option tries: unknown; the options are criterion, lr, seed, target, try",
      refusal(init.report, model, x, { tries = 1 }))
    assert.truthy(refusal(init.report, model, wrun.randn(5, 3)):find(
      "^Sequential%[1%] Linear%(40 %-> 64%): linear: argument 1: expected"))
    local Odd = nn.Module:extend("Odd")
    function Odd.forward() return "text" end
    assert.equal("report: argument 1: expected a network that gives a tensor of floats, got "
      .. "the string 'text'", refusal(init.report, Odd(), x))
    function Odd.forward(_, y) return y end
    local Around = nn.Module:extend("Around")
    function Around:init() self.inner = Odd() end
    function Around.forward(_, y) return y end
    assert.equal("report: argument 1: expected a network with layers, got Around",
      refusal(init.report, Around(), x))
  end)
end)
