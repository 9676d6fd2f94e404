--- The gradient of a step: what is added up over the batch and over the model's side, and centred.
--- The gradient is the centred one [Melchior2016], written for plain parameters. With offsets mu
--- and lambda:  dW = <(h - lambda)(v - mu)>_data - <...>_model,  da = d<v> - lambda dW,
--- db = d<h> - dW mu.  Offsets of zero give the plain gradient.

local unrecorded = require "wrun.unrecorded"
local wrun = require "wrun"

local M = {}

--- The sums of a step, from a batch v0, its hidden means p0, and the model's side v, p and
--- row_weight, which may be absent: visible, the sum of v0, and hidden, that of p0; visible_bias and
--- hidden_bias, the plain gradients of these; and the weight's as products { h, v, scale }, the sum
--- of scale h^T v, so that they can be added where they belong. `batch` and `count` are the rows of
--- the whole batch and of the whole model's side, where these are a shard of them.
function M.sums(v0, p0, v, p, row_weight, batch, count)
  local visible, hidden = v0:sum(1), p0:sum(1)
  local s = {
    visible = visible, hidden = hidden, visible_bias = visible, hidden_bias = hidden,
    products = { { p0, v0, 1 } },
  }
  if v then
    batch = batch or v0:size(1)
    local scale = -batch / (count or v:size(1))
    if row_weight then
      p, scale = p * row_weight:unsqueeze(2), -batch
    else
      row_weight = wrun.ones(v:size(1), { dtype = p.dtype })
    end
    s.visible_bias = visible + unrecorded.matmul(row_weight, v) * scale
    s.hidden_bias = hidden + p:sum(1) * scale
    s.products[2] = { p, v, scale }
  end
  return s
end

--- Adds the products, `factor` times, to a matrix [hidden, visible], and returns it.
function M.accumulate(matrix, products, factor)
  for _, product in ipairs(products) do
    unrecorded.accumulate(matrix, product[1]:t(), product[2], product[3] * factor)
  end
  return matrix
end

--- Makes the sums of a batch of this size the gradient of the model, summed over the batch. `extra`
--- is a row [hidden] of the sparsity cost, or nil. The weight's products are left, or added to
--- sums.weight where there is one.
function M.center(model, sums, batch, extra)
  local visible_bias, hidden_bias = sums.visible_bias, sums.hidden_bias
  local products = sums.products
  local left, right = {}, {} -- products of a row each, made one product
  if model.options.center then
    left, right = { -hidden_bias, -model.hidden_offset }, { model.visible_offset, visible_bias }
  end
  if extra then
    left[#left + 1], right[#right + 1] = extra, sums.visible
    hidden_bias = hidden_bias + extra * batch
  end
  if #left > 0 then
    products[#products + 1] = { wrun.stack(left), wrun.stack(right), 1 }
  end
  local weight = sums.weight and M.accumulate(sums.weight, products, 1)
  if model.options.center then
    for _, product in ipairs(weight and {} or products) do
      local h, x, factor = table.unpack(product)
      visible_bias = visible_bias
        - unrecorded.matmul(unrecorded.matmul(h, model.hidden_offset), x) * factor
      hidden_bias = hidden_bias
        - unrecorded.matmul(unrecorded.matmul(x, model.visible_offset), h) * factor
    end
    if weight then
      visible_bias = visible_bias - unrecorded.matmul(model.hidden_offset, weight)
      hidden_bias = hidden_bias - unrecorded.matmul(weight, model.visible_offset)
    end
  end
  return {
    weight = weight, products = products, visible_bias = visible_bias, hidden_bias = hidden_bias,
  }
end

return M
