--- LBFGS: steps by the curvature that the last gradients have shown.

local check = require "wrun.check"
local line_search = require "wrun.optim.line_search"
local Optimizer = require "wrun.optim.optimizer"
local wrun = require "wrun"

local fail = check.fail

--- Makes an optimiser that steps by the curvature which the last gradients have shown.
--- A step is up to max_iter iterations, each moving all parameters along d = -H g, where H is the
--- inverse Hessian as the last history_size moves suggest it.
--- domain  one group of parameters
--- options  lr: the distance to go along d, or what a line search tries first; max_eval: how often
---   the closure is called in a step, 5/4 max_iter by default; tolerance_grad: stops where no
---   element of g is larger; tolerance_change: stops where the loss or all elements change by less
--- raises  `LBFGS: expected one group of parameters`
--- cost    2 history_size + 4 vectors of all parameters
--- source  [Nocedal2006] alg. 7.4 and 7.5 in PyTorch's form
---     local w = wrun.tensor({ -1.0, 2 }, { requires_grad = true })
---     local optimizer = optim.LBFGS({ w }, { line_search_fn = "strong_wolfe" })
---     optimizer:step(function()
---       optimizer:zero_grad()
---       local loss = ((w - 3) ^ 4):sum()
---       loss:backward()
---       return loss
---     end)
---     print(w) -- near 3
---@class wrun.optim.LBFGS: wrun.optim.Optimizer
local LBFGS = Optimizer:extend("LBFGS")

LBFGS.rules = {
  lr = check.number(1, 0),
  max_iter = check.integer(20, 1),
  max_eval = check.optional(check.integer(nil, 1)),
  tolerance_grad = check.number(1e-7, 0),
  tolerance_change = check.number(1e-9, 0),
  history_size = check.integer(100, 1),
  line_search_fn = check.optional(check.choice(nil, { "strong_wolfe" })),
}

-- The least curvature y s of a move that is worth remembering.
local LEAST_CURVATURE = 1e-10

function LBFGS.check_together(_, options)
  options.max_eval = options.max_eval or options.max_iter * 5 // 4
end

function LBFGS:add_param_group(group)
  if #self.param_groups > 0 then
    fail("%s: expected one group of parameters, got another", self.__name)
  end
  Optimizer.add_param_group(self, group)
end

local function flat(tensors)
  local parts = {}
  for i, tensor in ipairs(tensors) do
    parts[i] = tensor:detach():reshape(-1)
  end
  return wrun.cat(parts)
end

-- The gradients as one vector, zeros where there are none.
local function flat_gradient(parameters)
  local gradients = {}
  for i, parameter in ipairs(parameters) do
    gradients[i] = parameter.grad or wrun.zeros_like(parameter)
  end
  return flat(gradients)
end

-- parameters += t * d
local function move(parameters, d, t)
  local first = 1
  for _, parameter in ipairs(parameters) do
    local part = d:narrow(1, first, parameter:numel())
    parameter:add_((part * t):view(parameter.shape))
    first = first + parameter:numel()
  end
end

local function largest(x)
  return x:numel() > 0 and x:abs():max():item() or 0
end

function LBFGS:state_model()
  return flat(self.param_groups[1].params)
end

-- Adds the last move, which led to the gradient g, to the history.
local function remember(state, g, history_size)
  local y, s = g - state.prev_flat_grad, state.d * state.t
  local curvature = y:dot(s):item()
  if curvature > LEAST_CURVATURE then
    if #state.history == history_size then
      table.remove(state.history, 1)
    end
    table.insert(state.history, { y = y, s = s, rho = 1 / curvature })
    state.scale = curvature / y:dot(y):item()
  end
end

-- -H g by the two loops over the history
local function direction(state, g)
  local history, d, alphas = state.history, -g, {}
  for i = #history, 1, -1 do
    local h = history[i]
    alphas[i] = h.s:dot(d):item() * h.rho
    d:sub_(h.y * alphas[i])
  end
  d:mul_(state.scale)
  for i, h in ipairs(history) do
    local beta = h.y:dot(d):item() * h.rho
    d:add_(h.s * (alphas[i] - beta))
  end
  return d
