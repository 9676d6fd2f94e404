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

local function line_of(path)
  local file <close> = io.open(path)
  return file and file:read("l") or "?"
end

-- Writes a line, from rank 0, of what users may want to know.
local function tell(format, ...)
  if M.rank == 0 then
    io.stderr:write("wrun: ", format:format(...), "\n")
  end
end

-- Says once whom rank 0 waits for.
local is_told = false
local function hear_slow(rank)
  if not is_told then
    tell("rank 0 waits for rank %d, which is slow or does something else", rank)
  end
  is_told = true
end

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
  local rank, joined = core.mpi_start(hear_slow)
  if not rank then
    fail("mpi: mpirun started this process as rank %s on %s, and it cannot "
      .. "join the others: %s", os.getenv("OMPI_COMM_WORLD_RANK") or os.getenv("PMIX_RANK") or "?",
      line_of("/proc/sys/kernel/hostname"), joined)
  elseif size and joined ~= tonumber(size) then
    fail("mpi: mpirun started %s processes, and Open MPI knows of %d: they are of different "
      .. "versions", size, joined)
  end
  M.rank, M.size = rank, joined
end

-- Values ---------------------------------------------------------------------

--- Returns what `save` makes of a value, and refuses what cannot be sent.
function M.encoded(fname, value)
  local ok, text, names, tensors = pcall(save.encode, { value = value })
  if not ok or value == nil then
    fail("%s: expected a tensor, or a table of tensors, numbers, booleans, texts and such tables, "
      .. "got %s", fname, not ok and text:match("got (.*)") or check.describe(value))
  end
  return text, names, tensors
end

-- A value as a text that says all but the elements of its tensors, and these.
local function packed(fname, value)
  local text, names, tensors = M.encoded(fname, value)
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
      or fail("receive: expected a value that this rank has sent to itself; there is none"))
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

--- Returns rank 0's value on all ranks, by the same tree the other way: send(value, rank) and
--- receive(rank) carry it.
function M.hand_out(value, send, receive)
  local steps = {}
  for other, is_sender in M.inward() do
    table.insert(steps, 1, { other = other, is_sender = not is_sender })
  end
  for _, step in ipairs(steps) do
    if step.is_sender then
      send(value, step.other)
    else
      value = receive(step.other)
    end
  end
  return value
end

--- The same for what `send` takes.
function M.spread(fname, value)
  return M.hand_out(value, function(known, other)
    M.send(fname, known, other, M.TOGETHER)
  end, function(other)
    return M.receive(other, M.TOGETHER)
  end)
end

local function send_text(text, other)
  core.mpi_send(text, other, M.TOGETHER)
end

local function receive_text(other)
  return core.mpi_receive(nil, other, M.TOGETHER)
end

--- Returns the text of the first rank that has one that is not empty, or rank 0's other one, on all
--- ranks; waits until all are here.
---@param text string
---@param otherwise string?
---@return string
function M.first_of(text, otherwise)
  for other, is_sender in M.inward() do
    if is_sender then
      send_text(text, other)
    else
      local came = receive_text(other)
      text = text == "" and came or text
    end
  end
  return M.hand_out(text == "" and otherwise or text, send_text, receive_text)
end

--- Returns the values of all ranks on one, that of rank r at r + 1, and nil on the others.
function M.gather(fname, value, root)
  if M.rank ~= root then
    M.send(fname, value, root, M.TOGETHER)
    return nil
  end
  M.encoded(fname, value)
  local values = {}
  for rank = 0, M.size - 1 do
    if rank == root then
      values[rank + 1] = value
    else
      values[rank + 1] = M.receive(rank, M.TOGETHER)
    end
  end
  return values
end

--- The same on every rank.
function M.all_gather(fname, value)
  return M.spread(fname, M.gather(fname, value, 0))
end

-- The beginning --------------------------------------------------------------

--- Fails, on every rank, where one has another text than rank 0: `what` differ.
function M.agree(fname, what, text)
  if M.size == 1 then
    return
  end
  local digests = M.all_gather(fname, core.digest { text })
  for rank = 1, M.size - 1 do
    if digests[rank + 1] ~= digests[1] then
      fail("%s: the %s of rank %d are not those of rank 0; all ranks must have the same", fname,
        what, rank)
    end
  end
end

-- The text of the script, and its arguments.
local function program()
  local words = type(arg) == "table" and arg or {}
  local file = words[0] and io.open(words[0], "rb")
  local text = file and file:read("a") or ""
  if file then
    file:close()
  end
  return ("%s\0%s\0%s"):format(core.version, text, table.concat(words, "\0"))
end

-- The machine, the processors that this process may use on it, and what computes there.
local function place()
  local status <close> = io.open("/proc/self/status")
  return {
    machine = line_of("/proc/sys/kernel/hostname"),
    cpus = status and status:read("a"):match("Cpus_allowed_list:%s*(%S+)") or "?",
    allowed = core.processors(),
    kernels = core.has_portable_bits() and "portable bits" or core.blas_text(),
  }
end

-- How many processors the ranks of this machine may use between them, and how many may use those of
-- this rank.
local function on_machine(places)
  local here, sharing, used, seen = places[M.rank + 1], 0, 0, {}
  for _, other in ipairs(places) do
    if other.machine == here.machine then
      sharing = sharing + (other.cpus == here.cpus and 1 or 0)
      used = used + (seen[other.cpus] and 0 or other.allowed)
      seen[other.cpus] = true
    end
  end
  return used, sharing
end

-- Gives each rank its share of the processors, unless the user has said how many threads; says how
-- many work, and what is wrong about where they do.
local function settle()
  local places = M.all_gather("mpi", place())
  local here, machines, count = places[M.rank + 1], {}, 0
  local used, sharing = on_machine(places)
  if not core.threads_asked then
    core.set_num_threads(math.max(1, here.allowed // sharing))
  end
  for _, other in ipairs(places) do
    count = count + (machines[other.machine] and 0 or 1)
    machines[other.machine] = true
  end
  local threads, online = core.get_num_threads(), core.processors_online()
  tell("%d ranks on %d machine%s, %d thread%s each", M.size, count, count == 1 and "" or "s",
    threads, threads == 1 and "" or "s")
  if here.allowed == 1 and used < online then
    tell("mpirun has bound each rank to one processor, and so uses %d of %d; mpirun --bind-to none "
      .. "lets the ranks share all", used, online)
  end
  for rank = 1, M.size - 1 do
    if places[rank + 1].kernels ~= here.kernels then
      tell("rank %d computes with %s, and rank 0 with %s: their bits may differ", rank,
        places[rank + 1].kernels, here.kernels)
    end
  end
end

start()
if M.size > 1 then
  M.agree("mpi", "script or arguments", program())
  settle()
end

return M
