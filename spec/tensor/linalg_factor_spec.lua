--- Decompositions and solvers beside PyTorch's (spec/fixtures/make_linalg_factor.py), and their refusals.

local cases = require "spec.support.cases"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

-- LAPACK's errors are relative to a matrix's norm, about 4 here, times its condition, about 10.
local RULES = {
  float32 = { rtol = 1e-5, atol = 1e-5 },
  float64 = { rtol = 1e-12, atol = 1e-12 },
}

describe("fixtures of linalg_factor #many", function()
  for claim, check in cases.each(require "spec.fixtures.linalg_factor", RULES) do
    it(claim, check)
  end
end)

local function double(...)
  return wrun.randn({ ... }, { dtype = "float64", generator = wrun.Generator({ seed = 7 }) })
end

local function largest(x)
  return x:abs():max():item()
end

-- Residuals of LAPACK's algorithms on matrices of norm 1 or so.
local NEAR = 1e-13

describe("a decomposition", function()
  it("multiplies to its matrix, however that lies in memory", function()
    for _, x in ipairs({ double(40, 17), double(17, 40), double(40, 17):t(),
      double(30, 30)[{ { 1, -1, 2 }, { 3, 20 } }], double(3, 2, 9, 5):transpose(1, 3) }) do
      local u, s, vh = wrun.svd(x, false)
      assert.is_true(largest((u * s:unsqueeze(-2)):matmul(vh) - x) < 40 * NEAR)
      local q, r = wrun.qr(x)
      assert.is_true(largest(q:matmul(r) - x) < 40 * NEAR)
      local symmetric = x:matmul(x:transpose(-1, -2))
      local w, v = wrun.eigh(symmetric)
      assert.is_true(largest((v * w:unsqueeze(-2)):matmul(v:transpose(-1, -2)) - symmetric) < 1e-11)
      assert.is_true(largest(w - wrun.eigvalsh(symmetric)) < 1e-11)
      assert.is_true(largest(s - wrun.svdvals(x)) < 40 * NEAR)
    end
  end)

  it("counts no singular value of a matrix of zeros", function()
    local both = wrun.stack({ wrun.zeros(2, 3), wrun.eye(3)[{ { 1, 2 } }] })
    assert.same({ 0, 2 }, wrun.matrix_rank(both):tolist())
  end)

  it("leaves its matrix as it was", function()
    local x = double(4, 4)
    local before = x:clone()
    for _, name in ipairs({ "svd", "svdvals", "qr", "eigh", "eigvalsh", "inv", "det", "slogdet",
      "pinv", "matrix_rank" }) do
      wrun[name](x)
      assert.is_true(before:equal(x))
    end
    local b = double(4, 2)
    local right = b:clone()
    wrun.solve(x, b)
    wrun.lstsq(x, b)
    wrun.solve_triangular(x, b, { upper = true })
    assert.is_true(before:equal(x) and right:equal(b))
  end)

  it("gives the same bits however many threads there are, and again", function()
    local x, threads = double(60, 60), wrun.get_num_threads()
    local function all()
      local u, s = wrun.svd(x)
      return wrun.cat({ u:flatten(), s, wrun.inv(x):flatten(), wrun.det(x):unsqueeze(1) })
    end
    local once = all()
    wrun.set_num_threads(threads == 1 and 2 or 1)
    assert.is_true(once:equal(all()))
    wrun.set_num_threads(threads)
  end)

  it("reads only the triangle it is told to", function()
    local x = double(4, 4)
    x = x:matmul(x:t())
    local mask = wrun.arange(4):unsqueeze(2):ge(wrun.arange(4))
    local lower = wrun.where(mask, x, 99)
    assert.is_true(largest(wrun.eigvalsh(lower) - wrun.eigvalsh(x)) < 1e-11)
    assert.is_true(largest(wrun.eigvalsh(lower:t(), "U") - wrun.eigvalsh(x)) < 1e-11)
    assert.is_true(wrun.cholesky(lower):equal(wrun.cholesky(x)))
    local upper = wrun.cholesky(lower:t(), { upper = true })
    assert.is_true(largest(upper - wrun.cholesky(x):t()) < 1e-11)
    assert.is_true(wrun.cholesky(lower):equal(wrun.where(mask, wrun.cholesky(lower), 0)))
    assert.is_true(largest(wrun.solve_triangular(lower, x, { upper = false })
      - wrun.solve(wrun.where(mask, x, 0), x)) < 1e-11)
  end)

  it("carries NaN on where there is nothing to search for", function()
    local x = wrun.eye(3)
    x[{ 2, 3 }] = 0 / 0
    assert.is_true(wrun.det(x:t()):isnan():item())
    assert.is_true(wrun.inv(x):isnan():any():item())
    assert.is_true(select(2, wrun.qr(x)):isnan():any():item())
  end)

  it("names the first matrix of a batch that does not fit", function()
    local x = wrun.stack({ wrun.eye(2), wrun.zeros(2, 2), wrun.eye(2) })
    assert.equal("inv: argument 1: matrix 2 of the batch is singular", refusal(wrun.inv, x))
    assert.equal("cholesky: argument 1: matrix 2 of the batch is not positive definite",
      refusal(wrun.cholesky, x))
    x[{ 3, 1, 1 }] = 1 / 0
    for _, name in ipairs({ "svd", "svdvals", "eigh", "eigvalsh", "pinv", "matrix_rank" }) do
      assert.equal(name .. ": argument 1: matrix 3 of the batch holds NaN or infinity",
        refusal(wrun[name], x))
    end
    assert.equal("lstsq: argument 1: the matrix holds NaN or infinity",
      refusal(wrun.lstsq, x[3], wrun.ones(2, 1)))
  end)

  it("refuses what is no batch of matrices", function()
    local v, x = wrun.ones(3), wrun.ones(2, 3)
    for _, name in ipairs({ "svd", "svdvals", "qr", "pinv", "matrix_rank" }) do
      assert.equal(name .. ": argument 1: expected a matrix or a batch of matrices, got a float32 "
        .. "tensor [3]", refusal(wrun[name], v))
      assert.equal(name .. ": argument 1: expected a float32 or float64 tensor, got an int64 "
        .. "tensor [1, 1]", refusal(wrun[name], wrun.tensor({ { 1 } })))
      assert.equal(name .. ": argument 1: expected a tensor, got nil", refusal(wrun[name]))
    end
    for _, name in ipairs({ "eigh", "eigvalsh", "cholesky", "det", "slogdet", "inv" }) do
      assert.equal(name .. ": argument 1: expected a square matrix or a batch of such, got a "
        .. "float32 tensor [2, 3]", refusal(wrun[name], x))
      assert.equal(name .. ": argument 1: expected a tensor, got nil", refusal(wrun[name]))
    end
    assert.equal("svd: argument 1: expected matrices of at most 16384 rows or columns and "
      .. "2147483647 elements, got [20000, 20000]",
      refusal(wrun.svd, wrun.zeros(1, 1):expand(20000, 20000)))
    assert.equal("qr: argument 1: expected matrices of at most 16384 rows or columns and "
      .. "2147483647 elements, got [20000, 2]", refusal(wrun.qr, wrun.zeros(20000, 2), "complete"))
    assert.equal("svd: argument 1: expected matrices of at most 16384 rows or columns and "
      .. "2147483647 elements, got [2, 20000]", refusal(wrun.svd, wrun.zeros(2, 20000)))
  end)

  it("matrix_power takes every integer, the least too, which has no absolute value", function()
    local swap = wrun.tensor { { 0.0, 1 }, { 1, 0 } }
    assert.same(wrun.eye(2):tolist(), swap:matrix_power(math.mininteger):tolist())
    assert.same(swap:tolist(), swap:matrix_power(math.maxinteger):tolist())
  end)

  it("refuses settings it does not know", function()
    local x = wrun.eye(2)
    assert.equal("svd: argument 2: expected true or false, got 1", refusal(wrun.svd, x, 1))
    assert.equal("qr: argument 2: expected reduced, complete or r, got the string 'thin'",
      refusal(wrun.qr, x, "thin"))
    assert.equal("eigh: argument 2: expected L or U, got true", refusal(wrun.eigh, x, true))
    assert.equal("cholesky: expected a table of options, got true; write { upper = true }",
      refusal(wrun.cholesky, x, true))
    assert.equal("matrix_rank: option rtol: expected a number >= 0, got -1",
      refusal(wrun.matrix_rank, x, { rtol = -1 }))
    assert.equal("pinv: option hermitian: unknown; the options are atol, rtol",
      refusal(wrun.pinv, x, { hermitian = true }))
    assert.equal("lstsq: argument 3: expected a number >= 0, got -1",
      refusal(wrun.lstsq, x, x, -1))
    assert.equal("matrix_power: argument 2: expected an integer, got 0.5",
      refusal(wrun.matrix_power, x, 0.5))
    assert.equal("matrix_power: argument 1: expected a square matrix or a batch of such, got a "
      .. "float32 tensor [1, 2]", refusal(wrun.matrix_power, wrun.ones(1, 2), 2))
    assert.equal("matrix_power: argument 1: the matrix is singular",
      refusal(wrun.matrix_power, wrun.zeros(2, 2), -1))
  end)
end)

