--- Every public function of a tensor that requires grad gives floats that do so too, if only with
--- zeros for a gradient: else an optimiser would pass the parameter by.

local wrun = require "wrun"

-- What makes tensors anew, or says by its name that no gradient flows.
local FREE = {
  detach = true, empty_like = true, full_like = true, ones_like = true, zeros_like = true,
  rand_like = true, randint_like = true, randn_like = true, tensor = true,
  normal = true,                    -- draws around a mean, as documented
  histc = true, histogram = true,   -- counts
  unique = true, unique_consecutive = true,
  lstsq = true,                     -- its residuals and singular values
  broadcast_tensors = true,         -- gives back those that require none, too
}

local function other()
  return wrun.rand(2, 2) * 0.8 + 0.1
end

-- Lists of further arguments, of which functions take what they can.
local function arguments()
  local mask = wrun.tensor { { true, false }, { true, true } }
  local indices = wrun.tensor { 1, 2 }
  return {
    {}, { 1 }, { 2 }, { { 2, 2 } }, { other() }, { other(), 1 }, { indices }, { 1, indices },
    { 1, 2 }, { 0.5 }, { 0.5, 1 }, { mask }, { mask, 1.0 }, { 1, 1, 1 }, { indices, 1 },
    { other(), other() },
  }
end

-- Calls f in all ways that it accepts; returns how many there were.
local function walk(name, f)
  local count = 0
  for _, rest in ipairs(arguments()) do
    local x = other():requires_grad_()
    local results = table.pack(pcall(f, x, table.unpack(rest)))
    for i = 2, results[1] and results.n or 1 do
      local is_tensor, dtype = pcall(function() return results[i].dtype end)
      if is_tensor and (dtype == "float32" or dtype == "float64") then
        assert.is_true(results[i].requires_grad, ("%s: result %d with %d arguments"):format(name,
          i - 1, #rest + 1))
        count = count + 1
      end
    end
  end
  return count
end

describe("a gradient, or zeros", function()
  for part, functions in pairs {
    wrun = wrun, linalg = wrun.linalg, functional = wrun.nn.functional,
  } do
    it("comes back from every function of " .. part, function()
      local count = 0
      for name, f in pairs(functions) do
        if type(f) == "function" and not FREE[name] then
          count = count + walk(name, f)
        end
      end
      assert.is_true(count > 0)
    end)
  end
end)
