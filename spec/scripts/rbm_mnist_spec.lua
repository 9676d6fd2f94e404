--- The scripts of Restricted Boltzmann Machines as a user runs them, and the data they learn from
--- against published figures.

local mpirun = require "spec.support.mpirun"
local script = require "spec.support.script"
local wrun = require "wrun"

-- MNIST of this machine, or nil when it is not here.
local function mnist()
  local ok, train, test = pcall(wrun.data.mnist, {})
  if ok then
    return train, test
  end
  pending("MNIST is not on this machine")
end

describe("MNIST #many", function()
  it("has a base rate of -206.0 nats an image", function()
    local train, test = mnist()
    if not train then
      return
    end
    for _, how in ipairs { "threshold", "stochastic" } do
      local r = wrun.rbm.new {
        visible = 784, hidden = 1, std = 0, center = false, seed = 1, dtype = "float64",
      }
      r:fit(train.x, { epochs = 1, lr = 0, binarize = how, batch_size = 10000 })
      local nats = r:log_likelihood(test.x, r:log_z(), { binarize = how }):mean():item()
      assert.near(-206.0, nats, 0.15) -- one draw of the test set moves it by 0.1
    end
  end)
end)

describe("rbm_mnist.lua", function()
  it("trains, scores exactly, and ends in the same bits with any number of threads", function()
    local options = "--small --hidden 5 --epochs 20 --batch-size 20 --seed 3"
    local output, ok = script("rbm_mnist.lua", options .. " --threads 1")
    assert(ok, output)
    assert.is_truthy(output:find("log Z [%d.-]+, exact\n"))
    assert.is_truthy(output:find("test log%-likelihood +%-[%d.]+ nats .*threshold binarisation"))
    local function result(text)
      return text:gsub("training [%d.]+ s.*", "")
    end
    local again = script("rbm_mnist.lua", options .. " --threads 2")
    assert.equal(result(output), result(again))
  end)

  it("scores by annealed importance sampling what it cannot enumerate", function()
    local output, ok = script("rbm_mnist.lua", "--hidden 30 --epochs 2 --batch-size 40")
    assert(ok, output)
    assert.is_truthy(output:find("by AIS, 100 chains x 14500 steps: sd [%d.]+, 95 %% from"))
    assert.is_truthy(output:find("reliable\n"))
    assert.is_truthy(output:find("stochastic binarisation"))
  end)

  it("refuses what it cannot follow", function()
    for options, text in pairs({
      ["-k 0"] = "option '-k': expected a whole number >= 1, got '0'",
      ["--hidden 0"] = "option '--hidden': expected a whole number >= 1, got '0'",
      ["--method magic"] = "must be one of",
    }) do
      local output, ok = script("rbm_mnist.lua", options)
      assert.is_nil(ok)
      assert.is_truthy(output:find(text, 1, true), output)
    end
  end)
end)

describe("rbm_mpi.lua", function()
  it("ends in the same bits with any number of ranks and threads #many", function()
    if not mpirun.is_there(pending) then
      return
    end
    local options = "--small --hidden 5 --epochs 3 --batch-size 50 --seed 3 --binarize stochastic"
    local printed = {}
    for i, environment in ipairs { "", mpirun.command(2), mpirun.command(3) } do
      local output, ok = script("rbm_mpi.lua", options .. " --threads " .. i, false, environment)
      assert(ok, output)
      printed[i] = output:match("test log.*stochastic") .. output:match("fingerprint %x+\n$")
      assert.equal(printed[1], printed[i])
    end
  end)
end)

describe("rbm_inpaint.lua", function()
  it("scores about the base rate where the halves tell nothing of each other", function()
    local output, ok = script("rbm_inpaint.lua",
      "--hidden 30 --epochs 30 --images 40 --steps 50 --samples 20")
    assert(ok, output)
    local base = tonumber(output:match("base rate +([%d.]+)"))
    local sampled = tonumber(output:match("sampled +([%d.]+)"))
    local field = tonumber(output:match("mean field +([%d.]+)"))
    assert.near(base, sampled, 0.3 * base)
    assert.near(base, field, 0.5 * base)
  end)
end)
