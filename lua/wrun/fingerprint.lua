--- Fingerprints: whether two models are the same to the last bit, in a line of text.

local check = require "wrun.check"
local core = require "wrun.core"

local M = {}

-- The tensors of a model or a list, in order.
local function tensors_of(value)
  if check.has_methods(value, "parameters") then
    return value:parameters()
  end
  return check.tensors("fingerprint", 1, value)
end

--- Returns the SHA-256 of all parameters of a model, in hexadecimal: of the bytes of their elements,
--- row by row, in the order of `parameters`.
---
--- Two runs that print the same line have learnt the same bits. In Python:
--- `hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in model.parameters())).hexdigest()`.
--- shapes  any
--- domain  a module, or a list of tensors of any dtype; names and shapes do not count
---     print(wrun.fingerprint(nn.init.apply(nn.Linear(1, 2), "ones")))
---@param model wrun.nn.Module|wrun.Tensor[]
---@return string
function M.fingerprint(model)
  local parts = {}
  for i, tensor in ipairs(tensors_of(model)) do
    parts[i] = tensor:detach():contiguous()
  end
  return core.digest(parts)
end

--- Returns whether results have the same bits on every x86-64-v3 processor, and if not, why.
---
--- They have not on an older or another processor, by `wrun --native`, where OPENBLAS_CORETYPE names
--- other kernels for factorizations, and where libsleef3 is missing.
---     print((wrun.has_portable_bits()))
---@type fun(): boolean, string?
M.has_portable_bits = core.has_portable_bits

return M
