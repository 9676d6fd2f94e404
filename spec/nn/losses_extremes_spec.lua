--- Losses where probabilities are 0, and inputs infinite or as large as their dtype has them: value,
--- first and second derivative beside their limits, written out by hand from each loss's formula.

local losses = require "wrun.nn.losses"
local wrun = require "wrun"

local inf = math.huge
local HUGE = { float32 = 1e30, float64 = 1e250 }

-- A case is { options, arguments, loss [], gradient of argument 1, its own gradient, gradient of
-- argument 2 }: of the losses with reduction "none", summed. Numbers are tensors in the dtype; integers are classes.
local function cases_of(big)
  return {
    BCELoss = {
      { {}, { { 0.0, 1.0, 0.0, 1.0 }, { 0.0, 1.0, 1.0, 0.0 } }, { 0, 0, 100, 100 } },
    },
    BCEWithLogitsLoss = {
      { {}, { { inf, -inf, inf, -inf }, { 1.0, 0.0, 0.0, 1.0 } }, { 0, 0, inf, inf },
        { 0, 0, 1, -1 }, { 0, 0, 0, 0 } },
      { {}, { { big, -big, big, -big }, { 1.0, 0.0, 0.0, 1.0 } }, { 0, 0, big, big },
        { 0, 0, 1, -1 }, { 0, 0, 0, 0 }, { -big, big, -big, big } },
      { {}, { { big, -big, 0.0 }, { 0.5, 0.5, 0.5 } }, { big / 2, big / 2, math.log(2) },
        { 0.5, -0.5, 0 }, { 0, 0, 0.25 } },
    },
    CosineEmbeddingLoss = {
      { {}, { { { big, 0.0 } }, { { 0.0, big } }, { 1.0 } }, { 1 }, { 0, -1 / big }, nil },
    },
    CrossEntropyLoss = {
      { {}, { { { -inf, 0.0, 0.0 } }, { 2 } }, { math.log(2) }, { 0, -0.5, 0.5 },
        { 0, 0, 0 } },
      { {}, { { { -inf, 0.0, 0.0 } }, { { 0.0, 1.0, 0.0 } } }, { math.log(2) }, { 0, -0.5, 0.5 },
        { 0, 0, 0 } },
      { {}, { { { -inf, 0.0, 0.0 } }, { 1 } }, { inf }, { -1, 0.5, 0.5 }, { 0, 0, 0 } },
      { {}, { { { big, -big, 0.0 } }, { 1 } }, { 0 }, { 0, 0, 0 }, { 0, 0, 0 } },
      { { weight = { 0.0, 1.0, 1.0 } }, { { { -inf, 0.0, 0.0 } }, { 1 } }, { 0 }, { 0, 0, 0 },
        { 0, 0, 0 } },
    },
    GaussianNLLLoss = {
      { {}, { { 0.0, big }, { 0.0, big }, { 0.0, inf } }, { math.log(1e-6) / 2, inf }, { 0, 0 },
        { 1e6, 0 } },
      { {}, { { big, -inf }, { 0.0, 0.0 }, { big, 1.0 } }, { (math.log(big) + big) / 2, inf },
        { 1, -inf }, { 1 / big, 1 } },
    },
    HingeEmbeddingLoss = {
      { {}, { { inf, -inf, inf, big }, { -1.0, -1.0, 1.0, 1.0 } }, { 0, inf, inf, big },
        { 0, -1, 1, 1 } },
    },
    HuberLoss = {
      { {}, { { inf, -inf, big }, { 0.0, 0.0, 0.0 } }, { inf, inf, big }, { 1, -1, 1 },
        { 0, 0, 0 } },
    },
    KLDivLoss = {
      { {}, { { -inf, 0.0, -big }, { 0.0, 1.0, 0.0 } }, { 0, 0, 0 }, { 0, -1, 0 } },
      { { log_target = true }, { { -inf, 0.0, -inf }, { -inf, 0.0, 0.0 } }, { 0, 0, inf },
        { 0, -1, -1 } },
    },
    L1Loss = {
      { {}, { { inf, -big }, { 0.0, 0.0 } }, { inf, big }, { 1, -1 }, { 0, 0 } },
    },
    MarginRankingLoss = {
      { {}, { { inf, inf, big }, { 0.0, 0.0, 0.0 }, { 1.0, -1.0, -1.0 } }, { 0, inf, big },
        { 0, 1, 1 } },
    },
    MSELoss = {
      { {}, { { inf, big }, { 0.0, big } }, { inf, 0 }, { inf, 0 }, { 2, 2 } },
    },
    MultiMarginLoss = {
      { {}, { { { inf, 0.0 } }, { 1 } }, { 0 }, { 0, 0 } },
      { { p = 2 }, { { { inf, 0.0 } }, { 1 } }, { 0 }, { 0, 0 } },
      { { weight = { 0.0, 1.0 } }, { { { 0.0, inf } }, { 1 } }, { 0 }, { 0, 0 } },
    },
    MultiLabelSoftMarginLoss = {
      { {}, { { { inf, -inf }, { big, -big } }, { { 1.0, 0.0 }, { 0.0, 1.0 } } }, { 0, big },
        { 0, 0, 0.5, -0.5 }, { 0, 0, 0, 0 } },
      { { weight = { 0.0, 1.0 } }, { { { inf, inf } }, { { 0.0, 1.0 } } }, { 0 }, { 0, 0 },
        { 0, 0 } },
    },
    NLLLoss = {
      { {}, { { { -inf, 0.0 } }, { 2 } }, { 0 }, { 0, -1 } },
      { { weight = { 0.0, 1.0 } }, { { { -inf, 0.0 } }, { 1 } }, { 0 }, { 0, 0 } },
    },
    PoissonNLLLoss = {
      { {}, { { -inf, -inf, inf, big }, { 0.0, 1.0, 1.0, 1.0 } }, { 0, inf, inf, inf },
        { 0, -1, inf, inf }, { 0, 0, inf, inf } },
      { {}, { { big, -big, 0.5 }, { 1.0, 0.0, 2.0 } }, { inf, 0, math.exp(0.5) - 1 },
        { inf, 0, math.exp(0.5) - 2 }, { inf, 0, math.exp(0.5) }, { -big, big, -0.5 } },
      { { log_input = false, eps = 0 }, { { 0.0, inf }, { 0.0, 1.0 } }, { 0, inf }, { 1, 1 },
        { 0, 0 } },
      { { log_input = false, eps = 0 }, { { big, 1.0 }, { 1.0, 2.0 } }, { big, 1 }, { 1, -1 },
        { 0, 2 }, { -math.log(big), 0 } },
    },
    SmoothL1Loss = {
      { {}, { { inf, -inf, big }, { 0.0, 0.0, 0.0 } }, { inf, inf, big }, { 1, -1, 1 },
        { 0, 0, 0 } },
    },
    SoftMarginLoss = {
      { {}, { { inf, -inf, big, -big }, { 1.0, 1.0, 1.0, 1.0 } }, { 0, inf, 0, big },
        { 0, -1, 0, -1 }, { 0, 0, 0, 0 } },
    },
    TripletMarginLoss = {
      { {}, { { { big, 0.0 } }, { { 0.0, 0.0 } }, { { 0.0, 0.0 } } }, { 1 }, { 0, 0 } },
      { {}, { { { big, 0.0 } }, { { 0.0, 0.0 } }, { { big, 0.0 } } }, { big }, nil },
    },
  }
