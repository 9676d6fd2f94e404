--- Calls public functions with random arguments, for a number of seconds: `make fuzz-interface`.
---
--- A child makes some thousand calls from a seed, so that any can be had again, and notes each
--- before it is made; the parent says which was the last where a child crashed or did not end.
--- What a call may take is bounded by the parent, in memory and in time.

local seconds, first_seed = tonumber(arg[1]) or 60, math.tointeger(arg[2]) or os.time()
local CALLS, PATIENCE = 2000, 120 -- a child, seconds

if arg[1] ~= "--child" then
  local quote = require("spec.support.child").quote
  local folder = assert(io.popen("mktemp -d")):read("l")
  local log = folder .. "/log"
  local totals = { calls = 0, crashes = 0, hangs = 0, forms = 0 }
  local seed, ends = first_seed, os.time() + seconds
  repeat
    local command = "timeout %d %s spec/fuzz/interface.lua --child %d %s >/dev/null"
    local _, _, status = os.execute(command:format(PATIENCE, quote(arg[-1]), seed, quote(folder)))
    local last, count
    for line in io.lines(log) do
      if line:find("^form") then
        totals.forms = totals.forms + 1
        print(line)
      else
        last, count = line, math.tointeger(line:match("^%d+"))
      end
    end
    totals.calls = totals.calls + (count or 0)
    if status ~= 0 then
      local what = status == 124 and "hangs" or "crashes"
      totals[what] = totals[what] + 1
      print(("%s (status %d), seed %d: %s"):format(what, status, seed, last))
    end
    seed = seed + 1
  until os.time() >= ends
  os.execute("rm -rf " .. quote(folder))
  print(("%d calls from seed %d on: %d crashes, %d hangs, %d messages out of form")
    :format(totals.calls, first_seed, totals.crashes, totals.hangs, totals.forms))
  os.exit(totals.crashes + totals.hangs == 0, true)
end

local every_call = require "spec.support.calls"
local lfs = require "lfs"
local wrun = require "wrun"

local seed, folder = math.tointeger(arg[2]), arg[3]
local calls = every_call()
assert(lfs.chdir(folder))
local log = assert(io.open("log", "w"))
log:setvbuf("line")
math.randomseed(seed)
wrun.manual_seed(seed)

-- What works for long, as it is asked to, reaches for the network, or ends the process; and what a
-- class gives to the class above it, which alone calls it.
local LEFT_OUT = "fit$|mnist|cifar|download|images$|options$|sources|train|Chains|ais|gibbs|Sampler"
  .. "|:change$|:update$|:check_together$|:first_lr$|:next_lr$|:get_lr$|:prepare$|:restart$|:start$"
  .. "|:extra_repr$|:label$|:flops$|:attach$|:numbers$|:functions$|:state_model$|:per_group$"

local function is_left_out(name)
  for part in LEFT_OUT:gmatch("[^|]+") do
    if name:find(part) then
      return true
    end
  end
  return false
end

local function pick(list)
  return list[math.random(#list)]
end

local DTYPES = { "float32", "float64", "int64", "int32", "uint8", "bool" }
local NUMBERS = {
  0, 1, -1, 2, 3, -2, 7, 0.5, -0.0, 1e-300, 1e300, 0 / 0, 1 / 0, -1 / 0, 255, 1 << 31, 1 << 53,
  math.maxinteger, math.mininteger,
}
local STRINGS = { "", "x", "mean", "sum", "float32", "a\0b", "\27[31m", ("long"):rep(200), "a.npy" }

local function tensor()
  local shape = {}
  for d = 1, math.random(0, 3) do
    shape[d] = math.random(0, 4)
  end
  local x = wrun.zeros(shape, { dtype = pick(DTYPES) })
  if math.random(3) == 1 and x.ndim >= 2 then
    x = x:transpose(1, 2)
  end
  if math.random(4) == 1 and x.dtype:find("float") then
    x:requires_grad_()
  end
  return x
end

local value
local KINDS = {
  function() return nil end,
  function() return pick { true, false } end,
  function() return pick(NUMBERS) end,
  function() return pick(NUMBERS) end,
  function() return pick(STRINGS) end,
  function() return tensor() end,
  function() return tensor() end,
  function() return {} end,
  function() return { value(), value() } end,
  function() return { [pick(STRINGS)] = value() } end,
  function() return setmetatable({}, { __len = function() return 1 << 40 end }) end,
  function() return function(...) return ... end end,
  function() return coroutine.create(print) end,
}

function value()
  return pick(KINDS)()
end

-- The arguments of an example, some of them replaced.
local function arguments_of(call)
  local sample = pick(call.samples)
  local first = call.item.kind == "class" and 2 or 1 -- a class is called, not its init
  local arguments = table.move(sample, first, sample.n, 1, { n = sample.n - first + 1 })
  local is_object = first == 1 and type(arguments[1]) == "table" and getmetatable(arguments[1])
  for i = is_object and 2 or 1, arguments.n + math.random(0, 1) do
    if math.random(2) == 1 then
      arguments[i], arguments.n = value(), math.max(i, arguments.n)
    end
  end
  return arguments
end

local function described(arguments)
  local texts = {}
  for i = 1, arguments.n do
    local x = arguments[i]
    texts[i] = type(x) == "string" and ("%q"):format(x:sub(1, 20))
      or wrun.is_tensor(x) and ("%s[%s]"):format(x.dtype, table.concat(x.shape, ","))
      or type(x) == "number" and tostring(x) or type(x)
  end
  return (table.concat(texts, ", "):gsub("%c", " "))
end

local script = load("local f, a = ...; local r = f(table.unpack(a, 1, a.n)); return r",
  "=script.lua")

-- Is a refusal in form: at the script's line, with a name in front, and not in Lua's own words?
local function is_in_form(message)
  local text = tostring(message):match("^script%.lua:1: (.*)$")
  return text and text:find("^[%w_.:%-]+[^:]*: ") and not text:find("attempt to ", 1, true)
    and not text:find("bad argument", 1, true)
    or tostring(message):find("not enough memory", 1, true)
end

local seen = {}
for count = 1, CALLS do
  local call = pick(calls)
  if not is_left_out(call.name) then
    local arguments = arguments_of(call)
    local what = ("%s(%s)"):format(call.name, described(arguments))
    log:write(count, " ", what, "\n")
    local ok, message = pcall(script, call.f, arguments)
    if not ok and not is_in_form(message) and not seen[call.name] then
      seen[call.name] = true
      log:write("form: ", what, ": ", (tostring(message):gsub("%c", " ")), "\n")
    end
  end
end
os.exit(0)
