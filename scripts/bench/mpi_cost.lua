--- What a training step takes on 1 to 1,000 nodes, by a model of cost: the samples of a node, and
--- the sum of the gradients, by four ways of adding, the last of which is wrun's.
---
--- Measured steps, `--measured 1:0.0031,2:0.0019`, are printed and drawn beside it.

local argparse = require "argparse"
local wrun = require "wrun"
local data, plot = wrun.data, wrun.plot

local parser = argparse("mpi_cost.lua", "Predicts the time of a step on many nodes.")
local function number(name, help, default)
  parser:option(name, help, default, data.number(name, 0))
end
number("--parameters", "Parameters of the model, 4 bytes each.", "269322")
number("--batch", "Samples a step, over all nodes.", "1024")
number("--sample", "Seconds that a sample takes, forward and backward.", "1e-5")
number("--update", "Seconds that the optimiser takes.", "1e-4")
number("--latency", "Seconds before a message begins to arrive.", "2e-6")
number("--bandwidth", "Bytes a second of a link.", "12.5e9")
number("--handshake", "Latencies before a message of more than 64 KB; MPI asks first.", "3")
number("--last", "Share of the parameters to which the walk backward comes last.", "0.75")
number("--add", "Bytes a second at which gradients are added.", "4e9")
parser:option("--measured", "Steps that were measured, as NODES:SECONDS,...", "")
parser:option("--picture", "The picture to draw.", "build/bench/mpi_cost.png")
local args = parser:parse()

local size, gamma = args.parameters * 4, 1 / args.add

-- The seconds that a message of so many bytes takes.
local function message(bytes)
  return (bytes > 65536 and args.handshake or 1) * args.latency + bytes / args.bandwidth
end

-- The seconds that the sum over n nodes takes: every node gets all of it.
local WAYS = {
  -- up a binary tree to one node and down again, whole gradients all the way
  { name = "tree, up and down", seconds = function(n)
    local levels = math.ceil(math.log(n, 2))
    return levels * (2 * message(size) + size * gamma)
  end },
  -- around a ring, an n-th of it at a time
  { name = "ring", seconds = function(n)
    local share = size / n
    return (n - 1) * (2 * message(share) + share * gamma)
  end },
  -- all exchange whole gradients with a partner, whose distance doubles
  { name = "recursive doubling", seconds = function(n)
    return math.ceil(math.log(n, 2)) * (message(size) + size * gamma)
  end },
  -- an n-th of it to each node, by the tree, and from there to all
  { name = "pieces of the tree", seconds = function(n)
    local seconds, part = 0, size
    for _ = 1, math.ceil(math.log(n, 2)) do
      part = part / 2
      seconds = seconds + message(part) + part * gamma
    end
    return seconds + message(size * (n - 1) / n)
  end },
}

-- The largest share of the samples that a node has.
local function compute(n)
  return math.ceil(args.batch / n) * args.sample
end

-- What of a sum's seconds is left when a node's last shard is at its end: the walk backward, two
-- thirds of the shard's time, goes on beside, but for the gradients that it comes to last.
local function left(n, seconds)
  local SHARDS, BACKWARD = 16, 2 / 3
  local walk = BACKWARD * compute(n) / math.max(1, SHARDS / n)
  return math.max(args.last * seconds, seconds - walk)
end
local pieces = WAYS[#WAYS].seconds
table.insert(WAYS, { name = "pieces, overlapped", seconds = function(n)
  return left(n, pieces(n))
end })

local NODES = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000 }
local figure = plot.Figure {
  title = ("a step of %g parameters, %g samples"):format(args.parameters, args.batch),
  x = "nodes", y = "seconds", log = "xy", width = 900, height = 600,
}
local line = { ("%6s %12s"):format("nodes", "samples") }
local curves = {}
for i, way in ipairs(WAYS) do
  line[#line + 1], curves[i] = ("%20s"):format(way.name), {}
end
print(table.concat(line))
local ideal = {}
for row, n in ipairs(NODES) do
  ideal[row] = compute(n) + args.update
  line = { ("%6d %9.3f ms"):format(n, compute(n) * 1e3) }
  for i, way in ipairs(WAYS) do
    curves[i][row] = ideal[row] + (n > 1 and way.seconds(n) or 0)
    line[#line + 1] = ("%17.3f ms"):format(curves[i][row] * 1e3)
  end
  print(table.concat(line))
end
for i, way in ipairs(WAYS) do
  figure:line(NODES, curves[i], { label = way.name })
end
figure:line(NODES, ideal, { label = "without a sum" })

local nodes, seconds = {}, {}
for n, time in args.measured:gmatch("(%d+):([%d.e+-]+)") do
  nodes[#nodes + 1], seconds[#seconds + 1] = tonumber(n), tonumber(time)
  print(("%6d %9.3f ms measured"):format(nodes[#nodes], seconds[#seconds] * 1e3))
end
if #nodes > 0 then
  figure:scatter(nodes, seconds, { label = "measured", size = 2 })
end
figure:save(args.picture)
print(args.picture)
