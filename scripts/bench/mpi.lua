--- A step of the course's network on several ranks: the sum of the gradients by the fixed tree beside
--- MPI_Allreduce, which gives other bits to other numbers of ranks, and a step with either.

local harness = require "harness"

if not os.execute("command -v mpirun >/dev/null") then
  print("\nthe part mpi needs mpirun (Debian package openmpi-bin)")
  return
end

local ROUNDS, BATCH = 15, 1024

-- Seconds of each round, by contestant, of so many ranks with so many threads each.
local function measure(ranks, threads)
  local text = "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "
    .. "mpirun --oversubscribe --bind-to none -n %d %s %s/mpi_ranks.lua %d %d %d"
  local pipe = assert(io.popen(text:format(ranks, harness.program, harness.folder, ROUNDS, BATCH,
    threads)))
  local times = {}
  for line in pipe:lines() do
    local name, seconds = line:match("^(%S+)\t(%S+)$")
    times[name] = times[name] or {}
    table.insert(times[name], tonumber(seconds))
  end
  assert(pipe:close())
  return times
end

local title = ("784-256-256-10 on ranks, %d samples a step"):format(BATCH)
harness.heading(title, "1 thread")
local alone, pair = measure(1, 1).step_tree, measure(2, 1).step_tree
harness.compare("step, 1 rank of 2 threads", measure(1, 2).step_tree, alone)
harness.compare("step, 2 ranks of 1 thread", pair, alone)
harness.heading(title, "Allreduce")
for _, ranks in ipairs { 2, 3, 4 } do
  local times = measure(ranks, 1)
  harness.compare(("sum of the gradients, %d ranks"):format(ranks), times.sum_tree, times.sum_mpi)
  harness.compare(("step, %d ranks"):format(ranks), times.step_tree, times.step_mpi, "<= 1.05")
end

print("\nthe same on many nodes, as a model of cost has it")
local one, two = harness.median(alone), harness.median(pair)
assert(os.execute(("%s %s/mpi_cost.lua --batch %d --sample %.3g --update 0 --measured %s"):format(
  harness.program, harness.folder, BATCH, one / BATCH, ("1:%.3g,2:%.3g"):format(one, two))))
