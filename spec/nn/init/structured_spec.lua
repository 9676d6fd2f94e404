--- Initialisers with structure: identities, orthogonal and sparse matrices.

local refusal = require "spec.support.refusal"
local spread = require "spec.support.spread"
local wrun = require "wrun"

local init, nn = wrun.nn.init, wrun.nn

local sqrt = math.sqrt
local SIGMAS = spread.SIGMAS

local function assert_near(want, got)
  assert.is_true((want - got):abs():max():item() < 1e-14)
end

describe("nn.init.orthogonal_", function()
  it("makes the fewer of rows and columns orthonormal, times gain", function()
    for _, shape in ipairs({ { 30, 30 }, { 40, 7 }, { 7, 40 }, { 6, 3, 2, 2 }, { 30, 2, 2 } }) do
      local w = init.orthogonal_(wrun.empty(shape, { dtype = "float64" }), 3):flatten(2)
      local products = w:size(1) < w:size(2) and w:matmul(w:t()) or w:t():matmul(w)
      assert_near(9 * wrun.eye(products:size(1), { dtype = "float64" }), products)
    end
  end)

  it("has no preferred sign", function()
    local corners = 0
    for _ = 1, 400 do
      corners = corners + (init.orthogonal_(wrun.empty(2, 2))[1][1]:item() > 0 and 1 or 0)
    end
    assert.near(200, corners, SIGMAS * sqrt(400) / 2)
  end)

  it("writes through a view, and takes a generator", function()
    local function draw(w)
      return init.orthogonal_(w, { generator = wrun.Generator({ seed = 9 }) })
    end
    local base = wrun.zeros(3, 4)
    draw(base:t())
    assert.is_true(base:t():equal(draw(wrun.empty(4, 3))))
  end)

  it("leaves what is empty alone and refuses what is no matrix", function()
    local empty = wrun.empty(0, 3)
    assert.equal(empty, init.orthogonal_(empty))
    assert.equal("orthogonal_: argument 1: expected at least 2 dimensions, got [3]",
      refusal(init.orthogonal_, wrun.empty(3)))
    assert.equal("orthogonal_: option gain: expected a number, got true",
      refusal(init.orthogonal_, wrun.empty(2, 2), { gain = true }))
  end)
end)

describe("nn.init.eye_", function()
  it("fills any dtype, and a view", function()
    assert.same({ { 1, 0, 0 }, { 0, 1, 0 } },
      init.eye_(wrun.full({ 2, 3 }, 7, { dtype = "uint8" })):tolist())
    local base = wrun.full({ 3, 2 }, 5.0)
    init.eye_(base:t())
    assert.same({ { 1.0, 0.0 }, { 0.0, 1.0 }, { 0.0, 0.0 } }, base:tolist())
  end)

  it("refuses what is no matrix", function()
    assert.equal("eye_: argument 1: expected 2 dimensions, got [2, 2, 2]",
      refusal(init.eye_, wrun.empty(2, 2, 2)))
    assert.equal("eye_: argument 1: expected a tensor, got nil", refusal(init.eye_))
  end)
end)

describe("nn.init.idinit_", function()
  it("repeats the identity until the matrix is full", function()
    for _, shape in ipairs { { 5, 2 }, { 2, 5 }, { 3, 3 }, { 1, 4 } } do
      local w = init.idinit_(wrun.empty(shape), 2)
      local period = math.min(shape[1], shape[2])
      for i = 1, shape[1] do
        for j = 1, shape[2] do
          assert.equal((i - j) % period == 0 and 2.0 or 0.0, w[i][j]:item())
        end
      end
    end
    assert.same({ 0, 3 }, init.idinit_(wrun.empty(0, 3)).shape)
  end)

  it("has a branch add almost nothing, and yet no unit is without a gradient", function()
    local function gradient(start, ...)
      local branch = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 4))
      init.idinit_(branch[1].weight)
      start(branch[3].weight, ...)
      init.zeros_(branch[3].bias)
      local y = branch(wrun.randn(20, 4))
      assert.is_true(y:abs():max():item() < 1e-5)
      return (wrun.autograd.grad(y:sum(), branch[1].weight))
    end
    assert.equal(0, gradient(init.zeros_):abs():max():item())
    assert.is_true(gradient(init.idinit_, { gain = 1e-6 }):abs():amin():item() > 0)
  end)

  it("refuses what is no matrix", function()
    assert.equal("idinit_: argument 1: expected 2 dimensions, got [3]",
      refusal(init.idinit_, wrun.empty(3)))
    assert.equal("idinit_: option gain: expected a number, got the string 'x'",
      refusal(init.idinit_, wrun.empty(3, 3), "x"))
  end)
end)

