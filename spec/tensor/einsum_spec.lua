--- einsum and the products made of matmul, beside PyTorch's (spec/fixtures/make_einsum.py).

local cases = require "spec.support.cases"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

-- Sums of products of small integers are exact in any order, but for the sign of a zero.
local EXACT = { rtol = 0 }
local RULES = { float32 = EXACT, float64 = EXACT, int64 = EXACT }

describe("fixtures of einsum #many", function()
  for claim, check in cases.each(require "spec.fixtures.einsum", RULES) do
    it(claim, check)
  end
end)

describe("einsum", function()
  local a, b, v = wrun.ones(2, 3), wrun.ones(3, 4), wrun.ones(3)

  it("takes its tensors in a table too", function()
    assert.same({ 2, 4 }, wrun.einsum("ij,jk", { a, b }).shape)
  end)

  it("returns another tensor than it was given, also where nothing is to do", function()
    local y = wrun.einsum("ij->ij", a)
    assert.not_equal(a, y)
    assert.is_true(y:equal(a))
  end)

  it("is right to the second order", function()
    local function double(...)
      return wrun.randn({ ... }, { dtype = "float64", requires_grad = true,
        generator = wrun.Generator({ seed = 3 }) })
    end
    for _, case in ipairs({
      { "iij,jk->ik", double(2, 2, 3), double(3, 2) },
      { "...ij,...jk->...ik", double(2, 2, 3), double(3, 2) },
      { "ij,jk,kl->l", double(2, 2), double(2, 3), double(3, 2) },
      { "ij,ij->i", double(2, 3), double(2, 3) },
    }) do
      local function f(...)
        return wrun.einsum(case[1], ...)
      end
      assert.is_true(wrun.gradcheck(f, { table.unpack(case, 2) }))
      assert.is_true(wrun.gradgradcheck(f, { table.unpack(case, 2) }))
    end
  end)

  it("says what is wrong with an equation", function()
    local function message(...)
      return (refusal(wrun.einsum, ...):gsub("^einsum: ", ""))
    end
    assert.equal("argument 1: expected a string, got nil", message())
    assert.equal("argument 2: expected a tensor, got 3", message("i", 3))
    assert.equal("argument 1: expected subscripts for 1 tensors, got 2 in 'ij,jk'",
      message("ij,jk", a))
    assert.equal("argument 1: expected subscripts for 0 tensors, got 1 in 'i'", message("i"))
    assert.equal("argument 1: 'i' names 1 dimensions of tensor 2, which has the shape [3, 4]",
      message("ij,i", a, b))
    assert.equal("argument 1: 'ijk...' names 3 dimensions of tensor 1, which has the shape [2, 3]",
      message("ijk...", a))
    assert.equal("argument 1: 'ii' names dimensions of sizes 2 and 3 of tensor 1 alike",
      message("ii", a))
    assert.equal("argument 1: expected letters and at most one ... for tensor 1, got 'i1'",
      message("i1", a))
    assert.equal("argument 1: expected letters and at most one ... after ->, got 'i->j'",
      message("ij->i->j", a))
    assert.equal("argument 1: 'ii' after -> names 'i' twice", message("ij->ii", a))
    assert.equal("argument 1: 'ik' after -> names 'k', which no tensor has", message("ij->ik", a))
    assert.equal("tensor 2: expected 3 elements along 'j', as in a tensor before, got 2",
      message("ij,jk->ik", a, a))
    assert.equal("tensor 2: expected 3 elements along '...', as in a tensor before, got 4",
      message("...,...", v, wrun.ones(4)))
  end)
end)