end

-- Sets the direction from a point with gradient g, and the distance to try first.
local function aim(state, g, group)
  if state.n_iter == 1 then
    state.history, state.scale = {}, 1
    state.d, state.t = -g, math.min(1, 1 / g:abs():sum():item()) * group.lr
  else
    remember(state, g, group.history_size)
    state.d, state.t = direction(state, g), group.lr
  end
  state.prev_flat_grad = g
end

local CLOSURE = check.func()

local function number_of(f, loss)
  local value = loss
  if check.is_tensor(loss) and loss:numel() == 1 then
    value = loss:item()
  end
  if type(value) ~= "number" then
    fail("%s: expected the closure to return the loss, a single number, got %s", f,
      check.describe(loss))
  end
  return value
end

-- A run is one call of step: { parameters, group, state, closure, calls, loss, g }, with the loss
-- and its gradient g where the parameters are.

local function evaluate(run)
  local loss = wrun.enable_grad(run.closure)
  run.loss = number_of("LBFGS: step", loss)
  run.g = flat_gradient(run.parameters)
  run.calls = run.calls + 1
  run.state.func_evals = run.state.func_evals + 1
  return loss
end

-- Goes along the direction as far as a line search says.
local function search(run, slope)
  local state, parameters, origin = run.state, run.parameters, {}
  for i, parameter in ipairs(parameters) do
    origin[i] = parameter:clone()
  end
  local function at(t)
    move(parameters, state.d, t)
    evaluate(run)
    for i, parameter in ipairs(parameters) do
      parameter:copy_(origin[i])
    end
    return { t = t, f = run.loss, g = run.g, slope = run.g:dot(state.d):item() }
  end
  local start = { t = 0, f = run.loss, g = run.g, slope = slope }
  local point = line_search[run.group.line_search_fn](at, start, state.t,
    run.group.max_eval - run.calls, largest(state.d))
  run.loss, run.g, state.t = point.f, point.g, point.t
  move(parameters, state.d, state.t)
end

-- One iteration; returns whether another may follow.
local function iterate(run, is_last)
  local state, group, before = run.state, run.group, run.loss
  state.n_iter = state.n_iter + 1
  aim(state, run.g, group)
  local slope = run.g:dot(state.d):item()
  if slope > -group.tolerance_change then
    return false
  end
  if group.line_search_fn ~= nil then
    search(run, slope)
  else
    move(run.parameters, state.d, state.t)
    if not is_last then
      evaluate(run)
    end
  end
  return run.calls < group.max_eval and largest(run.g) > group.tolerance_grad
    and largest(state.d) * math.abs(state.t) > group.tolerance_change
    and math.abs(run.loss - before) >= group.tolerance_change
end

--- Moves the parameters by up to max_iter iterations and returns the loss before them.
--- domain  `closure` drops the gradients, computes the loss and its gradients, and returns the loss
---@param closure fun(): wrun.Tensor|number
---@return wrun.Tensor|number loss as the closure first returned it
function LBFGS:step(closure)
  check.argument("LBFGS: step", 1, closure, CLOSURE)
  local _ <close> = wrun.no_grad()
  local group = self.param_groups[1]
  local key = group.params[1]
  local state = self.state[key] or { func_evals = 0, n_iter = 0 }
  local run = {
    parameters = group.params, group = group, state = state, closure = closure, calls = 0,
  }
  local first_loss = evaluate(run)
  self.state[key] = state
  local iteration, goes_on = 0, largest(run.g) > group.tolerance_grad
  while goes_on and iteration < group.max_iter do
    iteration = iteration + 1
    goes_on = iterate(run, iteration == group.max_iter)
  end
  return first_loss
end

return LBFGS
