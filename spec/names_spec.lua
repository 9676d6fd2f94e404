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
    assert.equal("wrun: no name 1", read(wrun, 1))
    assert.equal("nn: no name 'Liner'; did you mean Linear?", read(nn, "Liner"))
    assert.equal("nn: no name 'Conv2d'", read(nn, "Conv2d"))
    assert.equal("optim: no name 'Adm'; did you mean Adam?", read(optim, "Adm"))
    assert.equal("data: no name 'minst'; did you mean mnist?", read(data, "minst"))
    assert.equal([[nn: no name 'a\x1b']], read(nn, "a\27"))
  end)

  it("can still be asked for with rawget", function()
    assert.is_nil(rawget(nn, "Conv2d"))
  end)
end)
