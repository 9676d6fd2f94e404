--- Validation of arguments and option tables, with errors that say what would have been right.
--- A rule is made by one of the functions below. Each takes the default first; what has no default
--- is required, unless `check.optional` wraps its rule. Rules hold no state and can be shared.
--- Errors begin with the function `fname`; an `index` is that of an argument, from 1, without self.

local core = require "wrun.core"
local repr = require "wrun.repr"

local M = {}

-- fail(format, ...): an error at the script's line, after the path of the containers it passed.
M.fail = core.fail
-- escape(text): the text with its control characters shown, as messages have them.
M.escape = core.escape
M.is_tensor = core.is_tensor
-- The shape of a tensor, or a table of sizes, as errors show it: "[2, 3]".
M.shape_text = core.shape_text
-- Have a and b, tensors or lists of sizes, the same shape?
M.same_shape = core.same_shape

local fail = core.fail

---@class wrun.check.Rule
---@field expected string what a right value is, as the error says it
---@field accept fun(value: any): any, string? the value to use, nil when it is refused
---@field default any
---@field optional boolean? whether the value may be missing although there is no default

-- Rules ----------------------------------------------------------------------

--- Makes a rule from the words for a right value and the function that recognises one.
--- domain  `accept` returns the value to use, which it may convert, or nil to refuse and, where that
---   says more, other words for a right value
function M.rule(default, expected, accept)
  return repr.record("Rule", { default = default, expected = expected, accept = accept })
end

--- The same rule for a value that may be missing; it is then nil.
function M.optional(rule)
  return repr.record("Rule", { expected = rule.expected, accept = rule.accept, optional = true })
end

local function range_text(noun, min, max)
  if min ~= nil and max ~= nil then
    return ("%s from %s to %s"):format(noun, min, max)
  elseif min ~= nil then
    return ("%s >= %s"):format(noun, min)
  elseif max ~= nil then
    return ("%s <= %s"):format(noun, max)
  end
  return noun
end

-- NaN fails every comparison, so the widest range refuses it without a case of its own.
local function in_range(value, min, max)
  return value >= (min or -math.huge) and value <= (max or math.huge)
end

--- A rule for a number within inclusive bounds.
--- domain  infinities that lie within the bounds; never NaN
function M.number(default, min, max)
  return M.rule(default, range_text("a number", min, max), function(value)
    return type(value) == "number" and in_range(value, min, max) and value or nil
  end)
end

--- A rule for a number above 0, which may be infinite.
function M.positive(default)
  return M.rule(default, "a number > 0", function(value)
    return type(value) == "number" and value > 0 and value or nil
  end)
end

--- A rule for an integer within inclusive bounds; a float of integral value (3.0) is converted.
function M.integer(default, min, max)
  return M.rule(default, range_text("an integer", min, max), function(value)
    local integer = type(value) == "number" and math.tointeger(value)
    return integer and in_range(integer, min, max) and integer or nil
  end)
end

local function of_type(kind, expected)
  return function(default)
    return M.rule(default, expected, function(value)
      if type(value) == kind then
        return value
      end
    end)
  end
end

--- A rule for true or false.
M.boolean = of_type("boolean", "true or false")

local function without_zero_bytes(noun)
  return function(default)
    return M.rule(default, "a string", function(value)
      if type(value) ~= "string" then
        return nil
      elseif value:find("\0", 1, true) then
        return nil, noun .. " without zero bytes"
      end
      return value
    end)
  end
end

--- A rule for a string without zero bytes.
M.string = without_zero_bytes("a string")

--- A rule for a path, a string without zero bytes.
M.path = without_zero_bytes("a path")

--- A rule for a function.
M.func = of_type("function", "a function")

--- Is `value` a function, or called as one: a module, a class, any value but a tensor whose
--- metatable has `__call`?
function M.is_callable(value)
  local metatable = getmetatable(value)
  return type(value) == "function"
    or type(metatable) == "table" and metatable.__call ~= nil and not core.is_tensor(value)
end

--- Is `value` a table in which all these names are those of functions?
function M.has_methods(value, ...)
  for _, name in ipairs { ... } do
    if type(value) ~= "table" or type(value[name]) ~= "function" then
      return false
    end
  end
  return true
end

--- A rule for the ranks of a run under `mpirun`.
function M.mpi()
  return M.rule(nil, "wrun.mpi", function(value)
    return M.has_methods(value, "sum_shards", "barrier") and value or nil
  end)
end

--- A rule for what `is_callable`.
function M.callable(default)
  return M.rule(default, "a function", function(value)
    return M.is_callable(value) and value or nil
  end)
end

--- A rule for a table.
M.table = of_type("table", "a table")

