--- Every public function refuses an argument or an option of another type than its documentation
--- says: with the script's line, its own name, what it expected and what came. An option that is a
--- string takes any, or says which. A table in itself, or one whose metatable lies, is used or
--- refused, and all ends.

local check = require "wrun.check"
local core = require "wrun.core"
local calls = require "spec.support.calls"
local complaint_of = require "spec.support.in_form"
local original = require("wrun.method").original
local public_items = require "spec.support.public_items"
local wrun = require "wrun"

-- Where a value of another type than the documented one has a meaning: an options table where an
-- argument before it may be missing, and what an iterator's own arguments may be.
local OTHERWISE = {
  ["wrun.arange stop table"] = true,
  ["wrun.arange step table"] = true,
  ["wrun.eye m table"] = true,
  ["wrun.polygamma n tensor"] = true,
  ["wrun.randint high table"] = true,
  ["wrun.randint_like high table"] = true,
  ["wrun.random_ low table"] = true,
  ["wrun.random_ high table"] = true,
  ["nn.functional.gaussian_nll_loss var fraction"] = true,
  ["nn.functional.gaussian_nll_loss var nan"] = true,
  ["nn.functional.gaussian_nll_loss var negative"] = true,
  ["nn.init.constant_ value tensor"] = true,
  ["progress iterator nil"] = true,
  ["data.mnist mirror string"] = true, -- an address, of which nothing comes
  ["sweep folder string"] = true, -- places, where things would be kept
  ["sweep name string"] = true,
  ["sweep options odd"] = true, -- no options at all, with which workers would be started
  ["wrun.report output string"] = true,
}

local VALUES = {
  { "nil" },
  { "boolean", true },
  { "fraction", 1.5 },
  { "nan", 0 / 0 },
  { "negative", -1 },
  { "string", "x" },
  { "table", {} },
  { "function", function() error("called", 0) end },
  { "tensor", wrun.ones(2, { dtype = "bool" }) },
  { "coroutine", coroutine.create(print) },
  { "userdata", io.stderr },
}

