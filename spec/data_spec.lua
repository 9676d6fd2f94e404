--- What scripts on image sets share: their options, and how a run begins.

local argparse = require "argparse"
local data = require "wrun.data"
local refusal = require "spec.support.refusal"
local stub = require "luassert.stub"
local wrun = require "wrun"

describe("data.options", function()
  local function parsed(arguments, options)
    local parser = argparse("mine.lua")
    data.options(parser, options)
    return parser:parse(arguments)
  end

  it("adds four options to a parser", function()
    assert.same({ seed = 1 }, parsed {})
    assert.same({ seed = 777 }, parsed({}, { seed = 777 }))
    assert.same({ seed = 2, data = "/here", dataset = "fashion_mnist", threads = 3 },
      parsed { "--seed", "2", "--data", "/here", "--dataset", "fashion_mnist", "--threads", "3" })
  end)

  it("refuses a seed that is none", function()
    assert.equal("options: option seed: expected an integer, got 1.5",
      refusal(data.options, argparse("mine.lua"), { seed = 1.5 }))
  end)
end)

describe("data.images", function()
  local asked

  before_each(function()
    asked = {}
    for _, name in ipairs { "mnist", "fashion_mnist" } do
      stub(data, name).invokes(function(options)
        asked = { name, options }
        return "train", "test"
      end)
    end
  end)

  after_each(function()
    data.mnist:revert()
    data.fashion_mnist:revert()
  end)

  it("returns both splits of the set that is asked for", function()
    assert.same({ "train", "test" }, { data.images { seed = 1 } })
    assert.same({ "mnist", { otherwise = "fashion_mnist" } }, asked)
    data.images { seed = 1, data = "/here", dataset = "mnist" }
    assert.same({ "mnist", { folder = "/here" } }, asked)
    data.images { seed = 1, dataset = "fashion_mnist" }
    assert.same({ "fashion_mnist", {} }, asked)
  end)

  it("seeds the default generator, and sets the threads when it is told how many", function()
    local threads = wrun.get_num_threads()
    wrun.manual_seed(5)
    local want = wrun.rand(1):item()
    data.images { seed = 5, threads = 2 }
    assert.equal(want, wrun.rand(1):item())
    assert.equal(2, wrun.get_num_threads())
    data.images { seed = 5 }
    assert.equal(2, wrun.get_num_threads())
    wrun.set_num_threads(threads)
  end)
end)
