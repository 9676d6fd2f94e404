--- What people write by habit on tensors and Lua means otherwise: each says what to write.

local core = require "wrun.core"
local names = require "wrun.names"

local M = {}

local REMEDIES = {
  T = "x:t() swaps the dimensions of a matrix",
  data = "x:detach() is x without its gradient",
  device = "tensors are in the processor's memory",
}

local FIELDS = {
  grad = true, shape = true, dtype = true, ndim = true, requires_grad = true, grad_fn = true,
  is_leaf = true, version = true,
}

--- Refuses a name that is neither a field nor a method of tensors.
function M.missing(_, name)
  if REMEDIES[name] then
    core.fail("tensor: no name '%s'; %s", name, REMEDIES[name])
  end
  names.refuse("tensor", name, FIELDS, core.methods)
end

--- Refuses Lua's < and <=, which can only give true or false; Lua turns > and >= into them.
function M.compare()
  core.fail("tensor: <, >, <= and >= give no tensor; write x:lt(y), x:gt(y), x:le(y) or x:ge(y)")
end

--- Joins the text of a tensor, as print shows it, to another value.
function M.concat(a, b)
  return tostring(a) .. tostring(b)
end

return M
