--- What layers with a weight share: their options, and how a layer gets its parameters.

local check = require "wrun.check"
local initialiser = require("wrun.nn.init.common").initialiser
local Parameter = require "wrun.nn.parameter"
local wrun = require "wrun"

local M = {}

M.OPTIONS = {
  bias = check.boolean(true),
  dtype = check.float_dtype("float32"),
  generator = check.generator(),
  weight_init = check.optional(initialiser()),
  bias_init = check.optional(initialiser()),
}

--- Makes a layer's weight of the given sizes and, if its options have it so, its bias of the first
--- of them; `reset_parameters` fills both, then the options `weight_init` and `bias_init`.
function M.make(layer, options, ...)
  local sizes, dtype = { ... }, { dtype = options.dtype }
  layer.weight = Parameter(wrun.empty(sizes, dtype))
  if options.bias then
    layer.bias = Parameter(wrun.empty(sizes[1], dtype))
  end
  layer:reset_parameters(options.generator)
  if options.weight_init then
    options.weight_init(layer.weight)
  end
  if options.bias_init and options.bias then
    options.bias_init(layer.bias)
  end
end

return M
