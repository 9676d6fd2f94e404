--- Twenty steps of every optimiser beside PyTorch's (spec/fixtures/make_optim.py made the paths).

local near = require "spec.support.near"
local wrun = require "wrun"

local fixture = require "spec.fixtures.optim"

-- Twenty steps of a few roundings each, on values of size 1 to 10.
local PATH = { float64 = { rtol = 1e-13, atol = 1e-13 }, float32 = { rtol = 2e-6, atol = 2e-6 } }

local function problem(dtype)
  local t = {}
  for name, values in pairs(fixture.problem) do
    local options = { dtype = dtype }
    local is_empty = type(values) == "table" and #values == 0
    t[name] = is_empty and wrun.zeros(0, options) or wrun.tensor(values, options)
  end
  return t
end

local function loss_of(t, step)
  local a = (t.ca * (t.a - t.da) ^ 2):sum()
  local b = (t.cb * (t.b - t.db) ^ 2):sum()
  return t.scale[(step - 1) % 4 + 1] * (a + b + (t.c - 0.75) ^ 2 + t.none:sum())
end

-- One parameter to each group but the last, which takes the rest.
local function optimizer_for(case, params)
  local groups, given = case.groups or { {} }, {}
  for i, group in ipairs(groups) do
    given[i] = { params = i < #groups and params[i] or table.move(params, i, #params, 1, {}) }
    for name, value in pairs(group) do
      given[i][name] = value
    end
  end
  return wrun.optim[case.class](given, case.options)
end

local function set_rate(optimizer, lr)
  for _, group in ipairs(optimizer.param_groups) do
    group.lr = lr
  end
end

-- Options, groups and schedule in order of name, so that the title is the same every time.
local function text(value)
  if type(value) ~= "table" then
    return tostring(value)
  end
  local parts = {}
  for name, inner in pairs(value) do
    parts[#parts + 1] = (math.type(name) and "" or name .. "=") .. text(inner)
  end
  table.sort(parts)
  return "{" .. table.concat(parts, " ") .. "}"
end

local function values_of(params)
  local values = {}
  for _, parameter in ipairs(params) do
    table.move(near.flat(parameter), 1, parameter:numel(), #values + 1, values)
  end
  return values
end

for _, case in ipairs(fixture.cases) do
  describe(case.class .. (next(case.options) and " #many" or ""), function()
    local how = text(case.options) .. (case.groups and " groups " .. text(case.groups) or "")
      .. (case.lr_from and " with a schedule" or "")
    it(("takes PyTorch's path in %s with %s"):format(case.dtype, how), function()
      local t, checkpoint = problem(case.dtype), 1
      local params = { t.a, t.b, t.c, t.idle, t.none }
      for _, parameter in ipairs(params) do
        parameter:requires_grad_(true)
      end
      local optimizer = optimizer_for(case, params)
      for step = 1, fixture.steps[#fixture.steps] do
        if case.lr_from and case.lr_from[step] then
          set_rate(optimizer, case.lr_from[step])
        end
        optimizer:zero_grad()
        loss_of(t, step):backward()
        optimizer:step()
        if step == fixture.steps[checkpoint] then
          near.lists(case.path[checkpoint], values_of(params), PATH[case.dtype])
          checkpoint = checkpoint + 1
        end
      end
    end)
  end)
end

for _, entry in ipairs(fixture.defaults) do
  describe(entry.class, function()
    it("has PyTorch's defaults", function()
      assert.same(entry.options, wrun.optim[entry.class]({ wrun.zeros(1) }).defaults)
    end)

    it("prints as PyTorch does, but for groups that count from 1", function()
      local optimizer = wrun.optim[entry.class]({ wrun.zeros(1) }, { lr = 0.1 * 3 })
      assert.equal(entry.text, tostring(optimizer))
    end)
  end)
end
