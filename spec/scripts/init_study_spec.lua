--- The studies of starts as a user runs them: short ones on a small made-up set, and what they claim
--- on MNIST where that is at hand.

local child = require "spec.support.child"
local script = require "spec.support.script"
local wrun = require "wrun"

local function run(options, real)
  return script("init_study.lua", options, real)
end

describe("init_study.lua #many", function()
  it("shows the spreads of signals and gradients, whatever the images", function()
    child.with_folder(function(folder)
      local output, ok = run("--studies spreads --out " .. folder)
      assert(ok, output)
      for _, claim in ipairs {
        "holds +ReLU, Xavier: the signal changes by 0.707 %+%- 0.03 a layer: 0.%d+\n",
        "holds +tanh, U%(1/sqrt n%): the signal changes by 0.577 %+%- 0.03 a layer: 0.%d+\n",
        "holds +tanh, U%(1/sqrt n%): gradients of signals differ by more than 8 times",
      } do
        assert.is_truthy(output:find(claim), output)
      end
      assert.same({ 420, 1920 }, wrun.image.load(folder .. "/spreads.png").shape)
    end)
  end)

  it("shows what depth and width do, and fails where a claim does not hold", function()
    child.with_folder(function(folder)
      local output, ok = run("--studies depths,widths --depths 1,30 --widths 8,16 --out " .. folder)
      assert.is_nil(ok) -- of 240 images two steps are an epoch
      assert.is_truthy(output:find("\n  ReLU, He +%d+%.%d%d +%d+%.%d%d\n"), output)
      assert.is_truthy(output:find("\nDOES NOT HOLD  ReLU, 30 layers, He: an error below 15 %: ", 1,
        true), output)
      assert.is_truthy(output:find("\n  muP, width 16 [%d. ]+%*"), output)
      -- the narrowest starts and learns the same
      local usual, mup = output:match("usual, width 8 (.-)\n"), output:match("muP, width 8 (.-)\n")
      assert.equal(usual:match("%S.*"), mup:match("%S.*"))
      assert.same({ 420, 640 }, wrun.image.load(folder .. "/depths.png").shape)
      assert.same({ 420, 1280 }, wrun.image.load(folder .. "/widths.png").shape)
    end)
  end)

  it("holds all that it claims on MNIST #slow", function()
    if not pcall(wrun.data.mnist, {}) then
      return pending("MNIST is not on this machine")
    end
    local output, ok = run("--dataset mnist", true)
    assert(ok, output)
    assert.equal(7, select(2, output:gsub("\nholds ", "")))
  end)

  it("refuses what it cannot follow", function()
    for options, text in pairs {
      ["--studies spread"] = "option '--studies': no study called 'spread'",
      ["--depths 5,4"] = "option '--depths': expected rising whole numbers, got '5,4'",
      ["--widths 8,x"] = "option '--widths': expected rising whole numbers, got '8,x'",
      ["--units 0"] = "option '--units': expected a whole number >= 1, got '0'",
      ["--out no/folder"] = "option '--out': expected a folder that can be written to",
    } do
      local output, ok = run(options)
      assert.is_nil(ok)
      assert.is_truthy(output:find(text, 1, true), output)
    end
  end)
end)
