--- The walk backward writes a gradient over one that it made itself and nobody else has.

local wrun = require "wrun"

local autograd = wrun.autograd

-- How each gradient comes to the next node: straight, summed with others, shared, shrunk, converted,
-- by kernels, as a view, from a function of a script.
local pass = autograd.Function {
  name = "pass",
  forward = function(_, x) return x * 1 end,
  backward = function(_, g) return g end,
}
local GRAPHS = {
  chain = function(a) return a:tanh():square():neg():exp() end,
  ["a chain of itself"] = function(a) return (a * a) * (a * a) end,
  ["a sum of branches"] = function(a)
    local b = a:tanh()
    return b:square() + b * 2 + b
  end,
  ["one gradient for two"] = function(a) return a:tanh() + a:sigmoid() end,
  ["one gradient for two, then alone"] = function(a, b)
    local s = a:tanh() + b:tanh()
    return (s + a:exp()):sin()
  end,
  ["one gradient for leaf and node"] = function(a, b) return (a + b:tanh()):square() end,
  ["a difference of itself"] = function(a)
    local b = a:tanh()
    return (b - b * 3):square()
  end,
  broadcast = function(a, _, row) return (a:tanh() * row:exp() + row:tanh()):square() end,
  conversion = function(a) return (a:tanh():double() * 2):square():float():exp() end,
  views = function(a) return a:tanh():t():exp():reshape(-1):sin():view(3, 4):cos() end,
  ["halves of one"] = function(a)
    local b = a:tanh()
    return wrun.cat({ b:narrow(1, 1, 2):exp(), b:narrow(1, 3, 2):sin() }):square()
  end,
  sums = function(a) return a:tanh():sum(1):exp() + a:exp():mean(1):sin() end,
  ["a sum of one"] = function(a) return a:reshape(4, 3, 1):tanh():sum(3) end,
  softmax = function(a) return a:tanh():softmax(2):log_softmax(1):exp() end,
  products = function(a, b) return a:tanh():matmul(b:tanh():t()):sin():matmul(a:exp()) end,
  ["a function of a script"] = function(a) return pass(a:tanh()):exp() + pass(a:sin()) end,
  ["a place changed"] = function(a)
    local b = a:tanh()
    return b:exp():clone():mul_(2):add_(b):sin_()
  end,
}

-- Compiled derivatives and those of tensors round differently.
local CLOSE = { rtol = 1e-5, atol = 1e-6 }

local function leaves()
  wrun.manual_seed(7)
  local list = { wrun.randn(4, 3), wrun.randn(4, 3), wrun.randn(3) }
  for i, x in ipairs(list) do
    list[i] = x:requires_grad_()
  end
  return list
end

describe("a gradient written over another", function()
  for name, graph in pairs(GRAPHS) do
    -- A walk that is itself recorded writes over nothing.
    it("is the one that a recorded walk has: " .. name, function()
      local list = leaves()
      local y = graph(table.unpack(list))
      local seed = wrun.randn(table.unpack(y.shape))
      local before = seed:clone()
      local options = { grad_outputs = seed, retain_graph = true, allow_unused = true }
      local first = table.pack(autograd.grad(y, list, options))
      assert.is_true(seed:equal(before))
      local again = table.pack(autograd.grad(y, list, options))
      options.create_graph = true
      local recorded = table.pack(autograd.grad(y, list, options))
      for i = 1, #list do
        if recorded[i] then
          assert.is_true(first[i]:equal(again[i]), i)
          assert.is_true(first[i]:allclose(recorded[i]:detach(), CLOSE), i)
        else
          assert.is_nil(first[i])
        end
      end
    end)
  end

  it("is never one that a hook has seen, or that was asked for", function()
    local x = wrun.tensor({ 0.5, -1.0 }, { requires_grad = true })
    local y = x:tanh()
    local z = y:exp()
    local loss = z:square():sum()
    local dy, dz = autograd.grad(loss, { y, z }, { retain_graph = true })
    assert.is_true(dz:allclose(z:detach() * 2))
    assert.is_true(dy:allclose(z:detach() * 2 * z:detach()))
    local seen
    z:register_hook(function(g) seen = g end)
    loss:backward()
    assert.is_true(seen:equal(dz))
  end)

  it("takes no memory", function()
    local x = wrun.ones(100000, { requires_grad = true })
    local y = x
    for _ = 1, 20 do
      y = y:tanh()
    end
    local seed = wrun.ones_like(y)
    collectgarbage()
    collectgarbage("stop")
    local before = collectgarbage("count")
    y:backward(seed)
    local tensors = (collectgarbage("count") - before) / (400000 / 1024)
    collectgarbage("restart")
    assert.is_true(tensors < 3, tensors .. " gradients of 20")
  end)
end)
