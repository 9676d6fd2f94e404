--- Parts, joints, arrangements and diagonals: what they refuse, and gradients of their gradients;
--- spec/fixtures/make_shapes.py has the values.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local x, v, number = wrun.arange(12):reshape(3, 4), wrun.arange(4), wrun.tensor(1)

--- Asserts that each call { want, f, arguments ... } is refused in these words.
local function refuses(calls)
  for _, call in ipairs(calls) do
    assert.equal(call[1], refusal(table.unpack(call, 2)))
  end
end

local DIMENSION = "expected a dimension from 1 to 2 or from -2 to -1, got "

describe("parts of a tensor", function()
  it("unfold and diagonal refuse what shows nothing", function()
    refuses {
      { "unfold: argument 1: expected a tensor with dimensions, got an int64 tensor []",
        wrun.unfold, number, 1, 1, 1 },
      { "unfold: argument 2: " .. DIMENSION .. "3", wrun.unfold, x, 3, 1, 1 },
      { "unfold: argument 3: expected a size from 0 to 4, got 5", wrun.unfold, x, 2, 5, 1 },
      { "unfold: argument 4: expected a step of 1 or more, got 0", wrun.unfold, x, 2, 2, 0 },
      { "diagonal: argument 1: expected a tensor with two dimensions or more, "
        .. "got an int64 tensor [4]", wrun.diagonal, v },
      { "diagonal: argument 2: expected an offset, got 0.5", wrun.diagonal, x, 0.5 },
      { "diagonal: expected two different dimensions, got 2 twice", wrun.diagonal, x, 0, 2, -1 },
    }
  end)

  it("split, chunk, tensor_split and unbind refuse what does not add up", function()
    refuses {
      { "split: argument 1: expected a tensor, got {1, 2}", wrun.split, { 1, 2 }, 1 },
      { "split: argument 1: expected a tensor with dimensions, got an int64 tensor []",
        wrun.split, number, 1 },
      { "split: argument 2: expected a size of 1 or more or a table of sizes, got 0",
        wrun.split, x, 0 },
      { "split: argument 2: expected a size of 1 or more or a table of sizes, got nil",
        wrun.split, x },
      { "split: argument 2: expected sizes of 0 or more, got -1", wrun.split, x, { 4, -1 } },
      { "split: argument 2: expected sizes that add up to 4, the size of dimension 2, got 3",
        wrun.split, x, { 1, 2 }, 2 },
      { "split: argument 3: " .. DIMENSION .. "0", wrun.split, x, 1, 0 },
      { "chunk: argument 2: expected a number of parts from 1, got 1.5", wrun.chunk, x, 1.5 },
      { "tensor_split: argument 2: expected a number of parts from 1 or a table of cuts, got 0",
        wrun.tensor_split, x, 0 },
      { "tensor_split: argument 2: expected cuts of 0 or more, got -1",
        wrun.tensor_split, x, { -1 } },
      { "unbind: argument 2: " .. DIMENSION .. "3", wrun.unbind, x, 3 },
    }
  end)
end)

describe("tensors put together", function()
  it("hstack, vstack, broadcast_tensors, meshgrid and cartesian_prod refuse what does not fit",
    function()
      refuses {
        { "hstack: argument 1: expected a table of one or more tensors, got an int64 tensor [3, 4]",
          wrun.hstack, x },
        { "vstack: tensor 2: expected a tensor, got 1", wrun.vstack, { x, 1 } },
        { "cat: tensor 2: expected the shape [3, 4] but for dimension 2, got [4]",
          wrun.hstack, { x, v } },
        { "broadcast_tensors: argument 3: expected a shape that broadcasts with those before it, "
          .. "got [3]", wrun.broadcast_tensors, x, v, wrun.zeros(3) },
        { "broadcast_tensors: argument 2: expected a tensor, got 1",
          wrun.broadcast_tensors, x, 1 },
        { "meshgrid: tensor 2: expected at most one dimension, got [3, 4]",
          wrun.meshgrid, { v, x } },
        { "meshgrid: option indexing: expected ij or xy, got the string 'yx'",
          wrun.meshgrid, { v }, { indexing = "yx" } },
        { "meshgrid: argument 1: expected a table of one or more tensors, got nil",
          wrun.cartesian_prod },
      }
    end)
end)

describe("new shapes", function()
  it("squeeze, unflatten, movedim and mT refuse what does not fit", function()
    refuses {
      { "squeeze: argument 2: " .. DIMENSION .. "3", wrun.squeeze, x, { 1, 3 } },
      { "unflatten: argument 3: expected sizes for the 4 indices of dimension 2, got {3, -1}",
        wrun.unflatten, x, 2, { 3, -1 } },
      { "unflatten: argument 3: expected sizes for the 4 indices of dimension 2, got {-1, -1}",
        wrun.unflatten, x, 2, { -1, -1 } },
      { "unflatten: argument 3: expected sizes for the 4 indices of dimension 2, got 2",
        wrun.unflatten, x, 2, 2 },
      { "unflatten: argument 2: " .. DIMENSION .. "3", wrun.unflatten, x, 3, { 4 } },
      { "movedim: argument 3: " .. DIMENSION .. "3", wrun.movedim, x, 1, 3 },
      { "movedim: argument 2: dimension 2 is given twice", wrun.movedim, x, { 2, -1 }, { 1, 2 } },
      { "movedim: expected as many dimensions as indices, got 2 and 1",
        wrun.movedim, x, { 1, 2 }, 1 },
      { "mT: argument 1: expected two dimensions or more, got [4]", wrun.mT, v },
    }
  end)
end)

