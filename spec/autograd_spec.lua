--- The gradient engine: what backward and grad do with graphs.
---
--- Values beside PyTorch's are in autograd_oracle_spec, every derivative in operations_spec and
--- elementwise_spec, changes in place in autograd_in_place_spec.

local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local grad = wrun.autograd.grad

local function leaf(data)
  return wrun.tensor(data, { dtype = "float64", requires_grad = true })
end

describe("backward", function()
  it("adds to the gradients of the leaves", function()
    local x = leaf({ 1, 2, 3 })
    x:square():sum():backward()
    assert.same({ 2, 4, 6 }, x.grad:tolist())
    x:sum():backward()
    assert.same({ 3, 5, 7 }, x.grad:tolist())
    x.grad = nil
    x:sum():backward()
    assert.same({ 1, 1, 1 }, x.grad:tolist())
  end)

  it("adds in place, so that who holds the gradient sees it", function()
    local x = leaf({ 1, 2 })
    x:sum():backward()
    local g = x.grad
    x:sum():backward()
    assert.equal(g, x.grad)
    assert.same({ 2, 2 }, g:tolist())
  end)

  it("sums over every use of a tensor", function()
    local x = leaf({ 3 })
    local y = x * x + x * 2 + x:exp() - x
    y:backward()
    near.lists({ 6 + 2 + math.exp(3) - 1 }, near.flat(x.grad), { rtol = 1e-15 })
  end)

  it("visits a node once all of its uses have been", function()
    local x = leaf({ 2 })
    local a = x * 3
    local b = a * a -- reached by a short way and by long ones
    local c = b + a
    local d = (c * b):sqrt():square() + a
    d:sum():backward()
    -- d = (9x^2 + 3x) 9x^2 + 3x
    assert.near(4 * 81 * 8 + 3 * 27 * 4 + 3, x.grad:item(), 1e-9)
  end)

  it("takes the gradient of a result that is no single number", function()
    local x = leaf({ { 1, 2 }, { 3, 4 } })
    x:mul(2):backward(wrun.tensor({ { 1, 10 }, { 100, 1000 } }))
    assert.same({ { 2, 20 }, { 200, 2000 } }, x.grad:tolist())
    assert.equal("float64", x.grad.dtype)
    local y = leaf({ { 5 } })
    y:mul(2):backward()
    assert.same({ { 2 } }, y.grad:tolist())
  end)

  it("starts at a leaf as well", function()
    local x = leaf({ 4 })
    x:backward()
    assert.same({ 1 }, x.grad:tolist())
    local seed = wrun.tensor({ 5 }, { dtype = "float64" })
    x.grad = nil
    x:backward(seed)
    x:backward()
    assert.same({ 6 }, x.grad:tolist())
    assert.same({ 5 }, seed:tolist())
  end)

  it("gives every leaf a gradient with memory of its own", function()
    local a, b, c = leaf({ 1, 2 }), leaf({ 3, 4 }), leaf({ { 0, 0 } })
    local seed = wrun.ones(1, 2, { dtype = "float64" })
    a:add(b):add(c):backward(seed)
    a.grad:mul_(10)
    c.grad[{ 1, 1 }] = 7
    assert.same({ { 1, 1 } }, seed:tolist())
    assert.same({ 1, 1 }, b.grad:tolist())
    local p, q = leaf({ { 1 }, { 2 } }), leaf({ { 3 }, { 4 } })
    wrun.cat({ p, q }, 1):sum():backward()
    p.grad:fill_(9)
    assert.same({ { 1 }, { 1 } }, q.grad:tolist())
    local x = leaf(2)
    x:add(1):backward()
    x.grad:add_(100)
    x.grad = nil
    x:add(1):backward()
    assert.equal(1, x.grad:item())
  end)

  it("passes gradients back into the leaf's own type", function()
    local x = wrun.tensor({ 1.5, 2 }, { requires_grad = true })
    local w = leaf({ 2, 3 })
    x:mul(w):add(x:to("float64")):sum():backward()
    assert.equal("float32", x.grad.dtype)
    assert.same({ 3, 4 }, x.grad:tolist())
    assert.equal("float64", w.grad.dtype)
  end)

  it("reaches only what requires a gradient", function()
    local x, fixed = leaf({ 1 }), wrun.ones(1, { dtype = "float64" })
    local y = x * fixed
    assert.is_true(y.requires_grad)
    assert.is_false(y.is_leaf)
    assert.equal("<MulBackward0>", tostring(y.grad_fn))
    y:backward()
    assert.is_nil(fixed.grad)
    assert.is_nil(y.grad)
    assert.is_false((fixed * 2).requires_grad)
    assert.is_false(x:gt(0).requires_grad)
    assert.is_false(x:long().requires_grad)
    assert.is_false(x:argmax().requires_grad)
  end)

  it("walks chains of 20,000 nodes", function()
    local x = leaf({ 1 })
    local y = x
    for _ = 1, 20000 do
      y = y + x
    end
    y:backward()
    assert.equal(20001, x.grad:item())
  end)

  it("walks each node of a ladder once", function()
    local x = leaf({ 1 })
    local y = x
    for _ = 1, 60 do
      y = y + y -- 2^60 ways from end to start
    end
    y:backward()
    assert.equal(2.0 ^ 60, x.grad:item())
  end)

  it("walks again what holds no values, as PyTorch does", function()
    local a = wrun.tensor({ 1, 2 }, { dtype = "float32", requires_grad = true })
    local b = wrun.tensor({ 3, 4 }, { dtype = "float32", requires_grad = true })
    local y = (a * a):sum() + (b * b):sum()
    assert.same({ 2, 4 }, wrun.autograd.grad(y, a):tolist())
    assert.same({ 6, 8 }, wrun.autograd.grad(y, b):tolist())
    assert.has_error(function()
      wrun.autograd.grad(y, b)
    end)
  end)

  it("refuses what it cannot start from", function()
    local x = leaf({ 1, 2 })
    assert.equal("backward: no gradient flows into this tensor: "
      .. "nothing it was made from requires one", refusal(wrun.backward, wrun.zeros(1)))
    assert.equal("backward: expected a gradient for a result of shape [2]; "
      .. "only a single number starts from 1 by itself, such as y:sum() or y:mean()",
      refusal(wrun.backward, x * 2))
    assert.equal("backward: expected a gradient of shape [2], got a float32 tensor [3]",
      refusal(wrun.backward, x * 2, wrun.ones(3)))
    assert.equal("backward: expected a gradient of shape [], got a table",
      refusal(wrun.backward, x:sum(), { retain_graph = true }))
    assert.equal("backward: expected a tensor, got 5", refusal(wrun.backward, 5))
    assert.equal("backward: option keep: unknown; the options are create_graph, retain_graph",
      refusal(wrun.backward, x:sum(), nil, { keep = true }))
    assert.equal("backward: option retain_graph: expected true or false, got 1",
      refusal(wrun.backward, x:sum(), nil, { retain_graph = 1 }))
  end)
end)

