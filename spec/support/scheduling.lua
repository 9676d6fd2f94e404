--- What the specs of schedulers share: small optimisers, and what must be true of each scheduler.

local assert = require "luassert"
local busted = require "busted"
local fixture = require "spec.fixtures.schedulers"
local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local text = require("spec.support.optimising").text
local wrun = require "wrun"

local describe, it = busted.describe, busted.it
local optim = wrun.optim
local lr_scheduler = optim.lr_scheduler

local M = {}

--- Returns an SGD of a group for each rate.
function M.sgd(...)
  local groups = {}
  for i, lr in ipairs({ ... }) do
    groups[i] = { params = wrun.zeros(1), lr = lr }
  end
  return optim.SGD(groups)
end

--- Returns the rates after more steps of a scheduler.
function M.after(scheduler, steps)
  for _ = 1, steps do
    scheduler:step()
  end
  return scheduler:get_last_lr()
end

-- Beside PyTorch's, and resumed in the middle --------------------------------

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

local function follows(case)
  local title = ("of %s with %s"):format(case.optimizer, text(case.options))
    .. (case.nudge and " and rates halved by hand" or "")
    .. (case.parts and ", " .. text(case.parts) or "")
  local steps = #case.rates - 1

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
end

--- The specs of a scheduler beside PyTorch.
function M.follows_pytorch(class)
  describe(class .. " #many", function()
    for _, case in ipairs(fixture.cases) do
      if case.class == class then
        follows(case)
      end
    end
  end)
end

--- The specs of options that a scheduler refuses, without a change of the rates: by the end of the
--- message, the options.
function M.refuses(class, cases)
  describe(class, function()
    for message, options in pairs(cases) do
      it("refuses other options, and the rates stay: " .. message:match("^[^,]*"), function()
        local optimizer = M.sgd(1, 2)
        assert.equal(class .. ": " .. message, refusal(lr_scheduler[class], optimizer, options))
        assert.same({ 1, 2 }, { optimizer.param_groups[1].lr, optimizer.param_groups[2].lr })
      end)
    end
  end)
end

return M
