--- What came of a study: means and deviations over the seeds, the best, what each option moves.

local check = require "wrun.check"
local grid = require "wrun.sweep.grid"

local options_text, value_text = grid.options_text, grid.value_text

local M = {}

-- The options without the seed, as text: what groups runs.
local function key_of(options)
  local others = {}
  for name, value in pairs(options) do
    others[name] = name ~= "seed" and value or nil
  end
  return options_text(others), others
end

local function mean_of(list)
  local sum = 0
  for _, value in ipairs(list) do
    sum = sum + value
  end
  return sum / #list
end

-- Of a sample: by n - 1.
local function deviation_of(list)
  local mean, sum = mean_of(list), 0
  for _, value in ipairs(list) do
    sum = sum + (value - mean) ^ 2
  end
  return #list > 1 and math.sqrt(sum / (#list - 1)) or 0.0
end

local function add_groups(self)
  local group_of = {}
  for _, row in ipairs(self.rows) do
    local key, options = key_of(row.options)
    local group = group_of[key]
    if not group then
      group = { options = options, count = 0, numbers = {}, mean = {}, deviation = {} }
      group_of[key] = group
      self.groups[#self.groups + 1] = group
    end
    if row.status == "finished" then
      group.count = group.count + 1
      for name, value in pairs(row.values) do
        if type(value) == "number" then
          group.numbers[name] = group.numbers[name] or {}
          table.insert(group.numbers[name], value)
        end
      end
    end
  end
  for _, group in ipairs(self.groups) do
    for name, list in pairs(group.numbers) do
      group.mean[name], group.deviation[name] = mean_of(list), deviation_of(list)
    end
    group.numbers = nil
  end
end

-- The numbers that the runs returned, by name.
local function measures_of(self)
  local found = {}
  for _, group in ipairs(self.groups) do
    for name in pairs(group.mean) do
      found[name] = true
    end
  end
  return check.sorted_keys(found)
end

local function add_best(self, o)
  local measures = measures_of(self)
  self.by = o.maximize or o.minimize or #measures == 1 and measures[1] or nil
  local sign = o.maximize and -1 or 1
  for _, group in ipairs(self.by and self.groups or {}) do
    local value = group.mean[self.by]
    if value and value == value
      and (not self.best or sign * value < sign * self.best.mean[self.by]) then
      self.best = group
    end
  end
end

-- How the mean of what counts moves with each option, over all others.
local function add_effects(self)
  local first = self.groups[1] and self.groups[1].options or {}
  for _, name in ipairs(check.sorted_keys(first)) do
    local numbers, order = {}, {}
    for _, group in ipairs(self.groups) do
      local value, mean = group.options[name], self.by and group.mean[self.by]
      if value ~= nil and mean then
        if not numbers[value] then
          numbers[value], order[#order + 1] = {}, value
        end
        table.insert(numbers[value], mean)
      end
    end
    if #order > 1 then
      local effect = { name = name, values = order, means = {} }
      for i, value in ipairs(order) do
        effect.means[i] = mean_of(numbers[value])
      end
      effect.size = math.max(table.unpack(effect.means)) - math.min(table.unpack(effect.means))
      self.effects[#self.effects + 1] = effect
    end
  end
  table.sort(self.effects, function(a, b)
    return a.size > b.size or a.size == b.size and a.name < b.name
  end)
end

--- Adds groups, best and effects to a study, as its options `minimize` and `maximize` say.
function M.add(self, o)
  add_groups(self)
  add_best(self, o)
  add_effects(self)
end

-- The options that have more than one value.
local function varied(self)
  local first, found = self.groups[1] and self.groups[1].options or {}, {}
  for _, group in ipairs(self.groups) do
    for name, value in pairs(group.options) do
      found[name] = found[name] or first[name] ~= value or nil
    end
  end
  return check.sorted_keys(found)
end

local function number_text(value)
  return ("%.4g"):format(value)
end

-- Lines of cells, each column as wide as its widest.
local function aligned(rows)
  local widths, lines = {}, {}
  for _, row in ipairs(rows) do
    for i, text in ipairs(row) do
      widths[i] = math.max(widths[i] or 0, utf8.len(text) or #text)
    end
  end
  for n, row in ipairs(rows) do
    local cells = {}
    for i, text in ipairs(row) do
      cells[i] = text .. (" "):rep(widths[i] - (utf8.len(text) or #text))
    end
    lines[n] = table.concat(cells, "  "):gsub(" +$", "")
  end
  return lines
end

local function group_cells(self, group, options, measures)
  local cells = {}
  for i, name in ipairs(options) do
    cells[i] = group.options[name] == nil and "" or value_text(group.options[name])
  end
  cells[#cells + 1] = tostring(group.count)
  for _, name in ipairs(measures) do
    cells[#cells + 1] = group.mean[name] and ("%s ± %s"):format(number_text(group.mean[name]),
      number_text(group.deviation[name])) or "-"
  end
  cells[#cells + 1] = group == self.best and "<- best " .. self.by or nil
  return cells
end

--- The table, and a line for each effect and each failure.
function M.text(self)
  local options, measures = varied(self), measures_of(self)
  local heads = table.move(options, 1, #options, 1, {})
  heads[#heads + 1] = "runs"
  local rows = { table.move(measures, 1, #measures, #heads + 1, heads) }
  for _, group in ipairs(self.groups) do
    rows[#rows + 1] = group_cells(self, group, options, measures)
  end
  local lines = aligned(rows)
  for _, effect in ipairs(self.effects) do
    local parts = {}
    for i, value in ipairs(effect.values) do
      parts[i] = ("%s %s"):format(value_text(value), number_text(effect.means[i]))
    end
    lines[#lines + 1] = ("%s moves %s by %s: %s"):format(effect.name, self.by,
      number_text(effect.size), table.concat(parts, ", "))
  end
  for i, row in ipairs(self.rows) do
    if row.status == "failed" then
      lines[#lines + 1] = ("run %d (%s) failed: %s"):format(i, options_text(row.options),
        row.message:match("^[^\n]*"))
    end
  end
  local unfinished = #self:unfinished()
  if unfinished > 0 then
    lines[#lines + 1] = ("%d of %d runs are not finished%s"):format(unfinished, #self.rows,
      self.job and "; sbatch " .. self.job or "")
  end
  return check.escape(table.concat(lines, "\n"))
end

return M
