--- Functions that wait for messages while the program goes on, each a coroutine. Messages move only
--- while Open MPI is called: who computes meanwhile calls `poll` now and then.

local core = require "wrun.core"

local M = {}

local Tasks = {}
Tasks.__index = Tasks

--- Makes an empty set of tasks.
function M.new()
  return setmetatable({ messages = {}, waiting = {} }, Tasks)
end

-- Goes on with a task, until it waits for the next message.
local function go_on(self, task, ...)
  local message = task(...)
  if message then
    self.messages[#self.messages + 1] = message
    self.waiting[#self.waiting + 1] = task
  end
end

--- Begins f(...), which may call `send` and `receive`; what it returns is lost.
function Tasks:start(f, ...)
  go_on(self, coroutine.wrap(function(...)
    f(...)
  end), ...)
end

--- Sends a contiguous tensor or a text, meanwhile doing other tasks.
function Tasks.send(_, bytes, rank, tag)
  coroutine.yield(core.mpi_begin_send(bytes, rank, tag))
end

--- Fills a contiguous tensor with what a rank sends, meanwhile doing other tasks; returns whether it
--- was filled, or nothing was sent.
function Tasks.receive(_, tensor, rank, tag)
  return coroutine.yield(core.mpi_begin_receive(tensor, rank, tag))
end

local function nothing()
end

--- Sends and goes on; nobody may change what is sent before all tasks are at their ends.
function Tasks:post(bytes, rank, tag)
  self.messages[#self.messages + 1] = core.mpi_begin_send(bytes, rank, tag)
  self.waiting[#self.waiting + 1] = nothing
end

-- Goes on with tasks while look(messages) finds one of which the message is over.
local function serve(self, look)
  while #self.messages > 0 do
    local i, came = look(self.messages)
    if not i then
      return
    end
    table.remove(self.messages, i)
    go_on(self, table.remove(self.waiting, i), came)
  end
end

--- Goes on with the tasks whose messages have come.
function Tasks:poll()
  serve(self, core.mpi_look)
end

--- Waits until all tasks are at their ends.
function Tasks:finish()
  serve(self, core.mpi_wait)
end

return M
