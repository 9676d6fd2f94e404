--- Processes that work together: `mpirun -n 4 wrun script.lua` is the same run as `wrun script.lua`,
--- to the last bit. Open MPI carries the messages; a process that stands alone needs none.
--- Each process is a rank, from 0. All functions but `rank`, `size`, `send` and `receive` are called
--- by all ranks together, in the same order. What a script prints appears once: standard output of
--- all ranks but 0 goes nowhere.

local check = require "wrun.check"
local Loader = require "wrun.mpi.loader"
local names = require "wrun.names"
local shards = require "wrun.mpi.shards"
local Team = require "wrun.mpi.team"
local world = require "wrun.mpi.world"
local wrun = require "wrun"

local fail = check.fail

local M = { shards = shards.shards, sum_shards = shards.sum_shards }

--- Returns the number of this process, from 0.
---     print(wrun.mpi.rank())
---@return integer
function M.rank()
  return world.rank
end

--- Returns how many processes there are.
---     print(wrun.mpi.size())
---@return integer
function M.size()
  return world.size
end

--- Waits until all ranks have called it.
---     wrun.mpi.barrier()
---     print("all are here")
function M.barrier()
  world.first_of("")
end

-- A rank, as an argument.
local function rank_argument(fname, index, rank, default)
  return check.argument(fname, index, rank, check.integer(default, 0, world.size - 1))
end

--- Sends a value to a rank, which calls `receive`.
--- shapes  any
--- domain  a tensor of any dtype and layout, a number, a boolean, a text, or a table of these
--- raises  `send: argument 2: expected`; `send: expected a tensor`
---     local mpi = wrun.mpi
---     mpi.send(wrun.ones(2), mpi.rank())
---     print(mpi.receive(mpi.rank()))
function M.send(value, rank)
  world.send("send", value, rank_argument("send", 2, rank), world.SENT)
end

--- Returns the next value that a rank has sent to this one.
--- shapes  as sent
--- domain  waits for it, also for ever
--- raises  `receive: argument 1: expected`; `receive: expected a value that this`;
---   `mpi: rank 1 has come to its end`
---     local mpi = wrun.mpi
---     mpi.send("a note", mpi.rank())
---     print(mpi.receive(mpi.rank()))
---@return any
function M.receive(rank)
  return world.receive(rank_argument("receive", 1, rank), world.SENT)
end

