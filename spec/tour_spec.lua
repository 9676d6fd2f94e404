--- A tour of the library: each part once, in the order in which a newcomer meets it.
---
--- `make test` runs it first; `make test SPEC=spec/tour_spec.lua` runs it alone. What a part does at
--- its edges stands in the specs of that part.

local child = require "spec.support.child"
local wrun = require "wrun"

require "wrun.testing"

local nn, optim, data = wrun.nn, wrun.optim, wrun.data

-- Points of a square in two classes that no line separates: class 2 is a disc.
local function points(count)
  local x = wrun.rand(count, 2) * 4 - 2
  return x, x:square():sum(2):lt(2.5):long() + 1
end

local function network()
  return nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2))
end

describe("a tour:", function()
  before_each(function()
    wrun.manual_seed(777)
  end)

  it("a tensor counts from 1, and a part of it is a view", function()
    local x = wrun.tensor { { 1.0, 2, 3 }, { 4, 5, 6 } }
    assert.shape(x, { 2, 3 })
    assert.tensor_near({ 4, 5, 6 }, x[-1])
    assert.tensor_near(5, x[{ 2, 2 }])
    x[{ {}, 1 }] = 0 -- all rows, column 1
    assert.tensor_near({ { 0, 2, 3 }, { 0, 5, 6 } }, x)
    assert.equal("tensor([[0., 2., 3.],\n        [0., 5., 6.]])", tostring(x))
  end)

  it("operations broadcast, reduce, sort and multiply", function()
    local x = wrun.tensor { { 3.0, 1 }, { 2, 4 } }
    assert.tensor_near({ { 13, 21 }, { 12, 24 } }, x + wrun.tensor { 10, 20 })
    assert.tensor_near({ 4, 6 }, x:sum(2))
    assert.tensor_near({ 1, 2 }, x:argmax(2))
    assert.tensor_near({ { 1, 3 }, { 2, 4 } }, (x:sort(2)))
    assert.tensor_near({ { 11, 7 }, { 14, 18 } }, x:matmul(x))
    assert.tensor_near(wrun.eye(2), x:matmul(wrun.linalg.inv(x)), { atol = 1e-6 })
  end)

  it("random numbers are PyTorch's", function()
    -- torch.manual_seed(777); torch.rand(3), in PyTorch 2.13
    local theirs = { 0.08191531896591187, 0.49113744497299194, 0.40329331159591675 }
    assert.same_bits(wrun.tensor(theirs), wrun.rand(3))
  end)

  it("gradients come from what was computed, and gradients have gradients", function()
    local x = wrun.tensor({ 1.0, 2.0 }, { requires_grad = true })
    x:pow(3):sum():backward()
    assert.tensor_near({ 3, 12 }, x.grad)
    local dx = wrun.autograd.grad(x:pow(3):sum(), x, { create_graph = true })
    assert.tensor_near({ 6, 12 }, wrun.autograd.grad(dx:sum(), x))
    wrun.no_grad(function()
      assert.is_false((x * 2).requires_grad)
    end)
    local y = wrun.rand(3, { dtype = "float64", requires_grad = true })
    assert.is_true(wrun.gradcheck(wrun.sin, { y })) -- against finite differences
  end)

  it("an initialiser fills a weight in place, and a summary shows the layers", function()
    local layer = nn.Linear(400, 600)
    assert.equal(layer.weight, nn.init.xavier_uniform_(layer.weight))
    local bound = math.sqrt(6 / (400 + 600))
    assert.is_true(layer.weight:abs():max():item() <= bound)
    assert.tensor_near(bound / math.sqrt(3), layer.weight:std(), { rtol = 0.01 })
    assert.matches("Linear", tostring(network():summary(wrun.rand(5, 2))))
  end)

  it("a layer of one's own is a class with a forward", function()
    local Residual = nn.Module:extend("Residual")
    function Residual:init(width)
      self.inner = nn.Linear(width, width)
    end
    function Residual:forward(x)
      return x + self.inner(x):relu()
    end
    local layer = Residual(3)
    assert.shape(layer(wrun.randn(5, 3)), { 5, 3 })
    assert.equal(2, #layer:parameters())
    assert.gradients(layer, wrun.randn(5, 3)) -- of its input and of its parameters
  end)

  it("a loss is a number that training makes small", function()
    local scores = wrun.zeros(4, 10)
    local loss = nn.CrossEntropyLoss()(scores, wrun.tensor { 1, 5, 7, 10 })
    assert.tensor_near(math.log(10), loss)
    assert.tensor_near(2, nn.functional.mse_loss(wrun.zeros(2), wrun.tensor { 0.0, 2.0 }))
  end)

  it("a loader hands out batches, an optimiser learns, a scheduler slows it down", function()
    local x, y = points(500)
    local loader = data.loader({ x = x, y = y }, { batch_size = 50, shuffle = true })
    local model, criterion = network(), nn.CrossEntropyLoss()
    local optimizer = optim.Adam(model:parameters(), { lr = 0.05 })
    local scheduler = optim.lr_scheduler.StepLR(optimizer, { step_size = 10, gamma = 0.5 })
    for _ = 1, 20 do
      for inputs, targets in loader:batches() do
        optimizer:zero_grad()
        criterion(model(inputs), targets):backward()
        optimizer:step()
      end
      scheduler:step()
    end
    local right = model(x):argmax(2):eq(y):float():mean()
    assert.is_true(right:item() > 0.95)
    assert.near(0.05 / 4, scheduler:get_last_lr()[1], 1e-12)
  end)

  it("an RBM learns, and small ones know their likelihood exactly", function()
    local stripes = wrun.tensor { { 1.0, 1, 0, 0 }, { 0, 0, 1, 1 } }
    local machine = wrun.rbm.new { visible = 4, hidden = 3, seed = 1 }
    local function likelihood()
      return machine:log_likelihood(stripes, machine:log_z()):mean():item()
    end
    local before = likelihood()
    machine:fit(stripes, { method = "exact", lr = 1, epochs = 300, batch_size = 2 })
    assert.is_true(likelihood() > before)
    assert.near(math.log(1 / 2), likelihood(), 0.1) -- no model of two rows does better
    local fantasies = machine:chains(100):step(50).v
    assert.tensor_near(0.5, fantasies:mean(), { atol = 0.05 }) -- half of each stripe is dark
  end)

  it("what is saved comes back bit for bit", function()
    child.with_folder(function(folder)
      local model, copy = network(), network()
      wrun.save(folder .. "/run.safetensors", { model = model:state_dict(), epoch = 7 })
      local saved = wrun.load(folder .. "/run.safetensors")
      copy:load_state_dict(saved.model)
      assert.equal(7, saved.epoch)
      local x = wrun.randn(5, 2)
      assert.same_bits(model(x), copy(x))
      data.save_npy(folder .. "/x.npy", x)
      assert.same_bits(x, data.npy(folder .. "/x.npy"))
    end)
  end)

  it("tensors become pictures, and runs have logs", function()
    child.with_folder(function(folder)
      wrun.image.save(folder .. "/noise.png", wrun.rand(3, 8, 8))
      assert.matches("^\x89PNG", child.read(folder .. "/noise.png"))
      do
        local log <close> = wrun.logbook.open(folder .. "/run.csv")
        log:write { epoch = 1, loss = 0.5 }
      end
      assert.equal("epoch,loss\n1,0.5\n", child.read(folder .. "/run.csv"))
    end)
  end)

  it("the library explains itself, also where it refuses", function()
    assert.matches("Returns the sum over everything", wrun.help(wrun.sum), 1, true)
    assert.matches("Linear", wrun.help("nn.Linear"), 1, true)
    local _, message = pcall(wrun.matmul, wrun.ones(2, 3), wrun.ones(2, 3))
    assert.matches("matmul: argument 2: expected 3 rows", message, 1, true)
  end)

  it("the same seed gives the same bits, with any number of threads", function()
    local script = child.write([[
      local wrun = require "wrun"
      wrun.manual_seed(777)
      print(("%a"):format(wrun.randn(300, 300):matmul(wrun.randn(300, 300)):sum():item()))
    ]])
    local one = child.run({ "--threads", "1", script })
    local two = child.run({ "--threads", "2", script })
    os.remove(script)
    assert.equal(0, one.status, one.err)
    assert.same(one, two)
  end)

  it("the program runs scripts, its own too, and a line of code", function()
    assert.matches("^wrun ", child.run({ "--version" }).out)
    assert.equal("3.0\n", child.run({ "-e", "print(require('wrun').ones(3):sum():item())" }).out)
    assert.matches("--epochs", child.run({ "mnist_xavier.lua", "--help" }).out, 1, true)
    assert.equal(0, child.run({ "xor.lua" }).status)
  end)
end)