describe("a solver", function()
  it("solves for rows too", function()
    local a, v = double(3, 3), double(3)
    local x = wrun.solve(a, v, { left = false })
    assert.same({ 3 }, x.shape)
    assert.is_true(largest(x:matmul(a) - v) < NEAR * 100)
  end)

  it("finds the shortest of the least squares", function()
    local a, b = double(3, 5), double(3, 2)
    local x, residuals, rank = wrun.lstsq(a, b)
    assert.is_true(largest(a:matmul(x) - b) < NEAR * 100)
    assert.is_true(largest(x - wrun.pinv(a):matmul(b)) < NEAR * 100)
    assert.same({ 0 }, residuals.shape)
    assert.equal(3, rank:item())
  end)

  it("says what does not fit its matrix", function()
    local a = wrun.eye(3)
    assert.equal("solve: argument 1: the matrix is singular",
      refusal(wrun.solve, wrun.ones(3, 3), wrun.ones(3)))
    assert.equal("solve: argument 2: expected 3 rows to match [3, 3], got [2, 3]",
      refusal(wrun.solve, a, wrun.ones(2, 3)))
    assert.equal("solve: argument 2: expected a float32 tensor, as argument 1 is, got a float64 "
      .. "tensor [3, 3]", refusal(wrun.solve, a, a:double()))
    assert.equal("solve: argument 2: expected a tensor, got nil", refusal(wrun.solve, a))
    assert.equal("solve: argument 1: expected a square matrix or a batch of such, got a float32 "
      .. "tensor [2, 3]", refusal(wrun.solve, wrun.ones(2, 3), a))
    assert.equal("solve: argument 2: expected batch dimensions that broadcast with [2, 3, 3], got "
      .. "[4, 3, 1]", refusal(wrun.solve, a:expand(2, 3, 3), wrun.ones(4, 3, 1)))
    assert.equal("solve_triangular: option upper: expected true or false, got nil",
      refusal(wrun.solve_triangular, a, a))
    assert.equal("solve_triangular: argument 1: expected a matrix or a batch of matrices, got a "
      .. "float32 tensor [3]", refusal(wrun.solve_triangular, wrun.ones(3), a, { upper = true }))
    assert.equal("cholesky_solve: argument 2: expected 3 rows to match [3, 3], got [2, 2]",
      refusal(wrun.cholesky_solve, wrun.ones(2, 2), a))
    assert.equal("lstsq: argument 2: expected 3 rows to match [3, 3], got [2, 2]",
      refusal(wrun.lstsq, a, wrun.ones(2, 2)))
  end)
end)

