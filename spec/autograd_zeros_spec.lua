--- Every public function of a tensor that requires grad gives floats that do so too, if only with
--- zeros for a gradient: else an optimiser would pass the parameter by.

local core = require "wrun.core"
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

-- Differentiates the derivative of argument i of a row by all that its text reads.
local function second(row, i, text)
  local values = {}
  for k = 1, #row.derivatives do
    values[k] = (wrun.rand(4, { dtype = "float64" }) * (row.high - row.low) + row.low)
      :requires_grad_()
  end
  local y = core.elementwise[row.name](table.unpack(values))
  local dx = wrun.autograd.grad(y:sum(), values[i], { create_graph = true })
  for k = 1, #values do
    local name = ({ "[xa]", "b", "c" })[k]
    if text:find("%f[%w]" .. name .. "%f[%W]") or text:find("%f[%w]y%f[%W]") then
      assert.is_true(dx.requires_grad, row.name)
      wrun.autograd.grad(dx:sum(), values[k], { retain_graph = true, allow_unused = true })
    end
  end
end

describe("a gradient that only chooses by values", function()
  it("depends on them, with zeros for a derivative", function()
    local count = 0
    for _, row in ipairs(core.elementwise_rows()) do
      for i, text in ipairs(row.derivatives) do
        if text ~= "0" and row.name ~= "where" then
          second(row, i, text)
          count = count + 1
        end
      end
    end
    assert.is_true(count > 80)
    local x = wrun.tensor({ -1.0, 0, 2 }, { requires_grad = true })
    for _, f in ipairs { "relu", "leaky_relu", "hardtanh", "relu6", "abs", "hardshrink" } do
      local dx = wrun.autograd.grad(wrun[f](x):sum(), x, { create_graph = true })
      assert.same({ 0, 0, 0 }, wrun.autograd.grad(dx:sum(), x):tolist())
    end
  end)

  it("is no NaN beside an infinite quotient", function()
    local b = wrun.tensor({ 1e-38 }, { requires_grad = true })
    for _, f in ipairs { "fmod", "remainder" } do
      local db = wrun.autograd.grad(wrun[f](wrun.tensor { 3e38 }, b), b, { create_graph = true })
      assert.equal(0, wrun.autograd.grad(db, b):item())
    end
  end)
end)
