--- Fingerprints, beside SHA-256 of sha256sum.

local child = require "spec.support.child"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn = wrun.nn

-- The SHA-256 that the system has of these bytes.
local function sha256(bytes)
  return child.shell("sha256sum", bytes).out:match("%x+")
end

describe("fingerprint", function()
  it("is the SHA-256 of the bytes of all parameters", function()
    local model = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1, { bias = false }))
    local bytes = {}
    for _, parameter in ipairs(model:parameters()) do
      for _, value in ipairs(parameter:flatten():tolist()) do
        bytes[#bytes + 1] = ("<f"):pack(value)
      end
    end
    assert.equal(sha256(table.concat(bytes)), wrun.fingerprint(model))
  end)

  it("takes lists of tensors of any dtype and layout", function()
    local x = wrun.arange(1, 7):reshape(2, 3)
    assert.equal(sha256(("<i8i8i8i8i8i8"):pack(1, 4, 2, 5, 3, 6)), wrun.fingerprint({ x:t() }))
    assert.equal(sha256("\1\0"), wrun.fingerprint({ wrun.tensor({ true, false }) }))
    assert.equal(sha256(""), wrun.fingerprint({ wrun.empty(0) }))
    assert.equal(sha256(""), wrun.fingerprint(nn.ReLU()))
  end)

  it("tells models apart that differ in one bit", function()
    local model = nn.Linear(2, 2)
    local before = wrun.fingerprint(model)
    assert.equal(before, wrun.fingerprint(model:clone()))
    model.weight:detach():neg_()
    assert.not_equal(before, wrun.fingerprint(model))
    model.weight:detach():neg_()
    assert.equal(before, wrun.fingerprint(model))
  end)

  it("refuses what has no tensors", function()
    assert.equal("fingerprint: argument 1: expected a table of one or more tensors, got 3",
      refusal(wrun.fingerprint, 3))
    assert.equal("fingerprint: argument 1: expected a table of one or more tensors, got a table",
      refusal(wrun.fingerprint, {}))
  end)
end)
