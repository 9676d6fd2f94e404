--- A model beside PyTorch: references that the guide's Python function wrote in PyTorch 2.13.

local child = require "spec.support.child"
local files = require "spec.support.files"
local fixtures = require "spec.fixtures.compare"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn
local folder, path = files.scratch(teardown)
local bytes = {}
for _, case in ipairs(fixtures) do
  bytes[case.name] = files.from_hex(case.file)
end

local function compare(name, layers, options)
  return wrun.compare(nn.Sequential(table.unpack(layers)),
    wrun.load(files.write(path, bytes[name])), options)
end

local function gelu(approximate)
  return { nn.Linear(4, 8), nn.GELU(approximate), nn.Linear(8, 3) }
end

local function norm(options)
  return { nn.Linear(4, 8), nn.BatchNorm1d(8, options), nn.ReLU(), nn.Linear(8, 3) }
end

local WORDS = { nn.Embedding(5, 3), nn.Flatten(), nn.Tanh() }
local CLASSES = { loss = nn.CrossEntropyLoss() }

-- What is said of the first row that differs.
local function said(comparison)
  local first = comparison.first
  return ("%s %s"):format(first.kind, first.name), table.concat(comparison.causes, "; ")
end

describe("wrun.compare", function()
  it("finds what PyTorch did: outputs, loss, gradients, also of statistics and indices", function()
    for _, case in ipairs {
      { "gelu", gelu(), CLASSES }, { "norm", norm() }, { "norm in eval", norm() },
      { "words", WORDS },
    } do
      local comparison = compare(table.unpack(case))
      assert.is_nil(comparison.first, tostring(comparison))
      for _, row in ipairs(comparison.rows) do
        -- roundings of float32, also where a gradient of 0 is nothing else
        assert.is_true(row.difference < 5e-5, tostring(comparison))
      end
    end
    local rows = compare("gelu", gelu(), CLASSES).rows
    local kinds = {}
    for i, row in ipairs(rows) do
      kinds[i] = row.kind
    end
    assert.equal("output output output loss gradient gradient gradient gradient gradient",
      table.concat(kinds, " "))
    assert.equal("1 GELU", rows[2].reference_name)
  end)

  it("names the first layer that differs, and what it comes from", function()
    local where, why = said(compare("gelu", gelu("tanh"), CLASSES))
    assert.equal("output 2 GELU", where)
    assert.equal('one of the two is its approximation, nn.GELU("tanh")', why)
    where, why = said(compare("norm in eval", norm { eps = 1e-3 }))
    assert.equal("output 2 BatchNorm1d(8)", where)
    assert.matches("eps or momentum", why, 1, true)
    where, why = said(compare("norm in eval",
      { nn.Linear(4, 8), nn.ReLU(), nn.BatchNorm1d(8), nn.Linear(8, 3) }))
    assert.equal("output 2 ReLU", where)
    assert.equal("PyTorch has another layer here, BatchNorm1d", why)
    where, why = said(compare("gelu", gelu(), { loss = nn.CrossEntropyLoss { reduction = "sum" } }))
    assert.equal("loss ", where)
    assert.matches("mean or sum over the batch", why, 1, true)
  end)

  it("names weights of another shape, too few and too many, before it runs anything", function()
    local where, why = said(compare("gelu", { nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 2) }))
    assert.equal("weight 3.weight", where)
    assert.matches("its shape is [2, 8], and the reference's [3, 8]", why, 1, true)
    where, why = said(compare("gelu", { nn.Linear(4, 8), nn.GELU() }))
    assert.equal("weight -", where)
    assert.matches("the model has none", why, 1, true)
    where, why = said(compare("gelu", { nn.Linear(4, 8), nn.Linear(8, 3), nn.Linear(3, 3) }))
    assert.equal("weight 3.weight", where)
    assert.matches("the reference has none", why, 1, true)
  end)

  it("tells what a tensor is of the reference", function()
    local x = wrun.tensor { { 1.0, 2 }, { 3, 5 } }
    for _, case in ipairs {
      { x:t(), "it is the reference transposed" }, { x * 2, "it is 2 times the reference" },
      { x:flip(1), "it has the reference's numbers in another order" },
      { x + 0.5, "it is the reference plus 0.5" },
    } do
      local reference = { ["input.0000.x"] = x, ["output.0000."] = x }
      local layer = nn.Module:extend("Layer")
      function layer.forward()
        return case[1]:contiguous()
      end
      assert.equal(case[2], wrun.compare(layer(), reference).causes[1])
    end
  end)

  it("counts NaN beside NaN as the same, and alone as a difference", function()
    local nan = wrun.tensor { 0 / 0, 1.0 }
    local function first(theirs)
      local reference = { ["input.0000.x"] = nan, ["output.0000."] = theirs }
      return wrun.compare(nn.Identity(), reference).first
    end
    assert.is_nil(first(nan))
    assert.equal("output", first(wrun.tensor { 2.0, 1 }).kind)
  end)

  it("refuses what is no model or no reference", function()
    assert.equal("compare: argument 1: expected a module, got 3", refusal(wrun.compare, 3, {}))
    assert.equal("compare: argument 2: expected a table, got 3",
      refusal(wrun.compare, nn.Identity(), 3))
    assert.equal("compare: argument 2: expected a reference, with input.0000, got a table",
      refusal(wrun.compare, nn.Identity(), {}))
    assert.equal("compare: option tolerance: expected a number >= 0, got -1",
      refusal(wrun.compare, nn.Identity(), {}, { tolerance = -1 }))
  end)
end)

describe("wrun check", function()
  local SCRIPT = 'local nn = require("wrun").nn\nreturn nn.Sequential(nn.Linear(4, 8), '
    .. "nn.GELU(%s), nn.Linear(8, 3)), nn.CrossEntropyLoss()"

  local function check(approximate, reference)
    local model = files.write(folder .. "/model.lua", SCRIPT:format(approximate))
    return child.run { "check", reference or files.write(path, bytes.gelu), model }
  end

  it("prints the comparison, and ends with 1 where something differs", function()
    local result = check ""
    assert.equal(0, result.status)
    assert.matches("the same, within 0.0001 of the largest element", result.out, 1, true)
    result = check '"tanh"'
    assert.equal(1, result.status)
    assert.matches("2 GELU            1 GELU    1.7e-04  <- differs\n", result.out, 1, true)
    assert.matches("the first that differs: output 2 GELU, by 1.7e-04 of the largest element\n"
      .. '  perhaps: one of the two is its approximation, nn.GELU("tanh")\n', result.out, 1, true)
  end)

  it("says which file is missing or bad", function()
    local result = check("", "/nowhere.pt")
    assert.matches("\nError: load: /nowhere.pt: No such file or directory\n$", result.err)
    assert.is_true(result.status ~= 0)
  end)
end)
