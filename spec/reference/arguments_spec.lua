--- What a function's arguments are, read from its source.

local arguments = require "wrun.reference.arguments"
local check = require "wrun.check"
local errors = require "wrun.reference.errors"
local reference = require "wrun.reference"

local source = errors.parse([[
local check = require "wrun.check"

local COUNT = check.integer(nil, 1)
Thing.rules = { even = check.optional(check.choice(nil, { "a", "b" })) }

local function dimension_of(name, index, x, d)
  check.tensor_argument(name, 1, x)
  return check.dimension(name, index, d == nil and -1 or d, x.ndim)
end

function M.sort(x, d, descending, k)
  d = dimension_of("sort", 2, x, d)
  descending = check.flag("sort", 3, descending, true)
  return check.argument("sort", 4, k, check.integer(nil, 0, x:size(d)))
end

function M.steps(n, p, e, mode, far)
  n = check.argument("steps", 1, n, COUNT)
  p = check.argument("steps", 2, p, check.number(0.5))
  e = check.dimension("steps", 3, e or 1, 2)
  mode = check.argument("steps", 4, mode, Thing.rules.even)
  other.checked("steps", far)
end

function Thing:run(count)
  check.argument("run", 1, count, Thing.even)
  return self
end

function Thing:walk()
  local function inner() return self end
  return inner
end
]])

describe("what a function's arguments are", function()
  it("is what their rules accept, with the default of the rule or of the call", function()
    assert.same({
      n = { type = "integer", optional = false },
      p = { type = "number", default = 0.5, optional = true },
      e = { type = "integer", default = 1, optional = true },
    }, arguments.of(source, "M.steps"))
  end)

  it("is what the functions check that they are handed to", function()
    assert.same({
      x = { type = "wrun.Tensor" },
      d = { type = "integer", default = -1, optional = true },
      descending = { type = "boolean", default = true, optional = true },
      k = { type = "integer", optional = false },
    }, arguments.of(source, "M.sort"))
  end)

  it("is nothing where nothing is checked, or nothing is known", function()
    assert.same({}, arguments.of(source, "Thing:walk"))
    assert.same({}, arguments.of(source, "M.unknown"))
  end)

  it("has the type that a rule's words say, or its choices", function()
    local rules = {
      integer = check.integer(), number = check.positive(), boolean = check.boolean(),
      ["function"] = check.callable(), table = check.table(), ["wrun.Tensor"] = check.tensor(),
      string = check.choice(nil, { "mean", "sum" }),
    }
    for kind, rule in pairs(rules) do
      assert.equal(kind, arguments.type_of(rule))
      assert.is_true(arguments.has_type(rule))
    end
    assert.is_false(arguments.has_type(check.rule(nil, "one of those", function() end)))
    local calling = errors.evaluate('check.rule(nil, "a list", function(x) return as_list(x) end)',
      source)
    assert.is_false(arguments.has_type(calling))
  end)

  it("tells a method that returns its object", function()
    assert.is_true(arguments.returns_self(source, "Thing:run"))
    assert.is_false(arguments.returns_self(source, "Thing:walk"))
    assert.is_false(arguments.returns_self(source, "M.sort"))
  end)
end)

describe("the reference", function()
  local items = reference.items(reference.faces())

  local function texts(name)
    local entry, list = reference.documentation(items, items[name]), {}
    for i, param in ipairs(entry.params) do
      list[i] = ("%s: %s%s %s"):format(param.name, param.type, param.optional and "?" or "",
        param.text)
    end
    return list
  end

  it("has arguments from the checks in the source", function()
    assert.same({
      "x: wrun.Tensor ", "k: integer ", "d: integer? -1", "largest: boolean? true",
      "sorted: boolean? true",
    }, texts("wrun.topk"))
    assert.same({
      "in_features: integer ", "out_features: integer ",
      'options: { bias: boolean, bias_init: function|string, dtype: string, '
        .. 'generator: wrun.Generator, weight_init: function|string }? bias = true, '
        .. 'dtype = "float32"',
    }, texts("nn.Linear"))
  end)

  it("has the argument and the result of the core's functions", function()
    local entry = reference.documentation(items, items["wrun.clone"])
    assert.same({ "x: wrun.Tensor " }, texts("wrun.clone"))
    assert.equal("wrun.Tensor", entry.returns[1].type)
    assert.equal("any", reference.documentation(items, items["wrun.uniform_"]).parts.shapes)
  end)
end)
