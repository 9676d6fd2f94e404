--- Initialisers: scales against their formulas, and every refusal.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local init = wrun.nn.init

local sqrt = math.sqrt

-- [fan_out, fan_in], different enough that a swapped fan shows, and 120,000 draws.
local FAN_OUT, FAN_IN = 400, 300
local N = FAN_OUT * FAN_IN

-- Five standard errors of a mean or of a standard deviation of N draws: a right draw fails one seed
-- in a million, and the seed is fixed.
local SIGMAS = 5

local function matrix()
  return wrun.empty(FAN_OUT, FAN_IN, { dtype = "float64" })
end

local function assert_spread(w, std, kurtosis)
  local mean, spread = w:mean():item(), w:std():item()
  assert.near(0, mean, SIGMAS * std / sqrt(N))
  assert.near(std, spread, SIGMAS * std * sqrt((kurtosis - 1) / (4 * N)))
end

local function assert_uniform(w, bound)
  local largest = w:abs():max():item()
  assert.is_true(largest <= bound)
  -- The largest of N draws misses the bound by more than this share once in a million times.
  assert.is_true(largest > bound * (1 - 14 / N))
  assert_spread(w, bound / sqrt(3), 9 / 5)
end

local function assert_normal(w, std)
  assert_spread(w, std, 3)
  -- 4.55 % of a normal lie beyond two standard deviations; a uniform has none there.
  local beyond = w:abs():gt(2 * std):double():mean():item()
  assert.near(0.0455, beyond, SIGMAS * sqrt(0.0455 / N))
end

