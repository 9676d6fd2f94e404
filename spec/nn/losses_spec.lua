--- The losses beside PyTorch's, their functional forms, and what they refuse.

local cases = require "spec.support.cases"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn
local functional = nn.functional

-- Sums may be added in another order, and terms of both signs cancel.
local RULES = { float32 = { rtol = 1e-5, atol = 1e-6 }, float64 = { rtol = 1e-12, atol = 1e-14 } }

for _, dtype in ipairs { "float64", "float32" } do
  local data = require("spec.fixtures.losses_" .. dtype)
  describe("losses of " .. dtype, function()
    local environment
    lazy_setup(function()
      environment = cases.environment(data.inputs)
    end)

    for _, case in ipairs(data.cases) do
      it(case[1] .. " is what PyTorch computes", function()
        cases.check(case, environment, RULES)
      end)
    end
  end)
end

describe("nn.functional", function()
  local X, Y = wrun.tensor { { 0.2, 0.7 }, { 0.9, 0.4 } }, wrun.tensor { { 0.3, 0.6 }, { 1, 0.2 } }
  local CLASSES, SIGNS = wrun.tensor { 2, 1 }, wrun.tensor { { 1, -1 }, { -1, 1 } }

  -- functional form, class, options, arguments
  local forms = {
    { "cross_entropy", "CrossEntropyLoss", { label_smoothing = 0.5 }, X, CLASSES },
    { "nll_loss", "NLLLoss", { ignore_index = 1 }, X, CLASSES },
    { "multi_margin_loss", "MultiMarginLoss", { p = 2 }, X, CLASSES },
    { "mse_loss", "MSELoss", { reduction = "sum" }, X, Y },
    { "l1_loss", "L1Loss", { reduction = "sum" }, X, Y },
    { "huber_loss", "HuberLoss", { delta = 0.1 }, X, Y },
    { "smooth_l1_loss", "SmoothL1Loss", { beta = 0.1 }, X, Y },
    { "binary_cross_entropy", "BCELoss", { weight = wrun.tensor(3.0) }, X, Y },
    { "binary_cross_entropy_with_logits", "BCEWithLogitsLoss", { pos_weight = Y }, X, Y },
    { "kl_div", "KLDivLoss", { reduction = "batchmean" }, X, Y },
    { "poisson_nll_loss", "PoissonNLLLoss", { log_input = false }, X, Y },
    { "gaussian_nll_loss", "GaussianNLLLoss", { full = true }, X, Y, Y },
    { "hinge_embedding_loss", "HingeEmbeddingLoss", { margin = 2 }, X, SIGNS },
    { "soft_margin_loss", "SoftMarginLoss", { reduction = "none" }, X, SIGNS },
    { "margin_ranking_loss", "MarginRankingLoss", { margin = 2 }, X, Y, SIGNS },
    { "cosine_embedding_loss", "CosineEmbeddingLoss", { margin = 0.5 }, X, Y, SIGNS[1] },
    { "triplet_margin_loss", "TripletMarginLoss", { margin = 3, p = 1 }, X, Y, -X },
    { "cosine_similarity", "CosineSimilarity", { dim = 1 }, X, Y },
    { "pairwise_distance", "PairwiseDistance", { keepdim = true }, X, Y },
  }

  for _, form in ipairs(forms) do
    local name, class, options = table.unpack(form)
    it(("%s computes what %s does, by the same options"):format(name, class), function()
      local arguments = table.move(form, 4, #form, 1, {})
      local want = nn[class](options)(table.unpack(arguments))
      arguments[#arguments + 1] = options
      assert.is_true(functional[name](table.unpack(arguments)):equal(want))
      assert.is_false(nn[class]()(table.unpack(arguments, 1, #arguments - 1)):equal(want))
      assert.truthy(refusal(functional[name], 1):find("^" .. name .. ": argument 1: expected a"))
      arguments[#arguments] = { size_average = true }
      assert.truthy(refusal(functional[name], table.unpack(arguments))
        :find("^" .. name .. ": option size_average: unknown; the options are "))
      assert.truthy(refusal(nn[class], { size_average = true })
        :find("^" .. class .. ": option size_average: unknown; the options are "))
    end)
  end

  it("has every loss", function()
    local covered = {}
    for _, form in ipairs(forms) do
      covered[form[1]] = true
    end
    for name in pairs(functional) do
      assert.is_true(covered[name] or name == "normalize", name)
    end
  end)
end)

describe("a loss", function()
  it("prints without settings and holds its weights as buffers", function()
    local loss = nn.BCEWithLogitsLoss({ pos_weight = wrun.ones(2), weight = wrun.ones(1) })
    assert.equal("BCEWithLogitsLoss()", tostring(loss))
    assert.equal(2, #loss:buffers())
    assert.equal("float64", loss:double().pos_weight.dtype)
  end)

  it("has second derivatives where PyTorch has", function()
    local p = wrun.tensor({ 0.2, 0.7, 0.5 }, { dtype = "float64", requires_grad = true })
    local t = wrun.tensor({ 0.1, 0.9, 1 }, { dtype = "float64" })
    for _, name in ipairs { "binary_cross_entropy", "huber_loss", "cosine_similarity" } do
      assert.is_true(wrun.gradgradcheck(function(x)
        return functional[name](x:unsqueeze(1), t:unsqueeze(1))
      end, { p }), name)
    end
  end)

  it("does not overflow where PyTorch's SoftMarginLoss does", function()
    local x = wrun.tensor({ -1000.0, 1000.0 }, { requires_grad = true })
    local y = nn.SoftMarginLoss({ reduction = "none" })(x, wrun.tensor { 1, 1 })
    assert.same({ 1000.0, 0.0 }, y:tolist())
    y:sum():backward()
    assert.same({ -1.0, 0.0 }, x.grad:tolist())
  end)

  it("has a KLDivLoss without NaN at a target of 0", function()
    local t = wrun.tensor({ 0.0, 1.0 }, { requires_grad = true })
    nn.KLDivLoss({ reduction = "sum" })(wrun.tensor { -1.0, -2.0 }, t):backward()
    assert.same({ 1.0, 3.0 }, t.grad:tolist())
  end)

  local M, V = wrun.zeros(2, 3), wrun.zeros(3)

  local refused = {
    { "argument 2: expected [2, 3] to match argument 1, got [3]", { "MSELoss", "L1Loss",
      "HuberLoss", "SmoothL1Loss", "BCELoss", "BCEWithLogitsLoss", "KLDivLoss", "PoissonNLLLoss",
      "GaussianNLLLoss", "HingeEmbeddingLoss", "SoftMarginLoss", "MarginRankingLoss",
      "CosineEmbeddingLoss", "TripletMarginLoss" }, {}, M, V, M },
    { "argument 3: expected [2, 3] to match argument 1, got [3]",
      { "MarginRankingLoss", "TripletMarginLoss" }, {}, M, M, V },
    { "argument 3: expected [2] to match [2, 3], got [3]", { "CosineEmbeddingLoss" }, {}, M, M, V },
    { "argument 3: expected [] to match [3], got [3]", { "CosineEmbeddingLoss" }, {}, V, V, V },
    { "argument 1: expected [d] or [n, d], got []",
      { "CosineEmbeddingLoss", "TripletMarginLoss" }, {}, wrun.zeros(), V, V },
    { "argument 1: expected a float32 or float64 tensor, got an int64 tensor [3]",
      { "MSELoss", "NLLLoss", "TripletMarginLoss", "CosineEmbeddingLoss" }, {}, V:long(), V, V },
    { "argument 2: expected a tensor, got 1", { "MSELoss", "BCELoss" }, {}, V, 1 },
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
    { "option weight: expected a shape that broadcasts to [2, 3], got [2]",
      { "BCELoss", "BCEWithLogitsLoss" }, { weight = wrun.ones(2) }, M, M },
    { "option weight: expected a shape that broadcasts to [3], got [1, 3]",
      { "BCELoss", "BCEWithLogitsLoss" }, { weight = wrun.ones(1, 3) }, V, V },
    { "option pos_weight: expected a shape that broadcasts to [2, 3], got [2]",
      { "BCEWithLogitsLoss" }, { pos_weight = wrun.ones(2) }, M, M },
    { "argument 1: expected probabilities from 0 to 1, got 1.5 at index 2; for logits use "
      .. "BCEWithLogitsLoss", { "BCELoss" }, {}, wrun.tensor { 1, 1.5, -1 }, V },
    { "argument 2: expected probabilities from 0 to 1, got -1.0 at index 3", { "BCELoss" }, {},
      V, wrun.tensor { 1, 0.5, -1 } },
    { "argument 3: expected a float32 or float64 tensor, got nil", { "GaussianNLLLoss" }, {},
      M, M },
    { "argument 3: expected [2, 3], or one variance for each row, got [3]", { "GaussianNLLLoss" },
      {}, M, M, V },
    { "argument 3: expected variances >= 0, got -0.5", { "GaussianNLLLoss" }, {}, M, M, M - 0.5 },
  }

  for _, case in ipairs(refused) do
    local text, names, options = table.unpack(case)
    for _, name in ipairs(names) do
      it(("of class %s says: %s"):format(name, text), function()
        assert.equal(name .. ": " .. text, refusal(nn[name](options), table.unpack(case, 4)))
      end)
    end
  end

  it("refuses settings that make no sense", function()
    local function text(name, options)
      return refusal(nn[name], options)
    end
    assert.equal("MSELoss: option reduction: expected mean, none or sum, "
      .. "got the string 'batchmean'",
      text("MSELoss", { reduction = "batchmean" }))
    assert.equal("KLDivLoss: option reduction: expected batchmean, mean, none or sum, got 1",
      text("KLDivLoss", { reduction = 1 }))
    assert.equal("HuberLoss: option delta: expected a number > 0, got 0",
      text("HuberLoss", { delta = 0 }))
    assert.equal("SmoothL1Loss: option beta: expected a number >= 0, got -1",
      text("SmoothL1Loss", { beta = -1 }))
    assert.equal("CosineEmbeddingLoss: option margin: expected a number from -1 to 1, got 2",
      text("CosineEmbeddingLoss", { margin = 2 }))
    assert.equal("TripletMarginLoss: option p: expected a number > 0, got 0",
      text("TripletMarginLoss", { p = 0 }))
    assert.equal("MultiMarginLoss: option p: expected an integer from 1 to 2, got 3",
      text("MultiMarginLoss", { p = 3 }))
    assert.equal("GaussianNLLLoss: option eps: expected a number > 0, got 0",
      text("GaussianNLLLoss", { eps = 0 }))
    assert.equal("CosineSimilarity: option dim: expected an integer, got 0.5",
      text("CosineSimilarity", { dim = 0.5 }))
    assert.equal("normalize: option p: expected a number > 0, got 0",
      refusal(functional.normalize, wrun.ones(1, 1), { p = 0 }))
    assert.equal("normalize: argument 1: expected a tensor, got nil", refusal(functional.normalize))
    assert.equal("PairwiseDistance: option p: expected a number > 0, got nan",
      text("PairwiseDistance", { p = 0 / 0 }):gsub("-nan", "nan"))
  end)
end)
