--- What a rank does, all of it once, where a sanitizer or valgrind watches each of several:
--- messages, sums over shards, steps of a team with and without a shared state, an RBM.

local wrun = require "wrun"
local mpi, nn, optim, rbm = wrun.mpi, wrun.nn, wrun.optim, wrun.rbm

local rank, size = mpi.rank(), mpi.size()

local function messages()
  local after, before = (rank + 1) % size, (rank - 1) % size
  mpi.send({ wrun.arange(3), "text", { rank } }, after)
  assert(mpi.receive(before)[3][1] == before)
  assert(#mpi.all_gather(wrun.full({ rank + 1 }, rank)) == size)
  assert((mpi.gather(rank, size - 1) ~= nil) == (rank == size - 1))
  local values = {}
  for i = 1, size do
    values[i] = wrun.tensor { i }
  end
  assert(mpi.scatter(values, size - 1):item() == rank + 1)
  assert(mpi.broadcast(wrun.full({ 2 }, rank), size - 1)[1]:item() == size - 1)
  assert(mpi.all_reduce(rank, "max") == size - 1)
  mpi.barrier()
end

-- Of many samples, and of fewer than there are shards.
local function sums()
  for _, n in ipairs { 20, 3, 0 } do
    local parts = {}
    for _, shard in ipairs(mpi.shards(n)) do
      parts[shard.index] = wrun.ones(shard.count, 5000):sum(1)
    end
    local total = mpi.sum_shards(parts)
    assert(n == 0 and not total or total:equal(wrun.full({ 5000 }, n)))
  end
end

local function steps(share_state)
  wrun.manual_seed(1)
  local set = { x = wrun.randn(20, 6), y = wrun.randint(1, 4, { 20 }) }
  local model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Dropout(), nn.Linear(5, 3))
  local optimizer = optim.Adam(model:parameters())
  local team = mpi.distribute(model, optimizer, { share_state = share_state })
  for batch in mpi.loader(set, { batch_size = 17, shuffle = true }):batches() do
    optimizer:zero_grad()
    team:backward(batch, function(x, y)
      return nn.functional.cross_entropy(model(x), y)
    end)
    team:with_gradients(nn.utils.clip_grad_norm_, model:parameters(), 1)
    optimizer:step()
  end
  optimizer:state_dict()
  return wrun.fingerprint(model)
end

local function machine()
  wrun.manual_seed(2)
  local learner = rbm.new { visible = 6, hidden = 3 }
  mpi.distribute(learner):fit(wrun.rand(20, 6):round(), { method = "pcd", epochs = 1 })
  return wrun.fingerprint { learner.weight, learner.visible_bias, learner.hidden_bias }
end

messages()
sums()
local print_of = steps(false)
assert(steps(true) == print_of)
for _, other in ipairs(mpi.all_gather(print_of .. machine())) do
  assert(other == mpi.broadcast(other))
end
