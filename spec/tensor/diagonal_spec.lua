--- Diagonals and triangles: what they refuse, and gradients of their gradients;
--- spec/tensor/arrange_spec.lua has their values.

local derivative = require "spec.support.derivative"
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
    }
  end)
end)

describe("diagonals", function()
  it("have gradients of both orders", function()
    derivative(wrun.diag_embed, { 2, 3 }, -1, 1, 3)
    derivative(wrun.tril, { 2, 3, 3 }, -1)
  end)
end)
