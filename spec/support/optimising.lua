--- What the specs of optimisers share: steps with given gradients, and what must be true of each.

local assert = require "luassert"
local busted = require "busted"
local fixture = require "spec.fixtures.optim"
local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local describe, it = busted.describe, busted.it
local optim = wrun.optim

local M = {}

--- Returns a float64 leaf of the given values that requires a gradient.
function M.parameter(...)
  return wrun.tensor({ ... }, { dtype = "float64", requires_grad = true })
end

--- Gives p the gradients in turn, a step each, and returns its value after every step.
function M.path(optimizer, p, gradients)
  local values = {}
  for i, gradient in ipairs(gradients) do
    p.grad = wrun.tensor({ gradient }, { dtype = "float64" })
    optimizer:step()
    values[i] = p:item()
  end
  return values
end

--- Options, groups and schedules in order of name, so that a title is the same every time.
function M.text(value)
  if type(value) ~= "table" then
    return tostring(value)
  end
  local parts = {}
  for name, inner in pairs(value) do
    parts[#parts + 1] = (math.type(name) and "" or name .. "=") .. M.text(inner)
  end
  table.sort(parts)
  return "{" .. table.concat(parts, " ") .. "}"
end

-- Twenty steps beside PyTorch's ----------------------------------------------

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
  return optim[case.class](given, case.options)
end

local function set_rate(optimizer, lr)
  for _, group in ipairs(optimizer.param_groups) do
    group.lr = lr
  end
end

local function values_of(params)
  local values = {}
  for _, parameter in ipairs(params) do
    table.move(near.flat(parameter), 1, parameter:numel(), #values + 1, values)
  end
  return values
end

local function replay(case)
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
end

local function takes_the_paths_of_pytorch(class)
  for _, case in ipairs(fixture.cases) do
    if case.class == class then
      local how = M.text(case.options) .. (case.groups and " groups " .. M.text(case.groups) or "")
        .. (case.lr_from and " with a schedule" or "")
      local tag = next(case.options) and " #many" or ""
      it(("takes PyTorch's path in %s with %s%s"):format(case.dtype, how, tag), function()
        replay(case)
      end)
    end
  end
end

local function has_the_defaults_of_pytorch(class)
  for _, entry in ipairs(fixture.defaults) do
    if entry.class == class then
      it("has PyTorch's defaults", function()
        assert.same(entry.options, optim[class]({ wrun.zeros(1) }).defaults)
      end)

      it("prints as PyTorch does, but for groups that count from 1", function()
        assert.equal(entry.text, tostring(optim[class]({ wrun.zeros(1) }, { lr = 0.1 * 3 })))
      end)
    end
  end
end

-- State ----------------------------------------------------------------------

--- Returns an optimiser of two parameters in two groups, and the parameters.
function M.twin(options, make)
  local p, q = M.parameter(1, -2), M.parameter(4)
  return make({ { params = { p } }, { params = { q }, lr = 0.5 } }, options), { p, q }
end

--- Makes steps whose gradients follow from the parameters, and returns the parameters' values.
function M.steps(optimizer, parameters, count)
  local result = {}
  for i = 1, count do
    for _, p in ipairs(parameters) do
      p.grad = p:detach() * i + 1
    end
    optimizer:step()
  end
  for i, p in ipairs(parameters) do
    result[i] = p:tolist()
  end
  return result
end

local function copy_values(from, to)
  wrun.no_grad(function()
    for i, p in ipairs(to) do
      p:copy_(from[i])
    end
  end)
end

local function resumes(make, options)
  local one, one_parameters = M.twin(options, make)
  M.steps(one, one_parameters, 8)
  local two, two_parameters = M.twin({}, make)
  copy_values(one_parameters, two_parameters)
  two:load_state_dict(one:state_dict())
  assert.same(M.steps(one, one_parameters, 8), M.steps(two, two_parameters, 8))
  local three, three_parameters = M.twin(options, make)
  copy_values(two_parameters, three_parameters)
  assert.not_same(M.steps(two, two_parameters, 8), M.steps(three, three_parameters, 8))
end

-- Gradients ------------------------------------------------------------------

local function takes_gradients_as_they_lie(make)
  local p = wrun.ones(2, 3, { requires_grad = true })
  local q = wrun.ones(2, 3, { requires_grad = true })
  local lying = wrun.tensor({ { 1.0, -2 }, { 3, 0.5 }, { -1, 0 } }):t()
  for _ = 1, 3 do
    p.grad, q.grad = lying, lying:contiguous()
    make({ p }, { lr = 0.1, maximize = true }):step()
    make({ q }, { lr = 0.1, maximize = true }):step()
  end
  assert.is_true(p:equal(q))
  assert.same({ { 1.0, 3.0, -1.0 }, { -2.0, 0.5, 0.0 } }, lying:tolist())
  assert.is_false(p:equal(wrun.ones(2, 3)))
end

-- What a spec of one optimiser says ------------------------------------------

--- The specs of an optimiser beside PyTorch, and what is true of all, with these options.
function M.follows_pytorch(class, options)
  describe(class, function()
    takes_the_paths_of_pytorch(class)
    has_the_defaults_of_pytorch(class)

  end)
  M.resumes(class, options)
end

--- The specs of an optimiser's state, resumed with these options, and of gradients however they lie.
function M.resumes(class, options)
  describe(class, function()
    it("resumes to the bit", function()
      resumes(optim[class], options)
    end)

    it("takes gradients as they lie, and leaves them so", function()
      takes_gradients_as_they_lie(optim[class])
    end)
  end)
end

--- The specs of an optimiser beside formula(value, gradients, options), which returns the values
--- after each step; `cases` are options by title.
function M.follows_formula(class, formula, cases)
  local gradients, close = { 0.5, -2, 3, 0.25, -0.125, 8, 0 }, { rtol = 1e-14, atol = 1e-15 }
  describe(class, function()
    for title, options in pairs(cases) do
      it("takes the steps of its formula " .. title, function()
        local p = M.parameter(1.5)
        local want = formula(1.5, gradients, options)
        near.lists(want, M.path(optim[class]({ p }, options), p, gradients), close)
      end)
    end
  end)
end

--- The specs of options that an optimiser refuses: by the end of the message, the options.
function M.refuses(class, cases)
  describe(class, function()
    for text, options in pairs(cases) do
      it("refuses other options: " .. text:match("^[^,]*"), function()
        assert.equal(class .. ": " .. text, refusal(optim[class], { M.parameter(1) }, options))
      end)
    end
  end)
end

return M