--- Returns the values of all ranks on one of them, and nil on the others.
--- shapes  any, and the ranks' may differ
--- domain  as send; root, who gets them (0). The value of rank r is at r + 1
--- raises  `gather: argument 2: expected`; `gather: expected a tensor`
---     local all = wrun.mpi.gather(wrun.mpi.rank())
---     print(all and #all)
---@param root integer?
---@return table?
function M.gather(value, root)
  return world.gather("gather", value, rank_argument("gather", 2, root, 0))
end

--- Returns the values of all ranks, on every rank.
--- shapes  any, and the ranks' may differ
--- domain  as send. The value of rank r is at r + 1
--- raises  `all_gather: expected a tensor`
---     print(#wrun.mpi.all_gather(wrun.mpi.rank()))
---@return table
function M.all_gather(value)
  return world.all_gather("all_gather", value)
end

--- Returns to each rank its own of the values that one of them has in a list.
--- shapes  any
--- domain  as send; root, who has the list (0), with the value of rank r at r + 1
--- raises  `scatter: argument 1: expected a list of`
---     local values = {}
---     for rank = 0, wrun.mpi.size() - 1 do values[rank + 1] = 10 * rank end
---     print(wrun.mpi.scatter(values) == 10 * wrun.mpi.rank()) -- true
---@param values table?  where the rank is root
---@param root integer?
---@return any
function M.scatter(values, root)
  root = rank_argument("scatter", 2, root, 0)
  if world.rank ~= root then
    return world.receive(root, world.TOGETHER)
  end
  check.argument("scatter", 1, values, check.table())
  if rawlen(values) ~= world.size then
    fail("scatter: argument 1: expected a list of %d values, one for each rank, got %d", world.size,
      rawlen(values))
  end
  for rank = 0, world.size - 1 do
    if rank ~= root then
      world.send("scatter", values[rank + 1], rank, world.TOGETHER)
    end
  end
  return values[root + 1]
end

-- Fills a tensor of this rank with what came, which must be its like.
local function fill(tensor, came)
  if not (check.is_tensor(came) and came.dtype == tensor.dtype
    and check.same_shape(came, tensor)) then
    fail("broadcast: argument 1: expected its like on every rank, got %s on rank %d and %s there",
      check.describe(tensor), world.rank, check.describe(came))
  end
  wrun.no_grad(tensor.copy_, tensor, came)
  return tensor
end

--- Returns the value that one rank has, on every rank; where another has a tensor, that is filled.
--- shapes  any; tensors alike on every rank
--- domain  as send; root, who has it (0)
--- raises  `broadcast: argument 1: expected its like on every rank`;
---   `broadcast: argument 2: expected`
---     local seed = wrun.mpi.broadcast(wrun.mpi.rank() == 0 and 777 or nil)
---     print(seed, wrun.mpi.broadcast(wrun.ones(2)))
---@param root integer?
---@return any
function M.broadcast(value, root)
  root = rank_argument("broadcast", 2, root, 0)
  local came = value
  if root ~= 0 and world.rank == root then
    world.send("broadcast", value, 0, world.TOGETHER)
  elseif root ~= 0 and world.rank == 0 then
    came = world.receive(root, world.TOGETHER)
  end
  came = world.spread("broadcast", came)
  if world.rank == root then
    return value
  end
  return check.is_tensor(value) and fill(value, came) or came
end

local OPERATIONS = {
  sum = wrun.add, product = wrun.mul, max = wrun.maximum, min = wrun.minimum,
}
local OPERATION = check.choice("sum", { "sum", "product", "max", "min" })

--- Returns the sum of the ranks' tensors, or their product, maximum or minimum, on every rank, to the
--- same bits. It depends on how many ranks there are, by rounding; `sum_shards` does not.
--- shapes  x [...] alike on every rank -> [...]
--- domain  a tensor of any dtype but bool, or a number
--- raises  `all_reduce: argument 1: expected`; `all_reduce: argument 2: expected`;
---   `all_reduce: argument 1: expected its like on every rank`
---     print(wrun.mpi.all_reduce(wrun.ones(2)), wrun.mpi.all_reduce(wrun.mpi.rank(), "max"))
---@param x wrun.Tensor|number
---@return wrun.Tensor|number
function M.all_reduce(x, operation)
  local combine = OPERATIONS[check.argument("all_reduce", 2, operation, OPERATION)]
  local is_number = type(x) == "number"
  local total = x
  if is_number then
    total = wrun.tensor(x, { dtype = math.type(x) == "integer" and "int64" or "float64" })
  elseif not check.is_tensor(x) or x.dtype == "bool" then
    fail("all_reduce: argument 1: expected a number or a tensor of numbers, got %s",
      check.describe(x))
  end
  total = total:detach():clone()
  for other, is_sender in world.inward() do
    if is_sender then
      world.send("all_reduce", total, other, world.TOGETHER)
    else
      local came = world.receive(other, world.TOGETHER)
      if came.dtype ~= total.dtype or not check.same_shape(came, total) then
        fail("all_reduce: argument 1: expected its like on every rank, got %s on rank %d and %s "
          .. "on rank %d", check.describe(total), world.rank, check.describe(came), other)
      end
      total = combine(total, came)
    end
  end
  total = world.spread("all_reduce", total)
  return is_number and total:item() or total
end

--- Makes a team of the ranks, which train one model: rank 0's parameters, state of the optimiser and
--- state of the default generator become those of all. An object that has a method `distribute`, such
--- as an RBM, is asked to do so itself.
--- Options: reduction, what the losses of a step are over their samples, "mean" (default) or "sum";
--- share_state (false): each parameter has an owner, which alone gets its gradient and keeps what the
--- optimiser remembers of it, so that a rank needs less memory. The bits are the same; gradients are
--- clipped in `team:with_gradients`, and a `state_dict` of the optimiser, for which all ranks call it,
--- is whole on rank 0 alone.
--- shapes  any, alike on every rank
--- domain  a model and its optimiser, which each rank has made as in one process
--- raises  `distribute: argument 1: expected a model`;
---   `distribute: the models of rank 1 are not those of rank 0`
---     local model = nn.Linear(3, 1)
---     print(wrun.mpi.distribute(model, optim.SGD(model:parameters(), { lr = 0.1 })))
---@param model wrun.nn.Module
---@param optimizer wrun.optim.Optimizer?
---@param options { reduction: "mean"|"sum", share_state: boolean }?
---@return wrun.mpi.Team
function M.distribute(model, optimizer, options)
  if check.has_methods(model, "distribute") then
    return model:distribute(M)
  end
  return Team(model, optimizer, options)
end

--- Returns a loader whose batches are shared out: batch_size is that of all ranks together, and each
--- rank reads the samples of its shards. The order is that of `data.loader`.
--- shapes  as data.loader
--- domain  as data.loader. Every rank has the whole set, and `#loader` counts the batches of all
--- raises  as data.loader; `loader: option batch_size: expected at least a sample for each`;
---   `loader: the data or options of rank 1 are not those of rank 0`
---     local loader = wrun.mpi.loader({ x = wrun.rand(5, 3) }, { batch_size = 4 })
---     for batch in loader:batches() do print(batch) end
---@param dataset table
---@param options table?
---@return wrun.mpi.Loader
function M.loader(dataset, options)
  return Loader(dataset, options)
end

return names.closed("mpi", M)
