--- What the reference finds; spec/project/reference_spec.lua keeps what it must say.

local public_items = require "spec.support.public_items"
local reference = require "wrun.reference"
local wrun = require "wrun"

describe("the reference", function()
  local public = public_items()

  it("finds what is public", function()
    local known = {}
    for _, item in ipairs(public) do
      known[item.name] = item
    end
    for _, name in ipairs {
      "wrun.cat", "wrun.abs", "wrun.zeros_like", "wrun.backward", "Tensor", "Generator:seed", "nn",
      "nn.Linear", "nn.Linear:forward", "nn.Module:parameters", "nn.init.uniform_", "optim.SGD",
      "data.mnist", "data.Loader:batches", "rbm.Model:fit", "rbm.Chains:step", "dbn.Model:up",
      "image.save", "autograd.grad", "autograd.Context:saved_tensors", "progress",
      "progress.Bar:close", "testing.tensor_near",
    } do
      assert.is_truthy(known[name], name)
      assert.is_truthy(known[name].entry, name)
    end
    assert.is_nil(known["wrun.abs_"]) -- a form of wrun.abs
    assert.equal("M.kaiming_uniform_", known["nn.init.he_uniform_"].entry.path) -- its other name
    assert.equal("M.inv", known["wrun.inverse"].entry.path)
    assert.is_true(#public > 300)
  end)

  it("knows a value's comment by what published it, or by where it is defined", function()
    assert.equal("M.sum", reference.entry_of(wrun.sum).path)
    assert.equal("abs", reference.entry_of(wrun.abs).path)
    assert.is_nil(reference.entry_of(function() end))
  end)

  it("has the head of every module", function()
    assert.matches("^Reductions", reference.heads()["wrun.tensor.reduce"].summary)
  end)
end)
