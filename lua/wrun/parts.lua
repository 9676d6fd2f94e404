--- Parts of tensors: stretches and positions, which are views, and elements picked by position.

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

--- Returns x[key]: what the positions and slices of key show.
--- shapes  x [a, b], key 2 or { 2 } -> [b]; { 2, 3 } -> []; { {}, { 1, 5, 2 } } -> [a, 3], a view
--- domain  a position, or a table with a position or a slice { from, to, step } for each of the
---   first dimensions; negative ones count from the end, {} is everything
--- raises  `index: expected a position from 1 to`; `index: expected {from, to, step} within`;
---   `index: expected at most N positions`
---
---     local x = wrun.arange(12):reshape(3, 4)
---     print(x[2], x[{ 2, -1 }], x[{ {}, { 1, 3, 2 } }])
---@type fun(x: Tensor, key: integer|table): Tensor
M.index = operations.index

--- Sets x[key] to value and returns x: what x[key] = value does.
--- shapes  value broadcasts to x[key]
--- domain  any dtypes; value is converted to x's
--- raises  as `index`; `assign: argument 3: expected a shape that broadcasts`
---
---     local x = wrun.zeros(2, 3)
---     x[{ 1, { 2, 3 } }] = wrun.tensor({ 5, 6 })
---     print(x:assign(2, 1))
---@type fun(x: Tensor, key: integer|table, value: Tensor|number): Tensor
M.assign = operations.assign

--- Returns the given positions of dimension d, in their order.
--- shapes  x [a, b], d = 1, positions [n] -> [n, b]
--- domain  any dtype; positions int64 from 1, also repeated ones
--- raises  `index_select: argument 3: expected positions from 1 to`; `expected an int64 tensor`
---
---     local x = wrun.arange(6):reshape(3, 2)
---     print(x:index_select(1, wrun.tensor({ 3, 1, 3 })))
---@type fun(x: Tensor, d: integer, positions: Tensor): Tensor
M.index_select = operations.index_select

--- Returns the elements that positions pick along dimension d: y[i][j] = x[positions[i][j]][j] for
--- d = 1.
--- shapes  x [a, b], d = 2, positions [a, n] -> [a, n]
--- domain  any dtype; positions int64 from 1
--- raises  `gather: argument 3: expected positions from 1 to`; `expected the shape`; `expected an`
---
---     local scores, classes = wrun.rand(3, 10), wrun.tensor({ 1, 10, 2 })
---     print(scores:gather(2, classes:unsqueeze(2))) -- each row's score for its class
---@type fun(x: Tensor, d: integer, positions: Tensor): Tensor
M.gather = operations.gather

--- Returns x with y added at positions of dimension d; repeated positions add up.
--- shapes  x [a, b], d = 1, positions [n], y [n, b] -> [a, b]
--- domain  float32, float64 or int64, the same for x and y; positions int64 from 1
--- raises  `index_add: argument 3: expected positions from 1 to`; `argument 4: expected`
---
---     local counts = wrun.zeros(3)
---     print(counts:index_add(1, wrun.tensor({ 1, 3, 3 }), wrun.ones(3)))
---@type fun(x: Tensor, d: integer, positions: Tensor, y: Tensor): Tensor
M.index_add = operations.index_add

--- Returns x with each element of y added where positions say: y[i][j] at [positions[i][j]][j] for
--- d = 1.
--- shapes  x [a, b], d = 2, positions and y [a, n] -> [a, b]
--- domain  float32, float64 or int64, the same for x and y; positions int64 from 1
--- raises  `scatter_add: argument 3: expected positions from 1 to`; `argument 4: expected`
---
---     local x, positions = wrun.zeros(2, 3), wrun.tensor({ { 1, 1 }, { 2, 3 } })
---     print(x:scatter_add(2, positions, wrun.ones(2, 2)))
---@type fun(x: Tensor, d: integer, positions: Tensor, y: Tensor): Tensor
M.scatter_add = operations.scatter_add

return M
