--- What layers with a weight share: their options, and how a layer gets its parameters.

local check = require "wrun.check"
local Parameter = require "wrun.nn.parameter"
local wrun = require "wrun"

local M = {}

M.OPTIONS = {
  bias = check.boolean(true),
  dtype = check.float_dtype("float32"),
  generator = check.generator(),
}

--- Makes a layer's weight of the given sizes and, if its options have it so, its bias of the first
--- of them; `reset_parameters` fills both.
function M.make(layer, options, ...)
  local sizes, dtype = { ... }, { dtype = options.dtype }
  layer.weight = Parameter(wrun.empty(sizes, dtype))
  if options.bias then
    layer.bias = Parameter(wrun.empty(sizes[1], dtype))
  end
  layer:reset_parameters(options.generator)
end

return M