-- By how many directions the middle weight of a network 4-16-16-4 changes while it learns.
local function rank_of_change(start)
  wrun.manual_seed(1)
  local function make(inputs, outputs)
    return nn.Linear(inputs, outputs, { weight_init = start, bias = false })
  end
  local model = nn.Sequential(make(4, 16), make(16, 16), nn.Tanh(), make(16, 4)):double()
  local x, y = wrun.randn(50, 4):double(), wrun.randn(50, 4):double()
  local optimizer = wrun.optim.SGD(model:parameters(), { lr = 0.1 })
  local before = model[2].weight:detach():clone()
  for _ = 1, 20 do
    optimizer:zero_grad()
    nn.functional.mse_loss(model(x), y):backward()
    optimizer:step()
  end
  local singular = (model[2].weight:detach() - before):svdvals()
  return singular:gt(1e-9 * singular[1]):sum():item()
end

describe("nn.init.hadamard_", function()
  it("is the identity, or has the signs of common bits", function()
    assert.is_true(init.eye_(wrun.empty(3, 5)):equal(init.hadamard_(wrun.empty(3, 5))))
    for rows, size in pairs { [3] = 4, [4] = 4, [9] = 16 } do
      local w = init.hadamard_(wrun.empty(rows, 2, { dtype = "float64" }))
      for i = 1, rows do
        for j = 1, 2 do
          local ones = 0
          for bit = 0, 7 do
            ones = ones + (((i - 1) & (j - 1)) >> bit & 1)
          end
          assert.near((-1) ^ ones / sqrt(size), w[i][j]:item(), 1e-15)
        end
      end
    end
  end)

  it("keeps the length of signals where the outputs are a power of 2", function()
    local w = init.hadamard_(wrun.empty(16, 5, { dtype = "float64" }))
    assert.is_true((w:t():matmul(w) - wrun.eye(5)):abs():max():item() < 1e-15)
  end)

  it("does not hold the rank of what is learnt down to the number of inputs", function()
    assert.is_true(rank_of_change("eye") <= 4)
    assert.is_true(rank_of_change("hadamard") > 4)
  end)

  it("refuses what is no matrix", function()
    assert.equal("hadamard_: argument 1: expected 2 dimensions, got [3]",
      refusal(init.hadamard_, wrun.empty(3)))
  end)
end)

describe("nn.init.dirac_", function()
  it("is what a convolution passes its channels on with", function()
    local w = init.dirac_(wrun.full({ 4, 2, 3 }, 9.0), 2)
    for output = 1, 4 do
      for input = 1, 2 do
        local tap = (output - 1) % 2 + 1 == input and 1.0 or 0.0
        assert.same({ 0.0, tap, 0.0 }, w[output][input]:tolist())
      end
    end
  end)

  it("refuses other ranks and groups", function()
    assert.equal("dirac_: argument 1: expected 3 to 5 dimensions, got [2, 2]",
      refusal(init.dirac_, wrun.empty(2, 2)))
    assert.equal("dirac_: option groups: expected a divisor of 4, the first size, got 3",
      refusal(init.dirac_, wrun.empty(4, 2, 3), 3))
    assert.equal("dirac_: option groups: expected an integer >= 1, got 0",
      refusal(init.dirac_, wrun.empty(4, 2, 3), { groups = 0 }))
  end)
end)

describe("nn.init.sparse_", function()
  it("leaves as many zeros in every column as asked, in places of chance", function()
    local w = init.sparse_(wrun.empty(200, 300), 0.25, 2)
    local zeros = w:eq(0)
    assert.same(wrun.full({ 300 }, 50):tolist(), zeros:long():sum(1):tolist())
    local rows = zeros:double():mean(2)
    assert.is_true(rows:max():item() < 0.25 + SIGMAS * sqrt(0.25 * 0.75 / 300))
    assert.is_true(rows:min():item() > 0.25 - SIGMAS * sqrt(0.25 * 0.75 / 300))
    assert.near(2, (w * w):sum():div(150 * 300):sqrt():item(), SIGMAS * 2 / sqrt(2 * 150 * 300))
  end)

  it("draws all from the generator it is given", function()
    local function draw()
      return init.sparse_(wrun.empty(5, 6), 0.5, { generator = wrun.Generator({ seed = 2 }) })
    end
    local first = draw()
    wrun.rand(3)
    assert.is_true(first:equal(draw()))
  end)

  it("refuses other ranks and shares", function()
    assert.equal("sparse_: argument 1: expected 2 dimensions, got [3]",
      refusal(init.sparse_, wrun.empty(3), 0.5))
    assert.equal("sparse_: option sparsity: expected a number from 0 to 1, got nil",
      refusal(init.sparse_, wrun.empty(3, 3)))
    assert.equal("sparse_: option sparsity: expected a number from 0 to 1, got 1.5",
      refusal(init.sparse_, wrun.empty(3, 3), 1.5))
    assert.equal("sparse_: option std: expected a number >= 0, got -1",
      refusal(init.sparse_, wrun.empty(3, 3), 0.5, -1))
  end)
end)