describe("another arrangement", function()
  it("flip, roll and rot90 refuse what turns nothing", function()
    refuses {
      { "flip: argument 2: " .. DIMENSION .. "3", wrun.flip, x, 1, 3 },
      { "flip: argument 2: expected a dimension, got nil", wrun.flip, x },
      { "flip: dimension 2 is given twice", wrun.flip, x, { 2, -1 } },
      { "roll: argument 2: expected a whole number, got 0.5", wrun.roll, x, 0.5 },
      { "roll: argument 2: expected a whole number, got nil", wrun.roll, x },
      { "roll: expected a shift for each dimension, got 1 and 2", wrun.roll, x, 1, { 1, 2 } },
      { "roll: argument 3: " .. DIMENSION .. "3", wrun.roll, x, 1, 3 },
      { "rot90: argument 1: expected two dimensions or more, got [4]", wrun.rot90, v },
      { "rot90: argument 2: expected a whole number, got 0.5", wrun.rot90, x, 0.5 },
      { "rot90: argument 3: expected two different dimensions, got 2 twice",
        wrun.rot90, x, 1, { 2, -1 } },
      { "rot90: argument 3: " .. DIMENSION .. "nil", wrun.rot90, x, 1, { 2 } },
    }
  end)

  it("tile, repeat and repeat_interleave refuse counts that are none", function()
    refuses {
      { "tile: expected counts of 0 or more, got -1", wrun.tile, x, 2, -1 },
      { "tile: argument 1: expected a tensor, got 5", wrun.tile, 5, 2 },
      { "repeat: expected counts of 0 or more, got 0.5", wrun["repeat"], x, 0.5, 1 },
      { "repeat: expected a count for each of the 2 dimensions, got 1; use tile",
        wrun["repeat"], x, 2 },
      { "repeat_interleave: argument 2: expected a whole number or an int64 tensor of 3 counts, "
        .. "got an int64 tensor [4]", wrun.repeat_interleave, x, v, 1 },
      { "repeat_interleave: argument 2: expected counts of 0 or more, got -2 at index 1",
        wrun.repeat_interleave, x, -2 },
      { "repeat_interleave: argument 3: " .. DIMENSION .. "3", wrun.repeat_interleave, x, 2, 3 },
    }
  end)
end)

describe("diagonals and classes", function()
  it("refuse what has none", function()
    refuses {
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
      { "one_hot: argument 1: expected indices from 1 to 2, got 3 at index 3",
        wrun.one_hot, v + 1, 2 },
      { "one_hot: argument 1: expected an int64 tensor of indices, got a float32 tensor [4]",
        wrun.one_hot, v:float(), 2 },
      { "one_hot: argument 2: expected an integer >= 1, got 0", wrun.one_hot, v, 0 },
    }
  end)
end)

describe("the gradients of parts and arrangements", function()
  local generator = wrun.Generator({ seed = 8 })

  local function check(f, sizes, ...)
    local options = { dtype = "float64", generator = generator, requires_grad = true }
    local arguments = table.pack(wrun.randn(sizes, options), ...)
    assert.is_true(wrun.gradcheck(f, arguments))
    assert.is_true(wrun.gradgradcheck(f, arguments))
  end

  it("hold at both orders", function()
    check(wrun.unfold, { 2, 5 }, -1, 2, 3)
    check(wrun.unfold, { 5, 2 }, 1, 3, 1)
    check(wrun.diagonal, { 2, 3, 4 }, 1, -1, 1)
    check(wrun.diagonal, { 3, 2 }, -5)
    check(wrun.diag_embed, { 2, 3 }, -1, 1, 3)
    check(wrun.tril, { 2, 3, 3 }, -1)
    check(wrun.flip, { 2, 3 }, 1, 2)
    check(wrun.roll, { 2, 3 }, { 1, -1 }, { 1, 2 })
    check(wrun.rot90, { 2, 3 }, 3)
    check(wrun.tile, { 2, 3 }, 2, 1, 2)
    check(wrun.repeat_interleave, { 3, 2 }, wrun.tensor({ 2, 0, 1 }), 1)
    check(wrun.movedim, { 2, 3, 2 }, { 1, 2 }, { 3, 1 })
    check(function(y)
      return wrun.cartesian_prod({ y, y * 2 })
    end, { 3 })
    check(function(y)
      return y:split({ 1, 2 })[2] * y:unbind()[1] * y:chunk(3)[3]
    end, { 3, 2 })
  end)
end)
