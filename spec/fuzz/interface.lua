--- Calls all that is public with random arguments, for a number of seconds: `make fuzz-interface`.
---
--- A child makes some thousand calls from a seed, so that any can be had again, and notes each
--- before it is made; the parent says which was the last where a child crashed or did not end.
--- What a call may take is bounded by the parent, in memory and in time.
---
--- Called are the functions and classes of the reference with the arguments of their examples, some
--- of them replaced; all methods of tensors and of whatever the calls before gave, and these
--- themselves; and all operators.

local seconds, first_seed = tonumber(arg[1]) or 60, math.tointeger(arg[2]) or os.time()
local CALLS, PATIENCE = 2000, 300 -- a child, seconds

if arg[1] ~= "--child" then
  local quote = require("spec.support.child").quote
  local folder = assert(io.popen("mktemp -d")):read("l")
  local log = folder .. "/log"
  local totals = { calls = 0, crashes = 0, hangs = 0, forms = 0 }
  local seed, ends = first_seed, os.time() + seconds
  repeat
    assert(io.open(log, "w")):close()
    local command = "timeout %d %s spec/fuzz/interface.lua --child %d %s >/dev/null"
    local _, _, status = os.execute(command:format(PATIENCE, quote(arg[-1]), seed, quote(folder)))
    local last, count
    for line in io.lines(log) do
      local kind = line:match("^(%a+): ")
      if kind then
        totals[kind] = totals[kind] + 1
        print(("seed %d: %s"):format(seed, line))
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
  os.exit(totals.crashes + totals.hangs + totals.forms == 0, true)
end

local calls = require "spec.support.calls"
local complaint = require "spec.support.in_form"
local core = require "wrun.core"
local lfs = require "lfs"
local wrun = require "wrun"

local every_call = calls.all()
local seed, folder = math.tointeger(arg[2]), arg[3]
assert(lfs.chdir(folder))
local log = assert(io.open("log", "w"))
log:setvbuf("line")
math.randomseed(seed)
wrun.manual_seed(seed)

-- What reaches for the network, is of the command line, or starts this program anew.
local LEFT_OUT = {
  mnist = true, fashion_mnist = true, cifar10 = true, images = true, options = true, sweep = true,
}

-- What works for as long as it is asked to: epochs, steps of chains, draws one by one.
local WORK = {
  fit = true, gibbs = true, ais = true, step = true, images = true, sample = true, iterate = true,
  chains = true, fantasies = true,
}
local SECONDS = 5 -- for one call

