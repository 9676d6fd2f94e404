--- Every public function, and how the example of its documentation calls it: so specs can call it
--- again, with other arguments.

local check = require "wrun.check"
local core = require "wrun.core"
local method = require "wrun.method"
local public_items = require "spec.support.public_items"
local run_example = require "spec.support.example"

local M = {}

-- What a class gives to the class above it, which alone calls it.
M.PROTOCOL = {}
for name in ([[change update check_together first_lr next_lr per_group flops prepare restart start
  functions numbers attach state_model extra_repr label define check_shape check_pair weight_of
  weigh]]):gmatch("%S+") do
  M.PROTOCOL[name] = true
end

---@class spec.Call
---@field name string as in the reference: "wrun.cat", "nn.Linear:forward"
---@field f function|table a class is called to make an instance
---@field item table what the reference says of it
---@field skip integer how many arguments come before the documented ones (self)
---@field samples any[][] arguments of calls in examples, each with n

--- what a function is found by: itself, or the line that defines it
local function line_key(source, line)
  return source:gsub("^[@=]", "") .. ":" .. line
end

--- Is the first argument of a call one that the documentation does not list?
local function has_self(item, sample)
  local first = item.entry.params[1]
  if item.kind == "class" or item.kind == "function" and item.value == nil then -- a face
    return true
  elseif item.kind ~= "method" or item.name:find("^x:")
    or first and (first.name == "self" or first.type == "wrun." .. item.name:match("^(.-):")) then
    return false
  end
  return getmetatable(sample[1]) ~= nil and not check.is_tensor(sample[1])
end

--- the arguments of the function at this level, which begins to run
local function arguments_at(level)
  local info, arguments = debug.getinfo(level, "Su"), { n = 0 }
  local function take(index)
    local name, value = debug.getlocal(level + 1, index)
    if name ~= nil then
      arguments.n = arguments.n + 1
      arguments[arguments.n] = value
    end
    return name ~= nil
  end
  local fixed = info.what == "C" and math.huge or info.nparams
  local index = 1
  while index <= fixed and take(index) do
    index = index + 1
  end
  if info.what == "C" then -- above its arguments lies what the call of the hook has pushed
    arguments[arguments.n] = nil
    arguments.n = arguments.n - 1
  end
  index = -1
  while info.isvararg and take(index) do
    index = index - 1
  end
  return arguments
end

--- lists of samples by what a call is found by: the function itself, or where it is defined
local function samples_by_function(calls)
  local index = {}
  for _, call in ipairs(calls) do
    local value, entry = method.original(call.item.value), call.item.entry
    if call.item.kind == "class" then
      value = type(value) == "table" and method.original(value.init) or nil
      entry = call.item.start or {}
    end
    local key = entry.module and line_key(entry.module, entry.line) or false
    local samples = index[value or key] or index[key] or {}
    index[value or key] = samples
    index[key] = index[key] or samples
    call.samples = samples
  end
  index[false] = nil
  return index
end

local SAMPLES = 6 -- of each function, for each class of its first argument

--- Runs all examples and notes the arguments of calls that the examples themselves make.
local function record(items, index)
  local function note()
    local info = debug.getinfo(2, "fS")
    local samples = index[info.func] or index[line_key(info.source, info.linedefined)]
    if not samples then
      return
    end
    local arguments = arguments_at(3)
    local class = debug.getmetatable(arguments[1]) or false
    samples.count = samples.count or {}
    samples.count[class] = (samples.count[class] or 0) + 1
    if samples.count[class] <= SAMPLES then
      arguments.f = info.func
      samples[#samples + 1] = arguments
    end
  end
  local seen = {}
  for _, item in ipairs(items) do
    local example = item.entry and item.entry.example
    if example and not seen[example] and item.is_defined then
      seen[example] = true
      debug.sethook(note, "c")
      pcall(run_example, "example", example)
      debug.sethook()
    end
  end
end

--- the samples whose first argument is an object of the class, if there are some
local function of_class(samples, class)
  local right = {}
  for _, sample in ipairs(class and samples or {}) do
    right[#right + 1] = core.is_object(sample[1], class) and sample or nil
  end
  return right[1] and right or samples
end

--- Returns every public function, method and class.
---@return spec.Call[]
function M.all()
  local items, calls = public_items(), {}
  for _, item in ipairs(items) do
    if item.entry and item.kind ~= "face" then
      calls[#calls + 1] = { name = item.name, item = item }
    end
  end
  record(items, samples_by_function(calls))
  local class_of, called = {}, {}
  for _, item in ipairs(items) do
    class_of[item.name] = item.kind == "class" and item.value or nil
  end
  for _, call in ipairs(calls) do
    local owner, name = call.name:match("^(.*):(.*)$")
    local class = class_of[owner]
    call.samples = of_class(call.samples, class)
    local sample = call.samples[1]
    local value = call.item.value
    if sample and value == nil and call.item.kind ~= "function" then -- a class that no face holds
      class = getmetatable(sample[1])
      value = type(class) == "table" and (owner and class[name] or class)
    end
    call.f = call.item.kind == "class" and value or type(value) == "function" and value
      or sample and sample.f
    if call.f and sample then
      call.skip = has_self(call.item, sample) and 1 or 0
      called[#called + 1] = call
    end
  end
  return called
end

return M
