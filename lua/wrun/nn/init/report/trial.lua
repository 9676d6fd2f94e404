--- The trial: the present start and the better one, trained for some steps on the same batch.

local autograd = require "wrun.autograd"

local MOMENTUM = 0.9

-- Stochastic gradient descent on one batch; returns the cost before each step, and the ratio of
-- the first update to the weights, over all weight matrices.
local function train(model, batch, o)
  local _ <close> = autograd.enable_grad()
  local parameters, velocities, costs = {}, {}, {}
  for _, parameter in ipairs(model:parameters()) do
    parameters[#parameters + 1] = parameter.requires_grad and parameter or nil
  end
  local update, size = 0, 0
  for step = 1, o.try do
    local cost = o.criterion(model(batch), o.target)
    costs[step] = cost:item()
    local gradients = table.pack(autograd.grad(cost, parameters, { allow_unused = true }))
    local _ <close> = autograd.no_grad()
    for i, parameter in ipairs(parameters) do
      local gradient = gradients[i]
      if gradient then
        velocities[i] = velocities[i] and velocities[i] * MOMENTUM + gradient or gradient
        if step == 1 and parameter.ndim > 1 then
          update = update + (gradient * o.lr):double():square():sum():item()
          size = size + parameter:double():square():sum():item()
        end
        parameter:sub_(velocities[i] * o.lr)
      end
    end
  end
  return costs, size > 0 and math.sqrt(update / size) or nil
end

--- Returns the costs before each step of both copies, and the ratio of the first's first update to
--- its weights.
return function(present, better, batch, o)
  local costs, ratio = train(present, batch, o)
  return { present = costs, better = train(better, batch, o) }, ratio
end
