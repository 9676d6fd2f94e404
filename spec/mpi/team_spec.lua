--- Teams: gradients beside those of one batch, and bits beside those of other numbers of ranks.

local child = require "spec.support.child"
local mpirun = require "spec.support.mpirun"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local mpi, nn, optim = wrun.mpi, wrun.nn, wrun.optim

-- How far the sum over shards may be from the sum over the batch, in which terms are added in
-- another order: some units in the last place of float64.
local ROUNDING = 1e-14

local function largest_difference(a, b)
  return (a - b):abs():max():item()
end

local function setting()
  wrun.manual_seed(3)
  local model = nn.Sequential(nn.Linear(5, 4, { dtype = "float64" }), nn.Tanh(),
    nn.Linear(4, 3, { dtype = "float64" }))
  return model, { x = wrun.randn(53, 5, { dtype = "float64" }), y = wrun.randint(1, 4, { 53 }) }
end

-- Three epochs with dropout and an uneven last batch, from the weights that rank 0 has drawn.
local TRAINING = [[
  local wrun = require "wrun"
  local mpi, nn, optim = wrun.mpi, wrun.nn, wrun.optim
  wrun.manual_seed(5)
  local set = { x = wrun.randn(203, 20), y = wrun.randint(1, 11, { 203 }) }
  wrun.manual_seed(5 + mpi.rank())
  local model = nn.Sequential(nn.Linear(20, 33), nn.ReLU(), nn.Dropout(), nn.Linear(33, 10))
  local optimizer = optim.Adam(model:parameters(), { lr = 0.01 })
  local team = mpi.distribute(model, optimizer)
  local loader = mpi.loader(set, { batch_size = 50, shuffle = true })
  local criterion = nn.CrossEntropyLoss()
  for epoch = 1, 3 do
    local cost = 0
    for batch in loader:batches() do
      optimizer:zero_grad()
      local loss = team:backward(batch, function(x, y) return criterion(model(x), y) end)
      optimizer:step()
      cost = cost + loss:item()
    end
    print(epoch, ("%.17g"):format(cost))
  end
  for _, line in ipairs(mpi.all_gather(wrun.fingerprint(model))) do
    assert(line == wrun.fingerprint(model))
  end
  print(wrun.fingerprint(model))
]]

-- Steps of a model of several buckets, of which some are full while the walk backward goes on, and one
-- is not until its end: a parameter with a hook, one without a gradient, and one with gradients from
-- elsewhere.
local BUCKETS = [[
  local wrun = require "wrun"
  local mpi, nn, optim = wrun.mpi, wrun.nn, wrun.optim
  wrun.manual_seed(5)
  local set = { x = wrun.randn(40, 200), y = wrun.randint(1, 11, { 40 }) }
  local model = nn.Sequential(nn.Linear(200, 700), nn.ReLU(), nn.Linear(700, 300), nn.Tanh(),
    nn.Linear(300, 250), nn.Linear(250, 10))
  local all = nn.ModuleList { model, nn.Linear(300, 300) }
  model[3].weight:register_hook(function(g) return g * 2 end)
  for _, share_state in ipairs { false, true } do
    local optimizer = optim.SGD(all:parameters(), { lr = 0.1, momentum = 0.9 })
    local team = mpi.distribute(all, optimizer, { share_state = share_state })
    for batch in mpi.loader(set, { batch_size = 23 }):batches() do
      optimizer:zero_grad()
      local loss = team:backward(batch, function(x, y)
        model[1].bias:square():sum():backward()
        return nn.functional.cross_entropy(model(x), y)
      end)
      optimizer:step()
      print(("%.17g"):format(loss:item()))
    end
    print(wrun.fingerprint(all))
  end
]]

