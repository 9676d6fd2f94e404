--- Diagonals and triangles: what they refuse, and gradients of their gradients;
--- spec/tensor/arrange_spec.lua has their values.

local derivative = require "spec.support.derivative"
local refusal = require "spec.support.refusal"
local refusals = require "spec.support.refusals"
local wrun = require "wrun"

local x, v, number = wrun.arange(12):reshape(3, 4), wrun.arange(4), wrun.tensor(1)

local DIMENSION = "expected a dimension from 1 to 2 or from -2 to -1, got "

describe("diagonals and triangles", function()
  it("refuse what has none", function()
    refusals {
      { "diag_embed: argument 1: expected a tensor with dimensions, got an int64 tensor []",
        wrun.diag_embed, number },
      { "diag_embed: expected two different dimensions, got 2 twice",
        wrun.diag_embed, v, 0, 2, -1 },
      { "diag_embed: argument 3: " .. DIMENSION .. "3", wrun.diag_embed, v, 0, 3 },
      { "diag: argument 1: expected one or two dimensions, got []", wrun.diag, number },
      { "diag: argument 2: expected an integer, got 0.5", wrun.diag, v, 0.5 },
      { "tril: argument 1: expected two dimensions or more, got [4]", wrun.tril, v },
      { "triu: argument 2: expected an integer, got 0.5", wrun.triu, x, 0.5 },
      { "tril_indices: argument 1: expected an integer >= 0, got -1", wrun.tril_indices, -1, 2 },
      { "triu_indices: argument 2: expected an integer >= 0, got nil", wrun.triu_indices, 1 },
      { "diag_embed: the sizes overflow: [4611686018427387904, 4611686018427387904]",
        wrun.diag_embed, v, 1 << 62 },
      { "tril_indices: the sizes overflow: [4611686018427387904, 2]",
        wrun.tril_indices, 1 << 62, 2 },
    }
  end)

  it("have the indices of what a mask keeps", function()
    for _, sizes in ipairs { { 0, 3 }, { 3, 0 }, { 1, 1 }, { 4, 2 }, { 2, 5 } } do
      local m, n = table.unpack(sizes)
      local apart = wrun.arange(n) - wrun.arange(m):reshape(m, 1)
      for _, offset in ipairs { math.mininteger, -5, -1, 0, 1, 2, 6, math.maxinteger } do
        for name, compare in pairs { tril_indices = wrun.le, triu_indices = wrun.ge } do
          local kept, indices = compare(apart, offset), wrun[name](m, n, offset)
          assert.equal("int64", indices.dtype)
          assert.same(kept:nonzero():transpose(1, 2):tolist(), indices:tolist())
        end
      end
    end
  end)

  it("are counted by a formula, and no row without an element is visited", function()
    assert.same({ { 1, 1, 1, 2, 2, 3 }, { 1, 2, 3, 2, 3, 3 } },
      wrun.triu_indices(1 << 53, 3):tolist())
    assert.equal(0, wrun.tril_indices(1 << 53, 0):numel())
    assert.matches("^tril_indices: not enough memory for a tensor %[2, 27021597764222973%] of ",
      refusal(wrun.tril_indices, 1 << 53, 3))
  end)
end)

describe("diagonals", function()
  it("have gradients of both orders", function()
    derivative(wrun.diag_embed, { 2, 3 }, -1, 1, 3)
    derivative(wrun.tril, { 2, 3, 3 }, -1)
  end)
end)
