--- Unknown names: which are refused, and which name is offered instead.

local data, names, nn, optim, wrun
local child = require "spec.support.child"
local refusal = require "spec.support.refusal"

describe("unknown names", function()
  setup(function()
    wrun, names = require "wrun", require "wrun.names"
    nn, optim, data = wrun.nn, wrun.optim, wrun.data
  end)

  local function read(t, name)
    return refusal(function() return t[name] end)
  end

  it("count letters put in, left out, changed or swapped", function()
    assert.equal(0, names.distance("ones", "ones"))
    assert.equal(1, names.distance("ones", "one"))
    assert.equal(1, names.distance("ones", "oness"))
    assert.equal(1, names.distance("ones", "onez"))
    assert.equal(1, names.distance("ones", "onse"))
    assert.equal(3, names.distance("kitten", "sitting"))
    assert.equal(4, names.distance("", "ones"))
  end)

  it("find the nearest, the first by the alphabet, or none", function()
    assert.equal("mnist", names.nearest("minst", { "cifar10", "mnist" }))
    assert.equal("Linear", names.nearest("linear", { "Bilinear", "Linear" }))
    assert.equal("aab", names.nearest("aaa", { "aac", "aab" }))
    assert.is_nil(names.nearest("Conv2d", { "Linear", "ReLU" }))
  end)

  it("are refused by each part at the script's line", function()
    assert.equal("wrun: no name 'onse'; did you mean ones?", read(wrun, "onse"))
    assert.equal("wrun: no name 'lingal'; did you mean linalg?", read(wrun, "lingal"))
    assert.equal("wrun: no name 1; wrun.help(wrun) lists those there are", read(wrun, 1))
    assert.equal("nn: no name 'Liner'; did you mean Linear?", read(nn, "Liner"))
    assert.equal("optim: no name 'Adm'; did you mean Adam?", read(optim, "Adm"))
    assert.equal("data: no name 'minst'; did you mean mnist?", read(data, "minst"))
    assert.equal([[nn: no name 'a\x1b'; wrun.help(wrun.nn) lists those there are]],
      read(nn, "a\27"))
  end)

  it("of another part, of PyTorch and of NumPy say what is here", function()
    for name, remedy in pairs {
      Linear = "did you mean wrun.nn.Linear?",
      Adam = "did you mean wrun.optim.Adam?",
      StepLR = "did you mean wrun.optim.lr_scheduler.StepLR?",
      xavier_uniform_ = "did you mean wrun.nn.init.xavier_uniform_?",
      float32 = "did you mean { dtype = 'float32' }?",
      concatenate = "did you mean wrun.cat(list)?",
      inf = "did you mean math.huge?",
      cuda = "wrun computes on the processor alone",
      jit = "operations run as they are written",
    } do
      assert.equal(("wrun: no name '%s'; %s"):format(name, remedy), read(wrun, name))
    end
    local own = "; nn.Module:extend(name) makes a layer of one's own"
    for name, kind in pairs {
      Conv2d = "convolutions", MaxPool2d = "pooling", LSTM = "recurrent layers",
      GRUCell = "recurrent layers", MultiheadAttention = "attention",
    } do
      assert.equal(("nn: no name '%s'; wrun has no %s%s"):format(name, kind, own), read(nn, name))
    end
  end)

  it("can still be asked for with rawget", function()
    assert.is_nil(rawget(nn, "Conv2d"))
  end)
end)

describe("a closed table", function()
  local loaded, closed
  local turn, broken = 0, false

  before_each(function()
    loaded, turn = {}, turn + 1
    local function module(letter, value)
      local name = ("turn%d.%s"):format(turn, letter)
      package.preload[name] = function()
        loaded[#loaded + 1] = letter
        return broken and error("no room") or value
      end
      return name
    end
    local a = module("a", { one = 1, two = 2 })
    closed = names.closed("test", { zero = 0 }, { whole = { a }, one = { a, "one" } },
      { module("b", { three = 3 }), module("c", { four = 4, five = 5 }) })
  end)

  it("loads what is touched, by its name or in the order of the files", function()
    assert.equal(0, closed.zero)
    assert.same({}, loaded)
    assert.equal(1, closed.one)
    assert.equal(2, closed.whole.two)
    assert.same({ "a" }, loaded)
    assert.equal(3, closed.three)
    assert.same({ "a", "b" }, loaded)
    assert.is_nil(rawget(closed, "five"))
    assert.equal(5, closed.five)
    assert.equal(4, rawget(closed, "four"))
    assert.same({ "a", "b", "c" }, loaded)
  end)

  it("knows all its names before it refuses or offers one", function()
    assert.is_nil(names.find(closed, "six"))
    assert.equal(4, names.find(closed, "four"))
    assert.equal("test: no name 'fou'; did you mean four?", refusal(function()
      return closed.fou
    end))
    assert.equal("test: no name 'whol'; did you mean whole?", refusal(function()
      return closed.whol
    end))
    assert.equal("test: no name nil; wrun.help(wrun.test) lists those there are",
      refusal(function() return closed[nil] end))
  end)

  it("is walked with all it has", function()
    local found = {}
    for name in pairs(closed) do
      found[#found + 1] = name
    end
    table.sort(found)
    assert.same({ "five", "four", "one", "three", "whole", "zero" }, found)
  end)

  it("keeps what a script put there", function()
    closed.one, closed.three = "mine", "own"
    assert.equal(4, closed.four)
    for name in pairs(closed) do
      assert.is_string(name)
    end
    assert.equal("mine", closed.one)
    assert.equal("own", closed.three)
  end)

  it("tries a file again that could not be loaded", function()
    broken = true
    assert.is_false(pcall(function() return closed.three end))
    broken = false
    assert.equal(3, closed.three)
  end)

  it("has no two files with one name", function()
    local sources = require "wrun.sources"
    for _, face in ipairs {
      "wrun.nn", "wrun.nn.init", "wrun.optim.lr_scheduler", "wrun.tensor",
    } do
      local from = {}
      for file in sources.text(face):gmatch('\n  "(wrun%.[%w_.]+)",') do
        for name in pairs(require(file)) do
          assert.is_nil(from[name], name)
          from[name] = file
        end
      end
      assert.is_not_nil(next(from))
    end
  end)

  it("has one of each class, whatever a host takes out of package.loaded", function()
    assert.equal("3\n", child.run({ "-e", [[
      local nn = require("wrun").nn
      local linear = nn.Linear(1, 1)
      for name in pairs(package.loaded) do
        package.loaded[name] = not name:find("^wrun") and package.loaded[name] or nil
      end
      print(#nn.Sequential(linear, nn.ReLU(), nn.Dropout()):modules() - 1)
    ]] }).out)
  end)

  it("of networks loads the report of a start when that is asked for", function()
    assert.equal("false\ttrue\n", child.run({ "-e", [[
      local nn = require("wrun").nn
      nn.Linear(1, 1)
      local before = package.loaded["wrun.nn.init.report"] ~= nil
      print(before, nn.init.report ~= nil and package.loaded["wrun.nn.init.report"] ~= nil)
    ]] }).out)
  end)
end)
