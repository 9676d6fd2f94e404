--- Parts of tensors that are views: stretches and positions.

local operations = require "wrun.operations"

local M = {}

--- Returns length positions of dimension d, from start on.
--- shapes  x [a, b], d = 2 -> [a, length], a view
--- domain  any dtype; d and start from 1, or from the end
--- raises  `narrow: expected a part of dimension`; `narrow: argument 2: expected a dimension`
---
---     print(wrun.arange(10):narrow(1, 3, 4))
---@type fun(x: Tensor, d: integer, start: integer, length: integer): Tensor
M.narrow = operations.narrow

--- Returns one position of dimension d, without that dimension.
--- shapes  x [a, b], d = 2 -> [a], a view
--- domain  any dtype; d and position from 1, or from the end
--- raises  `select: expected a position from 1 to`; `select: argument 2: expected a dimension`
---
---     print(wrun.arange(6):reshape(2, 3):select(2, -1))
---@type fun(x: Tensor, d: integer, position: integer): Tensor
M.select = operations.select

return M
