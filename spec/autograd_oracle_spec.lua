--- First and second gradients beside PyTorch's values, which spec/fixtures/make_gradients.py made.

local cases = require "spec.support.cases"
local near = require "spec.support.near"
local wrun = require "wrun"

local gradients = require "spec.fixtures.gradients"

-- Both sides round in float64; a second gradient passes through a few hundred operations.
local FIRST = { rtol = 1e-11, atol = 1e-12 }
local SECOND = { rtol = 1e-10, atol = 1e-11 }

local function leaves()
  local environment, names, list = { wrun = wrun }, {}, {}
  for name in pairs(gradients.inputs) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    list[i] = wrun.tensor(gradients.inputs[name], { dtype = "float64", requires_grad = true })
    environment[name] = list[i]
  end
  return environment, names, list
end

-- An absent gradient and one of zeros mean the same.
local function compare(want, got, leaf, name, rule)
  if got == nil then
    got = wrun.zeros_like(leaf)
  end
  assert.same(leaf.shape, got.shape)
  want = want or near.flat(wrun.zeros_like(leaf))
  local ok, message = pcall(near.lists, want, near.flat(got), rule)
  assert(ok, ("d/d%s %s"):format(name, message))
end

local function total_of_squares(list, n)
  local total
  for i = 1, n do
    if list[i] ~= nil then
      local squares = (list[i] * list[i]):sum()
      total = total == nil and squares or total + squares
    end
  end
  return total
end

-- The gradients of `output`, by number; a leaf that plays no part has none.
local function gradients_of(output, list, create_graph)
  local options = { create_graph = create_graph, allow_unused = true }
  return table.pack(wrun.autograd.grad(output, list, options))
end

describe("gradients", function()
  for _, case in ipairs(gradients.cases) do
    it("of " .. case.y .. " are PyTorch's, and so are the gradients of those", function()
      local environment, names, list = leaves()
      local y = cases.evaluate(case.y, environment)
      local first = gradients_of((y * y):sum(), list, true)
      for i, name in ipairs(names) do
        compare(case.first[name], first[i], list[i], name, FIRST)
      end
      if case.second then
        local second = gradients_of(total_of_squares(first, #list), list, false)
        for i, name in ipairs(names) do
          compare(case.second[name], second[i], list[i], name, SECOND)
        end
      end
    end)
  end
end)
