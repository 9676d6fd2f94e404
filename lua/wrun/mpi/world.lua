--- The processes that mpirun started together, and messages between them.
--- A process that stands alone is a world of one, for which Open MPI is not loaded.

local check = require "wrun.check"
local core = require "wrun.core"
local save = require "wrun.save"
local unrecorded = require "wrun.unrecorded"
local wrun = require "wrun"

local fail = check.fail

local M = { rank = 0, size = 1 }

-- The tags of messages: what scripts send, and what functions that all ranks call together send.
M.SENT, M.TOGETHER = 1, 2

-- Joins the others, where mpirun of Open MPI, or SLURM with PMIx, started this process.
local function start()
  local size = os.getenv("OMPI_COMM_WORLD_SIZE")
  if size == "1" or not size and not os.getenv("PMIX_RANK") then
    if not size and tonumber(os.getenv("PMI_SIZE") or 1) > 1 then
      fail("mpi: this process was started by another MPI than Open MPI, as one of %s; start it by "
        .. "Open MPI's mpirun (Debian package openmpi-bin)", os.getenv("PMI_SIZE"))
    end
    return
  end
  local rank, joined = core.mpi_start()
  if not rank then
    fail("mpi: %s", joined)
  elseif size and joined ~= tonumber(size) then
    fail("mpi: mpirun started %s processes, and Open MPI knows of %d: they are of different "
      .. "versions", size, joined)
  end
  M.rank, M.size = rank, joined
end

start()

-- Values ---------------------------------------------------------------------

-- A value as a text that says all but the elements of its tensors, and these.
local function packed(fname, value)
  local ok, text, names, tensors = pcall(save.encode, { value = value })
  if not ok then
    fail("%s: expected a tensor, or a table of tensors, numbers, booleans, texts and such tables, "
      .. "got %s", fname, text:match("got (.*)") or check.describe(value))
  end
  local list, kinds, shapes = {}, {}, {}
  for i, name in ipairs(names) do
    list[i] = unrecorded.contiguous(tensors[name])
    kinds[i], shapes[i] = list[i].dtype, list[i].shape
  end
  return (save.encode { text = text, names = names, kinds = kinds, shapes = shapes }), list
end

-- What this rank has sent to itself, the first first.
local own = {}

--- Sends what `save` takes, or one tensor, number, boolean or text, to a rank.
function M.send(fname, value, rank, tag)
  local text, tensors = packed(fname, value)
  if rank == M.rank then
    for i, tensor in ipairs(tensors) do
      tensors[i] = unrecorded.clone(tensor)
    end
    own[#own + 1] = { save.decode("a message", text), tensors }
    return
  end
  core.mpi_send(text, rank, tag)
  for _, tensor in ipairs(tensors) do
    core.mpi_send(tensor, rank, tag)
  end
end

-- The layout of a message and its tensors.
local function taken(rank, tag)
  if rank == M.rank then
    return table.unpack(table.remove(own, 1)
      or fail("receive: this rank has sent nothing to itself"))
  end
  local layout, tensors = save.decode("a message", core.mpi_receive(nil, rank, tag)), {}
  for i, shape in ipairs(layout.shapes) do
    tensors[i] = wrun.empty(shape, { dtype = layout.kinds[i] })
    core.mpi_receive(tensors[i], rank, tag)
  end
  return layout, tensors
end

--- Returns the value that a rank has sent to this one.
function M.receive(rank, tag)
  local layout, tensors = taken(rank, tag)
  local by_name = {}
  for i, name in ipairs(layout.names) do
    by_name[name] = tensors[i]
  end
  return save.decode("a message", layout.text, by_name).value
end

-- Trees ----------------------------------------------------------------------

--- Iterates over the steps of a binary tree that brings to rank 0 what all have: those of this
--- rank, `other, is_sender`, in the order in which they are to be taken.
function M.inward()
  local step, is_over = 1, false
  return function()
    while not is_over and step < M.size do
      local other = M.rank ~ step
      is_over = M.rank & step ~= 0
      step = step * 2
      if is_over or other < M.size then
        return other, is_over
      end
    end
  end
end

--- Iterates over the steps of the same tree the other way, by which all get what rank 0 has.
function M.outward()
  local steps = {}
  for other, is_sender in M.inward() do
    table.insert(steps, 1, { other, not is_sender })
  end
  local i = 0
  return function()
    i = i + 1
    if steps[i] then
      return steps[i][1], steps[i][2]
    end
  end
end

--- Returns rank 0's value on all ranks.
function M.spread(fname, value)
  for other, is_sender in M.outward() do
    if is_sender then
      M.send(fname, value, other, M.TOGETHER)
    else
      value = M.receive(other, M.TOGETHER)
    end
  end
  return value
end

--- Waits until all ranks are here.
function M.barrier()
  for _, steps in ipairs { M.inward, M.outward } do
    for other, is_sender in steps() do
      if is_sender then
        core.mpi_send("", other, M.TOGETHER)
      else
        core.mpi_receive(nil, other, M.TOGETHER)
      end
    end
  end
end

return M
