--- nn.utils: gradients clipped as PyTorch does (spec/fixtures/make_nn_utils.py), vectors.

local near = require "spec.support.near"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local fixture = require "spec.fixtures.nn_utils"

local nn = wrun.nn
local utils = nn.utils

-- A sum, a root and a product.
local CLOSE = { float64 = { rtol = 1e-12 }, float32 = { rtol = 1e-5 } }

local function parameters_of(name, dtype)
  local parameters = {}
  for i, values in ipairs(fixture.lists[name]) do
    local is_empty = type(values) == "table" and #values == 0
    local gradient = is_empty and wrun.zeros(0, { dtype = dtype })
      or wrun.tensor(values or 0, { dtype = dtype })
    parameters[i] = wrun.zeros_like(gradient, { requires_grad = true })
    parameters[i].grad = values and gradient or nil
  end
  return parameters
end

local function check_after(case, parameters)
  for i, want in ipairs(case.after) do
    local gradient = parameters[i].grad
    if want then
      near.lists(want, near.flat(gradient:reshape(-1)), CLOSE[case.dtype], case.dtype)
    else
      assert.is_nil(gradient)
    end
  end
end

for _, case in ipairs(fixture.cases) do
  if case.max_norm then
    local title = ("clips %s gradients in %s to a norm of order %g of %g"):format(case.list,
      case.dtype, case.norm_type, case.max_norm)
    describe("clip_grad_norm_", function()
  it("clips finite gradients whose norm is beyond their dtype", function()
    for dtype, huge in pairs { float32 = 3e38, float64 = 1.7e308 } do
      local a = wrun.zeros(2, { dtype = dtype, requires_grad = true })
      local b = wrun.zeros(1, { dtype = dtype, requires_grad = true })
      a.grad = wrun.tensor({ huge, -huge }, { dtype = dtype })
      b.grad = wrun.tensor({ huge / 2 }, { dtype = dtype })
      assert.equal(math.huge, nn.utils.clip_grad_norm_({ a, b }, 3):item())
      assert.is_true(wrun.allclose(a.grad, wrun.tensor({ 2, -2 }, { dtype = dtype })))
      assert.is_true(wrun.allclose(b.grad, wrun.tensor({ 1 }, { dtype = dtype })))
    end
  end)

      it(title .. " as PyTorch does", function()
        local parameters = parameters_of(case.list, case.dtype)
        local total = utils.clip_grad_norm_(parameters, case.max_norm,
          { norm_type = case.norm_type })
        near.lists({ case.total }, { total:item() }, CLOSE[case.dtype], case.dtype)
        check_after(case, parameters)
      end)
    end)
    describe("clip_grads_with_norm_ and get_total_norm", function()
      it(title .. " in two steps", function()
        local parameters, gradients = parameters_of(case.list, case.dtype), {}
        for _, parameter in ipairs(parameters) do
          gradients[#gradients + 1] = parameter.grad
        end
        local total = utils.get_total_norm(gradients, { norm_type = case.norm_type })
        near.lists({ case.total }, { total:item() }, CLOSE[case.dtype], case.dtype)
        utils.clip_grads_with_norm_(parameters, case.max_norm, total)
        check_after(case, parameters)
      end)
    end)
  else
    describe("clip_grad_value_", function()
      it(("clips %s gradients in %s at %g as PyTorch does"):format(case.list, case.dtype,
          case.clip_value), function()
        local parameters = parameters_of(case.list, case.dtype)
        utils.clip_grad_value_(parameters, case.clip_value)
        check_after(case, parameters)
      end)
    end)
  end
end

describe("clip_grad_norm_", function()
  it("takes one parameter for a list, gradients across memory and of two dtypes", function()
    local w = wrun.zeros(2, 2, { requires_grad = true })
    w.grad = wrun.tensor({ { 3.0, 0 }, { 4, 0 } }):t()
    local v = wrun.zeros(1, { dtype = "float64", requires_grad = true })
    v.grad = wrun.tensor({ 12.0 }, { dtype = "float64" })
    assert.equal(5.0, utils.clip_grad_norm_(w, 100):item())
    local total = utils.clip_grad_norm_({ w, v }, 6.5)
    assert.equal("float64", total.dtype)
    assert.near(13, total:item(), 1e-6)
    assert.near(6, v.grad:item(), 1e-6)
    near.lists({ 1.5, 2.0, 0.0, 0.0 }, near.flat(w.grad), { rtol = 1e-6 })
  end)

  it("refuses norms that are not finite, if it is told to, and leaves the gradients", function()
    local parameters = parameters_of("infinite", "float32")
    assert.equal("clip_grad_norm_: the norm of order 2.0 is inf, and no gradient can be clipped "
      .. "by it", refusal(utils.clip_grad_norm_, parameters, 1, { error_if_nonfinite = true }))
    assert.same({ 1.0, math.huge }, parameters[1].grad:tolist())
    assert.equal("get_total_norm: the norm of order inf is inf, and no gradient can be clipped by "
      .. "it", refusal(utils.get_total_norm, { parameters[1].grad },
        { error_if_nonfinite = true, norm_type = math.huge }))
  end)

  it("refuses bounds below 0 and what is no tensor", function()
    local w = wrun.zeros(2)
    assert.equal("clip_grad_norm_: argument 2: expected a number >= 0, got -1",
      refusal(utils.clip_grad_norm_, w, -1))
    assert.equal("clip_grad_norm_: argument 2: expected a number >= 0, got nil",
      refusal(utils.clip_grad_norm_, w))
    assert.equal("clip_grad_norm_: argument 1: expected a tensor or a list of tensors, got nil",
      refusal(utils.clip_grad_norm_, nil, 1))
    assert.equal("clip_grad_norm_: tensor 2: expected a tensor, got 3",
      refusal(utils.clip_grad_norm_, { w, 3 }, 1))
    assert.equal("clip_grad_norm_: option norm: unknown; the options are error_if_nonfinite, "
      .. "norm_type", refusal(utils.clip_grad_norm_, w, 1, { norm = 2 }))
    assert.equal("clip_grad_value_: argument 2: expected a number >= 0, got nan",
      refusal(utils.clip_grad_value_, w, 0 / 0))
    assert.equal("clip_grads_with_norm_: argument 2: expected a number >= 0, got -1",
      refusal(utils.clip_grads_with_norm_, w, -1, w))
    assert.equal("clip_grads_with_norm_: argument 3: expected a tensor, got 1",
      refusal(utils.clip_grads_with_norm_, w, 1, 1))
    assert.equal("get_total_norm: argument 1: expected a tensor or a list of tensors, got 1",
      refusal(utils.get_total_norm, 1))
  end)
end)

for _, case in ipairs(fixture.vectors) do
  describe(case.call, function()
    it("moves elements as PyTorch does", function()
      local tensors = parameters_of(case.list, "float32")
      local values = {}
      for i, parameter in ipairs(tensors) do
        values[i] = parameter.grad
      end
      if case.vector then
        assert.same(case.vector, utils[case.call](values):tolist())
        return
      end
      local count = utils.parameters_to_vector(values):numel()
      utils[case.call](wrun.arange(count):float(), values)
      for i, want in ipairs(case.after) do
        assert.same(want, near.flat(values[i]:reshape(-1)))
      end
    end)
  end)
end

describe("parameters_to_vector", function()
  it("joins what vector_to_parameters takes apart, and gradients flow through it", function()
    local a = wrun.tensor({ { 1.0, 2 }, { 3, 4 } }, { requires_grad = true })
    local b, c = wrun.tensor(5.0), wrun.zeros(0, 3)
    local vector = utils.parameters_to_vector({ a, b, c, a:t() })
    assert.same({ 1.0, 2.0, 3.0, 4.0, 5.0, 1.0, 3.0, 2.0, 4.0 }, vector:tolist())
    vector:sum():backward()
    assert.same({ { 2.0, 2.0 }, { 2.0, 2.0 } }, a.grad:tolist())
    local p, q = wrun.zeros(2, 2, { requires_grad = true }), wrun.zeros({}, { dtype = "float64" })
    utils.vector_to_parameters(vector:narrow(1, 1, 5), { p, c, q })
    assert.same({ { 1.0, 2.0 }, { 3.0, 4.0 } }, p:tolist())
    assert.equal(5.0, q:item())
    assert.is_true(p.is_leaf)
    utils.vector_to_parameters(wrun.arange(8):float()[{ { 1, 8, 2 } }], p)
    assert.same({ { 0.0, 2.0 }, { 4.0, 6.0 } }, p:tolist())
  end)

  it("refuses what does not fit", function()
    local p = wrun.zeros(2)
    assert.equal("vector_to_parameters: argument 1: expected a vector of 2 elements, got a float32 "
      .. "tensor [3]", refusal(utils.vector_to_parameters, wrun.zeros(3), { p }))
    assert.equal("vector_to_parameters: argument 1: expected a vector of 2 elements, got a float32 "
      .. "tensor [1, 2]", refusal(utils.vector_to_parameters, wrun.zeros(1, 2), { p }))
    assert.equal("vector_to_parameters: argument 2: expected a tensor or a list of tensors, "
      .. "got nil", refusal(utils.vector_to_parameters, p))
    assert.equal("parameters_to_vector: tensor 1: expected a tensor, got true",
      refusal(utils.parameters_to_vector, { true }))
  end)
end)

describe("flatten_parameters", function()
  it("makes parameters and gradients parts of one vector each", function()
    wrun.manual_seed(3)
    local model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    local x = wrun.randn(5, 3)
    local before = model(x)
    before:sum():backward()
    local parameters = model:parameters()
    local values = utils.parameters_to_vector(parameters):tolist()
    local gradients = {}
    for i, parameter in ipairs(parameters) do
      gradients[i] = parameter.grad:clone()
    end
    local vector, gradient = utils.flatten_parameters(parameters)
    assert.same(values, vector:tolist())
    assert.is_true(gradient:equal(utils.parameters_to_vector(gradients)))
    assert.same({ false, true }, { vector.requires_grad, parameters[1].requires_grad })
    assert.is_true(model(x):equal(before))
    model(x):sum():backward()
    assert.is_true(gradient:equal(utils.parameters_to_vector(gradients) * 2))
    vector:zero_()
    assert.same({ 0.0, 0.0 }, parameters[4]:tolist())
    wrun.no_grad(parameters[4].fill_, parameters[4], 7)
    assert.same({ 7.0, 7.0 }, vector:narrow(1, vector:numel() - 1, 2):tolist())
    gradient:fill_(1)
    wrun.optim.SGD(parameters, { lr = 1 }):step()
    assert.equal(-1.0, vector[1]:item())
    wrun.optim.SGD(parameters):zero_grad({ set_to_none = false })
    assert.equal(0.0, gradient:abs():sum():item())
  end)

  it("trains as separate parameters do, to the bit", function()
    local function losses(flatten)
      wrun.manual_seed(5)
      local model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
      local x, list = wrun.randn(16, 3), {}
      if flatten then
        utils.flatten_parameters(model:parameters())
      end
      local optimizer = wrun.optim.Adam(model:parameters(), { lr = 0.05 })
      for i = 1, 10 do
        optimizer:zero_grad({ set_to_none = false })
        local loss = ((model(x) - x:sum(2, true)) ^ 2):mean()
        loss:backward()
        optimizer:step()
        list[i] = loss:item()
      end
      return list
    end
    local together = losses(true)
    assert.same(losses(false), together)
    assert.is_true(together[10] < together[1])
  end)

  it("finds graphs that need a value it has changed", function()
    local p = wrun.tensor({ 2.0 }, { requires_grad = true })
    local vector = utils.flatten_parameters({ p, wrun.zeros(0), wrun.ones({}) })
    local y = p * p
    vector:add_(1)
    assert.is_false((pcall(y.backward, y)))
    assert.same({ 3.0, 2.0 }, vector:tolist())
  end)

  it("can be done again, and keeps memory alive by itself", function()
    local p = wrun.tensor({ 1.0, 2 }, { requires_grad = true })
    local function flatten_twice()
      local first = utils.flatten_parameters(p)
      local second = utils.flatten_parameters({ p, wrun.ones(1) })
      first:zero_()
      assert.same({ 1.0, 2.0, 1.0 }, second:tolist())
    end
    flatten_twice()
    collectgarbage()
    collectgarbage()
    assert.same({ 1.0, 2.0 }, p:tolist())
    assert.same({ 0.0, 0.0 }, p.grad:tolist())
  end)

  it("refuses what cannot lie in one vector", function()
    local p = wrun.zeros(2, { requires_grad = true })
    local function text(list)
      return refusal(utils.flatten_parameters, list)
    end
    assert.equal("flatten_parameters: argument 1: expected one parameter or more, got an empty "
      .. "list", text({}))
    assert.equal("flatten_parameters: tensor 2: expected a leaf tensor, got a computed one",
      text({ p, p * 2 }))
    assert.equal("flatten_parameters: tensor 2: expected each tensor once, got number 1 again",
      text({ p, p }))
    assert.equal("flatten_parameters: tensor 2: expected float32 as tensor 1, got a float64 tensor "
      .. "[2]", text({ p, p:detach():double() }))
    assert.equal("flatten_parameters: tensor 1: expected a float32 or float64 tensor, got an int64 "
      .. "tensor [2]", text({ p:long():detach() }))
  end)
end)
