--- Every scheduler beside PyTorch's (spec/fixtures/make_schedulers.py), and resumed in the middle.

local near = require "spec.support.near"
local wrun = require "wrun"

local fixture = require "spec.fixtures.schedulers"

local optim = wrun.optim
local lr_scheduler = optim.lr_scheduler

-- Rates are numbers; those that follow from the last one gather a rounding or two each step.
local RATES = { rtol = 1e-12, atol = 1e-17 }

local FUNCTIONS = {
  slow = function(t)
    return 0.95 ^ t
  end,
  slope = function(t)
    return 1 / (1 + t)
  end,
  ninety = function()
    return 0.9
  end,
  third = function(t)
    return 1 - t / 30
  end,
  root = function(t)
    return (1 + t) ^ -0.5
  end,
}

local function called(value)
  if type(value) ~= "table" then
    return FUNCTIONS[value] or value
  end
  local list = {}
  for i, one in ipairs(value) do
    list[i] = called(one)
  end
  return list
end

local function options_of(case)
  local options = {}
  for name, value in pairs(case.options) do
    options[name] = called(value)
  end
  return options
end

local function make_optimizer(case)
  local groups = {}
  for i, lr in ipairs(fixture.rates) do
    groups[i] = { params = wrun.zeros(1), lr = lr }
  end
  return optim[case.optimizer](groups, case.optimizer == "SGD" and { momentum = 0.5 } or nil)
end

local function make_scheduler(case, optimizer)
  local options, class = options_of(case), lr_scheduler[case.class]
  if case.parts == nil then
    return class(optimizer, options)
  end
  local parts = {}
  for i, part in ipairs(case.parts) do
    parts[i] = lr_scheduler[part.class](optimizer, options_of(part))
  end
  if options.milestones == nil then
    return class(parts)
  end
  options.schedulers = parts
  return class(optimizer, options)
end

local function check_now(case, step, optimizer, scheduler)
  local rates, momentums = {}, {}
  for g, group in ipairs(optimizer.param_groups) do
    rates[g] = group.lr + 0.0
    momentums[g] = group.betas and group.betas[1] or group.momentum
  end
  near.lists(case.rates[step + 1], rates, RATES)
  near.lists(case.momentums[step + 1], momentums, RATES)
  near.lists(rates, scheduler:get_last_lr(), RATES)
  assert.equal(step, scheduler.last_epoch)
end

local function walk(case, optimizer, scheduler, first, last)
  for step = first, last do
    if step == case.nudge then
      for _, group in ipairs(optimizer.param_groups) do
        group.lr = group.lr / 2
      end
    end
    scheduler:step(case.measures and case.measures[step])
    check_now(case, step, optimizer, scheduler)
  end
end

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
  local title = ("of %s with %s"):format(case.optimizer, text(case.options))
    .. (case.nudge and " and rates halved by hand" or "")
    .. (case.parts and ", " .. text(case.parts) or "")
  local steps = #case.rates - 1
  describe(case.class .. " #many", function()
    it("sets PyTorch's rates " .. title, function()
      local optimizer = make_optimizer(case)
      local scheduler = make_scheduler(case, optimizer)
      check_now(case, 0, optimizer, scheduler)
      walk(case, optimizer, scheduler, 1, steps)
    end)

    it("goes on where it was saved " .. title, function()
      local half = steps // 2
      local before = make_optimizer(case)
      local first = make_scheduler(case, before)
      walk(case, before, first, 1, half)
      local optimizer = make_optimizer(case)
      local scheduler = make_scheduler(case, optimizer)
      optimizer:load_state_dict(before:state_dict())
      scheduler:load_state_dict(first:state_dict())
      walk(case, optimizer, scheduler, half + 1, steps)
    end)
  end)
end
