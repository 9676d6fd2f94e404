--- Seconds of an epoch in portable bits, beside one by OpenBLAS's kernels for this processor: each in
--- a process of its own, on one thread.

local harness = require "harness"
local mnist = require "mnist"

local ROUNDS = 5

-- Returns a contestant: portable_side.lua under these options.
local function epoch(options, what)
  local command = ("env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE %s --threads 1 %s "
    .. "%s/portable_side.lua %s"):format(harness.program, options, harness.folder, what)
  return function()
    local pipe = assert(io.popen(command))
    local seconds = tonumber(pipe:read("a"))
    assert(pipe:close() and seconds, command)
    return seconds
  end
end

local ROWS = {
  { "ReLU", "784-256-256-10, ReLU" },
  { "Tanh", "784-256-256-10, tanh" },
  { "GELU", "784-256-256-10, GELU" },
  { "RBM", "RBM 784-500, CD-1" },
}

harness.heading("an epoch in portable bits on " .. mnist.load().name, "native")
for _, row in ipairs(ROWS) do
  local what, title = table.unpack(row)
  local times = harness.take_turns(ROUNDS, {
    portable = epoch("", what), native = epoch("--native", what),
  })
  harness.compare(title, times.portable, times.native)
end
