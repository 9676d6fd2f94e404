--- Refuses each request of memory of a program in spec/alloc once, by turns: the program must end
--- with an error that says so, and do all its work when it is run again in the same process.
---
---     LUA_CPATH=build/?.so LD_PRELOAD=build/refuse.so build/wrun --threads 1 spec/alloc.lua
---       [--step N] [PROGRAM ...]
---
--- Every request is refused twice: alone, and with all that follow. Without the preloading, only
--- Lua's are. `make check-alloc` runs it, a process for each program.

local refuse = require "refuse"
local temporary = require("spec.support.child").temporary

io.stdout:setvbuf("line")

local MANNERS = {
  { name = "alone", last = function(first) return first + 1 end }, -- Lua collects, and asks again
  { name = "all that follow", last = function() return math.maxinteger end },
}
local REASONS = { "not enough memory", "Cannot allocate memory" }

local function names_reason(message)
  for _, reason in ipairs(REASONS) do
    if type(message) == "string" and message:find(reason, 1, true) then
      return true
    end
  end
  return false
end

--- What a child finds: the first words say whether all is well.
local function judge(work, path, expected, first, last)
  refuse.start(first, last)
  local ok, message = pcall(work, path)
  local requests = refuse.stop()
  local verdict = "refused"
  if ok then
    verdict = requests < first and "beyond" or "unharmed"
    if message ~= expected then
      return "broken: other bits, without an error"
    end
  elseif not names_reason(message) then
    verdict = "wrong message: " .. tostring(message)
  end
  local good, again = pcall(work, path)
  if not good or again ~= expected then
    return ("broken: %s, after %s"):format(good and "other bits" or again, message)
  end
  return verdict
end

local function run(program, step)
  local work, path = dofile(("spec/alloc/%s.lua"):format(program)), temporary()
  local expected, status = refuse.child(function() return work(path) end)
  assert(status == 0, "the program itself fails")
  local counts = { runs = 0, refused = 0, unharmed = 0, crashes = 0, broken = 0, messages = 0 }
  for _, manner in ipairs(MANNERS) do
    local first = 1
    repeat
      local verdict, ended = refuse.child(function()
        return judge(work, path, expected, first, manner.last(first))
      end)
      local kind = verdict:match("^%a+")
      counts.runs = counts.runs + 1
      if ended ~= 0 then
        counts.crashes, kind = counts.crashes + 1, "crashed"
      elseif kind == "wrong" then
        counts.messages = counts.messages + 1
      else
        counts[kind] = (counts[kind] or 0) + 1
      end
      if kind ~= "refused" and kind ~= "unharmed" and kind ~= "beyond" then
        print(("%s, request %d, %s: %s (status %d)"):format(program, first, manner.name, verdict,
          ended))
      end
      first = first + step
    until kind == "beyond"
  end
  os.remove(path)
  print(("%s: %d runs, %d errors caught, %d unharmed, %d crashes, %d broken afterwards, "
    .. "%d wrong messages"):format(program, counts.runs, counts.refused, counts.unharmed,
    counts.crashes, counts.broken, counts.messages))
  return counts.crashes + counts.broken + counts.messages == 0
end

local programs, step = {}, 1
for i, word in ipairs(arg) do
  if arg[i - 1] == "--step" then
    step = math.tointeger(word)
  elseif word ~= "--step" then
    programs[#programs + 1] = word
  end
end

local is_good = true
for _, program in ipairs(programs[1] and programs or { "training", "rbm", "parts" }) do
  is_good = run(program, step) and is_good
end
os.exit(is_good)
