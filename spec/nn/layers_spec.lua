--- Normalisation, Embedding, Bilinear, Unflatten and the dropouts beside PyTorch's, and what they
--- refuse.

local cases = require "spec.support.cases"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn

-- Sums may be added in another order; a gradient through a mean is what is left of larger terms.
local RULES = {
  float32 = { rtol = 1e-5, atol = 2e-6 },
  float64 = { rtol = 1e-12, atol = 1e-14 },
  gradients = { float32 = { rtol = 1e-4, atol = 1e-5 }, float64 = { rtol = 1e-11, atol = 1e-13 } },
}

-- Draws are the same; normal ones go through log and cos, AlphaDropout's through numbers rounded to
-- float32 in between.
local DRAWS = { float32 = { ulp = 16 }, float64 = { rtol = 1e-12 } }

local function rules_for(expression)
  if expression:find(".Dropout(", 1, true) then
    return {}
  end
  return expression:find("manual_seed", 1, true) and DRAWS or RULES
end

for _, dtype in ipairs { "float64", "float32" } do
  local data = require("spec.fixtures.layers_" .. dtype)
  describe("layers of " .. dtype, function()
    local environment
    lazy_setup(function()
      environment = cases.environment(data.inputs)
    end)

    for _, case in ipairs(data.cases) do
      local claim = case[2] == "error" and " is refused" or " is what PyTorch computes"
      it(case[1] .. claim, function()
        cases.check(case, environment, rules_for(case[1]))
      end)
    end
  end)
end

