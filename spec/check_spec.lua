--- Rules for arguments and option tables, and what they say when broken.

local check = require "wrun.check"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local NAN = 0 / 0

local function option(rule, value)
  return check.options("f", { x = value }, { x = rule }).x
end

describe("check.options", function()
  local rules = {
    lr = check.number(0.1, 0),
    name = check.optional(check.string()),
    flag = check.boolean(true),
  }

  it("fills defaults and leaves optional values out", function()
    assert.same({ lr = 0.1, flag = true }, check.options("f", nil, rules))
    assert.same({ lr = 0.1, flag = true }, check.options("f", {}, rules))
  end)

  it("takes what is given, false included", function()
    assert.same({ lr = 3, flag = false, name = "a" },
      check.options("f", { lr = 3, flag = false, name = "a" }, rules))
  end)

  it("returns a table of its own", function()
    local given = { lr = 1 }
    local options = check.options("f", given, rules)
    options.lr = 2
    assert.equal(1, given.lr)
    assert.equal(0.1, check.options("f", nil, rules).lr)
  end)

  it("names an unknown option and lists the known ones in order", function()
    assert.equal("SGD: option momentun: unknown; the options are flag, lr, name",
      refusal(check.options, "SGD", { momentun = 0.9 }, rules))
    assert.equal("f: option 1: unknown; the options are flag, lr, name",
      refusal(check.options, "f", { 0.1 }, rules))
    assert.equal("ReLU: option inplace: unknown; there are no options",
      refusal(check.options, "ReLU", { inplace = true }, {}))
  end)

  it("reports the first of several mistakes by name", function()
    assert.equal("f: option a: unknown; the options are flag, lr, name",
      refusal(check.options, "f", { c = 1, a = 1, b = 1, lr = -1 }, rules))
    assert.equal("f: option flag: expected true or false, got 0",
      refusal(check.options, "f", { lr = -1, flag = 0 }, rules))
  end)

  it("refuses what is no table", function()
    assert.equal("f: expected a table of options, got 0.1; write { lr = 0.1 }",
      refusal(check.options, "f", 0.1, rules))
    assert.equal("f: expected a table of options, got a float32 tensor [2, 3]",
      refusal(check.options, "f", wrun.zeros(2, 3), rules))
  end)

  it("requires what has neither a default nor check.optional", function()
    assert.equal("f: option x: expected a tensor, got nil", refusal(option, check.tensor(), nil))
  end)
end)

describe("check.argument", function()
  it("returns the value or the default", function()
    assert.equal(3, check.argument("f", 1, 3, check.integer(5)))
    assert.equal(5, check.argument("f", 1, nil, check.integer(5)))
  end)

  it("says which argument was wrong", function()
    assert.equal("Linear: argument 2: expected an integer >= 0, got -1",
      refusal(check.argument, "Linear", 2, -1, check.integer(nil, 0)))
  end)
end)