describe("the graph", function()
  local GONE = "backward: this graph was walked already and its values are gone; "
    .. "pass retain_graph = true the first time"

  it("is walked once unless it is retained", function()
    local x = leaf({ 3 })
    local y = x * x
    y:backward(nil, { retain_graph = true })
    y:backward()
    assert.same({ 12 }, x.grad:tolist())
    assert.equal(GONE, refusal(y.backward, y))
    assert.same({ 12 }, x.grad:tolist())
  end)

  it("is refused as a whole when a part of it was walked", function()
    local x = leaf({ 3 })
    local shared = x * x
    local left, right = shared * 2, shared * 3
    left:backward()
    assert.equal(GONE, refusal(right.backward, right))
    assert.equal(GONE, refusal(grad, right, x))
  end)

  it("is let go while it is walked", function()
    local x = leaf({ 1, 2 })
    local held = setmetatable({}, { __mode = "k" })
    local function deep_sum()
      local y = x
      for _ = 1, 100 do
        y = y:exp():tanh()
        held[y] = true
      end
      return y:sum()
    end
    local loss = deep_sum()
    loss:backward()
    collectgarbage()
    assert.is_nil(next(held))
    assert.is_true(loss.requires_grad) -- though the result itself is still here
  end)

  it("leaves no memory behind, step after step", function()
    local x = leaf({ 1, 2, 3 })
    local function step()
      for _ = 1, 200 do
        x:exp():mul(x):sum():backward()
      end
      collectgarbage()
      collectgarbage()
      return collectgarbage("count")
    end
    step()
    local before = step()
    assert.is_true(step() - before < 1)
  end)
end)

