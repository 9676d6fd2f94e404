--- summary: what each layer gives, holds and costs.

local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn

local Net = nn.Module:extend("Net")

function Net:init()
  self.body = nn.Sequential(nn.Linear(784, 256), nn.BatchNorm1d(256), nn.ReLU())
  self.head = nn.Linear(256, 10)
end

function Net:forward(x)
  return self.head(self.body(x))
end

describe("summary", function()
  it("prints a table of layers with their totals", function()
    -- PyTorch's FlopCounterMode counts 40652800 too
    assert.equal([[
layer                     output      parameters       flops    bytes
Net                       [100, 10]            0           0    4,000
  body Sequential         [100, 256]           0           0  102,400
    1 Linear(784 -> 256)  [100, 256]     200,960  40,140,800  102,400
    2 BatchNorm1d(256)    [100, 256]         512           0  102,400
    3 ReLU                [100, 256]           0           0  102,400
  head Linear(256 -> 10)  [100, 10]        2,570     512,000    4,000
parameters 204,042 (204,042 trained), 816,168 bytes; outputs 311,200 bytes
flops 40,652,800, of products only, a multiply-add as 2]],
      tostring(Net():summary(wrun.zeros(100, 784))))
  end)

  it("gives the same as numbers", function()
    local net = Net():double()
    net.head:requires_grad_(false)
    local summary = net:summary(wrun.zeros(2, 784, { dtype = "float64" }))
    assert.equal(6, #summary.rows)
    local row = summary.rows[3]
    assert.same({ "body.1", 2, { 2, 256 } }, { row.path, row.depth, row.shape })
    assert.equal(net.body[1], row.module)
    assert.same({ 200960, 2 * 2 * 784 * 256, 2 * 256 * 8 },
      { row.parameters, row.flops, row.bytes })
    assert.equal(204042, summary.parameters)
    assert.equal(204042 - 2570, summary.trained)
    assert.equal(204042 * 8, summary.parameter_bytes)
  end)

  it("counts every call, and shared parameters once", function()
    local layer = nn.Linear(3, 3, { bias = false })
    local summary = nn.Sequential(layer, layer):summary(wrun.zeros(5, 3))
    assert.equal(3, #summary.rows)
    assert.equal(9, summary.parameters)
    assert.equal(2 * 2 * 5 * 9, summary.flops)
    assert.same({ 9, 0 }, { summary.rows[2].parameters, summary.rows[3].parameters })
  end)

  it("counts what a layer's flops says, and takes several inputs", function()
    local summary = nn.Bilinear(3, 2, 4):summary(wrun.zeros(5, 3), wrun.zeros(5, 2))
    assert.equal(5 * 4 * (2 * 3 * 2 + 2 * 2), summary.flops)
    local Twice = nn.Module:extend("Twice")
    Twice.forward = function(_, x) return { x, x } end
    Twice.flops = function(_, inputs) return inputs[1]:numel() end
    summary = Twice():summary(wrun.zeros(7))
    assert.equal(7, summary.flops)
    assert.truthy(tostring(summary):find("\nTwice  -  ", 1, true))
  end)

  it("leaves modes, hooks, buffers and draws as they were", function()
    local net = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(), nn.ReLU():eval())
    local calls = 0
    net[3]:register_forward_hook(function() calls = calls + 1 end)
    wrun.manual_seed(1)
    net:summary(wrun.ones(4, 3))
    assert.same({ true, true, false }, { net.training, net[2].training, net[3].training })
    assert.same({ 0.0, 0.0, 0.0 }, net[1].running_mean:tolist())
    local drawn = wrun.rand(1):item()
    wrun.manual_seed(1)
    assert.equal(wrun.rand(1):item(), drawn)
    assert.is_false(net[1]._hooks)
    assert.equal(1, calls)
    assert.equal("Sequential[1] BatchNorm1d(3): BatchNorm1d: argument 1: "
      .. "expected [n, C] or [n, C, l] "
      .. "with C = 3, got [2]", refusal(net.summary, net, wrun.ones(2)))
    assert.is_true(net.training)
    assert.is_false(net[1]._hooks)
  end)
end)
