--- What a network does with a batch: each call of a layer, its signal, and the gradient of its
--- output.

local autograd = require "wrun.autograd"
local check = require "wrun.check"
local wrun = require "wrun"

local fail = check.fail

local M = {}

local LARGEST = 1024 -- a weight whose smaller size is more has no singular values here

--- Root mean square, mean and standard deviation of all elements, in double precision.
function M.spread(x)
  x = x:detach():double()
  local mean = x:mean():item()
  return math.sqrt((x * x):mean():item()), mean, math.sqrt((x - mean):square():mean():item())
end

--- Is the module a matrix product, [..., in] -> [..., out]?
function M.is_linear(module, input, output)
  local weight = module.weight
  return check.is_tensor(weight) and weight.ndim == 2 and check.is_tensor(input)
    and input.ndim > 0 and output:size(-1) == weight:size(1) and input:size(-1) == weight:size(2)
end

--- The criterion for a target where none is given.
function M.criterion_for(target)
  return check.is_float(target) and wrun.nn.MSELoss() or wrun.nn.CrossEntropyLoss()
end

--- Returns the output for a batch, and { path, module, input, output } for each call of a module
--- without modules.
function M.forward(model, batch)
  local calls, handles = {}, {}
  for path, module in model:named_modules() do
    if module:children()[1] == nil then
      handles[#handles + 1] = module:register_forward_hook(function(_, inputs, output)
        if check.is_float_tensor(output) and output:numel() > 0 then
          calls[#calls + 1] = { path = path, module = module, input = inputs[1], output = output }
        end
      end)
    end
  end
  local output = model(batch)
  for _, handle in ipairs(handles) do
    handle:remove()
  end
  return output, calls
end

-- The share of units that are 0 in all rows of [rows, ...].
local function dead_share(output)
  return output:eq(0):all(1):double():mean():item()
end

-- The share of inputs where |f'| is below a hundredth of its largest; nil for a function that has
-- such inputs on one side only, as relu has.
local function saturated_share(call, slope_of)
  local ends = slope_of(wrun.tensor({ -30, 30 }, { dtype = "float64" }))
  local largest = slope_of(wrun.linspace(-10, 10, 401, { dtype = "float64" })):max():item()
  if ends:max():item() > largest / 100 then
    return nil
  end
  return slope_of(call.input:detach():flatten():double()):lt(largest / 100):double():mean():item()
end

local function slopes(module)
  return function(z)
    z = z:detach():requires_grad_()
    return autograd.grad(module(z):sum(), z):abs()
  end
end

local function is_constant_along_rows(x)
  return x:detach():eq(x[1]:detach()):all():item()
end

local function measure_weight(call)
  local weight = call.module.weight:detach()
  call.fan_out, call.fan_in = weight:size(1), weight:size(2)
  call.weight_rms, call.weight_mean, call.weight_std = M.spread(weight)
  call.gain = call.weight_rms * math.sqrt(call.fan_in)
  call.is_symmetric = call.fan_out > 1 and is_constant_along_rows(weight)
    and (call.module.bias == nil or is_constant_along_rows(call.module.bias))
  if math.min(call.fan_in, call.fan_out) <= LARGEST and weight:isfinite():all():item() then
    local singular = weight:double():svdvals()
    call.singular_max, call.singular_min = singular[1]:item(), singular[-1]:item()
  end
end

-- Does the call pass its input on, in another shape perhaps?
local function passes_on(call)
  return check.is_tensor(call.input) and call.output:numel() == call.input:numel()
    and call.output:detach():flatten():equal(call.input:detach():flatten())
end

local function measure_call(call)
  call.rms, call.mean, call.std = M.spread(call.output)
  call.label = call.module:label()
  if M.is_linear(call.module, call.input, call.output) then
    call.kind = "linear"
    measure_weight(call)
  elseif passes_on(call) and (call.rms > 0 or not call.is_activation) then
    call.kind = "same"
  elseif call.is_activation then
    call.kind = "activation"
    call.dead = dead_share(call.output:detach())
    call.saturated = saturated_share(call, slopes(call.module))
  else
    call.kind = "other"
  end
end

-- A cost whose gradient is of no direction in particular, for a batch without targets.
local function random_cost(output, generator)
  local signs = wrun.empty(output.shape, { dtype = output.dtype })
  signs:bernoulli_(0.5, { generator = generator })
  return (output * (signs * 2 - 1)):sum() / output:size(1)
end

--- Returns the calls of `model`, a copy that may be changed, with what was measured; the output;
--- and the cost, a tensor, which is nil where there is no target.
---@param o { target: wrun.Tensor?, criterion: function?, generator: wrun.Generator }
---@param is_activation fun(module: wrun.nn.Module): boolean
function M.run(model, batch, o, is_activation)
  for _, parameter in ipairs(model:parameters()) do
    parameter:requires_grad_()
  end
  batch = check.is_float(batch) and batch:detach():clone():requires_grad_() or batch
  local output, calls = M.forward(model, batch)
  if not check.is_float_tensor(output) or output.ndim == 0 then
    fail("report: argument 1: expected a network that gives a tensor of floats, got %s",
      check.describe(output))
  end
  if #calls == 0 then
    fail("report: argument 1: expected a network with layers, got %s", model:label())
  end
  local cost = o.target and o.criterion(output, o.target)
  local outputs = {}
  for i, call in ipairs(calls) do
    outputs[i] = call.output
  end
  local gradients = table.pack(autograd.grad(cost or random_cost(output, o.generator), outputs,
    { allow_unused = true, retain_graph = true }))
  for i, call in ipairs(calls) do
    call.is_activation = is_activation(call.module)
    measure_call(call)
    call.gradient_rms = gradients[i] and M.spread(gradients[i]) or 0
    if call.kind == "linear" and gradients[i] then
      -- that of the weight is a product of the output's gradient and the input
      local input, gradient = call.input:detach(), gradients[i]
      call.weight_gradient_rms = M.spread(gradient:reshape(-1, call.fan_out):t()
        :matmul(input:reshape(-1, call.fan_in)))
    end
  end
  return calls, batch, output, cost
end

return M