describe("a recorded call", function()
  it("keeps its key and its dimensions, whatever the script does with those tables", function()
    local x, key, dims = leaf({ { 1, 2 }, { 3, 4 } }), { { 1, 1 }, 2 }, { 1 }
    local y = x[key]:sum() + x:sum(dims, true):sum()
    key[1][2], key[2], dims[1] = 2, 1, 5
    y:backward()
    assert.same({ { 1, 2 }, { 1, 1 } }, x.grad:tolist())
  end)
end)

describe("no_grad and enable_grad", function()
  local x = leaf({ 2 })

  it("switch recording off and on for a function", function()
    assert.is_true(wrun.is_grad_enabled())
    local y, on, inner = wrun.no_grad(function(a, b)
      local z = wrun.enable_grad(function() return x * 2 end)
      return x * a + b, wrun.is_grad_enabled(), z
    end, 3, 4)
    assert.same({ 10 }, y:tolist())
    assert.is_false(y.requires_grad)
    assert.is_false(on)
    assert.is_true(inner.requires_grad)
    assert.is_true(wrun.is_grad_enabled())
  end)

  it("switch until the end of a block", function()
    do
      local _ <close> = wrun.no_grad()
      assert.is_false((x * 2).requires_grad)
      do
        local _ <close> = wrun.enable_grad()
        assert.is_true((x * 2).requires_grad)
      end
      assert.is_false(wrun.is_grad_enabled())
    end
    assert.is_true(wrun.is_grad_enabled())
  end)

  it("are undone by an error", function()
    assert.is_false(pcall(wrun.no_grad, error, "x"))
    assert.is_true(wrun.is_grad_enabled())
    pcall(function()
      local _ <close> = wrun.no_grad()
      error("x")
    end)
    assert.is_true(wrun.is_grad_enabled())
  end)

  it("let a leaf be changed in place", function()
    local w = leaf({ 1, 2 })
    wrun.no_grad(function()
      w:mul_(3)
      w[1] = 7
    end)
    assert.same({ 7, 6 }, w:tolist())
    assert.is_true(w.is_leaf and w.requires_grad)
  end)
end)

describe("detach", function()
  it("cuts the graph and shares the memory", function()
    local x = leaf({ 3 })
    local y = x * 2
    local cut = y:detach()
    assert.is_false(cut.requires_grad)
    assert.is_true(cut.is_leaf)
    y:mul(cut):backward()
    assert.same({ 12 }, x.grad:tolist())
    cut[1] = 0
    assert.same({ 0 }, y:tolist())
  end)
end)

describe("create_graph", function()
  it("records the walk, so that gradients have gradients", function()
    local x = leaf({ 2 })
    local y = x ^ 4
    local first = grad(y, x, { create_graph = true })
    local second = grad(first, x, { create_graph = true })
    local third = grad(second, x, { create_graph = true })
    local fourth = grad(third, x)
    assert.same({ { 32 }, { 48 }, { 48 }, { 24 } },
      { first:tolist(), second:tolist(), third:tolist(), fourth:tolist() })
  end)

  it("goes with backward too, which then adds without changing in place", function()
    local x = leaf({ 3 })
    x:pow(2):backward(nil, { create_graph = true })
    local first = x.grad
    assert.is_true(first.requires_grad)
    x:pow(3):backward(nil, { create_graph = true })
    assert.same({ 6 }, first:tolist())
    assert.same({ 33 }, x.grad:tolist())
    assert.same({ 2 + 18 }, grad(x.grad, x):tolist())
  end)
end)

