--- Gradients clipped by norm or value, and parameters as one vector.

local check = require "wrun.check"
local names = require "wrun.names"
local unrecorded = require "wrun.unrecorded"
local wrun = require "wrun"

local fail, is_tensor = check.fail, check.is_tensor

local M = {}

-- Lists of tensors -----------------------------------------------------------

-- The tensors of a list, or the one that is given in its place.
local function tensors_of(fname, index, given)
  if type(given) ~= "table" and not is_tensor(given) then
    fail("%s: argument %d: expected a tensor or a list of tensors, got %s", fname, index,
      check.describe(given))
  end
  local list = is_tensor(given) and { given } or check.list(given)
  for i, tensor in ipairs(list) do
    if not is_tensor(tensor) then
      fail("%s: tensor %d: expected a tensor, got %s", fname, i, check.describe(tensor))
    end
  end
  return list
end

local function gradients_of(parameters)
  local gradients = {}
  for _, parameter in ipairs(parameters) do
    gradients[#gradients + 1] = parameter.grad
  end
  return gradients
end

-- Clipping -------------------------------------------------------------------

local NORM_OPTIONS = { norm_type = check.number(2.0), error_if_nonfinite = check.boolean(false) }
local BOUND = check.number(nil, 0)

local function total_norm(fname, tensors, o)
  if #tensors == 0 then
    return wrun.tensor(0.0)
  end
  local _ <close> = wrun.no_grad()
  local norms = {}
  for i, tensor in ipairs(tensors) do
    norms[i] = tensor:norm(o.norm_type)
  end
  local total = wrun.stack(norms):norm(o.norm_type)
  if o.error_if_nonfinite and not total:isfinite():item() then
    fail("%s: the norm of order %s is %s, and no gradient can be clipped by it", fname, o.norm_type,
      total:item())
  end
  return total
end

local function clip(parameters, max_norm, total)
  local _ <close> = wrun.no_grad()
  local factor = (max_norm / (total + 1e-6)):clamp(-math.huge, 1)
  for _, gradient in ipairs(gradients_of(parameters)) do
    gradient:mul_(factor)
  end
end

-- Finite gradients whose norm is beyond their dtype: in smaller units it is not.
local function clip_overflowing(gradients, max_norm, o)
  local _ <close> = wrun.no_grad()
  for _, gradient in ipairs(gradients) do
    gradient:mul_(0x1p-64)
  end
  local factor = max_norm / total_norm("clip_grad_norm_", gradients, o)
  for _, gradient in ipairs(gradients) do
    gradient:mul_(factor)
  end
end

--- Returns the norm of tensors taken together, as if they were one vector.
--- shapes  tensors [...] -> []
--- domain  float32 or float64; an empty list has the norm 0; options norm_type = 2, any order that
---   `norm` has, and error_if_nonfinite = false
---     print(nn.utils.get_total_norm({ wrun.tensor({ 3.0, 0 }), wrun.tensor(4.0) }):item()) -- 5.0
---@param tensors wrun.Tensor|wrun.Tensor[]
function M.get_total_norm(tensors, options)
  local o = check.options("get_total_norm", options, NORM_OPTIONS)
  return (total_norm("get_total_norm", tensors_of("get_total_norm", 1, tensors), o))
end

--- Multiplies all gradients by max_norm / (total_norm + 1e-6) where that is below 1.
--- shapes  total_norm []
--- domain  max_norm >= 0; parameters without a gradient are passed over
---     local w = wrun.ones(2, { requires_grad = true })
---     w:mul(8):sum():backward()
---     nn.utils.clip_grads_with_norm_(w, 1, wrun.tensor(4.0))
---     print(w.grad) -- 8 / 4
function M.clip_grads_with_norm_(parameters, max_norm, total_norm_)
  local fname = "clip_grads_with_norm_"
  parameters = tensors_of(fname, 1, parameters)
  max_norm = check.argument(fname, 2, max_norm, BOUND)
  check.tensor_argument(fname, 3, total_norm_)
  clip(parameters, max_norm, total_norm_)
end

--- Shrinks all gradients together until their norm is at most max_norm; returns the norm before.
--- shapes  parameters [...] -> []
--- domain  max_norm >= 0; parameters without a gradient are passed over; gradients that
---   are not finite make all NaN or 0 unless error_if_nonfinite, which refuses a norm that is not;
---   options norm_type = 2, error_if_nonfinite = false
--- source  [Pascanu2013]; PyTorch's factor, max_norm / (norm + 1e-6) but at most 1
---     local w = wrun.ones(4, { requires_grad = true })
---     w:mul(3):sum():backward()
---     print(nn.utils.clip_grad_norm_({ w }, 1):item(), w.grad:norm():item()) -- 6.0, nearly 1
function M.clip_grad_norm_(parameters, max_norm, options)
  local fname = "clip_grad_norm_"
  local o = check.options(fname, options, NORM_OPTIONS)
  parameters = tensors_of(fname, 1, parameters)
  max_norm = check.argument(fname, 2, max_norm, BOUND)
  local gradients = gradients_of(parameters)
  local total = total_norm(fname, gradients, o)
  if total:item() == math.huge and max_norm < math.huge then
    clip_overflowing(gradients, max_norm, o)
  else
    clip(parameters, max_norm, total)
  end
  return total
end

--- Keeps every element of all gradients within -clip_value and clip_value.
--- shapes  parameters [...]
--- domain  clip_value >= 0; NaN stays; parameters without a gradient are passed over
---     local w = wrun.ones(2, { requires_grad = true })
---     w:mul(wrun.tensor({ 0.5, -3 })):sum():backward()
---     nn.utils.clip_grad_value_(w, 1)
---     print(w.grad) -- 0.5 and -1
function M.clip_grad_value_(parameters, clip_value)
  local fname = "clip_grad_value_"
  parameters = tensors_of(fname, 1, parameters)
  clip_value = check.argument(fname, 2, clip_value, BOUND)
  local _ <close> = wrun.no_grad()
  for _, gradient in ipairs(gradients_of(parameters)) do
    gradient:clamp_(-clip_value, clip_value)
  end
end

-- Parameters as a vector -----------------------------------------------------

--- Returns all elements of all parameters in one vector, a copy through which gradients flow.
--- shapes  [a, b], [c] -> [a b + c]
--- domain  any dtypes; the result has their common one; one parameter or more
--- raises  as `cat`
---     print(nn.utils.parameters_to_vector({ wrun.ones(2, 2), wrun.zeros(1) }))
function M.parameters_to_vector(parameters)
  local parts = {}
  for i, parameter in ipairs(tensors_of("parameters_to_vector", 1, parameters)) do
    parts[i] = parameter:reshape(-1)
  end
  return (wrun.cat(parts))
end

local function count_of(tensors)
  local count = 0
  for _, tensor in ipairs(tensors) do
    count = count + tensor:numel()
  end
  return count
end

-- Calls fn(tensor, part) with the part of the vector that stands for each tensor.
local function each_part(vector, tensors, fn)
  local first = 1
  for _, tensor in ipairs(tensors) do
    fn(tensor, vector:narrow(1, first, tensor:numel()):view(tensor.shape))
    first = first + tensor:numel()
  end
end

--- Copies the elements of a vector into the parameters, one after the other.
--- shapes  vector [a b + c], parameters [a, b], [c]
--- domain  as many elements in both; the parameters keep their memory and dtypes (PyTorch's show
---   the vector's from then on; flatten_parameters does that here)
---     local w = wrun.zeros(2, 2)
---     nn.utils.vector_to_parameters(wrun.arange(4):float(), { w })
---     print(w)
function M.vector_to_parameters(vector, parameters)
  local fname = "vector_to_parameters"
  local list = tensors_of(fname, 2, parameters)
  local count = count_of(list)
  if not is_tensor(vector) or vector.ndim ~= 1 or vector:numel() ~= count then
    fail("%s: argument 1: expected a vector of %d elements, got %s", fname, count,
      check.describe(vector))
  end
  local _ <close> = wrun.no_grad()
  each_part(vector:contiguous(), list, function(parameter, part)
    parameter:copy_(part)
  end)
end

local function check_flattenable(fname, list)
  local seen = {}
  if #list == 0 then
    fail("%s: argument 1: expected one parameter or more, got an empty list", fname)
  end
  for i, parameter in ipairs(list) do
    if not parameter.is_leaf then
      fail("%s: tensor %d: expected a leaf tensor, got a computed one", fname, i)
    elseif parameter.dtype ~= list[1].dtype or not check.is_float(parameter) then
      fail("%s: tensor %d: expected %s, got %s", fname, i,
        i == 1 and "a float32 or float64 tensor" or list[1].dtype .. " as tensor 1",
        check.describe(parameter))
    elseif seen[parameter] then
      fail("%s: tensor %d: expected each tensor once, got number %d again", fname, i,
        seen[parameter])
    end
    seen[parameter] = i
  end
end

--- Makes the parameters parts of one vector, and their gradients parts of another; returns both.
--- Whatever changes a vector changes the parameters (or gradients), and the other way round: norms,
--- line searches and steps by hand take one line each. The gradients stay together as long as they
--- are set to 0, by `gradient:zero_()` or `zero_grad { set_to_none = false }`, and not dropped.
--- Views made of the parameters before, such as a state_dict, keep the old memory.
--- shapes  [a, b], [c] -> vector [a b + c], gradient [a b + c]
--- domain  leaf tensors of one float dtype, each once; values and gradients stay, gradients that
---   are missing become 0
--- source  Torch7's getParameters
---     local model = nn.Linear(3, 2)
---     local w, g = nn.utils.flatten_parameters(model:parameters())
---     model(wrun.ones(1, 3)):sum():backward()
---     w:sub_(g * 0.1) -- a step of the whole model
---     g:zero_()
---     print(w:numel(), w:norm())
function M.flatten_parameters(parameters)
  local fname = "flatten_parameters"
  local list = tensors_of(fname, 1, parameters)
  check_flattenable(fname, list)
  local _ <close> = wrun.no_grad()
  local vector = wrun.empty(count_of(list), { dtype = list[1].dtype })
  local gradient = wrun.zeros_like(vector)
  each_part(gradient, list, function(parameter, part)
    if parameter.grad ~= nil then
      part:copy_(parameter.grad)
    end
    parameter.grad = part
  end)
  each_part(vector, list, function(parameter, part)
    unrecorded.share(parameter, part:copy_(parameter))
  end)
  return vector, gradient
end

return names.closed("nn.utils", M)
