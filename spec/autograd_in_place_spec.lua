--- Gradients and changes in place: what is recorded, what is caught, what is refused.

local near = require("spec.support.near")
local refusal = require("spec.support.refusal")
local wrun = require("wrun")

local function leaf(data)
  return wrun.tensor(data, { dtype = "float64", requires_grad = true })
end

describe("a change in place", function()
  local CHANGED = "backward: %s of %s, %s, is needed for the gradient but was changed in place "
    .. "(version %d, saved at %d); clone() it before the change"

  it("of a value that a gradient needs is caught", function()
    local x = leaf({ 1, 2 })
    local factor = wrun.ones(2, { dtype = "float64" })
    local y = (x * factor):sum()
    factor:add_(1)
    assert.equal(CHANGED:format("argument 2", "mul", "a float64 tensor [2]", 1, 0),
      refusal(y.backward, y))
    local z = x:exp()
    local sum = z:sum()
    z[1] = 5
    assert.equal(CHANGED:format("result 1", "exp", "a float64 tensor [2]", 1, 0),
      refusal(sum.backward, sum))
    assert.is_nil(x.grad)
  end)

  it("of a leaf under no_grad is caught too, and through a view or detach", function()
    local changes = {
      function(w) wrun.no_grad(function() w:add_(1) end) end,
      function(w) w:detach():add_(1) end,
      function(w) wrun.no_grad(function() w[1] = 4 end) end,
      function(w) w:detach():uniform_() end,
    }
    for _, change in ipairs(changes) do
      local w = leaf({ 1, 2 })
      local y = (w * w):sum()
      change(w)
      assert.equal(CHANGED:format("argument 1", "mul", "a float64 tensor [2]", 1, 0),
        refusal(y.backward, y))
    end
  end)

  it("of a value that no gradient needs is allowed", function()
    local x = leaf({ 1, 2 })
    local other = wrun.ones(2, { dtype = "float64" })
    local y = (x + other):sum()
    other:add_(1)
    y:backward()
    assert.same({ 1, 1 }, x.grad:tolist())
  end)

  it("is recorded", function()
    local x = leaf({ 1, 2, 3 })
    local w = leaf({ 4, 5, 6 })
    local y = x * 2
    y:add_(w)
    y:mul_(w)
    y:sin_():neg_() -- -sin((2 x + w) w)
    y:sum():backward()
    local dx, dw = {}, {}
    for i, a in ipairs({ 1, 2, 3 }) do
      local b = a + 3
      dx[i] = -math.cos((2 * a + b) * b) * 2 * b
      dw[i] = -math.cos((2 * a + b) * b) * 2 * (a + b)
    end
    near.lists(dx, near.flat(x.grad), { rtol = 1e-12 })
    near.lists(dw, near.flat(w.grad), { rtol = 1e-12 })
  end)

  it("makes a plain tensor a result", function()
    local w = leaf({ 2, 3 })
    local total = wrun.zeros(2, { dtype = "float64" })
    total:add_(w)
    total:add_(w)
    assert.is_true(total.requires_grad)
    assert.is_false(total.is_leaf)
    total:square():sum():backward()
    assert.same({ 16, 24 }, w.grad:tolist())
  end)

  it("has gradients of gradients", function()
    local function f(x, w)
      local y = x * 1
      y:mul_(w)
      y:sin_()
      y[{ { 1, 2 } }] = w[{ { 2, 3 } }]:exp()
      return y
    end
    local inputs = { leaf({ 0.5, -1, 2 }), leaf({ 1.5, 0.7, -0.3 }) }
    assert.is_true(wrun.gradcheck(f, inputs))
    assert.is_true(wrun.gradgradcheck(f, inputs))
  end)

  it("of a leaf is refused while gradients are on", function()
    local x = leaf({ 1, 2 })
    local text = ": argument 1: a leaf that requires a gradient cannot be changed in place; "
      .. "do it inside wrun.no_grad"
    assert.equal("add_" .. text, refusal(x.add_, x, 1))
    assert.equal("fill_" .. text, refusal(x.fill_, x, 1))
    assert.equal("assign" .. text, refusal(function() x[1] = 1 end))
    assert.equal("uniform_" .. text, refusal(x.uniform_, x))
    assert.same({ 1, 2 }, x:tolist())
    assert.equal(0, x.version)
  end)

  it("that would pass by a recorded view is refused", function()
    local x = leaf({ 1, 2, 3 })
    local y = x * 2
    local view = y[{ { 1, 2 } }]
    local text = ": argument 1: gradients flow through a view of this tensor's memory, which a "
      .. "change in place would bypass; clone() it first"
    assert.equal("add_" .. text, refusal(y.add_, y, 1))
    assert.equal("mul_" .. text, refusal(view.mul_, view, 2))
    assert.equal("fill_" .. text, refusal(y.fill_, y, 1))
    assert.equal("assign" .. text, refusal(function() y[1] = 1 end))
    assert.same({ 2, 4, 6 }, y:tolist())
    y:clone():add_(1):sum():backward()
    assert.same({ 2, 2, 2 }, x.grad:tolist())
  end)

  it("that would pass by the tensor whose view it changes is refused", function()
    local w = leaf({ 5, 6 })
    local table_of = wrun.zeros(3, 2, { dtype = "float64" })
    local text = ": argument 1: it is a view of another tensor, which the gradient of a change in "
      .. "place would not reach; write t[key] = value into that tensor, or clone() the view first"
    assert.equal("assign" .. text, refusal(function() table_of[1][2] = w[1] end))
    assert.equal("add_" .. text, refusal(function() table_of[1]:add_(w) end))
    assert.equal("copy_" .. text, refusal(function() table_of:view(6):copy_(w[1]) end))
    assert.equal(0, table_of:sum():item())
    table_of[1][2] = 7
    table_of[{ 2, 1 }] = w[1]
    table_of:sum():backward()
    assert.same({ 1, 0 }, w.grad:tolist())
  end)

  it("may change what matmul or reshape made anew", function()
    local x = leaf({ { 1, 2 }, { 3, 4 } })
    x:matmul(wrun.ones(2, { dtype = "float64" })):add_(1):sum():backward()
    assert.same({ { 1, 1 }, { 1, 1 } }, x.grad:tolist())
    local plain = x:detach():t():reshape(4)
    plain:add_(x:sum())
    assert.is_true(plain.requires_grad)
  end)

  it("that would overwrite what its own gradient needs is refused", function()
    local x = leaf({ 1, 2 })
    local y = x * 3
    local text = "mul_: argument 2: it shares memory with argument 1, whose change would overwrite "
      .. "what the gradient needs; clone() it first"
    assert.equal(text, refusal(y.mul_, y, y))
    assert.equal(text, refusal(y.mul_, y, y:detach()))
    assert.same({ 3, 6 }, y:tolist())
    y:add_(y)
    y:mul_(y:clone())
    y:sum():backward()
    assert.same({ 72, 144 }, x.grad:tolist())
  end)

  it("by drawing is refused where gradients flow", function()
    local y = leaf({ 1, 2 }) * 2
    assert.equal("normal_: argument 1: a result that gradients flow through cannot be drawn anew; "
      .. "detach() it first", refusal(y.normal_, y))
  end)
end)

describe("assignment to a part", function()
  it("passes gradients to what was written and to what was kept", function()
    local x, v = leaf({ { 1, 2 }, { 3, 4 } }), leaf({ 10, 20 })
    local y = x * 1
    y[2] = v
    y[{ {}, 1 }] = v[1] * 2
    y:mul(wrun.tensor({ { 1, 2 }, { 3, 4 } })):sum():backward()
    assert.same({ { 0, 2 }, { 0, 0 } }, x.grad:tolist())
    assert.same({ 8, 4 }, v.grad:tolist())
  end)

  it("of a number cuts the gradient of what it covers", function()
    local x = leaf({ 1, 2, 3 })
    local y = x * 2
    y[2] = 0
    y:sum():backward()
    assert.same({ 2, 0, 2 }, x.grad:tolist())
  end)
end)
