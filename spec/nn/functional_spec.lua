--- The functional forms: each computes what its class does.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn
local functional = nn.functional

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
    { "multilabel_soft_margin_loss", "MultiLabelSoftMarginLoss", { reduction = "sum" }, X, X },
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
