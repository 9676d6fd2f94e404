--- What the reference says of an elementwise operation: all of it comes from its row of
--- runtime/kernels/ops.def.

local core = require "wrun.core"

local M = {}

local KINDS = {
  numeric = "any dtypes; the result has their common one",
  counting = "any dtypes; the result has their common one, int64 for bool",
  division = "any dtypes, integers not by 0; the result has their common one",
  power = "any dtypes, integers not to a negative power; the result has their common one",
  signed = "any dtypes but bool; the result has their common one",
  floating = "float32 and float64; other dtypes are computed as float32",
  boolean = "any dtypes; the result is bool",
  bitwise = "bool and integers, never floats; the result has their common dtype",
  shift = "integers; the result has their common dtype",
  select = "a bool; b and c any dtypes, the result has their common one",
}

-- what operations of a kind refuse besides
local REFUSALS = {
  division = "`%s: argument 2: expected no zero`",
  power = "`%s: argument 2: expected no negative power`",
  signed = "`%s: bool tensors have no sign`",
  bitwise = "`%s: argument N: expected a tensor of integers or bool`",
  shift = "`%s: bool tensors have no bits to move`",
}

local ARGUMENTS = { { "x" }, { "a", "b" }, { "a", "b", "c" } }
local SHAPES = { "x [...] -> same", "a and b broadcast", "a, b and c broadcast" }

-- five numbers of the row's range go in
local EXAMPLES = {
  "print(wrun.linspace(%s, %s, 5):%s())",
  "print(wrun.linspace(%s, %s, 5):%s(2))",
  "print(wrun.linspace(%s, %s, 5):%s(1, 2))",
  select = "local x = wrun.linspace(%s, %s, 5)\nprint(wrun.%s(x:gt(0), x, 0))",
  bitwise = "print(wrun.linspace(%s, %s, 5):long():%s(2))",
  shift = "print(wrun.linspace(%s, %s, 5):long():%s(2))",
}

local BOUNDS = "A bound that is nil does not bind; both may be given as { min = b, max = c }."

--- "b is -1 and c is 1 unless given."
local function default_values(row, names)
  local values = {}
  for i, value in ipairs(row.defaults) do
    values[i] = names[i + 1] .. " is " .. core.number_text(value)
  end
  return table.concat(values, " and ") .. " unless given."
end

--- Returns the entry that a row documents, as wrun.reference.comments would find it.
--- domain  a row of core.elementwise_rows()
function M.entry(row)
  local is_question = row.doc:find("%?$")
  local in_place = core.elementwise[row.name .. "_"] ~= nil
  local names, params = ARGUMENTS[row.arity], {}
  for i, name in ipairs(names) do
    local kind = i == 1 and "wrun.Tensor" or "wrun.Tensor|number"
    local is_optional = i > 1 and (row.has_bounds or row.defaults ~= nil)
    params[i] = { name = name, type = kind, text = "", optional = is_optional }
  end
  local raises = { ("`%s: argument 1: expected a tensor`"):format(row.name) }
  if row.arity > 1 then
    raises[2] = ("`%s: argument 2: expected a shape that broadcasts`"):format(row.name)
  end
  if REFUSALS[row.kind] then
    raises[#raises + 1] = REFUSALS[row.kind]:format(row.name)
  end
  if in_place then
    raises[#raises + 1] = ("in place `%s_: argument 1: ... cannot hold`"):format(row.name)
  end
  local text = {
    in_place and ("Elementwise; %s_ puts the result in the first argument."):format(row.name)
      or "Elementwise.",
  }
  text[2] = row.has_bounds and BOUNDS or row.defaults and default_values(row, names) or nil
  local domain = KINDS[row.kind]
  if row.ulp and row.ulp > 0.5 then
    local ulp = core.number_text(row.ulp)
    domain = ("%s; float32 within %s units in the last place"):format(domain, ulp)
    if row.ulp_size > 0 then
      local size = core.number_text(row.ulp_size)
      domain = ("%s, those of %s where it is smaller"):format(domain, size)
    end
  end
  return {
    module = "runtime/kernels/ops.def",
    line = 0,
    path = row.name,
    summary = is_question and row.doc:gsub("^%l", string.upper) or "Returns " .. row.doc .. ".",
    text = text,
    parts = {
      shapes = SHAPES[row.arity],
      domain = domain,
      raises = table.concat(raises, "; "),
    },
    params = params,
    returns = { { type = "wrun.Tensor", text = "" } },
    fields = {},
    example = (EXAMPLES[row.kind] or EXAMPLES[row.arity])
      :format(core.number_text(row.low), core.number_text(row.high), row.name),
    arguments = names,
  }
end

return M
