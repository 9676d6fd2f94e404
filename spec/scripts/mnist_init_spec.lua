--- The comparison of starts as a user runs it: on a small made-up set, and on MNIST where that is at
--- hand.

local child = require "spec.support.child"
local script = require "spec.support.script"
local wrun = require "wrun"

local NAMES = {
  "xavier_uniform", "xavier_normal", "he_uniform", "he_normal", "normal", "lsuv", "rbm", "zeros",
}

local function run(options, real)
  return script("mnist_init.lua", options, real)
end

-- The mean error and its deviation of each start.
local function errors_of(output)
  local means, deviations = {}, {}
  for name, mean, deviation in output:gmatch("\n  ([%l_]+) +([%d.]+) %% %+%- ([%d.]+)") do
    means[name], deviations[name] = tonumber(mean), tonumber(deviation)
  end
  return means, deviations
end

describe("mnist_init.lua #many", function()
  it("compares eight starts, says which are bad and why, and draws", function()
    child.with_folder(function(folder)
      local output, ok = run("--seeds 2 --epochs 20 --out " .. folder)
      assert(ok, output)
      local means, deviations = errors_of(output)
      for _, name in ipairs(NAMES) do
        assert.is_true(deviations[name] >= 0)
        assert.equal(name ~= "zeros", means[name] < 50, name)
      end
      local why = "\nzeros: no gradient reaches 3: the weights of 5 are zeros\n"
      assert.is_truthy(output:find(why, 1, true), output)
      assert.is_truthy(output:find("\nnormal: the signal grows by "), output)
      assert.is_nil(output:find("\nhe_normal: "))
      assert.same({ 420, 1280 }, wrun.image.load(folder .. "/mnist_init.png").shape)
    end)
  end)

  it("begins each run from its own seed", function()
    local both = errors_of(run("--starts normal,he_normal --seeds 1 --epochs 2 --seed 4"))
    assert.same({ he_normal = both.he_normal },
      errors_of(run("--starts he_normal --seeds 1 --epochs 2 --seed 4")))
  end)

  it("learns from all starts but zeros on MNIST #slow", function()
    if not pcall(wrun.data.mnist, {}) then
      return pending("MNIST is not on this machine")
    end
    local output, ok = run("--dataset mnist --seeds 2 --epochs 1", true)
    assert(ok, output)
    local means = errors_of(output)
    for _, name in ipairs(NAMES) do
      local most = name == "zeros" and 100 or name == "normal" and 20 or 5
      assert.is_true(means[name] < most, name)
    end
    assert.is_true(means.zeros > 80)
  end)

  it("refuses what it cannot follow", function()
    for options, text in pairs {
      ["--starts he,magic"] = "option '--starts': no start called 'he'",
      ["--seeds 0"] = "option '--seeds': expected a whole number >= 1, got '0'",
      ["--out no/folder"] = "option '--out': expected a folder that can be written to",
    } do
      local output, ok = run(options)
      assert.is_nil(ok)
      assert.is_truthy(output:find(text, 1, true), output)
    end
  end)
end)
