--- How long it takes to start and to end, beside Lua and beside PyTorch.

local harness = require "harness"

local ROUNDS = 10
local TURNS = 20

-- Returns a contestant that runs a command so many times in one shell.
local function starting(command, turns)
  local loop = "i=0; while [ $i -lt %d ]; do %s || exit 1; i=$((i+1)); done"
  return harness.each(function()
    assert(os.execute(loop:format(turns, command)))
  end, turns)
end

local has_lua = os.execute("command -v lua5.4 >/dev/null")
local torch = harness.torch()

local times = harness.take_turns(ROUNDS, {
  empty = starting(harness.program .. ' -e ""', TURNS),
  library = starting(harness.program .. [[ -e "require('wrun').nn.Linear(1, 1)"]], TURNS),
  lua = has_lua and starting('lua5.4 -e ""', TURNS) or nil,
})

harness.heading("start and end", "lua5.4")
harness.compare('-e ""', times.empty, times.lua, "<= 8 ms")
harness.compare("with a layer made", times.library)

if torch then
  torch:close()
  local with_torch = harness.take_turns(2, {
    wrun = starting(harness.program .. [[ -e "require('wrun').nn.Linear(1, 1)"]], 1),
    torch = starting(harness.python() .. ' -c "import torch; torch.nn.Linear(1, 1)"', 1),
  })
  harness.heading("start and end", "PyTorch")
  harness.compare("with a layer made", with_torch.wrun, with_torch.torch)
end
