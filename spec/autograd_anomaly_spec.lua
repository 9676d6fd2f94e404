--- detect_anomaly: a NaN in a gradient is an error that names the operation and the script's line.

local refusal = require "spec.support.refusal"
local core = require "wrun.core"
local wrun = require "wrun"

local detect_anomaly = wrun.autograd.detect_anomaly

local function leaf(data)
  return wrun.tensor(data, { dtype = "float64", requires_grad = true })
end

--- "spec/autograd_anomaly_spec.lua:N", the line that calls it
local function here()
  local info = debug.getinfo(2, "Sl")
  return info.short_src .. ":" .. info.currentline
end

local function found(i, label, place)
  return ("backward: the gradient of argument %d of %s has a NaN; its forward call is at %s")
    :format(i, label, place)
end

describe("detect_anomaly", function()
  it("names the operation whose gradient is NaN, and the line that called it", function()
    local x = leaf({ 0, 4 })
    local _ <close> = detect_anomaly()
    local place, root = here(), x:sqrt()
    local loss = (root * 0):sum()
    assert.equal(found(1, "SqrtBackward0", place), refusal(loss.backward, loss))
    assert.is_nil(x.grad)
  end)

  it("says which argument it is", function()
    local x, y = leaf({ 1, 2 }), leaf({ 1 / 0, 2 })
    detect_anomaly(function()
      local place, loss = here(), (x * y):sum() * 0
      assert.equal(found(1, "MulBackward0", place), refusal(loss.backward, loss))
    end)
  end)

  it("finds structural operations, and those in layers, at the line of the script", function()
    local net, x = wrun.nn.Linear(2, 2), wrun.tensor({ { 1.0, 0 / 0 } })
    local _ <close> = detect_anomaly()
    local place, loss = here(), net(x):sum()
    assert.equal(found(2, "AddmmBackward0", place), refusal(loss.backward, loss))
  end)

  it("finds functions of one's own, and grad", function()
    local broken = wrun.autograd.Function {
      name = "Broken",
      forward = function(_, x) return x * 2 end,
      backward = function(_, g) return g * (0 / 0) end,
    }
    local x = leaf({ 1 })
    local _ <close> = detect_anomaly()
    local place, y = here(), broken(x)
    assert.equal(found(1, "BrokenBackward", place), refusal(wrun.autograd.grad, y, x))
  end)

  it("finds a NaN in the gradient of a gradient", function()
    local x = leaf({ 0 })
    local _ <close> = detect_anomaly()
    local y = x ^ 1.5
    local place, dx = here(), wrun.autograd.grad(y, x, { create_graph = true })
    local loss = dx * 0
    assert.equal(found(1, "PowBackward0", place), refusal(loss.backward, loss))
  end)

  it("sees what one operation hands to the next, a NaN that was put in too", function()
    local x = leaf({ 1, 2 })
    local _ <close> = detect_anomaly()
    local place, y = here(), x + 1
    assert.equal(found(1, "AddBackward0", place),
      refusal(y.backward, y, wrun.tensor({ 1, 0 / 0 }, { dtype = "float64" })))
  end)

  it("says so where no line of a script made the call", function()
    local x = leaf({ 0 })
    local _ <close> = detect_anomaly()
    local loss = coroutine.wrap(wrun.sqrt)(x) * 0
    assert.equal(found(1, "SqrtBackward0", "an unknown line"), refusal(loss.backward, loss))
  end)

  it("knows no line of what was recorded before", function()
    local x = leaf({ 0 })
    local loss = x:sqrt() * 0
    assert.equal("backward: the gradient of argument 1 of SqrtBackward0 has a NaN; its forward "
      .. "call was made outside detect_anomaly, so its line is not known",
      refusal(detect_anomaly, loss.backward, loss))
  end)

  it("refuses no infinity, and changes no gradient", function()
    local function gradient()
      local x = leaf({ 0, 4 })
      x:sqrt():sum():backward()
      return x.grad:tolist()
    end
    assert.same({ 1 / 0, 0.25 }, gradient())
    assert.same({ 1 / 0, 0.25 }, detect_anomaly(gradient))
  end)

  it("ends with its function or block, after an error too, and nests", function()
    local function is_on() return core.graph.traces() ~= nil end
    assert.is_false(is_on())
    assert.same({ true, 3 }, { detect_anomaly(function(n) return is_on(), n end, 3) })
    do
      local _ <close> = detect_anomaly()
      detect_anomaly(is_on)
      assert.is_true(is_on())
    end
    assert.is_false(is_on())
    assert.is_false(pcall(detect_anomaly, error, "x"))
    assert.is_false(is_on())
    local x = leaf({ 0 })
    x:sqrt():mul(0):backward()
    assert.is_true(x.grad:isnan():all():item())
  end)

  it("keeps no graph alive", function()
    local _ <close> = detect_anomaly()
    local weak = setmetatable({}, { __mode = "k" })
    do
      local y = leaf({ 1 }):exp()
      weak[y.grad_fn] = true
      assert.is_string(core.graph.traces()[y.grad_fn])
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(weak))
  end)
end)
