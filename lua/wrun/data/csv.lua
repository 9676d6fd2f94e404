--- Numbers in text files: comma-separated values and their kin.

local check = require "wrun.check"
local core = require "wrun.core"
local unrecorded = require "wrun.unrecorded"
local wrun = require "wrun"

local fail = check.fail

local M = {}

local PATH = check.path()

local SEPARATOR = check.rule(",",
  "one character, no quotation mark, no newline and none of numbers",
  function(value)
    return type(value) == "string" and value:find('^[^"\r\n%z0-9A-Za-z.+-]$') and value or nil
  end)

local READ = {
  separator = SEPARATOR,
  header = check.boolean(false),
  skip = check.integer(0, 0),
  columns = check.optional(check.table()),
  dtype = check.optional(check.dtype()),
  missing = check.choice("error", { "error", "nan" }),
}

-- The columns, as numbers, in the order that was asked for.
local function numbers_of(columns, names)
  local indices, numbers = {}, {}
  for i = #(names or {}), 1, -1 do
    indices[names[i]] = i
  end
  for i, column in ipairs(columns) do
    numbers[i] = indices[column] or math.type(column) == "integer" and column > 0 and column
    if not numbers[i] then
      fail("csv: option columns: expected indices from 1%s, got %s",
        names and " or names of the header" or "", check.describe(column))
    end
  end
  if #numbers == 0 then
    fail("csv: option columns: expected one column or more, got none")
  end
  return numbers
end

-- Each of the numbers once, in ascending order.
local function ascending(numbers)
  local sorted, list = { table.unpack(numbers) }, {}
  table.sort(sorted)
  for _, number in ipairs(sorted) do
    list[#list + 1] = number ~= list[#list] and number or nil
  end
  return list
end

-- The columns of x, which holds them in the order of the file, in the order that was asked for.
local function in_order(x, numbers)
  local indices, order = {}, {}
  local columns = ascending(numbers)
  for index, number in ipairs(columns) do
    indices[number] = index
  end
  for i, number in ipairs(numbers) do
    order[i] = indices[number]
  end
  x = x:reshape(-1, #columns)
  return table.concat(numbers, " ") == table.concat(columns, " ") and x
    or x:index_select(2, wrun.tensor(order))
end

--- Returns the numbers of a text file as a matrix, a row a line; and the names in its header.
--- Options:
---   separator  what stands between fields (","); " " stands for any run of blanks
---   header     is the first row names? (false)
---   skip       how many lines to pass over before anything else (0)
---   columns    which columns to return, in this order: indices from 1, or names (all)
---   dtype      float32 (default), float64, int64, int32, uint8 or bool
---   missing    an empty field is an "error" (default) or "nan"
--- shapes  n lines of m fields -> [n, m], or [n, #columns]
--- domain  decimal numbers, inf and nan; fields may stand in quotation marks; blank lines are
---   passed over, as is the text of columns that were not asked for; the file may be compressed
---   with gzip
--- raises  `csv: PATH: line L, column C: expected a number, got`; `csv: PATH: line L: expected N
---   fields`; `csv: PATH: ...` for a missing file
--- source  [RFC4180]
---     local path = os.tmpname()
---     data.save_csv(path, wrun.tensor({ { 1, 2.5 }, { 3, 4 } }), { header = { "a", "b" } })
---     local x, names = data.csv(path, { header = true })
---     print(x, names[2], os.remove(path))
---@return wrun.Tensor
---@return string[]? names  with header = true: of the columns that are returned
function M.csv(path, options)
  check.argument("csv", 1, path, PATH)
  local o, numbers = check.options("csv", options, READ), nil
  local x, rows, width, names = core.csv_read(path, o.dtype or "float32", o.separator, o.skip,
    o.missing == "nan", o.header, function(header)
      numbers = o.columns and numbers_of(o.columns, header)
      return numbers and ascending(numbers)
    end)
  if not x then
    fail("csv: %s", rows)
  end
  if not numbers then
    return x:reshape(rows, width), names
  end
  local chosen = {}
  for i, number in ipairs(numbers) do
    chosen[i] = names and names[number]
  end
  return in_order(x, numbers):reshape(rows, #numbers), names and chosen
end

local WRITE = { separator = SEPARATOR, header = check.optional(check.table()) }

--- Writes a matrix, or a vector as one column, to a text file, with as many digits as bring every
--- number back. Options: separator (","), header (a list of names).
--- shapes  x [n, m] or [n]
--- domain  any dtype; booleans as 0 and 1; the file is complete or not there
--- raises  `save_csv: PATH: ...` when it cannot be written
--- source  [RFC4180]
---     local path = os.tmpname()
---     data.save_csv(path, wrun.tensor({ 0.1, 1 / 3 }))
---     print(io.open(path):read("a"), os.remove(path))
---@param options { separator: string, header: string[] }?
function M.save_csv(path, x, options)
  check.argument("save_csv", 1, path, PATH)
  if not check.is_tensor(x) or x.ndim < 1 or x.ndim > 2 then
    fail("save_csv: argument 2: expected a matrix or a vector, got %s", check.describe(x))
  end
  local o = check.options("save_csv", options, WRITE)
  if x.ndim == 1 then
    x = x:reshape(-1, 1)
  end
  if x:size(2) == 0 then
    fail("save_csv: argument 2: expected at least one column, got %s", check.describe(x))
  end
  local names = o.header and rawlen(o.header) or 0
  for i = 1, o.header and math.max(names, x:size(2)) or 0 do
    if type(rawget(o.header, i)) ~= "string" or names ~= x:size(2) then
      fail("save_csv: option header: expected %d names, got %s", x:size(2),
        names ~= x:size(2) and names or check.describe(o.header[i]))
    end
  end
  local ok, message = core.csv_save(path, unrecorded.contiguous(x), o.separator, o.header)
  if not ok then
    fail("save_csv: %s", message)
  end
end

return M
