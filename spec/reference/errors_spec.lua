--- What a function raises, read from its source.

local errors = require "wrun.reference.errors"

local SAMPLE = [[
local check = require "wrun.check"
local other = require "other"

local COUNT = check.integer(nil, 1)
local RULES = { lr = check.number(0.1, 0), any = check.passed_on() }
local EVEN = check.rule(nil, "an even number", function(value)
  return value % 2 == 0 and value or nil
end)

local function square(fname, x)
  if x:size(1) ~= x:size(2) then
    fail("%s: expected a square matrix, got %s", fname, check.shape_text(x))
  end
end

function M.steps(n, options)
  n = check.argument("steps", 1, n, COUNT)
  return n, check.options("steps", options, RULES) -- fail("%s: no code", n)
end

function M.pair(a, b)
  check.tensor_argument("pair", 1, a)
  check.tensor_argument("pair", 2, b)
  square("pair", a)
end

function M.even(n, d)
  other.deeper("even", n)
  other.silent(n)
  check.argument("even", 2, d, EVEN)
  return check.dimension("even", 3, d, n)
end

function Thing:run(count)
  fail("%s: step %d: expected %s; then more", self.__name, count, self.names[1])
end

function M.nothing(x)
  return x
end
]]

local OTHER = [[
local M = {}
function M.deeper(fname, n)
  fail("%s: argument 1: expected at least %d", fname, n)
end
function M.silent(n)
  fail("silent: argument 1: expected %d", n)
end
]]

local CHECK = [[
function M.tensor_argument(fname, index, value)
  fail("%s: argument %d: expected a tensor, got %s", fname, index, M.describe(value))
end
]]

local sources = {
  sample = errors.parse(SAMPLE),
  other = errors.parse(OTHER),
  ["wrun.check"] = errors.parse(CHECK),
}

describe("what a function raises", function()
  local function raises(messages, path)
    assert.same(messages, errors.of(sources, "sample", path))
  end

  it("is what its rules refuse; a rule that takes anything refuses nothing", function()
    raises({
      "`steps: argument 1: expected an integer >= 1`", "`steps: option lr: expected a number >= 0`",
    }, "M.steps")
  end)

  it("is what the functions say that it hands its name to, of like arguments once", function()
    raises({ "`pair: argument N: expected a tensor`", "`pair: expected a square matrix`" },
      "M.pair")
    raises({
      "`even: argument 1: expected at least N`", "`even: argument 2: expected an even number`",
      "`even: argument 3: expected a dimension`",
    }, "M.even")
  end)

  it("has words in capitals for what the call decides", function()
    raises({ "`NAME: step N: expected`" }, "Thing:run")
  end)

  it("is nothing where nothing is raised, or nothing is known", function()
    raises({}, "M.nothing")
    raises({}, "M.unknown")
  end)
end)
