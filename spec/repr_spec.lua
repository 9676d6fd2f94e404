--- Values as Python prints them.

local refusal = require "spec.support.refusal"
local repr = require "wrun.repr"

describe("repr.value", function()
  it("writes what Python writes", function()
    assert.equal("None", repr.value(nil))
    assert.equal("True", repr.value(true))
    assert.equal("False", repr.value(false))
    assert.equal("3", repr.value(3))
    assert.equal("max", repr.value("max"))
    assert.equal("(3,)", repr.value({ 3 }))
    assert.equal("(0.9, 0.999)", repr.value({ 0.9, 0.999 }))
  end)

  it("writes a float in as few digits as give it back", function()
    assert.equal("1e-05", repr.value(1e-5))
    assert.equal("0.1", repr.value(0.1))
    assert.equal("1.0", repr.value(1.0))
    assert.equal("0.30000000000000004", repr.value(0.1 + 0.2))
    assert.equal("inf", repr.value(math.huge))
    assert.matches("^-?nan$", repr.value(0 / 0))
  end)
end)

describe("repr.settings", function()
  it("writes names and values, strings in quotes, nil too", function()
    assert.equal("", repr.settings())
    assert.equal("eps=1e-05, approximate='tanh', momentum=None, affine=True",
      repr.settings("eps", 1e-5, "approximate", "tanh", "momentum", nil, "affine", true))
  end)
end)

describe("repr.object", function()
  local wrun = require "wrun"

  it("writes public fields, sorted, and what each holds", function()
    local t = {
      b = "text", a = 1.5, _hidden = 1, method = print, list = { 1, 2 }, x = wrun.ones(2, 3),
      sizes = wrun.ones(2).shape, layer = wrun.nn.Linear(1, 1), map = { lr = 0.1 }, empty = {},
    }
    assert.equal("Thing(a=1.5, b='text', empty={}, layer=Linear, list=[1, 2], map={lr=0.1}, "
      .. "sizes=Size([2]), x=float32 [2, 3])", repr.object("Thing", t):gsub("\n ? ?", " ")
      :gsub("%( ", "("):gsub(" %)", ")"), nil)
  end)

  it("cuts what is long, deep or goes round", function()
    local t = { 1, 2, 3, 4, 5, 6, 7, 8 }
    assert.equal("T(list=[1, 2, 3, 4, 5, 6, ... 8 in all])", repr.object("T", { list = t }))
    local round = {}
    round.round = round
    assert.equal("T(round={round={round={...}}})", repr.object("T", { round = round.round }))
  end)

  it("takes a line for each field where one is too long", function()
    local long = ("x"):rep(60)
    assert.equal(("T(\n  a='%s',\n  b='%s'\n)"):format(long, long),
      repr.object("T", { a = long, b = long }))
  end)

  it("shows no control characters", function()
    assert.equal("T(a='\\x1b')", repr.object("T", { a = "\27" }))
  end)
end)

describe("repr.record", function()
  it("is the table itself, which prints as its name and fields", function()
    local t = { lr = 0.1 }
    assert.equal(t, repr.record("Options", t))
    assert.equal("Options(lr=0.1)", tostring(t))
    assert.same({ lr = 0.1 }, t)
  end)
end)

describe("repr.result", function()
  it("is such a table, and refuses a name that is nearly right", function()
    local t = repr.result("LogZ", { log_z = 3 })
    assert.equal("LogZ(log_z=3)", tostring(t))
    assert.equal(3, t.log_z)
    assert.is_nil(t.chains)
    assert.equal("LogZ: no name 'logz'; did you mean log_z?",
      refusal(function() return t.logz end))
  end)
end)
