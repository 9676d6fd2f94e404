--- Reductions: sums, means, products, extremes, and the softmax.

local operations = require "wrun.operations"

local M = {}

--- Returns the sum over everything, or over one or some dimensions.
--- shapes  x [...] -> []; without dimensions d, or with size 1 there where keepdim is set
--- domain  floats keep their dtype, others give int64; 0 for no elements
--- raises  `sum: argument 2: expected a dimension`
---
---     local x = wrun.ones(2, 3)
---     print(x:sum(), x:sum(1), x:sum({ 1, 2 }, true))
---@type fun(x: Tensor, d?: integer|integer[], keepdim?: boolean): Tensor
M.sum = operations.sum

--- Returns the mean over everything, or over one or some dimensions.
--- shapes  x [...] -> []; without dimensions d, or with size 1 there where keepdim is set
--- domain  float32 or float64; NaN for no elements
--- raises  `mean: argument 1: expected a float`; `mean: argument 2: expected a dimension`
---
---     print(wrun.tensor({ { 1.0, 2.0 }, { 3.0, 4.0 } }):mean(1))
---@type fun(x: Tensor, d?: integer|integer[], keepdim?: boolean): Tensor
M.mean = operations.mean

--- Returns the product over everything, or over one dimension.
--- shapes  x [...] -> []; without dimension d, or with size 1 there where keepdim is set
--- domain  floats keep their dtype, others give int64; 1 for no elements
--- raises  `prod: argument 2: expected a dimension`
---
---     print(wrun.arange(1, 6):prod())
---@type fun(x: Tensor, d?: integer, keepdim?: boolean): Tensor
M.prod = operations.prod

--- Returns the largest element, and along a dimension also its position.
--- shapes  x [...] -> []; without dimension d, or with size 1 there where keepdim is set
--- domain  any dtype; NaN is larger than all; the first of equals. Over everything, equals share
---   the gradient
--- raises  `max: argument 1: expected at least one element`; `max: argument 2: expected`
---
---     local values, positions = wrun.tensor({ { 1, 5 }, { 4, 2 } }):max(2)
---     print(values, positions)
---@type fun(x: Tensor, d?: integer, keepdim?: boolean): Tensor, Tensor?
M.max = operations.max

--- Returns the smallest element, and along a dimension also its position.
--- shapes  x [...] -> []; without dimension d, or with size 1 there where keepdim is set
--- domain  any dtype; NaN is smaller than all; the first of equals. Over everything, equals share
---   the gradient
--- raises  `min: argument 1: expected at least one element`; `min: argument 2: expected`
---
---     local values, positions = wrun.tensor({ { 1, 5 }, { 4, 2 } }):min(2)
---     print(values, positions)
---@type fun(x: Tensor, d?: integer, keepdim?: boolean): Tensor, Tensor?
M.min = operations.min

--- Returns the position of the largest element, counted through the whole tensor or along d.
--- shapes  x [...] -> [] int64; without dimension d, or with size 1 there where keepdim is set
--- domain  any dtype; NaN is larger than all; the first of equals
--- raises  `argmax: argument 1: expected at least one element`; `argmax: argument 2: expected`
---
---     print(wrun.tensor({ { 1, 5 }, { 4, 2 } }):argmax(2))
---@type fun(x: Tensor, d?: integer, keepdim?: boolean): Tensor
M.argmax = operations.argmax

--- Returns the position of the smallest element, counted through the whole tensor or along d.
--- shapes  x [...] -> [] int64; without dimension d, or with size 1 there where keepdim is set
--- domain  any dtype; NaN is smaller than all; the first of equals
--- raises  `argmin: argument 1: expected at least one element`; `argmin: argument 2: expected`
---
---     print(wrun.tensor({ { 1, 5 }, { 4, 2 } }):argmin(2))
---@type fun(x: Tensor, d?: integer, keepdim?: boolean): Tensor
M.argmin = operations.argmin

--- Returns whether any element is not 0.
--- shapes  x [...] -> [] bool; without dimensions d, or with size 1 there where keepdim is set
--- domain  any dtype; NaN is not 0; false for no elements
--- raises  `any: argument 2: expected a dimension`
---
---     print(wrun.tensor({ { 0, 1 }, { 0, 0 } }):any(2))
---@type fun(x: Tensor, d?: integer|integer[], keepdim?: boolean): Tensor
M.any = operations.any

--- Returns whether all elements are not 0.
--- shapes  x [...] -> [] bool; without dimensions d, or with size 1 there where keepdim is set
--- domain  any dtype; NaN is not 0; true for no elements
--- raises  `all: argument 2: expected a dimension`
---
---     print(wrun.tensor({ { 0, 1 }, { 1, 1 } }):all(2))
---@type fun(x: Tensor, d?: integer|integer[], keepdim?: boolean): Tensor
M.all = operations.all

--- Returns exp(x) / sum exp(x) along dimension d, without overflow.
--- shapes  x [...] -> same
--- domain  float32 or float64; NaN along d where any is NaN or all are -inf
--- raises  `softmax: argument 2: expected a dimension`; `softmax: argument 1: expected a float`
---
---     print(wrun.tensor({ 1.0, 2.0, 3.0 }):softmax(1))
---@type fun(x: Tensor, d: integer): Tensor
M.softmax = operations.softmax

--- Returns x - log sum exp(x) along dimension d, without overflow.
--- shapes  x [...] -> same
--- domain  float32 or float64; NaN along d where any is NaN or all are -inf
--- raises  `log_softmax: argument 2: expected a dimension`; `argument 1: expected a float`
---
---     print(wrun.tensor({ 1.0, 2.0, 3.0 }):log_softmax(1))
---@type fun(x: Tensor, d: integer): Tensor
M.log_softmax = operations.log_softmax

return M
