--- Losses that are negative log likelihoods, or distances between distributions.

local check = require "wrun.check"
local Loss = require "wrun.nn.losses.loss"
local operations = require "wrun.operations"
local wrun = require "wrun"

local fail = check.fail

local M = {}

-- 1e-12 as PyTorch has it, a float32
local SMALLEST_VARIANCE = string.unpack("<f", string.pack("<f", 1e-12))

-- -(t log x + (1 - t) log(1 - x)) with logarithms of at least -100, and a gradient that is finite
-- where x is 0 or 1.
local binary_cross_entropy = wrun.autograd.Function {
  name = "BinaryCrossEntropy",
  forward = function(context, x, t)
    context:save_for_backward(x, t)
    return (t - 1) * (-x):log1p():maximum(-100) - t * x:log():maximum(-100)
  end,
  backward = function(context, g)
    local x, t = context:saved_tensors()
    local dx = g * (x - t) / ((1 - x) * x):maximum(SMALLEST_VARIANCE)
    return dx, t.requires_grad and g * ((-x):log1p() - x:log()) or nil
  end,
}

local function check_probabilities(o, argument, x, remedy)
  local is_valid = x:detach():ge(0):logical_and(x:detach():le(1)):reshape(-1)
  if not is_valid:all():item() then
    local index = is_valid:long():argmin(1):item()
    fail("%s: argument %d: expected probabilities from 0 to 1, got %s at index %d%s", o.__name,
      argument, x:detach():reshape(-1)[index]:item(), index, remedy)
  end
end

--- Makes the loss -(t log x + (1 - t) log(1 - x)) of probabilities x, averaged over all elements.
--- domain  input and target from 0 to 1; logarithms below -100 count as -100
--- options  weight: broadcasts to the input and scales each loss
---     print(nn.BCELoss()(wrun.tensor { 0.9, 0.2 }, wrun.tensor { 1.0, 0.0 }))
M.BCELoss = Loss.define("BCELoss", "binary_cross_entropy", {
  weight = Loss.WEIGHT,
}, function(o, input, target)
  Loss.check_pair(o, input, target)
  local weight = Loss.weight_of(o, "weight", input)
  check_probabilities(o, 1, input, "; for logits use BCEWithLogitsLoss")
  check_probabilities(o, 2, target, "")
  return binary_cross_entropy(input, target) * weight
end)

--- Makes the loss -(q t log s + (1 - t) log(1 - s)), s = sigmoid(x), of logits x, averaged over
--- all elements.
--- domain  any logits, without overflow
--- options  pos_weight: q, which broadcasts to the input; weight: scales each loss, and broadcasts
---     local criterion = nn.BCEWithLogitsLoss({ pos_weight = wrun.tensor(3.0) })
---     print(criterion(wrun.zeros(2), wrun.tensor { 1.0, 0.0 }))
M.BCEWithLogitsLoss = Loss.define("BCEWithLogitsLoss", "binary_cross_entropy_with_logits", {
  weight = Loss.WEIGHT,
  pos_weight = Loss.WEIGHT,
}, function(o, input, target)
  Loss.check_pair(o, input, target)
  local weight = Loss.weight_of(o, "weight", input)
  local positive = Loss.weight_of(o, "pos_weight", input)
  if weight == 1 then
    return "_bce_logits", input, target, positive
  end
  return Loss.weigh(weight, operations._bce_logits(input, target, positive))
end)

--- Makes the loss t (log t - x) of log probabilities x, averaged over all elements: Kullback and
--- Leibler's divergence, once it is summed over the classes.
--- shapes  input [n, ...], target the same; the loss [], with reduction "none" like the input
--- domain  input log probabilities; target probabilities
--- options  log_target: target holds logarithms; reduction: "mean" divides by the number of
---   elements, "batchmean" by n, which is the divergence itself
---     local p, q = wrun.tensor { { 0.5, 0.5 } }, wrun.tensor { { 0.9, 0.1 } }
---     print(nn.KLDivLoss({ reduction = "batchmean" })(q:log(), p))
M.KLDivLoss = Loss.define("KLDivLoss", "kl_div", {
  log_target = check.boolean(false),
  reduction = check.choice("mean", { "batchmean", "mean", "none", "sum" }),
}, function(o, input, target)
  Loss.check_pair(o, input, target)
  if o.log_target then
    return Loss.weigh(target:exp(), target - input)
  end
  return "_kl_div", input, target
end)

