--- Keys with tensors in them, t[mask] and t[{ rows, columns }], as flat indices.
--- A key has a part for each dimension: an index, a slice {from, to, step}, an int64 tensor of
--- indices, or a mask, which stands for as many dimensions as it has. Tensors of indices
--- broadcast together; their dimensions stand in the result where the tensors stood in the key, or
--- in front where slices stand between them, as in PyTorch. Indices and slices alone make a view
--- instead (runtime/bind/bind_index.c).

local broadcast = require "wrun.tensor.internal.broadcast"
local check = require "wrun.check"
local core = require "wrun.core"
local operations = require "wrun.operations"
local unrecorded = require "wrun.unrecorded"

local fail = check.fail

local M = {}

--- Is this key a tensor, or is there one in it?
M.has_tensor = core.key_has_tensor

--- Returns int64 (or int32) indices that are in 1..n, as int64; where `from_end` allows it,
--- -n..-1 count from the end.
--- The error begins with `format` and its arguments, and names the value and its index.
function M.indices(t, n, from_end, format, ...)
  t = check.is_tensor(t) and t.dtype == "int32" and unrecorded.to(t, "int64") or t
  if not check.is_tensor(t) or t.dtype ~= "int64" then
    fail("%s: expected an int64 tensor of indices, got %s", format:format(...), check.describe(t))
  end
  local indices, index = unrecorded.indices(t, n, from_end)
  if not indices then
    local range = from_end and ("1 to %d (or -%d to -1)"):format(n, n) or ("1 to %d"):format(n)
    fail("%s: expected indices from %s, got %d at index %d", format:format(...), range,
      unrecorded.reshape(t, -1)[index]:item(), index)
  end
  return indices
end

--- t with n dimensions of size 1 behind its own
local function before_ones(t, n)
  if n == 0 then
    return t
  end
  local sizes = t.shape
  for _ = 1, n do
    sizes[#sizes + 1] = 1
  end
  return unrecorded.reshape(t, sizes)
end

--- Refuses a mask, part i of a key, that does not have the sizes of x after its first d.
local function check_mask(mask, x, d, f, i)
  local fits = mask.ndim > 0 and d + mask.ndim <= x.ndim
  for k, size in ipairs(mask.shape) do
    fits = fits and x:size(d + k) == size
  end
  if not fits then
    fail("%s: part %d of the key: expected a mask for dimension %d and on of a tensor %s, got %s",
      f, i, d + 1, check.shape_text(x), check.shape_text(mask))
  end
end

--- Returns a mask, which is a whole key of x, so that it broadcasts to x.
function M.mask(f, x, mask)
  check_mask(mask, x, 0, f, 1)
  return before_ones(mask, x.ndim - mask.ndim)
end

--- The parts of a key, a dimension each, and the shape of x as they see it: the dimensions of a
--- mask are one.
local function read(f, x, key)
  local parts, sizes, d = {}, {}, 0
  local function add(part, size, count)
    parts[#parts + 1], sizes[#sizes + 1] = part, size
    d = d + count
  end
  for i, part in ipairs(check.is_tensor(key) and { key } or key) do
    if check.is_tensor(part) and part.dtype == "bool" then
      check_mask(part, x, d, f, i)
      add(unrecorded.nonzero(unrecorded.reshape(part, -1)):view(-1), part:numel(), part.ndim)
    elseif d == x.ndim then
      fail("%s: expected a key for the %d dimensions of %s, got more", f, x.ndim,
        check.shape_text(x))
    elseif check.is_tensor(part) then
      local size = x:size(d + 1)
      add(M.indices(part, size, true, "%s: part %d of the key", f, i), size, 1)
    else
      add(part, x:size(d + 1), 1)
    end
  end
  for rest = d + 1, x.ndim do
    add({}, x:size(rest), 1)
  end
  return parts, sizes
end

--- Raises as t[key] does for what is wrong with indices and slices.
local function check_basic(parts, sizes)
  local basic, is_needed = {}, false
  for i, part in ipairs(parts) do
    basic[i] = check.is_tensor(part) and {} or part
    is_needed = is_needed or basic[i] == part
  end
  if is_needed then
    unrecorded.index(unrecorded.expand(operations.zeros(), sizes), basic)
  end
end

--- t[key] where the key is whole dimensions but for one tensor: rows are picked as a whole.
--- Returns that tensor, its dimension, and the shape in which that is one; nil for other keys.
function M.single(f, x, key)
  local parts, sizes = read(f, x, key)
  local found
  for i, part in ipairs(parts) do
    if check.is_tensor(part) then
      if found then
        return nil
      end
      found = i
    elseif type(part) ~= "table" or #part > 0 then
      return nil
    end
  end
  return parts[found], found, sizes
end

--- how many dimensions of the result come from slices, and after how many of those the dimensions
--- of the tensors stand: after none when slices stand between the tensors
local function layout(parts)
  local slices, index, last, apart = 0, nil, nil, false
  for _, part in ipairs(parts) do
    if check.is_tensor(part) then
      apart = apart or (last ~= nil and last ~= slices)
      index, last = index or slices, slices
    elseif type(part) == "table" then
      slices = slices + 1
    end
  end
  return slices, apart and 0 or index
end

local function joint_shape(f, parts)
  local shapes = {}
  for _, part in ipairs(parts) do
    shapes[#shapes + 1] = check.is_tensor(part) and part.shape or nil
  end
  local joint, wrong = broadcast(shapes)
  if not joint then
    fail("%s: expected tensors in the key that broadcast together, got %s and %s", f,
      check.shape_text(shapes[1]), check.shape_text(shapes[wrong]))
  end
  return joint
end

--- Returns the flat indices, from 1, of the elements of x that a key names, in the shape of
--- x[key].
function M.flat(f, x, key)
  local parts, sizes = read(f, x, key)
  check_basic(parts, sizes)
  local joint = joint_shape(f, parts)
  local slices, index = layout(parts)
  local flat, stride, behind, constant = nil, 1, 0, 1 -- from the last dimension on
  local function add(indices)
    indices = stride == 1 and indices or indices * stride
    flat = flat and flat + indices or indices
  end
  for i = #parts, 1, -1 do
    local part, size = parts[i], sizes[i]
    if math.type(part) == "integer" then
      constant = constant + stride * (part < 0 and part + size + 1 or part)
    elseif check.is_tensor(part) then
      add(before_ones(part, slices - index))
    else
      local indices = unrecorded.index(operations.arange(1, size + 1), { part })
      local in_front = slices - behind <= index
      add(before_ones(indices, behind + (in_front and #joint or 0)))
      behind = behind + 1
    end
    constant = constant - stride
    stride = stride * size
  end
  return constant == 0 and flat or flat + constant
end

return M
