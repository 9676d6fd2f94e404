--- What a tensor is and holds: sizes, elements as Lua values, copies, dtypes, filling.

local check = require "wrun.check"
local core = require "wrun.core"
local gradients = require "wrun.tensor.internal.gradients"
local operations = require "wrun.operations"
local publish = require "wrun.publish"

local M = {}

-- Gradients ------------------------------------------------------------------

operations.define("tensor", {
  clone = {
    gradients = { gradients.to_same },
    sample = function(randn) return randn(2, 3) end,
  },
  contiguous = {
    gradients = { gradients.to_same },
    sample = function(randn) return randn(2, 3):t() end,
  },
  to = {
    gradients = { gradients.to_same },
    sample = function(randn) return randn(2, 3), "float64" end,
  },
  copy_ = {
    gradients = {
      function(g, _, x) return gradients.zeros_like(x, g) end,
      gradients.to_same,
    },
    in_place = true,
  },
})

---@class Tensor
--- An array of numbers of one dtype, in one to many dimensions or none: `wrun.tensor` and its kin
--- make it, and every function that takes it first is its method too.
---
--- x[2] is row 2 and x[-1] the last, x[{ 2, 3 }] one element, x[{ { 1, 4 }, {} }] rows 1 to 4 with
--- all columns: an index, or a slice { from, to, step }, for each dimension. These are views; a
--- mask or a tensor of indices, x[x:gt(0)], picks copies (`wrun.index` says more). Assigning to
--- any of them, x[2] = 0, changes x. #x is the first size. + - * / // % ^ and the unary minus work
--- element by element, also with numbers; comparisons are methods, x:lt(y).
---     local x = wrun.arange(12):reshape(3, 4)
---     x[{ { 1, 2 }, -1 }] = 0
---     print(x, x[2], x[{ 3, 1 }]:item(), #x)
---@field shape integer[] its sizes, a new list each time; == compares two shapes
---@field dtype string "float32", "float64", "int64", "int32", "uint8" or "bool"
---@field ndim integer how many dimensions
---@field requires_grad boolean whether operations on it are recorded; can be set
---@field grad wrun.Tensor? what backward added up, of its shape and dtype; can be set
---@field grad_fn any the node that made it, nil for a leaf
---@field is_leaf boolean whether nothing recorded made it
---@field version integer how often its memory was changed in place
---@alias wrun.Tensor Tensor

--- Returns whether a value is a tensor.
---     print(wrun.is_tensor(wrun.ones(2)), wrun.is_tensor({ 1, 1 }))
---@type fun(value: any): boolean
M.is_tensor = core.is_tensor

-- Sizes ----------------------------------------------------------------------

--- Returns all sizes, or the size of dimension d.
--- shapes  x [a, b] -> { a, b }; d = 2 -> b
--- domain  any dtype; d from 1, or from the end
--- raises  `size: argument 2: expected a dimension`; `size: argument 1: expected a tensor with`
---     local x = wrun.zeros(2, 3)
---     print(x:size(), x:size(2), x:size(-1), x.shape == wrun.ones(2, 3).shape)
---@type fun(x: wrun.Tensor, d?: integer): integer|integer[]
M.size = core.size

--- Returns how many elements lie in memory from one index of a dimension to the next.
--- shapes  x [a, b] -> { b, 1 } where x is contiguous
--- domain  any dtype; d from 1, or from the end; without it all strides
---     print(wrun.zeros(2, 3):stride(1), wrun.zeros(2, 3):t():stride(1))
---@type fun(x: wrun.Tensor, d?: integer): integer|integer[]
M.stride = core.stride

--- Returns the number of elements.
--- shapes  x [a, b] -> a * b; [] has one
---     print(wrun.zeros(2, 3):numel())
---@type fun(x: wrun.Tensor): integer
M.numel = core.numel

--- Returns the number of dimensions, as the field ndim.
--- shapes  x [a, b] -> 2
---     print(wrun.zeros(2, 3):dim())
---@type fun(x: wrun.Tensor): integer
M.dim = core.dim

--- Returns whether the elements lie in memory one after the other, the last dimension fastest.
--- shapes  any
---     local x = wrun.zeros(2, 3)
---     print(x:is_contiguous(), x:t():is_contiguous())
---@type fun(x: wrun.Tensor): boolean
M.is_contiguous = core.is_contiguous

-- Elements as Lua values -----------------------------------------------------

--- Returns the one element as a number or a boolean.
--- shapes  any with one element
--- domain  integers for int64, int32 and uint8, booleans for bool, else floats
--- raises  `item: argument 1: expected a tensor with one element`
---     print(wrun.tensor({ 1.5, 2.5 }):sum():item())
---@type fun(x: wrun.Tensor): number|boolean
M.item = operations.item

--- Returns the elements in nested tables, a number or a boolean where there are no dimensions.
--- shapes  x [2, 3] -> { { a, b, c }, { d, e, f } }
--- domain  as item
--- cost    16 bytes an element and more
---     print(table.concat(wrun.arange(5):tolist(), " "))
---@type fun(x: wrun.Tensor): table|number|boolean
M.tolist = operations.tolist

-- Copies and dtypes ----------------------------------------------------------

--- Returns a copy in memory of its own, through which gradients flow.
--- shapes  x [...] -> same, contiguous
---     local x = wrun.zeros(2)
---     x:clone()[1] = 5
---     print(x)
M.clone = operations.clone

--- Returns x itself where it is contiguous, else a contiguous copy.
--- shapes  x [...] -> same
---     print(wrun.zeros(2, 3):t():contiguous():stride(1))
M.contiguous = operations.contiguous

--- Returns a view of the same memory that no gradient flows through.
--- shapes  x [...] -> same
---     local x = wrun.ones(2, { requires_grad = true })
---     print((x * 2):detach().requires_grad)
M.detach = operations.detach

--- Returns x itself where it has this dtype, else a converted copy.
--- shapes  x [...] -> same
--- domain  bool, uint8, int32, int64, float32 or float64; floats lose their fraction as integers
---   (what does not fit is the least int32 or int64), and are true as bool where not 0
--- raises  `to: argument 2: expected bool, uint8, int32, int64, float32 or float64`
---     print(wrun.tensor({ 1.7, -1.7, 0.0 }):to("int64"))
---@type fun(x: wrun.Tensor, dtype: string): wrun.Tensor
M.to = operations.to

local function conversion(dtype)
  return function(x)
    return operations.to(x, dtype)
  end
end

--- Returns x as float32.
--- shapes  x [...] -> same
--- raises  as `to`
---     print(wrun.tensor({ 1, 2 }):float())
M.float = conversion("float32")

--- Returns x as float64.
--- as      float
---     print(wrun.tensor({ 1, 2 }):double())
M.double = conversion("float64")

--- Returns x as int64.
--- domain  any dtype; floats lose their fraction
--- as      float
---     print(wrun.tensor({ 1.7, -1.7 }):long())
M.long = conversion("int64")

--- Returns x as int32.
--- domain  any dtype; floats lose their fraction, int64 its upper half
--- as      float
---     print(wrun.tensor({ 1.7, -1.7, 3e9 }):int())
M.int = conversion("int32")

--- Returns x as uint8.
--- domain  any dtype; whole numbers modulo 256
--- as      float
---     print(wrun.tensor({ 255, 256 }):byte())
M.byte = conversion("uint8")

--- Returns where x is not 0.
--- domain  any dtype; NaN is not 0
--- as      float
---     print(wrun.tensor({ 0, 1, 2 }):bool())
M.bool = conversion("bool")

-- Filling --------------------------------------------------------------------

--- Sets the elements of x to those of source and returns x.
--- shapes  source broadcasts to x
--- domain  any dtypes; source is converted
--- raises  `copy_: argument 2: expected a shape that broadcasts`; `copy_: argument 2: expected a`
---     print(wrun.zeros(2, 3):copy_(wrun.tensor({ 1, 2, 3 })))
---@type fun(x: wrun.Tensor, source: wrun.Tensor|number): wrun.Tensor
M.copy_ = operations.copy_

--- Sets all elements to value and returns x.
--- raises  as `copy_`
---     print(wrun.zeros(2, 3):fill_(7))
---@param value number
function M.fill_(x, value)
  return M.copy_(x, value)
end

--- Sets all elements to 0 and returns x.
--- raises  as `copy_`
---     print(wrun.ones(2, 3):zero_())
function M.zero_(x)
  return M.copy_(x, 0)
end

--- Sets whether operations on x are recorded, so that backward() finds its gradient; returns x.
--- domain  float32 or float64
---     local x = wrun.ones(3):requires_grad_()
---     x:square():sum():backward()
---     print(x.grad)
function M.requires_grad_(x, on)
  check.tensor_argument("requires_grad_", 1, x)
  on = check.flag("requires_grad_", 2, on, true)
  if on and not check.is_float(x) then
    check.fail("requires_grad_: only float32 and float64 tensors have gradients, got %s",
      check.describe(x))
  end
  x.requires_grad = on
  return x
end

publish.without_methods(M, { "is_tensor" })

return M