--- A rule for one of the strings in `choices`.
function M.choice(default, choices)
  local known = {}
  for _, choice in ipairs(choices) do
    known[choice] = choice
  end
  local expected = table.concat(choices, ", "):gsub(", ([^,]*)$", " or %1")
  return M.rule(default, expected, function(value)
    return known[value]
  end)
end

local DTYPES = { "bool", "uint8", "int32", "int64", "float32", "float64" }
local MOST = 2.0 ^ 57 -- elements of which even the widest kind can be counted in bytes
local FLOATS = { float32 = true, float64 = true }

--- A rule for the name of a dtype.
function M.dtype(default)
  return M.choice(default, DTYPES)
end

--- A rule for the name of a dtype of floats.
function M.float_dtype(default)
  return M.choice(default, { "float32", "float64" })
end

--- A rule for a tensor of any dtype and shape.
function M.tensor()
  return M.rule(nil, "a tensor", function(value)
    return core.is_tensor(value) and value or nil
  end)
end

local A_VALUE = "a value"

--- A rule for a value that is only passed on, and checked by the function that uses it.
function M.passed_on()
  return M.rule(nil, A_VALUE, function(value)
    return value
  end)
end

local GENERATOR = getmetatable(core.default_generator)

--- A rule for an option `generator`, which may be missing.
function M.generator()
  return M.optional(M.rule(nil, "a generator", function(value)
    return getmetatable(value) == GENERATOR and value or nil
  end))
end

-- Judgement ------------------------------------------------------------------

local function describe(value, depth)
  local is_list = type(value) == "table" and math.type(rawget(value, 1)) and rawlen(value) <= 4
  if is_list and depth < 4 then
    local items = {}
    for i = 1, rawlen(value) do
      items[i] = describe(rawget(value, i), depth + 1)
    end
    return "{" .. table.concat(items, ", ") .. "}"
  end
  return core.describe(value)
end

--- Says what a value is, as errors put it: `the string 'max'`, `{0.9, 1.5}`, `a bool tensor [2]`.
function M.describe(value)
  return describe(value, 1)
end

local MOST_NESTED = 100

--- Refuses tables that lie deeper in one another than any do on purpose: one may lie in itself.
function M.nesting(fname, depth)
  if depth > MOST_NESTED then
    fail("%s: expected tables at most %d deep in one another, got deeper ones or one in itself",
      fname, MOST_NESTED)
  end
end

local function judge(fname, kind, name, value, rule)
  local accepted, expected
  if value == nil then
    if rule.default ~= nil or rule.optional then
      return rule.default
    end
  else
    accepted, expected = rule.accept(value)
  end
  if accepted == nil then
    fail("%s: %s %s: expected %s, got %s", fname, kind, name, expected or rule.expected,
      M.describe(value))
  end
  return accepted
end

--- Returns a positional argument that obeys `rule`, or the rule's default when it is nil.
---     local n = check.argument("Linear", 1, n, check.integer(nil, 0))
function M.argument(fname, index, value, rule)
  return judge(fname, "argument", index, value, rule)
end

--- Returns a positional argument that is true or false, or `default` when it is nil.
---@param default boolean?  false
function M.flag(fname, index, value, default)
  if value == nil then
    return default or false
  elseif type(value) ~= "boolean" then
    fail("%s: argument %d: expected true or false, got %s", fname, index, M.describe(value))
  end
  return value
end

--- Refuses a positional argument that is no tensor; quicker than `argument`.
function M.tensor_argument(fname, index, value)
  if not core.is_tensor(value) then
    fail("%s: argument %d: expected a tensor, got %s", fname, index, M.describe(value))
  end
end

--- Returns dimension d (from 1, or from the end) of a tensor of n dimensions, counted from 1; a
--- number without dimensions takes 1 and -1.
--- domain  `index`: the index of the argument, from 1, or the name of an option
function M.dimension(fname, index, d, n)
  n = math.max(n, 1)
  if math.type(d) ~= "integer" or d == 0 or d > n or d < -n then
    local kind = type(index) == "string" and "option" or "argument"
    fail("%s: %s %s: expected a dimension from 1 to %d or from -%d to -1, got %s", fname, kind,
      index, n, n, M.describe(d))
  end
  return d < 0 and n + d + 1 or d
end

--- Is x a tensor of floats, or the name of a dtype of floats?
function M.is_float(x)
  return FLOATS[core.is_tensor(x) and x.dtype or x] or false
end

--- Is x a tensor of floats?
M.is_float_tensor = core.is_float_tensor

--- Refuses a positional argument that is no tensor of floats.
function M.float_argument(fname, index, x)
  if not M.is_float_tensor(x) then
    fail("%s: argument %d: expected a float32 or float64 tensor, got %s", fname, index,
      M.describe(x))
  end
