--- Hooks of tensors: register_hook and retain_grad.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local function leaf(list)
  return wrun.tensor(list, { requires_grad = true })
end

describe("a hook of a tensor", function()
  it("is given the whole gradient, of a leaf and of what was computed", function()
    local x, seen = leaf { 1.0, 2.0 }, {}
    local y = x * 3
    x:register_hook(function(g) seen.x = g:tolist() end)
    y:register_hook(function(g) seen.y = g:tolist() end)
    local loss = (y:square() + y):sum()
    loss:backward()
    -- 2 y + 1, and 3 times that
    assert.same({ y = { 7, 13 }, x = { 21, 39 } }, seen)
    assert.same({ 21, 39 }, x.grad:tolist())
  end)

  it("may put another gradient in its place, one after the other", function()
    local x = leaf { 1.0, 2.0 }
    local y = x * 3
    y:register_hook(function(g) return g * 10 end)
    y:register_hook(function(g) return g + 1 end)
    x:register_hook(function(g) return -g end)
    y:sum():backward()
    assert.same({ -33, -33 }, x.grad:tolist())
    y = x * 3
    y:register_hook(function(g) return g * 2 end)
    local dx, dy = wrun.autograd.grad(y:sum(), { x, y })
    assert.same({ { -6, -6 }, { 2, 2 } }, { dx:tolist(), dy:tolist() })
  end)

  it("is called once in a pass, though its leaf is asked for twice", function()
    local x, calls = leaf { 1.0 }, 0
    x:register_hook(function(g)
      calls = calls + 1
      return g * 10
    end)
    local dx, again = wrun.autograd.grad((x * 3):sum(), { x, x })
    assert.same({ 1, { 30 }, { 30 } }, { calls, dx:tolist(), again:tolist() })
  end)

  it("is gone when its handle is removed, also by itself", function()
    local x, calls = leaf { 1.0 }, 0
    local handle
    handle = x:register_hook(function()
      calls = calls + 1
      handle:remove()
    end)
    local other = x:register_hook(function(g) return g * 100 end)
    x:sum():backward()
    other:remove()
    other:remove()
    x:sum():backward()
    assert.same({ 1, { 101 } }, { calls, x.grad:tolist() })
  end)

  it("is recorded where the walk is", function()
    local x = leaf { 2.0 }
    local y = x * x
    y:register_hook(function(g) return g * x end) -- d = 2 x * x, whose derivative is 4 x
    local d = wrun.autograd.grad(y, x, { create_graph = true })
    assert.equal(8, wrun.autograd.grad(d, x):item())
  end)

  it("adds to what was there, as each backward pass does", function()
    local x = leaf { 1.0 }
    x:register_hook(function(g) return g * 2 end)
    for _ = 1, 3 do
      (x * 5):sum():backward()
    end
    assert.same({ 30 }, x.grad:tolist())
  end)

  it("is let go with its tensor", function()
    local held = setmetatable({}, { __mode = "k" })
    for _ = 1, 20 do
      local x = leaf { 1.0 }
      local y = x * 2
      y:register_hook(function() return y end)
      y:retain_grad()
      held[y] = true
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(held))
  end)

  it("refuses what has no gradient, what is no function, and other gradients", function()
    local x = leaf { 1.0, 2.0 }
    local text = "register_hook: argument %d: expected a %s, got a float32 tensor [2]"
    assert.equal(text:format(1, "tensor that requires a gradient"),
      refusal(x.register_hook, wrun.ones(2), print))
    assert.equal(text:format(2, "function"), refusal(x.register_hook, x, wrun.ones(2)))
    x:register_hook(function() return wrun.ones(3) end)
    local y = x:sum()
    assert.equal("backward: expected a hook to return a gradient of shape [2] or nil, got a "
      .. "float32 tensor [3]", refusal(y.backward, y))
  end)
end)

describe("a gradient that is retained", function()
  it("is that of what was computed, after its hooks, and sums up", function()
    local x = leaf { 1.0, 2.0 }
    local y = x * 3
    y:register_hook(function(g) return g * 10 end)
    y:retain_grad()
    local loss = y:square():sum()
    loss:backward(nil, { retain_graph = true })
    assert.same({ 60, 120 }, y.grad:tolist())
    loss:backward()
    assert.same({ 120, 240 }, y.grad:tolist())
  end)

  it("is a leaf's all the same", function()
    local x = leaf { 1.0 }
    x:retain_grad()
    local loss = (x * 2):sum()
    loss:backward()
    assert.same({ 2 }, x.grad:tolist())
    assert.equal("retain_grad: argument 1: expected a tensor that requires a gradient, got a "
      .. "float32 tensor [2]", refusal(x.retain_grad, wrun.ones(2)))
  end)
end)
