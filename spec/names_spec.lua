--- Unknown names: which are refused, and which name is offered instead.

local data, names, nn, optim, wrun
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