end

--- Returns the values of a list up to the first that is nil, in a new table: what its metatable
--- says of its length and of what it has may never end.
function M.list(list)
  local values, i = {}, 1
  while rawget(list, i) ~= nil do
    values[i], i = rawget(list, i), i + 1
  end
  return values
end

--- Returns the values of a list as `list`, and refuses a table that has keys besides, which nobody
--- would read; any other value is the only one of its list.
---@param noun string  what the values are
function M.plain_list(fname, index, value, noun)
  if type(value) ~= "table" then
    return { value }
  end
  for key in next, value do
    if type(key) == "string" then
      fail("%s: argument %d: expected only %s in this table, without names", fname, index, noun)
    end
  end
  return M.list(value)
end

--- Returns the arguments in a table as `table.pack` would, with their number in n: its own n, for
--- which some may be nil, or its length.
function M.packed(fname, index, list)
  M.argument(fname, index, list, M.table())
  local n = list.n or rawlen(list)
  if math.type(n) ~= "integer" or n < 0 or n > 100000 then
    fail("%s: argument %d: expected a table of at most 100000 arguments, got n = %s", fname, index,
      M.describe(n))
  end
  return table.move(list, 1, n, 1, { n = n })
end

--- Returns a positional argument, a table of one or more tensors, as a list of its own; refuses
--- anything else.
function M.tensors(fname, index, list)
  local tensors = type(list) == "table" and M.plain_list(fname, index, list, "tensors") or {}
  if #tensors == 0 then
    fail("%s: argument %d: expected a table of one or more tensors, got %s", fname, index,
      core.describe(list))
  end
  for i, x in ipairs(tensors) do
    if not core.is_tensor(x) then
      fail("%s: tensor %d: expected a tensor, got %s", fname, i, core.describe(x))
    end
  end
  return tensors
end

--- Refuses sizes of a result that no tensor has: a count that a script gave may be any number.
--- domain  numbers of 0 or more, also floats, which do not wrap
function M.sizes(fname, sizes)
  local count, texts = 1.0, {}
  for i, size in ipairs(sizes) do
    count, texts[i] = count * math.max(size, 1), ("%.0f"):format(size)
  end
  if count > MOST then
    fail("%s: the sizes overflow: [%s]", fname, table.concat(texts, ", "))
  end
end

local function by_text(a, b)
  return tostring(a) < tostring(b)
end

--- Returns the keys of a table in the order of `before`, or of their texts.
function M.sorted_keys(t, before)
  local keys = {}
  for key in pairs(t) do
    keys[#keys + 1] = key
  end
  table.sort(keys, before or by_text)
  return keys
end

local function refuse_unknown(fname, given, rules)
  for _, name in ipairs(M.sorted_keys(given)) do
    if rules[name] == nil then
      local known = M.sorted_keys(rules)
      local remedy = #known > 0 and "the options are " .. table.concat(known, ", ")
        or "there are no options"
      fail("%s: option %s: unknown; %s", fname, name, remedy)
    end
  end
end

local NAMED = { boolean = true, number = true, string = true }

-- What to write for a value in place of the table of options: its name, or those that may have it.
local function named(value, rules)
  local fitting = {}
  for _, name in ipairs(NAMED[type(value)] and M.sorted_keys(rules) or {}) do
    local rule = rules[name]
    fitting[#fitting + 1] = rule.expected ~= A_VALUE and rule.accept(value) ~= nil and name or nil
  end
  if #fitting == 0 then
    return ""
  end
  local text = type(value) == "string" and ("'%s'"):format(value) or M.describe(value)
  local name = #fitting == 1 and fitting[1] or "NAME"
  return ("; write { %s = %s }%s"):format(name, text, #fitting == 1 and ""
    or ", NAME one of " .. table.concat(fitting, ", "))
end

--- Returns a fresh table with a value for every rule: the given one, or the rule's default.
--- domain  `given` is a table or nil; false is a value, nil is none
---     local o = check.options("SGD", given, { lr = check.number(1e-3, 0) })
function M.options(fname, given, rules)
  if given ~= nil and type(given) ~= "table" then
    local is_class = core.is_tensor(given) and fname:find("^%u")
    fail("%s: expected a table of options, got %s%s", fname, M.describe(given), is_class
      and ("; make it first and call that: %s()(tensor)"):format(fname) or named(given, rules))
  end
  given = given or {}
  refuse_unknown(fname, given, rules)
  local result = {}
  for _, name in ipairs(M.sorted_keys(rules)) do
    result[name] = judge(fname, "option", name, given[name], rules[name])
  end
  return repr.record("Options", result)
end

return M
