--- Twenty steps of SGD and Adam beside PyTorch's (spec/fixtures/make_optim.py made the paths).

local near = require "spec.support.near"
local wrun = require "wrun"

local fixture = require "spec.fixtures.optim"

-- Twenty steps of a few roundings each, on values of size 1 to 10.
local PATH = { float64 = { rtol = 1e-13, atol = 1e-13 }, float32 = { rtol = 2e-6, atol = 2e-6 } }

local function problem(dtype)
  local t = {}
  for name, values in pairs(fixture.problem) do
    t[name] = wrun.tensor(values, { dtype = dtype })
  end
  return t
end

local function loss_of(t, step)
  local a = (t.ca * (t.a - t.da) ^ 2):sum()
  local b = (t.cb * (t.b - t.db) ^ 2):sum()
  return t.scale[(step - 1) % 4 + 1] * (a + b)
end

local function optimizer_for(case, params)
  local given = params
  if case.groups then
    given = {}
    for i, group in ipairs(case.groups) do
      given[i] = { params = { params[i] } }
      for name, value in pairs(group) do
        given[i][name] = value
      end
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

for _, case in ipairs(fixture.cases) do
  describe(case.class, function()
    local how = text(case.options) .. (case.groups and " groups " .. text(case.groups) or "")
      .. (case.lr_from and " with a schedule" or "")
    it(("takes PyTorch's path in %s with %s"):format(case.dtype, how), function()
      local t = problem(case.dtype)
      local params = { t.a, t.b, t.idle }
      for _, parameter in ipairs(params) do
        parameter:requires_grad_(true)
      end
      local optimizer = optimizer_for(case, params)
      for step, want in ipairs(case.path) do
        if case.lr_from and case.lr_from[step] then
          set_rate(optimizer, case.lr_from[step])
        end
        optimizer:zero_grad()
        loss_of(t, step):backward()
        optimizer:step()
        local got = {}
        for _, parameter in ipairs(params) do
          table.move(near.flat(parameter), 1, parameter:numel(), #got + 1, got)
        end
        near.lists(want, got, PATH[case.dtype])
      end
    end)
  end)
end
