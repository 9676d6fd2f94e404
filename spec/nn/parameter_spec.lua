--- Parameters: leaves that print as such.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local Parameter = wrun.nn.Parameter

describe("nn.Parameter", function()
  it("is a leaf that requires a gradient", function()
    local parameter = Parameter(wrun.zeros(2, 3))
    assert.is_true(parameter.is_leaf)
    assert.is_true(parameter.requires_grad)
    assert.same({ 2, 3 }, parameter.shape)
  end)

  it("shares memory with the tensor, which stays what it was", function()
    local tensor = wrun.zeros(2)
    local parameter = Parameter(tensor)
    tensor:fill_(7)
    assert.same({ 7.0, 7.0 }, parameter:tolist())
    assert.is_false(tensor.requires_grad)
  end)

  it("cuts a computed tensor from its graph", function()
    local x = wrun.ones(2, { requires_grad = true })
    assert.is_true(Parameter(x * 2).is_leaf)
  end)

  it("can be frozen", function()
    assert.is_false(Parameter(wrun.zeros(2), false).requires_grad)
  end)

  it("prints as PyTorch's does", function()
    assert.equal("Parameter containing:\ntensor([1., 2.], requires_grad=True)",
      tostring(Parameter(wrun.tensor({ 1, 2 }, { dtype = "float32" }))))
  end)

  it("refuses what is no tensor, and integers with a gradient", function()
    assert.equal("Parameter: argument 1: expected a tensor, got {1, 2}",
      refusal(Parameter, { 1, 2 }))
    assert.equal("Parameter: argument 2: expected true or false, got 1",
      refusal(Parameter, wrun.zeros(1), 1))
    assert.has_error(function()
      Parameter(wrun.tensor({ 1, 2 }))
    end)
    assert.same({ 1, 2 }, Parameter(wrun.tensor({ 1, 2 }), false):tolist())
  end)
end)
