--- Losses against classes: beside PyTorch's, CrossEntropyLoss by hand too, and what they refuse.

local cases = require "spec.support.cases"
local layers = require "spec.support.layers"
local losses = require "spec.support.losses"
local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn

local CLOSE = { rtol = 1e-12, atol = 1e-13 }
local LIKE_PYTORCH = {
  float64 = { rtol = 1e-12, atol = 1e-13 }, float32 = { rtol = 1e-5, atol = 1e-6 },
}
local DOUBLE = { dtype = "float64" }

-- Logits whose probabilities are simple: log p itself.
local function logits(probabilities)
  return wrun.tensor(probabilities, DOUBLE):log()
end

local P = { { 0.5, 0.25, 0.25 }, { 0.125, 0.75, 0.125 }, { 0.1, 0.2, 0.7 } }

local function loss(options, input, target)
  return nn.CrossEntropyLoss(options)(input, target)
end

local function assert_close(want, tensor)
  near.lists(want, near.flat(tensor), CLOSE)
end

describe("a loss against classes", function()
  for claim, check in layers.each("losses", require "wrun.nn.losses.classification") do
    it(claim, check)
  end

  local M, V = wrun.zeros(2, 3), wrun.zeros(3)

  local refused = {
    { "argument 1: expected a float32 or float64 tensor, got an int64 tensor [3]", { "NLLLoss" },
      {}, V:long(), V, V },
    { "argument 2: expected int64 or uint8 classes, got a float32 tensor [2]",
      { "NLLLoss", "MultiMarginLoss" }, {}, M, wrun.zeros(2) },
    { "argument 2: expected int64 or uint8 classes, got nil", { "NLLLoss" }, {}, M },
    { "argument 2: expected [2] to match [2, 3], got [3]", { "NLLLoss", "MultiMarginLoss" }, {}, M,
      wrun.tensor { 1, 2, 3 } },
    { "argument 2: expected classes from 1 to 3, got 0 at index 2; "
      .. "labels that count from 0 need +1", { "NLLLoss", "MultiMarginLoss", "CrossEntropyLoss" },
      {}, M, wrun.tensor { 1, 0 } },
    { "argument 2: expected classes from 1 to 3, got -100 at index 1", { "MultiMarginLoss" }, {}, M,
      wrun.tensor { -100, 1 } },
    { "argument 1: expected [C], [n, C] or [n, C, ...], got []", { "NLLLoss", "MultiMarginLoss",
      "CrossEntropyLoss" }, {}, wrun.zeros(), wrun.tensor(1) },
    { "argument 1: expected [C] or [n, C], got [1, 2, 3]", { "MultiMarginLoss" }, {},
      wrun.zeros(1, 2, 3), wrun.tensor { { 1 } } },
    { "option weight: expected [3] to match [2, 3], got [2]", { "NLLLoss", "MultiMarginLoss" },
      { weight = wrun.ones(2) }, M, wrun.tensor { 1, 2 } },
  }

  for claim, check in losses.each_refused(refused) do
    it(claim, check)
  end

  it("refuses settings that make no sense", function()
    assert.equal("MultiMarginLoss: option p: expected an integer from 1 to 2, got 3",
      refusal(nn.MultiMarginLoss, { p = 3 }))
  end)
end)