describe("nn.init", function()
  before_each(function()
    wrun.manual_seed(20)
  end)

  it("draws Xavier's uniform and normal with the variance 2 / (fan_in + fan_out)", function()
    assert_uniform(init.xavier_uniform_(matrix()), sqrt(6 / (FAN_IN + FAN_OUT)))
    assert_uniform(init.xavier_uniform_(matrix(), 5 / 3), 5 / 3 * sqrt(6 / (FAN_IN + FAN_OUT)))
    assert_normal(init.xavier_normal_(matrix()), sqrt(2 / (FAN_IN + FAN_OUT)))
    assert_normal(init.xavier_normal_(matrix(), { gain = 2 }), 2 * sqrt(2 / (FAN_IN + FAN_OUT)))
  end)

  it("draws He's uniform and normal with the variance 2 / fan", function()
    assert_uniform(init.kaiming_uniform_(matrix()), sqrt(6 / FAN_IN))
    assert_uniform(init.kaiming_uniform_(matrix(), 0, "fan_out"), sqrt(6 / FAN_OUT))
    assert_normal(init.kaiming_normal_(matrix(), { nonlinearity = "relu" }), sqrt(2 / FAN_IN))
    assert_normal(init.kaiming_normal_(matrix(), { mode = "FAN_OUT" }), sqrt(2 / FAN_OUT))
    assert_normal(init.kaiming_normal_(matrix(), 1), sqrt(1 / FAN_IN))
    assert_normal(init.kaiming_normal_(matrix(), 0.5, "fan_in", "tanh"), 5 / 3 / sqrt(FAN_IN))
  end)

  it("calls He's functions by both names", function()
    assert.equal(init.kaiming_uniform_, init.he_uniform_)
    assert.equal(init.kaiming_normal_, init.he_normal_)
  end)

  it("draws uniform_ and normal_ as asked", function()
    assert_uniform(init.uniform_(matrix(), -3, 3), 3)
    assert_uniform(init.uniform_(matrix()) - 0.5, 0.5)
    assert_uniform(init.uniform_(matrix(), { a = 1 / 2, b = 3 / 2 }) - 1, 0.5)
    assert_normal(init.normal_(matrix()), 1)
    assert_normal(init.normal_(matrix(), 7, 0.5) - 7, 0.5)
    assert_normal(init.normal_(matrix(), { std = 3 }), 3)
  end)

  it("fills with constants, of any dtype", function()
    assert.same({ 1.5, 1.5 }, init.constant_(wrun.empty(2), 1.5):tolist())
    assert.same({ 0.0, 0.0 }, init.zeros_(wrun.ones(2)):tolist())
    assert.same({ 1, 1 }, init.ones_(wrun.tensor({ 3, 4 })):tolist())
  end)

  it("returns its argument and leaves no trace in the graph", function()
    for _, name in ipairs({ "uniform_", "normal_", "zeros_", "ones_", "xavier_uniform_",
      "xavier_normal_", "kaiming_uniform_", "kaiming_normal_", "eye_", "orthogonal_",
      "sparse_" }) do
      local w = wrun.empty(2, 3, { requires_grad = true })
      assert.equal(w, init[name](w, name == "sparse_" and { sparsity = 0.5 } or nil))
      assert.is_true(w.is_leaf)
      assert.is_true(w.requires_grad)
    end
    assert.is_true(wrun.is_grad_enabled())
  end)

  it("draws from the generator it is given and leaves the default one alone", function()
    local function draw(seed)
      local generator = wrun.Generator({ seed = seed })
      return init.xavier_normal_(wrun.empty(3, 4), { generator = generator }):tolist()
    end
    assert.same(draw(1), draw(1))
    assert.are_not.same(draw(1), draw(2))
    wrun.manual_seed(5)
    local expected = wrun.rand(1):item()
    wrun.manual_seed(5)
    draw(1)
    init.uniform_(wrun.empty(3), 0, 1, { generator = wrun.Generator({ seed = 1 }) })
    assert.equal(expected, wrun.rand(1):item())
  end)

  it("takes settings by index, by name, or both", function()
    local function draw(...)
      wrun.manual_seed(3)
      return init.kaiming_uniform_(wrun.empty(3, 5), ...):tolist()
    end
    assert.same(draw(0.5, "fan_out", "leaky_relu"), draw({ a = 0.5, mode = "fan_out" }))
    assert.same(draw(0.5, "fan_out"), draw(0.5, { mode = "fan_out" }))
    assert.same(draw(nil, "fan_out"), draw({ mode = "fan_out" }))
    assert.are_not.same(draw(), draw(0.5))
  end)

  it("counts fans, receptive fields included", function()
    assert.same({ 3, 4 }, { init.calculate_fan_in_and_fan_out(wrun.empty(4, 3)) })
    assert.same({ 50, 75 }, { init.calculate_fan_in_and_fan_out(wrun.empty(3, 2, 5, 5)) })
    local w = init.kaiming_uniform_(wrun.empty(64, 8, 6, 5, { dtype = "float64" }))
    assert.is_true(w:abs():max():item() <= sqrt(6 / 240))
    assert.is_true(w:abs():max():item() > 0.999 * sqrt(6 / 240))
  end)

  it("leaves a tensor without elements alone, He's with a warning", function()
    local warned = stub(_G, "warn")
    local empty = wrun.empty(0, 5)
    assert.equal(empty, init.kaiming_uniform_(empty))
    assert.stub(warned).was.called_with(
      "kaiming_uniform_: initialising a tensor without elements does nothing")
    init.kaiming_normal_(empty)
    assert.stub(warned).was.called(2)
    init.xavier_uniform_(empty)
    assert.stub(warned).was.called(2)
    warned:revert()
  end)

  it("refuses tensors without a fan", function()
    for _, name in ipairs({ "xavier_uniform_", "xavier_normal_", "kaiming_uniform_",
      "kaiming_normal_", "calculate_fan_in_and_fan_out" }) do
      assert.equal(name .. ": argument 1: expected at least 2 dimensions to tell fan in from fan "
        .. "out, got [10]", refusal(init[name], wrun.empty(10)))
      assert.equal(name .. ": argument 1: expected a tensor, got nil", refusal(init[name]))
    end
    assert.equal("xavier_uniform_: argument 1: expected a fan in or a fan out above 0, got [0, 0]",
      refusal(init.xavier_uniform_, wrun.empty(0, 0)))
    assert.equal("xavier_normal_: argument 1: expected a fan in or a fan out above 0, "
      .. "got [1, 1, 0]",
      refusal(init.xavier_normal_, wrun.empty(1, 1, 0)))
  end)

  it("refuses settings out of range", function()
    local w = wrun.empty(2, 2)
    assert.equal("uniform_: option b: expected a number >= a, which is 2, got 1.75",
      refusal(init.uniform_, w, 2, 1.75))
    assert.same({ 3.0 }, init.uniform_(wrun.empty(1), 3, 3):tolist())
    assert.equal("normal_: option std: expected a number >= 0, got -1",
      refusal(init.normal_, w, 0, -1))
    assert.equal("xavier_uniform_: option gain: expected a number >= 0, got nan",
      refusal(init.xavier_uniform_, w, 0 / 0))
    assert.equal("xavier_uniform_: option gian: unknown; the options are gain, generator",
      refusal(init.xavier_uniform_, w, { gian = 1 }))
    assert.equal("xavier_normal_: argument 3: expected a table of options, got 3",
      refusal(init.xavier_normal_, w, 1, 3))
    assert.equal("kaiming_uniform_: option mode: expected fan_in or fan_out, got the string 'fan'",
      refusal(init.kaiming_uniform_, w, 0, "fan"))
    assert.equal("kaiming_normal_: option a: expected a number, got the string 'relu'",
      refusal(init.kaiming_normal_, w, "relu"))
    assert.equal("kaiming_normal_: option nonlinearity: expected conv1d, conv2d, conv3d, "
      .. "conv_transpose1d, conv_transpose2d, conv_transpose3d, leaky_relu, linear, relu, selu, "
      .. "sigmoid or tanh, got the string 'gelu'",
      refusal(init.kaiming_normal_, w, { nonlinearity = "gelu" }))
    assert.equal("constant_: argument 1: expected a tensor, got 3", refusal(init.constant_, 3))
  end)
end)

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