--- the alternatives of a type, at the bars outside brackets
local function alternatives(kind)
  local list, depth, first = {}, 0, 1
  for i = 1, #kind + 1 do
    local c = kind:sub(i, i)
    depth = depth + (c:find("[%(%[{<]") and 1 or c:find("[%)%]}>]") and -1 or 0)
    if depth == 0 and (c == "|" or c == "") then
      list[#list + 1] = kind:sub(first, i - 1):gsub("%?$", ""):gsub("^%((.*)%)$", "%1")
      first = i + 1
    end
  end
  return list
end

--- Is a value of the type? Of the classes of wrun only tensors are known.
local function is_of(kind, value)
  for _, one in ipairs(alternatives(kind)) do
    local lua_type = one:match("^%a+$")
    if one == "any" or lua_type and type(value) == lua_type
      or one == "integer" and type(value) == "number" and math.tointeger(value)
      or one:find('^"') and type(value) == "string"
      or one:find("^fun%(") and type(value) == "function"
      or one == "wrun.Tensor" and check.is_tensor(value)
      or type(value) == "table"
        and (one:find("^{") or one:find("%[%]$") or one:find("^table<")) then
      return true
    end
  end
  return false
end

--- Is a number or a boolean taken as a tensor of one element, or a boolean as a number?
local function is_scalar(call, kind, value)
  local name = call.name:match("^wrun%.([%w_]+)$") or call.name:match("^nn%.init%.([%w_]+)$")
  if not name or type(value) ~= "boolean" and type(value) ~= "number" then
    return false
  end
  local is_elementwise = core.elementwise[name] ~= nil or name == "polygamma" or name == "where"
  return is_elementwise and kind:find("wrun.Tensor", 1, true) ~= nil
    or type(value) == "boolean" and is_of(kind, 1) and (is_of(kind, VALUES[9][2])
      or name:find("^fill_$") ~= nil or name == "full_like" or name == "constant_")
end

--- name -> type of the fields of a table type such as "{ dim: integer, name?: string }"
local function fields(kind)
  local found = {}
  for name, of in (kind:match("^{ (.*) }$") or ""):gmatch("([%w_]+)%??: ([^,<(]+)") do
    found[name] = of:gsub("%?$", "")
  end
  return found
end

-- A script, whose line errors must blame.
local script = load("local f, a = ...; local r = f(table.unpack(a, 1, a.n)); return r",
  "=script.lua")

--- what is wrong with how a call with these arguments ends, nil where it is refused as it should be
local function complaint(call, arguments)
  local ok, message = pcall(script, call.f, arguments)
  if ok then
    return "accepted"
  end
  local why = complaint_of(message, true)
  return why and why .. ": " .. tostring(message)
end

--- lists and tables that lie in themselves, and one whose metatable lies
local function odd_tables()
  local list, fields_too = { 1 }, {}
  list[2], fields_too[1], fields_too.x = list, fields_too, fields_too
  return { list, fields_too, setmetatable({}, { __len = function() return "x" end }) }
end

--- what is wrong with how a call with these arguments ends, if it is refused
local function complaint_if_refused(call, arguments)
  local ok, message = pcall(script, call.f, arguments)
  local why = not ok and complaint_of(message)
  return why and ("odd table %s: %s"):format(why, message) or nil
end

--- Is the parameter the object whose method is called?
local function is_object(call, param, i)
  return call.item.kind == "method" and i == 1 and call.skip == 0
    and (param.name == "self" or param.type == "wrun." .. call.name:match("^(.-):"))
end

--- the arguments of a sample, with another value for a documented parameter
local function with_value(call, sample, i, value)
  local arguments = { n = math.max(sample.n, i + call.skip) }
  table.move(sample, 1, sample.n, 1, arguments)
  arguments[i + call.skip] = value
  if call.item.kind == "class" then -- made by calling the class, not its init
    local n = arguments.n
    arguments = table.move(arguments, 2, n, 1, { n = n - 1 })
  end
  return arguments
end

--- the arguments of a sample, with another value for the object
local function with_self(sample, value)
  local arguments = table.move(sample, 1, sample.n, 1, { n = math.max(sample.n, 1) })
  arguments[1] = value
  return arguments
end

--- Is it a method of an object of the library, and does it look at the object?
local function uses_self(call, sample)
  local first = call.item.kind == "method" and debug.getlocal(original(call.f), 1)
  return first and first ~= "_" and type(sample[1]) == "table" and getmetatable(sample[1]) ~= nil
end

--- the sample that gives most arguments
local function fullest(samples)
  local best = samples[1]
  for _, sample in ipairs(samples) do
    best = sample.n > best.n and sample or best
  end
  return best
end

--- the options of a sample, with another value for one
local function with_option(given, name, value)
  local options = {}
  for key, other in pairs(type(given) == "table" and given or {}) do
    options[key] = other
  end
  options[name] = value
  return options
end

--- Tries wrong values of the options in parameter i; returns the complaints, and how many were tried.
local function try_options(call, sample, i, param)
  local complaints, count = {}, 0
  for name, kind in pairs(fields(param.type)) do
    local given = sample[i + call.skip]
    for _, value in ipairs(VALUES) do
      local what, wrong = value[1], value[2]
      local is_name = kind == "string" and what == "string"
      local is_right = wrong == nil or not is_name and is_of(kind, wrong)
        or OTHERWISE[("%s %s %s"):format(call.name, name, what)]
      if not is_right then
        count = count + 1
        local options = with_option(given, name, wrong)
        local why = complaint(call, with_value(call, sample, i, options))
        if why and not (is_name and why == "accepted") then
          complaints[#complaints + 1] = ("option %s (%s): %s %s"):format(name, kind, what, why)
        end
      end
    end
    for _, endless in ipairs(odd_tables()) do
      count = count + 1
      local options = with_option(given, name, endless)
      complaints[#complaints + 1] = complaint_if_refused(call, with_value(call, sample, i, options))
    end
  end
  return complaints, count
end

--- Tries all wrong values of all parameters; returns the complaints, and how many were tried.
local function try(call)
  local complaints, count = {}, 0
  local sample = fullest(call.samples)
  local function add(name, kind, what, why)
    count = count + 1
    if why then
      complaints[#complaints + 1] = ("%s (%s): %s %s"):format(name, kind, what, why)
    end
  end
  if uses_self(call, sample) then
    for _, value in ipairs(VALUES) do
      add("self", "object", value[1], complaint(call, with_self(sample, value[2])))
    end
    local class = debug.getmetatable(sample[1])
    add("self", "object", "class", complaint(call, with_self(sample, class)))
  end
  for i, param in ipairs(call.item.entry.params) do
    local is_tried = param.name ~= "..." and not is_object(call, param, i)
    for _, value in ipairs(is_tried and VALUES or {}) do
      local what, wrong = value[1], value[2]
      local is_right = wrong == nil and param.optional or is_of(param.type, wrong)
        or is_scalar(call, param.type, wrong)
        or OTHERWISE[("%s %s %s"):format(call.name, param.name, what)]
      if not is_right then
        add(param.name, param.type, what, complaint(call, with_value(call, sample, i, wrong)))
      end
    end
    local is_safe = is_tried and not OTHERWISE[("%s %s odd"):format(call.name, param.name)]
    for _, endless in ipairs(is_safe and odd_tables() or {}) do
      count = count + 1
      complaints[#complaints + 1] = complaint_if_refused(call, with_value(call, sample, i, endless))
    end
    if is_tried then
      local more, tried = try_options(call, sample, i, param)
      table.move(more, 1, #more, #complaints + 1, complaints)
      count = count + tried
    end
  end
  return complaints, count
end

describe("arguments of a wrong type #many are refused by", function()
  local total, functions, called = 0, 0, {}
  for _, call in ipairs(calls.all()) do
    called[call.name] = true
    if not calls.PROTOCOL[call.name:match("[%w_]+$")] then
      it(call.name, function()
        local complaints, count = try(call)
        total, functions = total + count, functions + 1
        assert.same({}, complaints)
      end)
    end
  end

  -- What no example calls: of generators, in C, and what is inherited by what no example makes.
  local UNCALLED = { Class = true, ["nn.Bilinear:flops"] = true }
  for name in ([[get_state initial_seed manual_seed seed set_state]]):gmatch("%S+") do
    UNCALLED["Generator:" .. name] = true
  end
  for name in ([[LBFGS:state_model Optimizer:state_model lr_scheduler.LRScheduler:functions
    lr_scheduler.LRScheduler:load_state_dict lr_scheduler.LRScheduler:numbers
    lr_scheduler.LRScheduler:state_dict swa_utils.AveragedModel:load_state_dict
    swa_utils.AveragedModel:state_dict]]):gmatch("%S+") do
    UNCALLED["optim." .. name] = true
  end

  it("all that is public", function()
    local left = {}
    for _, item in ipairs(public_items()) do
      local is_known = called[item.name] or UNCALLED[item.name] or item.kind == "face"
      left[#left + 1] = not is_known and item.name or nil
    end
    assert.same({}, left)
  end)

  it("hundreds of functions, in thousands of calls", function()
    assert.is_true(functions > 700, functions)
    assert.is_true(total > 9000, total)
  end)

  it("would be found out", function()
    local function lax(f)
      local entry = { params = { { name = "n", type = "integer" } } }
      return {
        name = "wrun.lax", f = f, skip = 0, samples = { { n = 1, 1 } },
        item = { kind = "function", entry = entry },
      }
    end
    local function first(f)
      return (try(lax(f)))[1]
    end
    assert.equal("n (integer): nil accepted", first(function() end))
    assert.matches("nil blames another line: .*attempt to perform arithmetic",
      first(function(n) return n + 1 end))
    assert.matches("does not say what was expected", first(function() error("lax: no", 2) end))
    assert.is_nil(first(function(n)
      error("lax: argument 1: expected an integer, got " .. tostring(n), 2)
    end))
  end)
end)
