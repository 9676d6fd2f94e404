--- Embedding: beside PyTorch's, from rows that are there, and what it refuses.

local layers = require "spec.support.layers"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn

describe("nn.Embedding", function()
  for claim, check in layers.each("layers", nn.Embedding) do
    it(claim, check)
  end

  it("prints as PyTorch's does", function()
    assert.equal("Embedding(4, 3)", tostring(nn.Embedding(4, 3)))
    assert.equal("Embedding(4, 3, padding_idx=4, max_norm=2.5, norm_type=1)",
      tostring(nn.Embedding(4, 3, { padding_idx = -1, max_norm = 2.5, norm_type = 1 })))
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

  it("draws from the generator it is given", function()
    local function weight()
      return nn.Embedding(5, 2, { generator = wrun.Generator({ seed = 3 }) }).weight
    end
    assert.is_true(weight():equal(weight()))
  end)

  it("refuses what are no indices of its rows", function()
    assert.equal("Embedding: argument 1: expected int64 or uint8 indices, got a float32 tensor [2]",
      refusal(nn.Embedding(3, 2), wrun.zeros(2)))
    assert.equal("Embedding: argument 1: expected indices from 1 to 3, got 4",
      refusal(nn.Embedding(3, 2), wrun.tensor { 1, 4, 0 }))
    assert.equal("Embedding: argument 1: expected indices from 1 to 3, got 0; "
      .. "indices that count from 0 need +1", refusal(nn.Embedding(3, 2), wrun.tensor { 1, 0 }))
  end)

  it("refuses settings that make no sense", function()
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
  end)
end)