describe("a layer", function()
  it("prints as PyTorch's does", function()
    local printed = {
      ["BatchNorm1d(4, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"]
        = nn.BatchNorm1d(4),
      ["BatchNorm2d(4, eps=0.001, momentum=None, affine=False, bias=False, "
        .. "track_running_stats=False)"] = nn.BatchNorm2d(4, {
          eps = 1e-3, momentum = false, affine = false, track_running_stats = false,
        }),
      ["LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)"] = nn.LayerNorm(4),
      ["LayerNorm((3, 4), eps=0.5, elementwise_affine=False, bias=False)"]
        = nn.LayerNorm({ 3, 4 }, { eps = 0.5, elementwise_affine = false }),
      ["GroupNorm(2, 4, eps=1e-05, affine=True, bias=True)"] = nn.GroupNorm(2, 4),
      ["RMSNorm((4,), eps=None, elementwise_affine=True)"] = nn.RMSNorm(4),
      ["Embedding(4, 3)"] = nn.Embedding(4, 3),
      ["Embedding(4, 3, padding_idx=4, max_norm=2.5, norm_type=1)"]
        = nn.Embedding(4, 3, { padding_idx = -1, max_norm = 2.5, norm_type = 1 }),
      ["Bilinear(in1_features=2, in2_features=3, out_features=4, bias=False)"]
        = nn.Bilinear(2, 3, 4, { bias = false }),
      ["Unflatten(dim=2, unflattened_size=(2, -1))"] = nn.Unflatten(2, { 2, -1 }),
      ["AlphaDropout(p=0.5)"] = nn.AlphaDropout(),
      ["CosineSimilarity()"] = nn.CosineSimilarity(),
    }
    for text, layer in pairs(printed) do
      assert.equal(text, tostring(layer))
    end
  end)

  it("embeds what was learnt elsewhere", function()
    local rows = wrun.eye(3, { dtype = "float64" })
    wrun.manual_seed(1)
    local layer = nn.Embedding.from_pretrained(rows, { padding_idx = 1 })
    assert.equal(wrun.rand(1):item(), (wrun.manual_seed(1) and wrun.rand(1):item()))
    assert.same({ { 1.0, 0.0, 0.0 }, { 0.0, 0.0, 1.0 } }, layer(wrun.tensor { 1, 3 }):tolist())
    assert.is_false(layer.weight.requires_grad)
    layer.weight:zero_()
    assert.equal(1.0, rows[1][1]:item())
    assert.is_true(nn.Embedding.from_pretrained(rows, { freeze = false }).weight.requires_grad)
  end)

  it("keeps running statistics as buffers, and none where it is told so", function()
    local names = {}
    for name in pairs(nn.BatchNorm1d(2):state_dict()) do
      names[#names + 1] = name
    end
    assert.same({ "weight", "bias", "running_mean", "running_var", "num_batches_tracked" }, names)
    local bare = nn.BatchNorm1d(2, { affine = false, track_running_stats = false })
    assert.is_nil(next(bare:state_dict()))
    assert.same({ 1.0, 1.0 }, nn.BatchNorm1d(2, { bias = false }):parameters()[1]:tolist())
    assert.equal("float64", nn.BatchNorm1d(2):double().running_mean.dtype)
    assert.equal("int64", nn.BatchNorm1d(2):double().num_batches_tracked.dtype)
  end)

  it("leaves running statistics alone after eval()", function()
    local layer = nn.BatchNorm1d(2):eval()
    layer(wrun.randn(5, 2) + 10)
    assert.same({ 0.0, 0.0 }, layer.running_mean:tolist())
    assert.equal(0, layer.num_batches_tracked:item())
  end)

  it("has second derivatives", function()
    local x = wrun.randn(3, 2, { dtype = "float64", requires_grad = true })
    for _, layer in ipairs { nn.BatchNorm1d(2, { dtype = "float64" }),
      nn.LayerNorm(2, { dtype = "float64", eps = 0.1 }) } do
      assert.is_true(wrun.gradgradcheck(function(t)
        return layer(t):square()
      end, { x }))
    end
  end)

  it("has the same bits with any number of threads", function()
    local x = wrun.randn(37, 100, 9):requires_grad_()
    local layers = { nn.BatchNorm1d(100), nn.LayerNorm({ 100, 9 }), nn.LayerNorm(9) }
    local function results()
      local all = {}
      for i, layer in ipairs(layers) do
        local y = layer(x)
        all[i] = wrun.cat({ y, wrun.autograd.grad((y * y * y):sum(), x) })
      end
      return all
    end
    local before = wrun.get_num_threads()
    wrun.set_num_threads(1)
    local one = results()
    wrun.set_num_threads(3)
    for i, result in ipairs(results()) do
      assert.is_true(result:equal(one[i]))
    end
    wrun.set_num_threads(before)
  end)

  it("takes its draws from a generator of its own", function()
    for _, name in ipairs { "Dropout", "AlphaDropout" } do
      local layer = nn[name](0.5, { generator = wrun.Generator({ seed = 3 }) })
      local again = nn[name](0.5, { generator = wrun.Generator({ seed = 3 }) })
      local x = wrun.ones(64)
      assert.is_true(layer(x):equal(again(x)))
      assert.is_false(layer(x):equal(nn[name](0.5)(x)))
    end
    local weight = nn.Embedding(5, 2, { generator = wrun.Generator({ seed = 3 }) }).weight
    assert.is_true(weight:equal(
      nn.Embedding(5, 2, { generator = wrun.Generator({ seed = 3 }) }).weight))
  end)

  it("refuses what does not fit", function()
    local function text(layer, ...)
      return refusal(layer, ...)
    end
    assert.equal("BatchNorm1d: argument 1: expected [n, C] or [n, C, l] with C = 4, got [4]",
      text(nn.BatchNorm1d(4), wrun.zeros(4)))
    assert.equal("BatchNorm2d: argument 1: expected [n, C, h, w] with C = 4, got [2, 3, 4, 4]",
      text(nn.BatchNorm2d(4), wrun.zeros(2, 3, 4, 4)))
    assert.equal("BatchNorm1d: argument 1: expected more than 1 value per channel when training, "
      .. "got [1, 4]", text(nn.BatchNorm1d(4), wrun.zeros(1, 4)))
    assert.equal("BatchNorm1d: argument 1: expected a tensor, got 1", text(nn.BatchNorm1d(4), 1))
    assert.equal("LayerNorm: argument 1: expected a shape that ends in [3, 4], got [4]",
      text(nn.LayerNorm({ 3, 4 }), wrun.zeros(4)))
    assert.equal("GroupNorm: argument 1: expected [n, C, ...] with C = 4, got [2, 3]",
      text(nn.GroupNorm(2, 4), wrun.zeros(2, 3)))
    assert.equal("GroupNorm: argument 1: expected more than 1 value per group, got [1, 4]",
      text(nn.GroupNorm(4, 4), wrun.zeros(1, 4)))
    assert.equal("RMSNorm: argument 1: expected a shape that ends in [4], got [3]",
      text(nn.RMSNorm(4), wrun.zeros(3)))
    assert.equal("Embedding: argument 1: expected int64 or uint8 indices, got a float32 tensor [2]",
      text(nn.Embedding(3, 2), wrun.zeros(2)))
    assert.equal("Embedding: argument 1: expected indices from 1 to 3, got 4",
      text(nn.Embedding(3, 2), wrun.tensor { 1, 4, 0 }))
    assert.equal("Embedding: argument 1: expected indices from 1 to 3, got 0; "
      .. "indices that count from 0 need +1", text(nn.Embedding(3, 2), wrun.tensor { 1, 0 }))
    assert.equal("Bilinear: argument 1: expected [5, 3], got [5, 2]",
      text(nn.Bilinear(3, 2, 1), wrun.zeros(5, 2), wrun.zeros(5, 2)))
    assert.equal("Bilinear: argument 2: expected [5, 2], got [4, 2]",
      text(nn.Bilinear(3, 2, 1), wrun.zeros(5, 3), wrun.zeros(4, 2)))
    assert.equal("Bilinear: argument 1: expected [3], got []",
      text(nn.Bilinear(3, 2, 1), wrun.zeros(), wrun.zeros(2)))
    assert.equal("unflatten: argument 2: expected a dimension from 1 to 2 or from -2 to -1, got 3",
      text(nn.Unflatten(3, { 2, 2 }), wrun.zeros(2, 4)))
    assert.equal("AlphaDropout: argument 1: expected a tensor, got nil", text(nn.AlphaDropout()))
  end)

  it("refuses settings that make no sense", function()
    assert.equal("BatchNorm1d: argument 1: expected an integer >= 1, got 0",
      refusal(nn.BatchNorm1d, 0))
    assert.equal("BatchNorm1d: option momentum: expected a number from 0 to 1, or false, got 2",
      refusal(nn.BatchNorm1d, 1, { momentum = 2 }))
    assert.equal("LayerNorm: argument 1: expected a size or a list of sizes, got {2.5}",
      refusal(nn.LayerNorm, { 2.5 }))
    assert.equal("LayerNorm: option eps: expected a number >= 0, got -1",
      refusal(nn.LayerNorm, 2, { eps = -1 }))
    assert.equal("GroupNorm: argument 2: expected a multiple of 3, got 4",
      refusal(nn.GroupNorm, 3, 4))
    assert.equal("Embedding.from_pretrained: argument 1: expected a float table of rows, "
      .. "got a float32 tensor [3]", refusal(nn.Embedding.from_pretrained, wrun.zeros(3)))
    assert.equal("Embedding.from_pretrained: option dtype: unknown; the options are freeze, "
      .. "max_norm, norm_type, padding_idx",
      refusal(nn.Embedding.from_pretrained, wrun.zeros(3, 2), { dtype = "float32" }))
    assert.equal("Embedding: option padding_idx: expected a row from 1 to 3 or from -3 to -1, "
      .. "got 0",
      refusal(nn.Embedding, 3, 2, { padding_idx = 0 }))
    assert.equal("Embedding: option max_norm: expected a number > 0, got 0",
      refusal(nn.Embedding, 3, 2, { max_norm = 0 }))
    assert.equal("Embedding: argument 2: expected an integer >= 0, got nil",
      refusal(nn.Embedding, 3))
    assert.equal("Bilinear: argument 3: expected an integer >= 1, got 0",
      refusal(nn.Bilinear, 1, 1, 0))
    assert.equal("Unflatten: argument 2: expected a table, got 2", refusal(nn.Unflatten, 2, 2))
    assert.equal("Dropout: argument 1: expected a number from 0 to 1, got 1.5",
      refusal(nn.Dropout, 1.5))
    assert.equal("AlphaDropout: option inplace: unknown; the options are generator",
      refusal(nn.AlphaDropout, 0.5, { inplace = true }))
  end)
end)