describe("tensordot", function()
  it("says what is wrong with its dimensions", function()
    local a, b = wrun.ones(2, 3), wrun.ones(3, 4)
    local function message(...)
      return (refusal(wrun.tensordot, a, b, ...):gsub("^tensordot: ", ""))
    end
    assert.equal("argument 2: expected 2 elements along dimension 1, got [3, 4]", message())
    assert.equal("argument 3: expected from 0 to 2 dimensions, got 3", message(3))
    assert.equal("argument 3: expected from 0 to 2 dimensions, got -1", message(-1))
    assert.equal("argument 3: expected a number, or two tables of as many dimensions, got 1.5",
      message(1.5))
    assert.equal("argument 3: expected a number, or two tables of as many dimensions, got a table",
      message({ { 1 }, {} }))
    assert.equal("argument 3: expected dimensions of tensor 2, [3, 4], got 3",
      message({ { 1 }, { 3 } }))
    assert.equal("argument 3: expected each dimension once", message({ { 2, 2 }, { 1, 1 } }))
    assert.equal("tensordot: argument 2: expected a tensor, got nil", refusal(wrun.tensordot, a))
  end)
end)

describe("a product", function()
  local a, v = wrun.ones(2, 3), wrun.ones(3)

  it("with a sum says what does not fit", function()
    assert.equal("addmm: expected 2 and 2 dimensions, got a float32 tensor [2, 3] and a float32 "
      .. "tensor [3]", refusal(wrun.addmm, a, a, v))
    assert.equal("addmm: argument 2: expected a tensor, got nil", refusal(wrun.addmm, a))
    assert.equal("addmm: argument 1: expected a tensor, got 1", refusal(wrun.addmm, 1, a, a:t()))
    assert.equal("addmm: argument 1: expected what broadcasts to [2, 2], got [2, 3]",
      refusal(wrun.addmm, a, a, a:t()))
    assert.equal("addmv: argument 1: expected what broadcasts to [2], got [2, 3]",
      refusal(wrun.addmv, a, a, v))
    assert.equal("baddbmm: expected 3 and 3 dimensions, got a float32 tensor [2, 3] and a float32 "
      .. "tensor [2, 3]", refusal(wrun.baddbmm, a, a, a))
    assert.equal("addr: argument 1: expected what broadcasts to [3, 3], got [2, 3]",
      refusal(wrun.addr, a, v, v))
    assert.equal("addr: option gamma: unknown; the options are alpha, beta",
      refusal(wrun.addr, v, v, v, { gamma = 1 }))
  end)

  it("with a sum does not read what beta = 0 leaves out", function()
    local nothing = wrun.full({ 2 }, 0 / 0)
    assert.same({ 3, 3 }, wrun.addmv(nothing, a, v, { beta = 0 }):tolist())
  end)

  it("of a chain is made in the cheapest order, and says what does not fit", function()
    -- from the left it is 18 million operations for each of the two, from the right 12 thousand;
    -- and from the left the first product is beyond float32
    local wide = wrun.full({ 1, 3000 }, 1e20)
    local chain = { wide:t(), wide, wrun.ones(3000, 1), wrun.full({ 1 }, 1e-20) }
    assert.is_true(wrun.allclose(wrun.multi_dot(chain), wrun.full({ 3000 }, 3e23)))
    assert.equal("multi_dot: argument 1: expected a table of two or more tensors, got a table",
      refusal(wrun.multi_dot, { a }))
    assert.equal("multi_dot: tensor 2: expected a matrix, got a float32 tensor [3]",
      refusal(wrun.multi_dot, { a, v, a }))
    assert.equal("multi_dot: tensor 2: expected a matrix or a vector, got 3",
      refusal(wrun.multi_dot, { a, 3 }))
    assert.equal("multi_dot: tensor 2: expected 3 rows to match [2, 3], got [2, 3]",
      refusal(wrun.multi_dot, { a, a }))
  end)

  it("of vectors says what does not fit", function()
    assert.equal("cross: argument 1: expected 3 elements along dimension -2, got [2, 3]",
      refusal(wrun.cross, a, a, { dim = -2 }))
    assert.equal("cross: argument 2: expected a tensor, got false", refusal(wrun.cross, a))
    assert.equal("trace: argument 1: expected a matrix, got a float32 tensor [3]",
      refusal(wrun.trace, v))
    assert.equal("kron: argument 2: expected a tensor, got nil", refusal(wrun.kron, v))
  end)
end)