describe("a team", function()
  it("computes the gradients and the loss that one batch has", function()
    local model, set = setting()
    for _, reduction in ipairs { "mean", "sum" } do
      local criterion = nn.CrossEntropyLoss({ reduction = reduction })
      local function loss_of(x, y)
        return criterion(model(x), y)
      end
      for _, size in ipairs { 53, 20, 3, 1 } do
        local team = mpi.distribute(model, nil, { reduction = reduction })
        local x, y = set.x:narrow(1, 1, size), set.y:narrow(1, 1, size)
        model:zero_grad()
        local expected = loss_of(x, y)
        expected:backward()
        local grads = {}
        for i, parameter in ipairs(model:parameters()) do
          grads[i] = parameter.grad
        end
        model:zero_grad()
        local loss = team:backward(mpi.loader({ x = x, y = y }, { batch_size = size }):batches()(),
          loss_of)
        assert.is_true(math.abs(loss:item() - expected:item()) < size * ROUNDING)
        for i, parameter in ipairs(model:parameters()) do
          assert.is_true(largest_difference(parameter.grad, grads[i]) < size * ROUNDING)
        end
      end
    end
  end)

  it("adds to gradients that are there, and leaves none where there is none", function()
    local model, set = setting()
    local unused = nn.Linear(2, 2)
    local all = nn.ModuleList({ model, unused })
    local team = mpi.distribute(all)
    local batch = mpi.loader(set, { batch_size = 53 }):batches()()
    local function loss_of(x)
      return model(x):square():mean()
    end
    team:backward(batch, loss_of)
    local once = model:parameters()[1].grad:clone()
    team:backward(batch, loss_of)
    assert.is_true(model:parameters()[1].grad:equal(once + once))
    assert.is_nil(unused.weight.grad)
  end)

  it("has draws of its own for each shard, and draws once itself", function()
    local model, set = setting()
    local team = mpi.distribute(model)
    local seen = {}
    local function loss_of(x)
      seen[#seen + 1] = wrun.rand(1):item()
      return model(x):mean()
    end
    local batch = mpi.loader(set, { batch_size = 53 }):batches()()
    wrun.manual_seed(1)
    team:backward(batch, loss_of)
    local after, first = wrun.rand(1):item(), seen
    seen = {}
    wrun.manual_seed(1)
    team:backward(batch, loss_of)
    assert.same(first, seen)
    assert.equal(after, wrun.rand(1):item())
    local different = {}
    for _, value in ipairs(seen) do
      different[value] = true
    end
    local count = 0
    for _ in pairs(different) do
      count = count + 1
    end
    assert.equal(16, count)
  end)

  it("learns the same bits on any number of ranks and threads #many", function()
    if not mpirun.is_there(pending) then
      return
    end
    local alone = child.run({ "-e", TRAINING })
    assert.equal(0, alone.status, alone.err)
    assert.truthy(alone.out:find("\n%x+\n$"))
    for _, ranks in ipairs { 2, 3, 4, 8, 16 } do
      local result = mpirun.run(ranks, TRAINING, { threads = ranks % 2 + 1 })
      assert.equal(alone.out, result.out, result.err)
    end
  end)

  it("adds up in buckets, to the bits of one rank #many", function()
    if not mpirun.is_there(pending) then
      return
    end
    local alone = child.run({ "-e", BUCKETS })
    assert.equal(0, alone.status, alone.err)
    for _, ranks in ipairs { 2, 3, 5 } do
      local result = mpirun.run(ranks, BUCKETS, { threads = 1 })
      assert.equal(alone.out, result.out, result.err)
    end
  end)

  it("refuses gradients of another walk after a parameter's have been sent", function()
    local model = nn.Linear(3, 1)
    local twice = wrun.autograd.Function {
      forward = function(_, x) return x:clone() end,
      backward = function(_, g)
        wrun.enable_grad(function() model.weight:sum():backward() end)
        return g
      end,
    }
    local team = mpi.distribute(model)
    local batch = mpi.loader({ x = wrun.rand(8, 3, { requires_grad = true }) }):batches()()
    assert.equal("backward: expected each parameter's gradient from one walk backward, got more "
      .. "for parameter 1", refusal(team.backward, team, batch, function(x)
        return model(twice(x:detach():requires_grad_())):mean()
      end))
  end)

  it("refuses models that differ, before the first step", function()
    if not mpirun.is_there(pending) then
      return
    end
    local result = mpirun.run(2, [[
      local wrun = require "wrun"
      wrun.mpi.distribute(wrun.nn.Linear(2, 3 + wrun.mpi.rank()))
    ]])
    assert.equal(1, result.status)
    assert.truthy(result.err:find("rank 0: .-:2: distribute: the models of rank 1 are not those of "
      .. "rank 0; all ranks must have the same"), result.err)
  end)

  it("refuses layers with statistics of whole batches, and what is no batch or loss", function()
    local model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    local team = mpi.distribute(model)
    local batch = mpi.loader({ x = wrun.rand(8, 3) }, { batch_size = 8 }):batches()()
    local function loss_of(x)
      return model(x):mean()
    end
    assert.equal("backward: BatchNorm1d keeps running statistics of whole batches, and a rank sees "
      .. "pieces of them; use LayerNorm or GroupNorm, the option track_running_stats = false, or "
      .. "BatchNorm1d:eval()", refusal(team.backward, team, batch, loss_of))
    model:eval()
    assert.equal(1, team:backward(batch, loss_of):numel())
    assert.equal("backward: argument 1: expected a batch of mpi.loader, got a float32 tensor [2]",
      refusal(team.backward, team, wrun.ones(2), loss_of))
    assert.equal("backward: argument 2: expected a function that returns a loss, a tensor of one "
      .. "element, got a float32 tensor [1, 2]",
      refusal(team.backward, mpi.distribute(model), mpi.loader({ x = wrun.rand(1, 3) }):batches()(),
        function(x) return model(x) end))
    assert.equal("distribute: argument 1: expected a model, got 1", refusal(mpi.distribute, 1))
    assert.equal("distribute: argument 2: expected an optimiser, got 1",
      refusal(mpi.distribute, model, 1))
  end)

  it("prints as what it is, and asks an object that distributes itself", function()
    assert.equal("Team(1 ranks, 2 parameters)", tostring(mpi.distribute(nn.Linear(1, 1))))
    local asked = { distribute = function(_, module) return module end }
    assert.equal(mpi, mpi.distribute(asked))
  end)

  it("goes on with the optimiser's state of rank 0", function()
    local model = nn.Linear(2, 1)
    local optimizer = optim.Adam(model:parameters(), { lr = 0.5 })
    local team = mpi.distribute(model, optimizer)
    team:backward(mpi.loader({ x = wrun.rand(4, 2) }, { batch_size = 4 }):batches()(), function(x)
      return model(x):mean()
    end)
    optimizer:step()
    local again = mpi.distribute(model, optimizer)
    assert.equal(1, optimizer.state[model.weight].step)
    assert.equal(0.5, optimizer.param_groups[1].lr)
    assert.equal(model, again.model)
  end)
end)
