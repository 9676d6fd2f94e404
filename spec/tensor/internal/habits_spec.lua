--- What is written on tensors by habit, and what the errors say to write.

local wrun, x
local refusal = require "spec.support.refusal"

describe("habits on tensors", function()
  setup(function()
    wrun = require "wrun"
    x = wrun.ones(3)
  end)

  it("get the name that was meant", function()
    local function read(name)
      return refusal(function() return x[name] end)
    end
    assert.equal("tensor: no name 'sizes'; did you mean size?", read("sizes"))
    assert.equal("tensor: no name 'shpae'; did you mean shape?", read("shpae"))
    assert.equal("tensor: no name 'foo'; wrun.help('Tensor') lists those there are", read("foo"))
    assert.equal("tensor: no name 'T'; x:t() swaps the dimensions of a matrix", read("T"))
    assert.equal("tensor: no name 'data'; x:detach() is x without its gradient", read("data"))
    assert.equal("tensor: no name 'device'; tensors are in the processor's memory", read("device"))
  end)

  it("know every field", function()
    for _, name in ipairs { "grad", "shape", "dtype", "ndim", "requires_grad", "grad_fn",
      "is_leaf", "version" } do
      assert.has_no.errors(function() return x[name] end)
      assert.equal(("tensor: no name '%sX'; did you mean %s?"):format(name, name),
        refusal(function() return x[name .. "X"] end))
    end
  end)

  it("learn that Lua's comparisons give no tensor", function()
    local text = "tensor: <, >, <= and >= give no tensor; "
      .. "write x:lt(y), x:gt(y), x:le(y) or x:ge(y)"
    assert.equal(text, refusal(function() return x > 0 end))
    assert.equal(text, refusal(function() return x <= x end))
    assert.equal(text, refusal(function() return 0 >= x end))
    assert.equal(text, refusal(function() return x < x end))
  end)

  it("join tensors to text as print shows them", function()
    assert.equal("x = tensor([1., 1., 1.])", "x = " .. x)
    assert.equal("tensor([1., 1., 1.]) is x", x .. " is x")
    assert.equal("tensor([1., 1., 1.])2", x .. 2)
  end)
end)