describe("nn.init.trunc_normal_", function()
  local erf = function(x)
    return wrun.tensor(x, { dtype = "float64" }):erf():item()
  end

  -- Mean and deviation of a normal between a and b: m + s (f(l) - f(h)) / P and its kin.
  local function moments(m, s, a, b)
    local l, h = (a - m) / s, (b - m) / s
    local function f(x)
      return math.exp(-x * x / 2) / sqrt(2 * math.pi)
    end
    local share = (erf(h / sqrt(2)) - erf(l / sqrt(2))) / 2
    local shift = (f(l) - f(h)) / share
    return m + s * shift, s * sqrt(1 + (l * f(l) - h * f(h)) / share - shift * shift)
  end

  it("has the moments of a truncated normal, by either method", function()
    for _, o in ipairs({ { 0, 1, -2, 2 }, { 1, 2, -0.5, 4 }, { 0, 1, 1, 2.5 },
      { -1, 1, 0.5, 1 } }) do
      for _, method in ipairs({ "rejection", "inverse" }) do
        local m, s, a, b = table.unpack(o)
        local w = init.trunc_normal_(matrix(), m, s, a, b, { method = method })
        assert.is_true(w:min():item() >= a and w:max():item() <= b)
        local mean, std = moments(m, s, a, b)
        assert.near(mean, w:mean():item(), SIGMAS * std / sqrt(N))
        assert.near(std, w:std():item(), SIGMAS * std / sqrt(2 * N))
      end
    end
  end)

  it("keeps a small spread between far bounds", function()
    local w = init.trunc_normal_(wrun.empty(1000, 1000), { std = 0.001 })
    assert.is_true(w:abs():max():item() < 0.01)
  end)

  it("takes bounds without end, and a single point", function()
    assert_normal(init.trunc_normal_(matrix(), 0, 1, -math.huge, math.huge), 1)
    assert.same({ 0.5, 0.5 }, init.trunc_normal_(wrun.empty(2), 0, 1, 0.5, 0.5):tolist())
    assert.same({ 0 }, init.trunc_normal_(wrun.empty(0)).shape)
  end)

  it("writes through a view, and takes a generator", function()
    local function draw(w)
      return init.trunc_normal_(w, { a = 0, generator = wrun.Generator({ seed = 9 }) })
    end
    local base = wrun.zeros(3, 4)
    draw(base[{ {}, { 2, 3 } }])
    assert.same({ 0.0, 0.0, 0.0 }, base[{ {}, 1 }]:tolist())
    assert.is_true(base[{ {}, { 2, 3 } }]:gt(0):all():item())
    assert.is_true(draw(wrun.empty(5)):equal(draw(wrun.empty(5))))
  end)

  it("warns where the mean lies far outside", function()
    local warned = stub(_G, "warn")
    init.trunc_normal_(wrun.empty(3), 5)
    init.trunc_normal_(wrun.empty(3), -4.01)
    assert.stub(warned).was.called(2)
    assert.stub(warned).was.called_with("trunc_normal_: the mean lies more than 2 std outside "
      .. "[a, b]; the draws may be distributed otherwise")
    init.trunc_normal_(wrun.empty(3), 4)
    assert.stub(warned).was.called(2)
    warned:revert()
  end)

  it("refuses settings out of range", function()
    local w = wrun.empty(2)
    assert.equal("trunc_normal_: option b: expected a number >= a, which is 2.5, got 2",
      refusal(init.trunc_normal_, w, { a = 2.5 }))
    assert.equal("trunc_normal_: expected finite bounds where they hold less than 0.3 of the "
      .. "distribution, got 3 and inf; the method inverse takes these",
      refusal(init.trunc_normal_, w, 0, 1, 3, math.huge))
    assert.is_true(init.trunc_normal_(w, 0, 1, 3, math.huge, { method = "inverse" })
      :ge(3):all():item())
    assert.equal("trunc_normal_: option std: expected a number > 0, got 0",
      refusal(init.trunc_normal_, w, 0, 0))
    assert.equal("trunc_normal_: option mean: expected a number, got nan",
      refusal(init.trunc_normal_, w, 0 / 0))
    assert.equal("trunc_normal_: option method: expected rejection or inverse, got the string "
      .. "'fast'", refusal(init.trunc_normal_, w, { method = "fast" }))
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

describe("nn.init.calculate_gain", function()
  it("knows PyTorch's factors", function()
    for _, name in ipairs({ "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d",
      "conv_transpose2d", "conv_transpose3d", "sigmoid" }) do
      assert.equal(1, init.calculate_gain(name))
    end
    assert.equal(5 / 3, init.calculate_gain("tanh"))
    assert.equal(sqrt(2), init.calculate_gain("relu"))
    assert.equal(0.75, init.calculate_gain("selu"))
    assert.equal(sqrt(2 / 1.0001), init.calculate_gain("leaky_relu"))
    assert.equal(1, init.calculate_gain("leaky_relu", 1))
    assert.equal(sqrt(2), init.calculate_gain("leaky_relu", 0))
  end)

  it("refuses other names and slopes that are no number", function()
    assert.matches("^calculate_gain: argument 1: expected conv1d, .* or tanh, "
      .. "got the string 'identity'$", refusal(init.calculate_gain, "identity"))
    assert.equal("calculate_gain: argument 2: expected a number, got true",
      refusal(init.calculate_gain, "leaky_relu", true))
    assert.equal("calculate_gain: argument 2: expected a number, got the string '0.1'",
      refusal(init.calculate_gain, "leaky_relu", "0.1"))
  end)
end)
