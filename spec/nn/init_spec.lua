--- Initialisers: scales against their formulas, and every refusal.

local refusal = require "spec.support.refusal"
local spread = require "spec.support.spread"
local wrun = require "wrun"

local init = wrun.nn.init

local sqrt = math.sqrt
local FAN_OUT, FAN_IN = spread.FAN_OUT, spread.FAN_IN
local matrix, assert_uniform, assert_normal =
  spread.matrix, spread.assert_uniform, spread.assert_normal

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
