--- What people write by habit on tensors and Lua means otherwise: each says what to write.

local core = require "wrun.core"
local names = require "wrun.names"

local M = {}

local REMEDIES = {
  T = "x:t() swaps the dimensions of a matrix",
  data = "x:detach() is x without its gradient",
  device = "tensors are in the processor's memory",
  cuda = "tensors are in the processor's memory",
  cpu = "tensors are in the processor's memory",
  numpy = "x:tolist() is a table, wrun.data.save_npy(path, x) a file for NumPy",
  len = "#x is the size of the first dimension",
  length = "#x is the size of the first dimension",
  apply = "operations take all elements at once, as x:exp() does",
  map = "operations take all elements at once, as x:exp() does",
  astype = "write x:to('float64')",
  float32 = "write x:float()",
  float64 = "write x:double()",
  int64 = "write x:long()",
}

local FIELDS = {
  grad = true, shape = true, dtype = true, ndim = true, requires_grad = true, grad_fn = true,
  is_leaf = true, version = true,
}

-- Does a method of a script's have x for its object? Level 4 is what reads x.
local function is_self(x)
  local variable, value = debug.getlocal(4, 1)
  return variable == "self" and rawequal(value, x)
end

--- Refuses a name that is neither a field nor a method of tensors.
function M.missing(x, name)
  local remedy = REMEDIES[name] or is_self(x) and "the method was called with a dot; write "
    .. "object:method(x), not object.method(x)"
  if remedy then
    core.fail("tensor: no name '%s'; %s", core.escape(tostring(name)), remedy)
  end
  names.refuse("tensor", name, FIELDS, core.methods)
end

-- where functions are found under the names that their messages begin with
local FACES = {
  "wrun", "wrun.linalg", "wrun.nn.init", "wrun.nn.functional", "wrun.nn.utils",
}

--- Returns the name of the function that the script called, where a message begins with another
--- one's; nil where they are the same, or one is not known. Not known is what ended in a tail
--- call of another Lua function: there, functions put brackets around the call.
---@param f function
---@param name string
---@param written string?  what the script wrote, which may be one of several names
---@return string?
---@return boolean? is_alias  are both names of this function?
function M.called(f, name, written)
  local is_name, found, is_known = {}, nil, core.methods[name] ~= nil
    or getmetatable(core.default_generator).__index[name] ~= nil
  for _, face in ipairs(FACES) do
    for other, value in next, package.loaded[face] or {} do
      is_known = is_known or other == name
      if rawequal(value, f) then
        is_name[other], found = true, other
      end
    end
  end
  found = is_name[written] and written or is_name[name] and name or found
  return is_known and found ~= name and found or nil, is_name[name]
end

--- Refuses Lua's < and <=, which can only give true or false; Lua turns > and >= into them.
function M.compare()
  core.fail("tensor: <, >, <= and >= give no tensor; write x:lt(y), x:gt(y), x:le(y) or x:ge(y)")
end

--- Refuses a method of a boolean, as in (a == b):sum(): == asks whether a and b are one tensor.
--- raises  `NAME: true and false have no methods`
function M.of_boolean(_, name)
  if core.methods[name] == nil then
    core.fail("attempt to index a boolean value (field '%s')", core.escape(tostring(name)))
  end
  core.fail("%s: true and false have no methods; a == b asks whether both are one tensor, write "
    .. "a:eq(b) to compare elements", name)
end

--- Refuses to be called, as a `for` without ipairs does.
--- raises  `tensor: cannot be called`
function M.call()
  core.fail("tensor: cannot be called; write x[i] for a part, for i, part in ipairs(x) do for all")
end

--- Walks the parts along the first dimension, as ipairs does.
---@return function
---@return wrun.Tensor
---@return integer
function M.pairs(x)
  return ipairs(x)
end

--- The size or stride at an index from the end; refuses indices that are not there.
--- raises  `Size: expected an index`
function M.size_at(sizes, i)
  local n = rawlen(sizes)
  if math.type(i) ~= "integer" or not core.is_script(2) then
    return nil
  elseif i < 0 and i >= -n then
    return sizes[n + 1 + i]
  end
  core.fail("%s: expected an index from 1 to %d or from -%d to -1, got %d",
    getmetatable(sizes).__name, n, n, i)
end

--- Refuses x.shape() and x:shape().
function M.call_size()
  core.fail("tensor: shape is no method; write x.shape, or x:size(d) for one size")
end

--- Joins the text of a tensor, as print shows it, to another value.
function M.concat(a, b)
  return tostring(a) .. tostring(b)
end

return M