end

local function tensor(value, dtype)
  local first = value
  while type(first) == "table" do
    first = first[1]
  end
  return wrun.tensor(value, { dtype = math.type(first) == "integer" and "int64" or dtype })
end

local function assert_near(what, want, got, dtype)
  local numbers = wrun.tensor(want, { dtype = dtype })
  local rtol = dtype == "float32" and 1e-5 or 1e-12
  assert(wrun.allclose(got:reshape(-1), numbers, { rtol = rtol, atol = rtol }),
    ("%s: expected %s, got %s"):format(what, numbers, got))
end

describe("a loss at extremes", function()
  for name, class in pairs(losses) do
    for dtype, big in pairs(HUGE) do
      it(("is its limit: %s in %s"):format(name, dtype), function()
        for i, case in ipairs(assert(cases_of(big)[name], "no case of this loss")) do
          local options, arguments, loss, gradient, second, other = table.unpack(case, 1, 6)
          options.reduction = "none"
          if options.weight then
            options.weight = tensor(options.weight, dtype)
          end
          local tensors = {}
          for k, value in ipairs(arguments) do
            tensors[k] = tensor(value, dtype)
          end
          local x = tensors[1]:requires_grad_()
          if other then
            tensors[2]:requires_grad_()
          end
          local y = class(options)(table.unpack(tensors))
          assert_near(i .. ": loss", loss, y:detach(), dtype)
          local dx, dt = wrun.autograd.grad(y:sum(), { x, other and tensors[2] },
            { create_graph = true })
          if gradient then
            assert_near(i .. ": gradient", gradient, dx:detach(), dtype)
          end
          if second then
            local ddx = dx.requires_grad and wrun.autograd.grad(dx:sum(), x) or wrun.zeros_like(x)
            assert_near(i .. ": second derivative", second, ddx, dtype)
          end
          if other then
            assert_near(i .. ": gradient of argument 2", other, dt:detach(), dtype)
          end
        end
      end)
    end
  end
end)