local function pick(list)
  return list[math.random(#list)]
end

-- Values ---------------------------------------------------------------------

local script = function(code)
  return assert(load(code, "=script.lua"))()
end

local DTYPES = { "float32", "float64", "int64", "int32", "uint8", "bool" }
local NUMBERS = {
  0, 1, 1, 2, 2, -1, 3, -2, 7, 0.5, -0.0, 1e-300, 1e300, 0 / 0, 1 / 0, -1 / 0, 255, 1 << 31,
  1 << 53, 1 << 62, math.maxinteger, math.mininteger,
}
local STRINGS = {
  "", "x", "mean", "sum", "none", "float32", "int64", "a\0b", "\27[31m", "\xff\xfe", "%d%s%n",
  ("long"):rep(200), "a.npy", "a.csv", "a.safetensors", "a.png", ".",
  "/proc/nowhere/a.npz", "ij,jk->ik",
}
local FIELDS = {
  "dtype", "requires_grad", "generator", "reduction", "weight", "lr", "epochs", "n", "k", "dim",
  "batch_size", "params", "x", "y", "bias", "eps", "count", "retain_graph", "create_graph",
  "method", "__len", "shape", 1, 2, -1, 0.5, true,
}
local FUNCTIONS = {
  script "return function(...) return ... end",
  script "return function() end",
  script "return function() error('called', 0) end",
  script "return function(...) coroutine.yield(...) return ... end",
  script "local f f = function(...) return f end return f",
}
local METATABLES = {
  { __len = script "return function() return 1 << 40 end" },
  { __len = script "return function() return -1 end" },
  { __len = script "return function() return 'x' end" },
  { __len = script "return function() return 0/0 end" },
  { __index = script "return function(_, key) return key end" },
  { __index = script "return function() return 1 end" },
  { __index = script "return function() error('called', 0) end" },
  { __name = "wrun.Tensor" },
  { __call = script "return function(_, ...) return ... end" },
  { __pairs = script "return function() return function() return nil end end" },
  { __metatable = "locked" },
}

local pool = {} -- what calls gave: objects, tensors, functions

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

local function nested(depth)
  local inner = value()
  for _ = 1, depth do
    inner = { inner }
  end
  return inner
end

local function cyclic()
  local t = {}
  t[1], t.x = t, t
  return t
end

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
  function() return { [pick(FIELDS)] = value() } end,
  function() return { [pick(FIELDS)] = value() } end,
  function() return setmetatable({ value() }, pick(METATABLES)) end,
  function() return nested(pick { 2, 5, 300 }) end,
  function() return cyclic() end,
  function() return pick(FUNCTIONS) end,
  function() return coroutine.create(print) end,
  function() return io.stderr end,
  function() return pick(pool) end,
  function() return pick(every_call).f end,
  function() return wrun.Generator() end,
}

function value()
  return pick(KINDS)()
end

-- Calls ----------------------------------------------------------------------

-- An argument of an example with another value in its place, or in one of its fields.
local function other(argument)
  if type(argument) == "table" and getmetatable(argument) == nil and math.random(2) == 1 then
    local copy, keys = {}, {}
    for key, inner in pairs(argument) do
      copy[key], keys[#keys + 1] = inner, key
    end
    table.sort(keys, function(a, b)
      return tostring(a) < tostring(b)
    end)
    local key = #keys > 0 and math.random(3) > 1 and pick(keys) or pick(FIELDS)
    copy[key] = value()
    return copy
  end
  return value()
end

-- The call of a function of the reference with the arguments of an example, some of them replaced.
local function documented()
  local call = pick(every_call)
  local sample = pick(call.samples)
  local first = call.item.kind == "class" and 2 or 1 -- a class is called, not its init
  local arguments = table.move(sample, first, sample.n, 1, { n = sample.n - first + 1 })
  for i = 1, arguments.n + math.random(0, 1) do
    local is_self = i == 1 and call.item.kind == "method"
    if math.random(is_self and 8 or 2) == 1 then
      arguments[i], arguments.n = other(arguments[i]), math.max(i, arguments.n)
    end
  end
  return call.name, call.f, arguments
end

local function some_values(...)
  local arguments = table.pack(...)
  for _ = 1, math.random(0, 4) do
    arguments.n = arguments.n + 1
    arguments[arguments.n] = value()
  end
  return arguments
end

local function sorted_names(t, is_wanted)
  local names = {}
  for name, field in pairs(t) do
    names[#names + 1] = type(name) == "string" and is_wanted(name, field) and name or nil
  end
  table.sort(names)
  return names
end

local function is_public(name, field)
  return type(field) == "function" and name:sub(1, 1) ~= "_"
end

local METHODS = sorted_names(core.methods, is_public) -- in-place twins too

local function method_of_tensors()
  local name = pick(METHODS)
  return "x:" .. name, core.methods[name], some_values(tensor())
end

-- The names of the methods of an object, those of the classes above its own too.
local function methods_of(object)
  local class = getmetatable(object)
  if type(object) == "userdata" then -- a generator
    return sorted_names(class.__index, is_public)
  end
  local names, seen = {}, {}
  while type(class) == "table" do
    for _, name in ipairs(sorted_names(class, is_public)) do
      if not seen[name] and name ~= "init" and not calls.PROTOCOL[name] then
        seen[name], names[#names + 1] = true, name
      end
    end
    class = rawget(class, "super")
  end
  return names
end

local function name_of(object)
  local class = getmetatable(object)
  return type(class) == "table" and tostring(class.__name) or type(object)
end

-- The call of something that an earlier call gave, or of a method of it, with a dot or a colon.
local function given()
  local object = pick(pool)
  if wrun.is_tensor(object) then
    return method_of_tensors()
  end
  local names = type(object) ~= "function" and methods_of(object) or {}
  if #names == 0 or math.random(4) == 1 then
    return name_of(object), object, some_values()
  end
  local name = pick(names)
  local has_colon = math.random(8) > 1
  return name_of(object) .. (has_colon and ":" or ".") .. name, object[name],
    has_colon and some_values(object) or some_values()
end

local OPERATORS = {}
for _, code in ipairs {
  "a + b", "a - b", "a * b", "a / b", "a // b", "a % b", "a ^ b", "a .. b", "-a", "#a", "a == b",
  "a < b", "a <= b", "a & b", "a | b", "a ~ b", "~a", "a << b", "a >> b", "a[b]", "a[b]", "a.x",
  "tostring(a)", "a(b, c)", "a()",
} do
  OPERATORS[#OPERATORS + 1] = { code, script("return function(a, b, c) return " .. code .. " end") }
end
for _, code in ipairs { "a[b] = c", "a[b] = c", "for _ in pairs(a) do break end", "a.x = b" } do
  OPERATORS[#OPERATORS + 1] = { code, script("return function(a, b, c) " .. code .. " end") }
end

-- An operator, on a tensor or what an earlier call gave.
local function operator()
  local object, other_one = math.random(2) == 1 and tensor() or pick(pool), value()
  local chosen = pick(OPERATORS)
  if math.random(3) == 1 and chosen[1]:find("^a [^=]* b$") then
    object, other_one = other_one, object
  end
  return "(" .. chosen[1] .. ")", chosen[2], { n = 3, object, other_one, value() }
end

local WAYS = {
  documented, documented, documented, documented, method_of_tensors, given, given, operator,
}

-- Making them ----------------------------------------------------------------

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

local function keep(name, result)
  local is_object = type(result) == "function" and name ~= "autograd.Function" -- of an example's
    or wrun.is_tensor(result) and result:numel() < 1000
    or type(result) == "table" and type(getmetatable(result)) == "table"
  if is_object then
    pool[#pool < 100 and #pool + 1 or math.random(#pool)] = result
  end
end

local run = load("local f, a = ...; local r = f(table.unpack(a, 1, a.n)); return r", "=script.lua")

-- Lua's own words where a script is at fault: what is no function is called, has no operator, is no
-- key, or yields where C is below it; and an error that is the script's own.
local function is_of_script(message)
  return message == "called" or message:find("^%a+%.?l?u?a?:%d+: attempt to ")
    or message:find("^script%.lua:%d+: table index is ")
    or message:find("'for iterator'", 1, true)
    or message:find("attempt to yield ", 1, true)
end

-- Makes a call, half of them in a coroutine, and returns whether it went well, and its result or
-- message. A loop in Lua that does not end is ended.
local function make(f, arguments, is_yielding)
  local start = os.clock()
  local function guard()
    if os.clock() - start > SECONDS then
      error("endless", 0)
    end
  end
  if not is_yielding then
    debug.sethook(guard, "", 100000)
    local ok, result = pcall(run, f, arguments)
    debug.sethook()
    return ok, result
  end
  local thread = coroutine.create(run)
  debug.sethook(thread, guard, "", 100000)
  local ok, result
  repeat
    ok, result = coroutine.resume(thread, f, arguments)
  until coroutine.status(thread) ~= "suspended" or math.random(4) == 1
  return ok, result
end

-- Guards that a call left behind are refused at the next use of what they switch: here.
local function settle()
  local function use()
    return wrun.initial_seed(), wrun.ones(1, { requires_grad = true }) * wrun.rand(1)
  end
  for _ = 1, 10 do
    if pcall(use) then
      return
    end
  end
end

for _ = 1, 10 do
  keep("", tensor())
end
pool[#pool + 1] = wrun.Generator()
local seen = {}
local function note(kind, what, text)
  log:write(kind, ": ", what, ": ", (tostring(text):gsub("%c", " ")), "\n")
end
for count = 1, CALLS do
  local name, f, arguments = pick(WAYS)()
  local last = name:match("[%w_]+$")
  if not LEFT_OUT[last] and not calls.PROTOCOL[last] then
    local what = ("%s(%s)"):format(name, described(arguments))
    log:write(count, " ", what, "\n")
    local ok, result = make(f, arguments, math.random(2) == 1)
    settle()
    local why = not ok and complaint(result)
    if ok then
      keep(name, result)
    elseif result == "endless" then
      if not WORK[last] then
        note("hangs", what, "took more than " .. SECONDS .. " seconds")
      end
    elseif why and not is_of_script(tostring(result)) and not seen[name] then
      seen[name] = true
      note("forms", what, why .. ": " .. tostring(result))
    end
  end
end
os.exit(0)