--- Makes the loss e^x - t x of a logarithm of rates x and counts t, averaged over all elements.
--- options  log_input: false takes rates x instead, with the loss x - t log(x + eps); full: adds
---   Stirling's approximation of log t! where t > 1
---     print(nn.PoissonNLLLoss()(wrun.zeros(2), wrun.tensor { 1.0, 3.0 }))
M.PoissonNLLLoss = Loss.define("PoissonNLLLoss", "poisson_nll_loss", {
  log_input = check.boolean(true),
  full = check.boolean(false),
  eps = check.number(1e-8, 0),
}, function(o, input, target)
  Loss.check_pair(o, input, target)
  if o.log_input and not o.full then
    return "_poisson_nll", input, target
  end
  local rate, log_rate = input, input
  if o.log_input then
    rate = input:exp()
  else
    local is_void = input:eq(-o.eps):logical_and(target:eq(0))
    log_rate = (input + o.eps):masked_fill(is_void, 1):log()
  end
  local counts, is_beyond = target, rate:detach():isinf()
  if is_beyond:any():item() then -- inf - t x is inf, though x be infinite
    counts = wrun.where(is_beyond, target - target:detach(), target)
  end
  local losses = rate - Loss.weigh(counts, log_rate)
  if o.full then
    local n = wrun.where(target:le(1), 1, target)
    local stirling = n * n:log() - n + 0.5 * (2 * math.pi * n):log()
    losses = losses + stirling:masked_fill(target:le(1), 0)
  end
  return losses
end)

-- The variances, one for each element of the input, or one for each of its rows of the last
-- dimension.
local function variances(o, input, var)
  var = type(var) == "number" and wrun.full(input.shape, var, { dtype = input.dtype }) or var
  check.float_argument(o.__name, 3, var)
  local shape = input.shape
  local rows = table.move(shape, 1, #shape - 1, 1, {})
  if #shape > 0 and check.same_shape(var, rows) then
    return var:unsqueeze(-1)
  end
  local fits = check.same_shape(var, shape)
  rows[#shape] = 1
  if not fits and not check.same_shape(var, rows) then
    fail("%s: argument 3: expected %s, or one variance for each row, got %s", o.__name,
      check.shape_text(shape), check.shape_text(var))
  end
  return var
end

--- Makes the loss (log v + (x - t)^2 / v) / 2 of means x, targets t and variances v, averaged over
--- all elements.
--- shapes  input [..., m], target the same; var [..., m], [..., 1] or [...]; the loss [], with
---   reduction "none" like the input
--- domain  var >= 0, or a number for all; where it is below eps it counts as eps
--- options  full: adds log(2 pi) / 2
---     local x, t = wrun.zeros(2), wrun.tensor { 1.0, 2.0 }
---     print(nn.GaussianNLLLoss()(x, t, wrun.ones(2)))
M.GaussianNLLLoss = Loss.define("GaussianNLLLoss", "gaussian_nll_loss", {
  full = check.boolean(false),
  eps = check.positive(1e-6),
}, function(o, input, target, var)
  Loss.check_pair(o, input, target)
  var = variances(o, input, var)
  local plain = var:detach()
  local least = plain:numel() > 0 and plain:min():item() or o.eps
  if least < o.eps or least ~= least then
    if plain:lt(0):any():item() then
      fail("%s: argument 3: expected variances >= 0, got %s", o.__name, least)
    end
    var = var + (o.eps - plain):relu() -- the gradient passes, as in PyTorch
  end
  if not o.full then
    return "_gaussian_nll", input, target, var
  end
  return operations._gaussian_nll(input, target, var) + 0.5 * math.log(2 * math.pi)
end)

return M
