--- Messages between ranks, beside what one process knows that they hold.

local mpirun = require "spec.support.mpirun"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local mpi = wrun.mpi

-- What every function says on three ranks; rank 0 prints.
local THREE = [[
  local wrun = require "wrun"
  local mpi = wrun.mpi
  local rank, size = mpi.rank(), mpi.size()
  print(rank, size)
  mpi.barrier()
  for _, dtype in ipairs { "bool", "uint8", "int32", "int64", "float32", "float64" } do
    local x = wrun.tensor({ { rank, 1, 2 }, { 3, 4, 0 } }):to(dtype):t()
    local all = mpi.all_gather({ x = x, note = "\0" .. rank, list = { rank, 0.1, -0.0, true } })
    for r = 0, size - 1 do
      local item = all[r + 1]
      assert(item.x:equal(wrun.tensor({ { r, 1, 2 }, { 3, 4, 0 } }):to(dtype):t()), dtype)
      assert(item.note == "\0" .. r and item.list[1] == r and item.list[2] == 0.1
        and 1 / item.list[3] < 0 and item.list[4] == true)
    end
    local mine = wrun.zeros(3, 2):to(dtype):t()
    local like = rank == 1 and x:t():contiguous() or mine
    assert(mpi.broadcast(like, 1) == like)
    assert(like:equal(wrun.tensor({ { 1, 1, 2 }, { 3, 4, 0 } }):to(dtype)), dtype)
  end
  assert(mpi.broadcast(rank == 2 and { 5, "five" } or nil, 2)[2] == "five")
  assert(mpi.broadcast(rank) == 0)
  local sizes = mpi.all_gather(wrun.ones(rank, 2))
  assert(sizes[1]:size(1) == 0 and sizes[3]:size(1) == 2)
  local x = wrun.tensor({ 1, 2, 3 }) * (rank + 1)
  for _, case in ipairs {
    { "sum", 6, 12, 18 }, { "product", 6, 48, 162 }, { "max", 3, 6, 9 }, { "min", 1, 2, 3 },
  } do
    local expected = wrun.tensor({ table.unpack(case, 2) }):to(x.dtype)
    assert(mpi.all_reduce(x, case[1]):equal(expected), case[1])
  end
  assert(x:equal(wrun.tensor({ 1, 2, 3 }) * (rank + 1)))
  assert(mpi.all_reduce(rank) == 3 and math.type(mpi.all_reduce(rank)) == "integer")
  assert(mpi.all_reduce(0.5, "product") == 0.125)
  local gathered = mpi.gather({ rank }, 1)
  assert((gathered == nil) == (rank ~= 1))
  assert(not gathered or gathered[1][1] == 0 and gathered[3][1] == 2)
  assert(mpi.scatter(rank == 2 and { "a", "b", "c" } or nil, 2) == ("abc"):sub(rank + 1, rank + 1))
  mpi.send({ from = rank }, (rank + 1) % size)
  mpi.send("self", rank)
  assert(mpi.receive((rank + 2) % size).from == (rank + 2) % size)
  assert(mpi.receive(rank) == "self")
  mpi.send("x", (rank + 1) % size)
  assert(not pcall(mpi.broadcast, rank == 0 and wrun.ones(2) or rank == 1 and wrun.ones(3)
    or wrun.ones(2)) == (rank == 1))
  assert(mpi.receive((rank + 2) % size) == "x")
  io.stderr:write(("rank %d is done\n"):format(rank))
]]

describe("mpi", function()
  it("is a world of one where nothing started several", function()
    assert.equal(0, mpi.rank())
    assert.equal(1, mpi.size())
    mpi.barrier()
    local x = wrun.ones(2)
    assert.equal(x, mpi.broadcast(x))
    assert.same({ 7 }, mpi.all_gather(7))
    assert.same({ 7 }, mpi.gather(7))
    assert.equal(7, mpi.scatter({ 7 }))
    assert.equal(2.5, mpi.all_reduce(2.5))
    assert.is_true(x:equal(mpi.all_reduce(x)))
  end)

  it("sends copies to itself", function()
    local x = wrun.zeros(2)
    mpi.send({ x, 1 }, 0)
    x:fill_(9)
    mpi.send("second", 0)
    assert.is_true(mpi.receive(0)[1]:equal(wrun.zeros(2)))
    assert.equal("second", mpi.receive(0))
    assert.equal("receive: expected a value that this rank has sent to itself; there is none",
      refusal(mpi.receive, 0))
    assert.same({ false }, mpi.gather(false))
    assert.matches("^gather: expected a tensor, .* got nil$", refusal(mpi.gather))
    assert.matches("^send: expected a tensor, .* got nil$", refusal(mpi.send, nil, 0))
  end)

  it("moves tensors of every dtype and layout, and tables, between three ranks", function()
    if not mpirun.is_there(pending) then
      return
    end
    local result = mpirun.run(3, THREE)
    assert.equal("0\t3\n", result.out)
    for rank = 0, 2 do
      assert.truthy(result.err:find(("rank %d is done"):format(rank)), result.err)
    end
    assert.equal(0, result.status)
  end)

  it("refuses what cannot be sent, and ranks that there are not", function()
    assert.equal("send: argument 2: expected an integer from 0 to 0, got 1",
      refusal(mpi.send, 1, 1))
    local expected = "send: expected a tensor, or a table of tensors, numbers, booleans, texts and "
      .. "such tables, got "
    assert.equal(expected .. "a function", refusal(mpi.send, print, 0))
    assert.equal(expected .. "an object of Linear; write object:state_dict()",
      refusal(mpi.send, { wrun.nn.Linear(1, 1) }, 0))
    assert.equal("scatter: argument 1: expected a list of 1 values, one for each rank, got 2",
      refusal(mpi.scatter, { 1, 2 }))
    assert.equal("all_reduce: argument 1: expected a number or a tensor of numbers, got true",
      refusal(mpi.all_reduce, true))
    assert.equal("all_reduce: argument 2: expected sum, product, max or min, got the string 'mean'",
      refusal(mpi.all_reduce, 1, "mean"))
  end)
end)
