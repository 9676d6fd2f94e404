--- The singular values of the matrix that takes small changes of a network's input to those of its
--- output, at the first row of the batch.

local autograd = require "wrun.autograd"
local wrun = require "wrun"

local LARGEST = 512 -- outputs up to which the matrix is made whole
local STEPS = 30 -- of the power iteration
local PROBES = 32 -- of the estimate of the mean square
local ROWS = 32 -- beside the first, for layers that look at the others

local function whole(x, y)
  local rows = {}
  for i = 1, y:numel() do
    rows[i] = autograd.grad(y[i], x, { retain_graph = true })[1]:flatten()
  end
  local matrix = wrun.stack(rows):double()
  return matrix:isfinite():all():item() and matrix:svdvals() or nil
end

-- [Hutchinson1989] for the mean square, the power iteration for the largest. J v is the derivative
-- of J^T u, which is linear in u.
local function estimated(x, y, generator)
  local u = y:zeros_like():requires_grad_()
  local back = autograd.grad(y, x, { grad_outputs = u, create_graph = true })[1]
  local function pull(v) -- J^T v
    return autograd.grad(y, x, { grad_outputs = v, retain_graph = true })[1]
  end
  local function push(v) -- J v
    return autograd.grad(back, u, { grad_outputs = v, retain_graph = true })
  end
  local square = 0
  for _ = 1, PROBES do
    local signs = y:zeros_like():bernoulli_(0.5, { generator = generator }) * 2 - 1
    square = square + pull(signs):square():sum():item() / PROBES
  end
  local v, size = x[1]:detach():zeros_like():normal_(0, 1, { generator = generator }), 0
  for _ = 1, STEPS do
    v = pull(push(v / v:norm()))
    size = v:norm():item()
    if size == 0 then
      break
    end
  end
  return math.sqrt(size), square
end

--- Returns { max =, min =, rms =, is_estimated = }: min is nil where it is estimated, rms the root
--- of the mean square over the inputs or the outputs, the fewer of them; nil for a network without
--- such a matrix, or with one that is not finite.
return function(model, batch, generator)
  local _ <close> = autograd.enable_grad()
  local x = batch:detach():narrow(1, 1, math.min(batch:size(1), ROWS)):clone():requires_grad_()
  local y = model(x)
  if not y.requires_grad or y:size(1) ~= x:size(1) then
    return nil
  end
  y = y[1]:flatten()
  local count = math.min(x[1]:numel(), y:numel())
  if y:numel() <= LARGEST then
    local singular = whole(x, y)
    return singular and {
      max = singular[1]:item(), min = singular[-1]:item(), is_estimated = false,
      rms = math.sqrt(singular:square():mean():item()),
    }
  end
  local largest, square = estimated(x, y, generator)
  return { max = largest, rms = math.sqrt(square / count), is_estimated = true }
end
