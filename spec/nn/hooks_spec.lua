--- Hooks around a module's forward and in its backward pass.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn

-- y = 2 x, and a second result where it is asked for two
local Twice = nn.Module:extend("Twice")
function Twice.forward(_, ...)
  local results = {}
  for i, x in ipairs { ... } do
    results[i] = x * 2
  end
  return table.unpack(results)
end

local function leaf(...)
  return wrun.tensor({ ... }, { requires_grad = true })
end

describe("a forward pre-hook", function()
  it("sees the arguments and can replace them", function()
    local net, seen = Twice(), nil
    local handle = net:register_forward_pre_hook(function(module, inputs)
      assert.equal(net, module)
      seen = inputs
    end)
    local x = leaf(1.0, 2.0)
    assert.same({ 2.0, 4.0 }, net(x):tolist())
    assert.equal(x, seen[1])
    assert.equal(1, seen.n)
    local other = net:register_forward_pre_hook(function(_, inputs)
      return inputs[1] + 1
    end)
    assert.same({ 4.0, 6.0 }, net(x):tolist())
    other:remove()
    handle:remove()
    handle:remove()
    seen = nil
    assert.same({ 2.0, 4.0 }, net(x):tolist())
    assert.is_nil(seen)
  end)
end)

describe("a forward hook", function()
  it("sees inputs and outputs and can replace the outputs", function()
    local net, seen = Twice(), {}
    net:register_forward_hook(function(module, inputs, a, b)
      seen = { module, inputs.n, a:item(), b and b:item() }
    end)
    net(wrun.tensor(1.0), wrun.tensor(3.0))
    assert.same({ net, 2, 2.0, 6.0 }, seen)
    net:register_forward_hook(function(_, _, a)
      return a + 1, "more"
    end)
    local y, more = net(wrun.tensor(1.0))
    assert.equal(3.0, y:item())
    assert.equal("more", more)
  end)

  it("runs in order of registration, inside containers too, and can take itself away", function()
    local order, model = {}, nn.Sequential(nn.ReLU(), nn.Tanh())
    local first
    first = model[2]:register_forward_hook(function()
      order[#order + 1] = "first"
      first:remove()
    end)
    model[2]:register_forward_hook(function()
      order[#order + 1] = "second"
    end)
    model(wrun.ones(2))
    model(wrun.ones(2))
    assert.same({ "first", "second", "second" }, order)
  end)
end)

describe("a full backward hook", function()
  it("sees the gradients of inputs and outputs", function()
    local layer, seen = nn.Linear(2, 1, { dtype = "float64" }), nil
    layer:register_full_backward_hook(function(module, grad_inputs, grad_outputs)
      assert.equal(layer, module)
      seen = { grad_inputs, grad_outputs }
    end)
    local x = wrun.randn(3, 2, { dtype = "float64", requires_grad = true })
    layer(x):square():sum():backward()
    local plain = nn.Linear(2, 1, { dtype = "float64" })
    plain:load_state_dict(layer:state_dict())
    local t = x:detach():requires_grad_()
    local y = plain(t)
    local dx, dy = wrun.autograd.grad(y:square():sum(), { t, y })
    assert.is_true(seen[1][1]:equal(dx))
    assert.is_true(seen[2][1]:equal(dy))
    assert.is_true(x.grad:equal(dx))
    assert.equal(1, seen[1].n)
  end)

  it("can replace the gradients of the inputs, each hook those of the one before", function()
    local net, x = Twice(), leaf(1.0, 2.0)
    net:register_full_backward_hook(function(_, grad_inputs)
      return grad_inputs[1] * 10
    end)
    net:register_full_backward_hook(function(_, grad_inputs)
      return grad_inputs[1] + 1
    end)
    net(x):sum():backward()
    assert.same({ 21.0, 21.0 }, x.grad:tolist())
  end)

  it("sees several tensors of several shapes and types at once", function()
    local net, seen = Twice(), nil
    net:register_full_backward_hook(function(_, grad_inputs, grad_outputs)
      seen = { grad_inputs, grad_outputs }
      return grad_inputs[1] * 10
    end)
    local x = wrun.ones(2, 3):requires_grad_()
    local plain = wrun.tensor { 1.0 }
    local z = wrun.tensor({ 5.0 }, { dtype = "float64", requires_grad = true })
    local a, b, c = net(x, plain, z)
    assert.same({ "float32", "float32", "float64" }, { a.dtype, b.dtype, c.dtype })
    assert.same({ 2, 3 }, a.shape)
    local total = a:sum() + c:sum() * 3
    total:backward()
    assert.equal(3, seen[1].n)
    assert.same({ { 2.0, 2.0, 2.0 }, { 2.0, 2.0, 2.0 } }, seen[1][1]:tolist())
    assert.is_nil(seen[1][2])
    assert.same({ 6.0 }, seen[1][3]:tolist())
    assert.same({ 3.0 }, seen[2][3]:tolist())
    assert.is_nil(seen[2][2])
    assert.equal(20.0, x.grad[1][1]:item())
    assert.same({ 6.0 }, z.grad:tolist())
    assert.equal("float64", z.grad.dtype)
  end)

  it("is called where no input needs a gradient", function()
    local layer, seen = nn.Linear(2, 1), nil
    layer:register_full_backward_hook(function(_, grad_inputs, grad_outputs)
      seen = { grad_inputs, grad_outputs[1]:tolist() }
    end)
    layer(wrun.ones(1, 2)):sum():backward()
    assert.same({ { n = 1 }, { { 1.0 } } }, seen)
    assert.same({ { 1.0, 1.0 } }, layer.weight.grad:tolist())
  end)

  -- Three layers x -> h1 -> h2 -> y that multiply by 2, 3 and 5, the second with a hook that makes
  -- its gradient ten times as large: { wanted, layers whose hooks are called, gradients }, as PyTorch
  -- 2.13 has it.
  local WANTED = {
    { { "x" }, { 3, 2, 1 }, { 300 } }, { { "w1" }, { 3, 2 }, { 150 } }, { { "w2" }, { 3 }, { 10 } },
    { { "w3" }, {}, { 6 } }, { { "h1" }, { 3, 2 }, { 150 } }, { { "h2" }, { 3 }, { 5 } },
    { { "w1", "w3" }, { 3, 2 }, { 150, 6 } }, { { "w2", "x" }, { 3, 2, 1 }, { 10, 300 } },
    { { "h2", "h1" }, { 3, 2 }, { 5, 150 } },
  }
  for _, case in ipairs(WANTED) do
    local names, layers, gradients = table.unpack(case)
    it("is called where a walk to what is wanted passes: " .. table.concat(names, ", "), function()
      local tensors, seen, got = { x = wrun.ones(1, 1):requires_grad_() }, {}, {}
      local h = tensors.x
      for i, factor in ipairs { 2.0, 3.0, 5.0 } do
        local layer = nn.Linear(1, 1, { bias = false })
        layer.weight:detach():fill_(factor)
        layer:register_full_backward_hook(function(_, grad_inputs)
          seen[#seen + 1] = i
          return i == 2 and grad_inputs[1] * 10 or nil
        end)
        h = layer(h)
        tensors["w" .. i], tensors["h" .. i] = layer.weight, h
      end
      local wanted = {}
      for i, name in ipairs(names) do
        wanted[i] = tensors[name]
      end
      for i, g in ipairs { wrun.autograd.grad(h:sum(), wanted) } do
        got[i] = g:item()
      end
      assert.same({ layers, gradients }, { seen, got })
    end)
  end

  it("does nothing without recording, and lets higher derivatives through", function()
    local net, calls = Twice(), 0
    net:register_full_backward_hook(function()
      calls = calls + 1
    end)
    wrun.no_grad(net, leaf(1.0))
    net(wrun.ones(1))
    assert.equal(0, calls)
    local x = leaf(3.0)
    local y = net(x * x)
    local first = wrun.autograd.grad(y:sum(), x, { create_graph = true })
    assert.equal(12.0, first:item())
    assert.equal(4.0, wrun.autograd.grad(first:sum(), x):item())
    assert.is_true(calls >= 1)
  end)

  it("goes with handle:remove()", function()
    local net, x = Twice(), leaf(1.0)
    local handle = net:register_full_backward_hook(function(_, grads)
      return grads[1] * 0
    end)
    handle:remove()
    net(x):sum():backward()
    assert.same({ 2.0 }, x.grad:tolist())
  end)
end)

describe("hooks", function()
  it("are functions", function()
    local net = Twice()
    for _, name in ipairs { "register_forward_pre_hook", "register_forward_hook",
      "register_full_backward_hook" } do
      assert.equal(name .. ": argument 1: expected a function, got 1", refusal(net[name], net, 1))
    end
  end)

  it("are no state and no fields", function()
    local net = nn.Linear(1, 1)
    net:register_forward_hook(print)
    assert.equal("Linear(in_features=1, out_features=1, bias=True)", tostring(net))
    assert.is_false(nn.Linear(1, 1)._hooks)
  end)
end)