describe("autograd.grad", function()
  it("returns a gradient for each input and changes none", function()
    local a, b = leaf({ 2 }), leaf({ 5 })
    local da, db = grad(a * b, { a, b })
    assert.same({ 5 }, da:tolist())
    assert.same({ 2 }, db:tolist())
    assert.is_nil(a.grad)
  end)

  it("takes inputs that are results", function()
    local x = leaf({ 2 })
    local y = x * 3
    local z = y * y
    local dy, dx = grad(z, { y, x })
    assert.same({ 12 }, dy:tolist())
    assert.same({ 36 }, dx:tolist())
    local w = x * 2
    assert.same({ 1 }, grad(w, w):tolist())
  end)

  it("sums over several outputs", function()
    local x = leaf({ 2, 3 })
    local dx = grad({ x:sum(), x * x }, x, { grad_outputs = { nil, wrun.tensor({ 1, 10 }) } })
    assert.same({ 5, 61 }, dx:tolist())
    local y = x:sum()
    assert.same({ 2, 2 }, grad({ y, y }, x):tolist())
    assert.same({ 3, 4 }, grad(x * 1, x, { grad_outputs = wrun.tensor({ 3, 4 }) }):tolist())
  end)

  it("gives nil for an input without influence when that is allowed", function()
    local x, other = leaf({ 2 }), leaf({ 3 })
    local dx, none = grad(x * 2, { x, other }, { allow_unused = true })
    assert.same({ 2 }, dx:tolist())
    assert.is_nil(none)
    assert.equal("grad: input 2 does not lead to the outputs; pass allow_unused = true to get nil",
      refusal(grad, x * 2, { x, other }))
  end)

  it("hands out gradients that may be changed", function()
    local x = leaf(2)
    grad(x + 1, x):add_(5)
    assert.equal(1, grad(x + 1, x):item())
    local y = leaf({ 2 })
    grad(y:sum(), y):add_(5)
    assert.same({ 1 }, grad(y:sum(), y):tolist())
  end)

  it("lets go only of what leads from the outputs to the inputs", function()
    local x = leaf({ 3 })
    local h = x * x
    local dh = grad((h * h):sum(), h)
    assert.same({ 18 }, dh:tolist())
    h:backward(dh) -- what made h is still there
    assert.same({ 108 }, x.grad:tolist())

    local a, b = leaf({ 2 }), leaf({ 5 })
    local beside = b:exp()
    assert.equal(2 * 2, grad((a * a + beside):sum(), a):item())
    beside:sum():backward()
    assert.is_true(math.abs(b.grad:item() - math.exp(5)) < 1e-4)
    assert.is_nil(a.grad)
  end)

  it("reaches an input through another", function()
    local x = leaf({ 3 })
    local h = x * x
    local y = (h * h):sum()
    local dx, dh = grad(y, { x, h })
    assert.same({ 108 }, dx:tolist())
    assert.same({ 18 }, dh:tolist())
    assert.equal("backward: this graph was walked already and its values are gone; "
      .. "pass retain_graph = true the first time", refusal(h.backward, h, wrun.ones(1)))
  end)

  it("does not mind what leads to no input", function()
    local raising = wrun.autograd.Function({
      name = "raising",
      forward = function(_, x) return x * 1 end,
      backward = function() error("asked for nothing") end,
    })
    local a, b = leaf({ 2 }), leaf({ 5 })
    local changed, walked = b * 1, b * b
    local of_changed = changed:square()
    wrun.no_grad(changed.add_, changed, 1)
    walked:backward()
    for name, beside in pairs { raising = raising(b), changed = of_changed, walked = walked * 1 } do
      assert.equal(4, grad(a * a + beside, a):item(), name)
      assert.is_false(pcall(grad, a * a + beside, { a, b }), name)
    end
  end)

  it("refuses what it cannot use", function()
    local x = leaf({ 1, 2 })
    local y = x * 2
    assert.equal("grad: argument 1: expected a tensor or a table of tensors, got nil",
      refusal(grad))
    assert.equal("grad: argument 2: expected a tensor or a table of tensors, got 5",
      refusal(grad, y, 5))
    assert.equal("grad: argument 2: expected a tensor or a table of tensors, got a table",
      refusal(grad, y, {}))
    assert.equal("grad: expected a tensor, got 3", refusal(grad, { y:sum(), 3 }, x))
    assert.equal("grad: no gradient flows into this tensor: nothing it was made from requires one",
      refusal(grad, y:sum(), wrun.zeros(2)))
    assert.equal("grad: expected a gradient for a result of shape [2]; "
      .. "only a single number starts from 1 by itself, such as y:sum() or y:mean()",
      refusal(grad, y, x))
    assert.equal("grad: expected a gradient of shape [2], got a float32 tensor [1]",
      refusal(grad, y, x, { grad_outputs = wrun.ones(1) }))
    assert.matches("^grad: option inputs: unknown; the options are ",
      refusal(grad, y, x, { inputs = x }))
  end)
end)