describe("the gradient of a decomposition", function()
  local function needing(x)
    return x:clone():requires_grad_()
  end

  local function check(f, ...)
    assert.is_true(wrun.gradcheck(f, { ... }))
    assert.is_true(wrun.gradgradcheck(f, { ... }))
  end

  it("holds to the second order for every shape and mode", function()
    for _, shape in ipairs({ { 3, 3 }, { 2, 4 }, { 4, 2 }, { 2, 2, 3 }, { 1, 1 } }) do
      local x = needing(double(table.unpack(shape)))
      check(function(a)
        local u, s, vh = wrun.svd(a, false)
        return (u:abs() * s:unsqueeze(-2)):matmul(vh:abs())
      end, x)
      check(wrun.pinv, x)
      check(wrun.svdvals, x)
      check(function(a)
        local q, r = wrun.qr(a)
        return (q * q):matmul(r * r)
      end, x)
    end
    check(function(a) return select(2, wrun.qr(a, "complete")) end, needing(double(2, 3)))
    check(function(a) return (wrun.svd(a)):abs() end, needing(double(2, 3)))
    check(wrun.linalg.cond, needing(double(3, 3)))
    check(function(a) return wrun.inv(a):matmul(a * a) end, needing(double(2, 2, 2)))
    check(wrun.logdet, needing(double(3, 3):matmul(double(3, 3):t())))
    check(wrun.lstsq, needing(double(4, 2)), needing(double(4)))
    check(wrun.solve, needing(double(2, 1, 3, 3)), needing(double(2, 3, 2)))
    for _, upper in ipairs({ true, false }) do
      for _, unit in ipairs({ true, false }) do
        check(function(a, b)
          return wrun.solve_triangular(a, b, { upper = upper, unitriangular = unit })
        end, needing(double(3, 3) + 2 * wrun.eye(3)), needing(double(3, 2)))
      end
      check(function(a)
        return wrun.cholesky(a + a:t() + 9 * wrun.eye(3), { upper = upper })
      end, needing(double(3, 3)))
    end
  end)

  it("of a determinant holds where that is 0", function()
    local x = double(3, 1):matmul(double(1, 3)) + wrun.tensor({ { 1.0, 0, 0 }, { 0, 0, 0 },
      { 0, 0, 0 } })
    x = needing(x - x:narrow(1, 3, 1):mul(0)) -- rank 2
    x:det():backward()
    local function minor(i, j)
      local rows, columns = i % 3 + 1, j % 3 + 1
      local rows2, columns2 = (i + 1) % 3 + 1, (j + 1) % 3 + 1
      local y = x:detach()
      return (y[rows][columns] * y[rows2][columns2] - y[rows][columns2] * y[rows2][columns]):item()
    end
    for i = 1, 3 do
      for j = 1, 3 do
        assert.near(minor(i, j), x.grad[i][j]:item(), 1e-12)
      end
    end
    local zero = wrun.zeros(3, 3, { requires_grad = true })
    zero:det():backward()
    assert.equal(0, largest(zero.grad))
  end)

  it("through values alone holds where they are equal", function()
    local x = wrun.eye(3, { dtype = "float64", requires_grad = true })
    wrun.svdvals(x):sum():backward()
    assert.is_true(largest(x.grad - wrun.eye(3)) < NEAR)
    x.grad = nil
    select(2, wrun.svd(x)):sum():backward()
    assert.is_true(largest(x.grad - wrun.eye(3)) < NEAR)
    x.grad = nil
    wrun.eigvalsh(x):sum():backward()
    assert.is_true(largest(x.grad - wrun.eye(3)) < NEAR)
  end)

  it("is refused where there is none", function()
    local x = needing(double(3, 2))
    assert.equal("backward: qr: the derivative needs q, which the mode r leaves out; use reduced",
      refusal(function() select(2, wrun.qr(x, "r")):sum():backward() end))
    assert.equal("backward: qr: the mode complete has no derivative for [3, 2], which has more "
      .. "rows than columns; use reduced",
      refusal(function() select(2, wrun.qr(x, "complete")):sum():backward() end))
    assert.equal("backward: slogdet: argument 1: the matrix is singular", refusal(function()
      wrun.logdet(wrun.zeros(2, 2, { requires_grad = true })):backward()
    end))
  end)
end)

describe("wrun.linalg", function()
  it("has PyTorch's names", function()
    for _, name in ipairs({ "svd", "svdvals", "qr", "eigh", "eigvalsh", "cholesky", "solve", "inv",
      "solve_triangular", "lstsq", "det", "slogdet", "matrix_rank", "pinv", "matrix_power", "norm",
      "vector_norm", "matrix_norm", "cond", "cross", "vecdot", "multi_dot", "matmul" }) do
      assert.is_function(wrun.linalg[name])
    end
  end)
end)