describe("check.flag", function()
  it("takes true, false and nothing, which is the default", function()
    assert.is_true(check.flag("f", 1, true))
    assert.is_false(check.flag("f", 1, false, true))
    assert.is_false(check.flag("f", 1, nil))
    assert.is_true(check.flag("f", 1, nil, true))
  end)

  it("refuses what Lua would take for true", function()
    assert.equal("sort: argument 3: expected true or false, got 0",
      refusal(check.flag, "sort", 3, 0))
  end)

  it("guards the flags of functions of order", function()
    local x = wrun.ones(3)
    for name, given in pairs {
      sort = { 1 }, argsort = { 1 }, topk = { 1, 1 }, kthvalue = { 1, 1 }, median = { 1 },
      nanmedian = { 1 }, mode = { 1 }, quantile = { 0.5, 1 }, nanquantile = { 0.5, 1 },
    } do
      for value, text in pairs { [0] = "0", no = "the string 'no'" } do
        local arguments = { table.unpack(given) }
        arguments[#arguments + 1] = value
        assert.equal(("%s: argument %d: expected true or false, got %s"):format(name,
          #arguments + 1, text), refusal(wrun[name], x, table.unpack(arguments)))
      end
    end
    assert.equal("topk: argument 5: expected true or false, got 0",
      refusal(wrun.topk, x, 1, 1, true, 0))
  end)
end)

describe("the rule", function()
  it("number keeps to its bounds, which belong to it, and refuses NaN", function()
    assert.equal(0, option(check.number(1, 0, 1), 0))
    assert.equal(1, option(check.number(0, 0, 1), 1))
    assert.equal(math.huge, option(check.number(1, 0), math.huge))
    assert.equal("f: option x: expected a number >= 0, got nan",
      refusal(option, check.number(1, 0), NAN))
    assert.equal("f: option x: expected a number, got nan", refusal(option, check.number(1), -NAN))
    assert.equal("f: option x: expected a number from 0 to 1, got 1.5",
      refusal(option, check.number(0, 0, 1), 1.5))
    assert.equal("f: option x: expected a number <= 1, got the string '1'",
      refusal(option, check.number(0, nil, 1), "1"))
  end)

  it("integer takes integral floats and makes integers of them", function()
    assert.equal("integer", math.type(option(check.integer(), 3.0)))
    assert.equal("f: option x: expected an integer >= 1, got 2.5",
      refusal(option, check.integer(1, 1), 2.5))
    assert.equal("f: option x: expected an integer >= 1, got 0",
      refusal(option, check.integer(1, 1), 0))
    assert.equal("f: option x: expected an integer, got inf",
      refusal(option, check.integer(), math.huge))
    assert.equal("f: option x: expected an integer, got nan", refusal(option, check.integer(), NAN))
  end)

  it("boolean, string, func and table ask for the type", function()
    assert.is_false(option(check.boolean(true), false))
    assert.equal("f: option x: expected true or false, got nil", refusal(option, check.boolean()))
    assert.equal("f: option x: expected a string, got 1", refusal(option, check.string(), 1))
    assert.equal("f: option x: expected a function, got a table", refusal(option, check.func(), {}))
    assert.equal("f: option x: expected a table, got true", refusal(option, check.table(), true))
  end)

  it("choice lists the choices", function()
    assert.equal("sum", option(check.choice("mean", { "mean", "none", "sum" }), "sum"))
    assert.equal("f: option x: expected mean, none or sum, got the string 'avg'",
      refusal(option, check.choice("mean", { "mean", "none", "sum" }), "avg"))
    assert.equal("f: option x: expected yes or no, got 1",
      refusal(option, check.choice(nil, { "yes", "no" }), 1))
  end)

  it("dtype and float_dtype take the names of dtypes", function()
    local rules = { any = check.dtype("int64"), float = check.float_dtype("float32") }
    assert.same({ any = "int64", float = "float32" }, check.options("f", nil, rules))
    assert.same({ any = "bool", float = "float64" },
      check.options("f", { any = "bool", float = "float64" }, rules))
    assert.equal("f: option any: expected bool, uint8, int32, int64, float32 or float64, got the "
      .. "string 'half'", refusal(check.options, "f", { any = "half" }, rules))
    assert.equal("f: option float: expected float32 or float64, got the string 'int64'",
      refusal(check.options, "f", { float = "int64" }, rules))
  end)

  it("tensor takes tensors only", function()
    local t = wrun.zeros(2)
    assert.equal(t, option(check.tensor(), t))
    assert.equal("f: option x: expected a tensor, got {1, 2}",
      refusal(option, check.tensor(), { 1, 2 }))
  end)

  it("passed_on takes anything but nil", function()
    assert.equal(print, option(check.passed_on(), print))
  end)

  it("made by hand may convert", function()
    local even = check.rule(2, "an even number", function(value)
      return value % 2 == 0 and value // 2 or nil
    end)
    assert.equal(4, option(even, 8))
    assert.equal("f: option x: expected an even number, got 3", refusal(option, even, 3))
  end)

  it("optional lets nil pass and still judges the rest", function()
    assert.is_nil(option(check.optional(check.number(nil, 0)), nil))
    assert.equal("f: option x: expected a number >= 0, got -1",
      refusal(option, check.optional(check.number(nil, 0)), -1))
  end)
end)

describe("check.is_float and check.float_argument", function()
  it("tell floats from all else, tensors and names of dtypes", function()
    for _, x in ipairs { wrun.ones(1), wrun.ones(1):double(), "float32", "float64" } do
      assert.is_true(check.is_float(x))
    end
    for _, x in ipairs { wrun.arange(1), "int64", "float", 1.5, {} } do
      assert.is_false(check.is_float(x))
    end
    assert.is_false(check.is_float(nil))
    assert.is_true(check.is_float_tensor(wrun.ones(1)))
    assert.is_false(check.is_float_tensor(wrun.arange(1)))
    assert.is_false(check.is_float_tensor("float32"))
    assert.equal("f: argument 2: expected a float32 or float64 tensor, got an int64 tensor [1]",
      refusal(function() check.float_argument("f", 2, wrun.arange(1)) end))
  end)
end)

describe("check.describe", function()
  it("says what a value is", function()
    local list = { 1 }
    list[2] = list
    assert.equal("{1, {1, {1, a table}}}", check.describe(list))
    assert.equal("nil", check.describe(nil))
    assert.equal("false", check.describe(false))
    assert.equal("the string 'a'", check.describe("a"))
    assert.equal("nan", check.describe(NAN))
    assert.equal("-inf", check.describe(-math.huge))
    assert.equal("{0.9, nan}", check.describe({ 0.9, NAN }))
    assert.equal("a table", check.describe({ "a" }))
    assert.equal("a table", check.describe({ 1, 2, 3, 4, 5 }))
  end)
end)