local function option_text(options)
  local parts = {}
  for name, value in pairs(options) do
    parts[#parts + 1] = name .. (type(value) == "table" and "" or " = " .. tostring(value))
  end
  table.sort(parts)
  return table.concat(parts, ", ")
end

describe("nn.CrossEntropyLoss", function()
  for _, case in ipairs(require("spec.fixtures.cross_entropy")) do
    local kind = math.type(case.target[1]) == "float" and "probabilities" or "classes"
    it(("of %s %s, %s [%s], is PyTorch's with its gradient"):format(case.dtype, kind,
      option_text(case.options), table.concat(case.shape, ", ")), function()
      local options = {}
      for name, value in pairs(case.options) do
        options[name] = value
      end
      if options.weight then
        options.weight = wrun.tensor(options.weight, { dtype = case.dtype })
      end
      local input = cases.tensor(case.dtype, case.shape, case.input):requires_grad_(true)
      local target_dtype = kind == "classes" and "int64" or case.dtype
      local target = cases.tensor(target_dtype, case.target_shape, case.target)
      local value = loss(options, input, target)
      assert.equal(case.dtype, value.dtype)
      near.lists(case.loss, near.flat(value), LIKE_PYTORCH[case.dtype])
      value:sum():backward()
      near.lists(case.grad, near.flat(input.grad), LIKE_PYTORCH[case.dtype])
    end)
  end

  it("is the mean of -log p of the right class, whatever the logits' offset", function()
    local want = -(math.log(0.5) + math.log(0.75) + math.log(0.1)) / 3
    local target = wrun.tensor({ 1, 2, 1 })
    assert_close({ want }, loss({}, logits(P), target))
    assert_close({ want }, loss(nil, logits(P) + 1000, target))
    assert.same({}, loss({}, logits(P), target).shape)
  end)

  it("can sum, or leave the losses as they are", function()
    local target = wrun.tensor({ 1, 2, 3 })
    local each = { -math.log(0.5), -math.log(0.75), -math.log(0.7) }
    assert_close(each, loss({ reduction = "none" }, logits(P), target))
    assert_close({ each[1] + each[2] + each[3] }, loss({ reduction = "sum" }, logits(P), target))
  end)

  it("is log C when every class is as likely", function()
    local target = wrun.tensor({ 1, 4, 7, 10 })
    assert_close({ math.log(10) }, loss({}, wrun.zeros(4, 10, DOUBLE), target))
  end)

  it("has the gradient (p - target) / n", function()
    local x = logits(P):requires_grad_()
    loss({}, x, wrun.tensor({ 1, 2, 1 })):backward()
    assert_close({ -0.5 / 3, 0.25 / 3, 0.25 / 3, 0.125 / 3, -0.25 / 3, 0.125 / 3, -0.9 / 3, 0.2 / 3,
      0.7 / 3 }, x.grad)
  end)

  it("weighs the classes, and the mean by the weights of the targets", function()
    local weight = wrun.tensor({ 1, 2, 4 }, DOUBLE)
    local target = wrun.tensor({ 1, 2, 3 })
    local each = { -math.log(0.5), -2 * math.log(0.75), -4 * math.log(0.7) }
    assert_close(each, loss({ weight = weight, reduction = "none" }, logits(P), target))
    local mean = (each[1] + each[2] + each[3]) / 7
    assert_close({ mean }, loss({ weight = weight }, logits(P), target))
  end)

  it("passes over ignored targets, in value, mean and gradient", function()
    local x = logits(P):requires_grad_()
    local target = wrun.tensor({ 1, -100, 3 })
    local want = -(math.log(0.5) + math.log(0.7)) / 2
    local value = loss({}, x, target)
    assert_close({ want }, value)
    value:backward()
    assert.same({ 0.0, 0.0, 0.0 }, x.grad[2]:tolist())
    assert_close({ want }, loss({ ignore_index = 2 }, logits(P), wrun.tensor({ 1, 2, 3 })))
    assert_close({ want }, loss({ ignore_index = 0 }, logits(P), wrun.tensor({ 1, 0, 3 })))
    assert_close({ -math.log(0.5), 0.0, -math.log(0.7) },
      loss({ reduction = "none" }, logits(P), target))
  end)

  it("is NaN when all targets are ignored or there are none, as PyTorch's is", function()
    local nan = loss({}, logits(P), wrun.full({ 3 }, -100, { dtype = "int64" })):item()
    assert.is_true(nan ~= nan)
    nan = loss({}, wrun.zeros(0, 3), wrun.zeros(0, { dtype = "int64" })):item()
    assert.is_true(nan ~= nan)
  end)

  it("moves a share of each target to all classes", function()
    local smooth = 0.3
    local target = wrun.tensor({ 1, 2, 1 })
    local total = 0
    for i, row in ipairs(P) do
      for c, p in ipairs(row) do
        local share = smooth / 3 + (c == target[i]:item() and 1 - smooth or 0)
        total = total - share * math.log(p)
      end
    end
    assert_close({ total / 3 }, loss({ label_smoothing = smooth }, logits(P), target))
    local one_hot = wrun.tensor({ { 1, 0, 0 }, { 0, 1, 0 }, { 1, 0, 0 } }, DOUBLE)
    assert_close({ total / 3 }, loss({ label_smoothing = smooth }, logits(P), one_hot))
  end)

  it("takes probabilities, of which one-hot ones are classes", function()
    local q = wrun.tensor({ { 0.5, 0.5, 0 }, { 1, 0, 0 }, { 0.2, 0.3, 0.5 } }, DOUBLE)
    local each = {
      -(math.log(0.5) + math.log(0.25)) / 2,
      -math.log(0.125),
      -(0.2 * math.log(0.1) + 0.3 * math.log(0.2) + 0.5 * math.log(0.7)),
    }
    assert_close(each, loss({ reduction = "none" }, logits(P), q))
    assert_close({ (each[1] + each[2] + each[3]) / 3 }, loss({}, logits(P), q))
    local one_hot = wrun.eye(3, DOUBLE)
    assert_close({ loss({}, logits(P), wrun.tensor({ 1, 2, 3 })):item() },
      loss({}, logits(P), one_hot))
  end)

  it("takes one sample, and samples with further dimensions", function()
    assert_close({ -math.log(0.25) }, loss({}, logits(P[1]), wrun.tensor(3)))
    local image = logits(P):t():reshape(1, 3, 3) -- classes down, indices across
    assert_close({ -math.log(0.5), -math.log(0.75), -math.log(0.1) },
      loss({ reduction = "none" }, image, wrun.tensor({ { 1, 2, 1 } })))
    assert.same({ 1, 3 }, loss({ reduction = "none" }, image, wrun.tensor({ { 1, 2, 1 } })).shape)
  end)

  it("takes classes that are bytes", function()
    local target = wrun.tensor({ 1, 2, 1 })
    assert.equal(loss({}, logits(P), target):item(), loss({}, logits(P), target:byte()):item())
  end)

  it("stays finite where the softmax itself overflows", function()
    local x = wrun.tensor({ { 1000, -1000 } }, DOUBLE)
    assert_close({ 0.0 }, loss({}, x, wrun.tensor({ 1 })))
    assert_close({ 2000.0 }, loss({}, x, wrun.tensor({ 2 })))
  end)

  it("keeps its weight as a buffer that is cast with the module", function()
    local criterion = nn.CrossEntropyLoss({ weight = wrun.ones(3) })
    assert.equal(1, #criterion:buffers())
    assert.equal("float64", criterion:double().weight.dtype)
    assert.equal("CrossEntropyLoss()", tostring(criterion))
  end)

  it("says which target is out of range, where, and what would help", function()
    assert.equal("CrossEntropyLoss: argument 2: expected classes from 1 to 3, got 0 at index 2; "
      .. "labels that count from 0 need +1", refusal(loss, {}, logits(P), wrun.tensor({ 1, 0, 2 })))
    assert.equal("CrossEntropyLoss: argument 2: expected classes from 1 to 3, got 4 at index 3",
      refusal(loss, {}, logits(P), wrun.tensor({ 1, 2, 4 })))
    assert.equal("CrossEntropyLoss: argument 2: expected classes from 1 to 3, got -100 at index 1",
      refusal(loss, { ignore_index = 7 }, logits(P), wrun.tensor({ -100, 2, 4 })))
  end)

  it("refuses targets that do not match the logits", function()
    local function text(target)
      return refusal(loss, {}, logits(P), target)
    end
    assert.equal("CrossEntropyLoss: argument 2: expected [3] to match [3, 3], got [4]",
      text(wrun.tensor({ 1, 1, 1, 1 })))
    assert.equal("CrossEntropyLoss: argument 2: expected [3] to match [3, 3], got [3, 3]",
      text(wrun.ones(3, 3, { dtype = "int64" })))
    assert.equal("CrossEntropyLoss: argument 2: expected [3, 3] to match [3, 3], got [3]; classes "
      .. "are int64 or uint8, write y:long()",
      text(wrun.ones(3)))
    assert.equal("CrossEntropyLoss: argument 2: expected int64 or uint8 classes, or probabilities, "
      .. "got a bool tensor [3]", text(wrun.tensor({ true, true, false })))
    assert.equal("CrossEntropyLoss: argument 2: expected a tensor, got {1, 2, 3}",
      text({ 1, 2, 3 }))
    assert.equal("CrossEntropyLoss: argument 2: expected [] to match [3], got [1]",
      refusal(loss, {}, logits(P[1]), wrun.tensor({ 1 })))
    assert.equal("CrossEntropyLoss: argument 1: expected a float32 or float64 tensor, got nil",
      refusal(loss, {}))
  end)

  it("refuses settings that make no sense", function()
    assert.equal("CrossEntropyLoss: option reduction: expected mean, none or sum, "
      .. "got the string 'avg'",
      refusal(nn.CrossEntropyLoss, { reduction = "avg" }))
    assert.equal("CrossEntropyLoss: option label_smoothing: expected a number from 0 to 1, got 1.5",
      refusal(nn.CrossEntropyLoss, { label_smoothing = 1.5 }))
    assert.equal("CrossEntropyLoss: option ignore_index: expected an integer, got 0.5",
      refusal(nn.CrossEntropyLoss, { ignore_index = 0.5 }))
    assert.equal("CrossEntropyLoss: option weight: expected a tensor, got {1, 2, 3}",
      refusal(nn.CrossEntropyLoss, { weight = { 1, 2, 3 } }))
    assert.equal("CrossEntropyLoss: option size_average: unknown; the options are ignore_index, "
      .. "label_smoothing, reduction, weight",
      refusal(nn.CrossEntropyLoss, { size_average = true }))
    assert.equal("CrossEntropyLoss: option weight: expected [3] to match [3, 3], got [2]",
      refusal(loss, { weight = wrun.ones(2) }, logits(P), wrun.tensor({ 1, 2, 3 })))
    assert.equal("CrossEntropyLoss: option ignore_index: expected targets that are class indices, "
      .. "got probabilities", refusal(loss, { ignore_index = 1 }, logits(P), wrun.eye(3, DOUBLE)))
  end)
end)
