--- The sets of options of a study: every combination of a grid, some drawn at random, or a list.

local check = require "wrun.check"
local core = require "wrun.core"
local method = require "wrun.method"
local wrun = require "wrun"

local fail = check.fail

local M = {}

---@class wrun.sweep.Draw
--- What a random study draws an option from.
local Draw = method.object("Draw")

-- "sweep.uniform(0, 1)"
function Draw:__tostring()
  return self.text
end

--- Can an option or a result be this?
function M.is_plain(value)
  local kind = type(value)
  return kind == "string" or kind == "boolean" or kind == "number" and value == value
end

--- "he", "0.1": a value as tables show it.
function M.value_text(value)
  return type(value) == "number" and core.number_text(value) or tostring(value)
end

--- "init he, lr 0.1"
function M.options_text(options)
  local parts = {}
  for i, name in ipairs(check.sorted_keys(options)) do
    parts[i] = name .. " " .. M.value_text(options[name])
  end
  return table.concat(parts, ", ")
end

--- What tells sets of options apart, of their SHA-256; 1 and 1.0 and "1" are three.
function M.digest_of(options)
  local parts = {}
  for _, name in ipairs(check.sorted_keys(options)) do
    local value = options[name]
    parts[#parts + 1] = ("%d:%s%s:%s;"):format(#name, name, math.type(value) or type(value),
      M.value_text(value))
  end
  return core.digest(parts):sub(1, 16)
end

-- The values of one option, a list, or what they are drawn from.
local function values_of(name, given, draws)
  if getmetatable(given) == Draw then
    return draws and given or fail("sweep: option %s: is drawn, which needs draws = N", name)
  end
  local list = type(given) == "table" and check.list(given) or { given }
  if type(name) == "string" and #list == 0 then
    fail("sweep: option %s: expected one value or more, got none", name)
  elseif type(name) ~= "string" then
    fail("sweep: argument 1: expected names with values or lists of them, got %s = %s",
      check.describe(name), check.describe(given))
  end
  for _, value in ipairs(list) do
    if not M.is_plain(value) then
      fail("sweep: option %s: expected numbers, texts and booleans, got %s", name,
        check.describe(value))
    end
  end
  return list
end

-- The names of a grid, in order, the seed last: its runs follow one another.
local function names_of(grid)
  local list = {}
  for _, name in ipairs(check.sorted_keys(grid)) do
    if name ~= "seed" then
      list[#list + 1] = name
    end
  end
  list[#list + 1] = grid.seed ~= nil and "seed" or nil
  return list
end

-- Every combination of the values, the last name's soonest.
local function product(order, values)
  local sets = { {} }
  for _, name in ipairs(order) do
    local longer = {}
    for _, set in ipairs(sets) do
      for _, value in ipairs(values[name]) do
        local more = { [name] = value }
        for key, known in pairs(set) do
          more[key] = known
        end
        longer[#longer + 1] = more
      end
    end
    sets = longer
  end
  return sets
end

-- So many sets, each with one value of each list, or a number between two bounds; every seed of each.
local function drawn(order, values, o)
  local generator, sets = wrun.Generator { seed = o.draw_seed }, {}
  local seeds = values.seed or { false }
  for _ = 1, o.draws do
    local set = {}
    for _, name in ipairs(order) do
      local u = wrun.rand(1, { generator = generator, dtype = "float64" }):item()
      local from = values[name]
      if name ~= "seed" then
        set[name] = getmetatable(from) == Draw and from.at(u) or from[math.floor(u * #from) + 1]
      end
    end
    for _, seed in ipairs(seeds) do
      sets[#sets + 1] = product({ "seed" }, { seed = { seed } })[1]
      sets[#sets].seed = seed or nil
      for name, value in pairs(set) do
        sets[#sets][name] = value
      end
    end
  end
  return sets
end

-- A list of sets of options as it was given.
local function listed(list)
  local sets = {}
  for i, given in ipairs(list) do
    sets[i] = {}
    for name, value in pairs(check.argument("sweep", 1, given, check.table())) do
      sets[i][name] = values_of(name, value)[1]
    end
  end
  return sets
end

--- The sets of options of a grid, with the options `draws` and `draw_seed` of the study.
function M.sets_of(grid, o)
  if rawget(grid, 1) ~= nil then
    return listed(check.list(grid))
  end
  local order, values = names_of(grid), {}
  for _, name in ipairs(order) do
    values[name] = values_of(name, grid[name], o.draws)
  end
  return o.draws and drawn(order, values, o) or product(order, values)
end

--- What draws numbers between two bounds: at(u) of a u between 0 and 1.
function M.draw(fname, low, high, least, at)
  fname = "sweep." .. fname
  check.argument(fname, 1, low, check.number(nil, least))
  check.argument(fname, 2, high, check.number())
  if not (low < high and high < math.huge and low > -math.huge) then
    fail("%s: argument 2: expected a finite number above %s, got %s", fname, M.value_text(low),
      check.describe(high))
  end
  local text = ("%s(%s, %s)"):format(fname, M.value_text(low), M.value_text(high))
  return setmetatable({ at = at, text = text }, Draw)
end

return M
