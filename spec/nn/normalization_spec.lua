--- The norms of batches, groups and layers: beside PyTorch's, what they keep, what they refuse.

local layers = require "spec.support.layers"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn

describe("a normalization layer", function()
  for claim, check in layers.each("layers", require "wrun.nn.normalization") do
    it(claim, check)
  end

  it("prints as PyTorch's does", function()
    local printed = {
      ["BatchNorm1d(4, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"]
        = nn.BatchNorm1d(4),
      ["BatchNorm2d(4, eps=0.001, momentum=None, affine=False, bias=False, "
        .. "track_running_stats=False)"] = nn.BatchNorm2d(4, {
          eps = 1e-3, momentum = false, affine = false, track_running_stats = false,
        }),
      ["LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)"] = nn.LayerNorm(4),
      ["LayerNorm((3, 4), eps=0.5, elementwise_affine=False, bias=False)"]
        = nn.LayerNorm({ 3, 4 }, { eps = 0.5, elementwise_affine = false }),
      ["GroupNorm(2, 4, eps=1e-05, affine=True, bias=True)"] = nn.GroupNorm(2, 4),
      ["RMSNorm((4,), eps=None, elementwise_affine=True)"] = nn.RMSNorm(4),
    }
    for text, layer in pairs(printed) do
      assert.equal(text, tostring(layer))
    end
  end)

  it("keeps running statistics as buffers, and none where it is told so", function()
    local names = {}
    for name in pairs(nn.BatchNorm1d(2):state_dict()) do
      names[#names + 1] = name
    end
    assert.same({ "weight", "bias", "running_mean", "running_var", "num_batches_tracked" }, names)
    local bare = nn.BatchNorm1d(2, { affine = false, track_running_stats = false })
    assert.is_nil(next(bare:state_dict()))
    assert.same({ 1.0, 1.0 }, nn.BatchNorm1d(2, { bias = false }):parameters()[1]:tolist())
    assert.equal("float64", nn.BatchNorm1d(2):double().running_mean.dtype)
    assert.equal("int64", nn.BatchNorm1d(2):double().num_batches_tracked.dtype)
  end)

  it("leaves running statistics alone after eval()", function()
    local layer = nn.BatchNorm1d(2):eval()
    layer(wrun.randn(5, 2) + 10)
    assert.same({ 0.0, 0.0 }, layer.running_mean:tolist())
    assert.equal(0, layer.num_batches_tracked:item())
  end)

  it("has second derivatives", function()
    local x = wrun.randn(3, 2, { dtype = "float64", requires_grad = true })
    for _, layer in ipairs { nn.BatchNorm1d(2, { dtype = "float64" }),
      nn.LayerNorm(2, { dtype = "float64", eps = 0.1 }) } do
      assert.is_true(wrun.gradgradcheck(function(t)
        return layer(t):square()
      end, { x }))
    end
  end)

  it("has the gradients that tensor operations give, whatever its groups look like", function()
    local o = { dtype = "float64" }
    local cases = {
      { nn.LayerNorm(300, o), { 3, 300 } }, { nn.LayerNorm({ 4, 5 }, o), { 2, 4, 5 } },
      { nn.LayerNorm(1, o), { 3, 1 } }, { nn.RMSNorm(40, o), { 30, 40 } },
      { nn.BatchNorm1d(70, o), { 3, 70 } }, { nn.BatchNorm2d(3, o), { 2, 3, 5, 70 } },
      { nn.BatchNorm1d(70, o):eval(), { 3, 70 } }, { nn.BatchNorm2d(3, o):eval(), { 2, 3, 5, 7 } },
      { nn.GroupNorm(2, 4, o), { 2, 4, 9 } }, { nn.GroupNorm(4, 4, o), { 3, 4 } },
    }
    for _, case in ipairs(cases) do
      local layer, x = case[1], wrun.randn(case[2], { dtype = "float64" }):requires_grad_()
      local inputs = { x, table.unpack(layer:parameters()) }
      for i = 2, #inputs do
        inputs[i]:detach():uniform_(0.5, 2)
      end
      local function gradients(options)
        return { wrun.autograd.grad(layer(x):tanh():sum(), inputs, options) }
      end
      local expected = gradients { create_graph = true }
      for i, gradient in ipairs(gradients()) do
        local size = expected[i]:detach():abs():max():item()
        local scaled, other = gradient / (size + 1e-300), expected[i]:detach() / (size + 1e-300)
        assert.is_true(scaled:allclose(other, { rtol = 0, atol = 1e-12 }), tostring(layer))
      end
    end
  end)

  it("takes a gradient that is one value everywhere as one that is written out", function()
    for _, layer in ipairs { nn.BatchNorm1d(70), nn.LayerNorm({ 70, 3 }), nn.GroupNorm(7, 70),
      nn.Softmax(1), nn.Softmax(2), nn.Softmax(3), nn.LogSoftmax(3) } do
      local x = wrun.randn(5, 70, 3):requires_grad_()
      local inputs = { x, table.unpack(layer:parameters()) }
      local y = layer(x)
      local one = { wrun.autograd.grad(y, inputs, {
        grad_outputs = wrun.full({}, 0.3):expand(y.shape), retain_graph = true,
      }) }
      for i, g in ipairs { wrun.autograd.grad(y, inputs, {
        grad_outputs = wrun.full(y.shape, 0.3),
      }) } do
        assert.is_true(g:equal(one[i]), tostring(layer))
      end
    end
  end)

  it("has the same bits with any number of threads", function()
    local x = wrun.randn(37, 100, 9):requires_grad_()
    local norms = { nn.BatchNorm1d(100), nn.LayerNorm({ 100, 9 }), nn.LayerNorm(9),
      nn.GroupNorm(10, 100), nn.RMSNorm(9) }
    local function results()
      local all = {}
      for i, layer in ipairs(norms) do
        local y = layer(x)
        local all_of = { wrun.autograd.grad((y * y * y):sum(), { x, layer.weight }) }
        all[i] = wrun.cat { y:view(-1), all_of[1]:view(-1), all_of[2]:view(-1) }
      end
      return all
    end
    local before = wrun.get_num_threads()
    wrun.set_num_threads(1)
    local one = results()
    wrun.set_num_threads(3)
    for i, result in ipairs(results()) do
      assert.is_true(result:equal(one[i]))
    end
    wrun.set_num_threads(before)
  end)

  it("refuses what does not fit", function()
    assert.equal("BatchNorm1d: argument 1: expected [n, C] or [n, C, l] with C = 4, got [4]",
      refusal(nn.BatchNorm1d(4), wrun.zeros(4)))
    assert.equal("BatchNorm2d: argument 1: expected [n, C, h, w] with C = 4, got [2, 3, 4, 4]",
      refusal(nn.BatchNorm2d(4), wrun.zeros(2, 3, 4, 4)))
    assert.equal("BatchNorm1d: argument 1: expected more than 1 value per channel when training, "
      .. "got [1, 4]", refusal(nn.BatchNorm1d(4), wrun.zeros(1, 4)))
    assert.equal("BatchNorm1d: argument 1: expected a tensor, got 1", refusal(nn.BatchNorm1d(4), 1))
    assert.equal("LayerNorm: argument 1: expected a shape that ends in [3, 4], got [4]",
      refusal(nn.LayerNorm({ 3, 4 }), wrun.zeros(4)))
    assert.equal("GroupNorm: argument 1: expected [n, C, ...] with C = 4, got [2, 3]",
      refusal(nn.GroupNorm(2, 4), wrun.zeros(2, 3)))
    assert.equal("GroupNorm: argument 1: expected more than 1 value per group, got [1, 4]",
      refusal(nn.GroupNorm(4, 4), wrun.zeros(1, 4)))
    assert.equal("RMSNorm: argument 1: expected a shape that ends in [4], got [3]",
      refusal(nn.RMSNorm(4), wrun.zeros(3)))
  end)

  it("refuses settings that make no sense", function()
    assert.equal("BatchNorm1d: argument 1: expected an integer >= 1, got 0",
      refusal(nn.BatchNorm1d, 0))
    assert.equal("BatchNorm1d: option momentum: expected a number from 0 to 1, or false, got 2",
      refusal(nn.BatchNorm1d, 1, { momentum = 2 }))
    assert.equal("LayerNorm: argument 1: expected a size or a list of sizes, got {2.5}",
      refusal(nn.LayerNorm, { 2.5 }))
    assert.equal("LayerNorm: option eps: expected a number >= 0, got -1",
      refusal(nn.LayerNorm, 2, { eps = -1 }))
    assert.equal("GroupNorm: argument 2: expected a multiple of 3, got 4",
      refusal(nn.GroupNorm, 3, 4))
  end)
end)
