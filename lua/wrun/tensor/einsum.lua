--- Sums of products over named dimensions: einsum and tensordot.
--- A factor is a tensor with a label for each of its dimensions, no label twice. Two factors become
--- one by a batch of matrix products: their labels fall into those that both have and that are
--- wanted later (the batch), those that both have and nobody wants (summed), and each one's own.

local check = require "wrun.check"
local operations = require "wrun.operations"
local publish = require "wrun.publish"
local view = require "wrun.tensor.view"

local fail = check.fail

local M = {}

local function index_of(labels)
  local at = {}
  for d, label in ipairs(labels) do
    at[label] = d
  end
  return at
end

--- x with its dimensions in the order of `wanted`, and new ones of size 1 for labels it lacks
local function arrange(x, labels, wanted)
  local at, order, missing = index_of(labels), {}, {}
  for index, label in ipairs(wanted) do
    if at[label] then
      order[#order + 1] = at[label]
    else
      missing[#missing + 1] = index
    end
  end
  x = #order > 0 and operations.permute(x, order) or x
  for _, index in ipairs(missing) do
    x = view.unsqueeze(x, index)
  end
  return x
end

--- x without the dimensions whose labels are not in `keep`, which are summed
local function sum_away(x, labels, keep)
  local left, summed = {}, {}
  for d, label in ipairs(labels) do
    if keep[label] then
      left[#left + 1] = label
    else
      summed[#summed + 1] = d
    end
  end
  return #summed > 0 and operations.sum(x, summed) or x, left
end

--- the product of two factors, with what neither `keep` nor the other has summed: tensor, labels
local function multiply(a, labels_a, b, labels_b, keep)
  local in_a, in_b = index_of(labels_a), index_of(labels_b)
  local function wanted(other)
    return setmetatable({}, { __index = function(_, label) return keep[label] or other[label] end })
  end
  a, labels_a = sum_away(a, labels_a, wanted(in_b))
  b, labels_b = sum_away(b, labels_b, wanted(in_a))
  local batch, summed, own_a, own_b = {}, {}, {}, {}
  for _, label in ipairs(labels_a) do
    local group = not in_b[label] and own_a or keep[label] and batch or summed
    group[#group + 1] = label
  end
  for _, label in ipairs(labels_b) do
    if not in_a[label] then
      own_b[#own_b + 1] = label
    end
  end
  local function joined(...)
    local list = {}
    for _, part in ipairs { ... } do
      table.move(part, 1, #part, #list + 1, list)
    end
    return list
  end
  local labels = joined(batch, own_a, own_b)
  if #summed == 0 or #own_a + #own_b == 0 then
    local all = joined(labels, summed)
    local y = arrange(a, labels_a, all) * arrange(b, labels_b, all)
    return sum_away(y, all, index_of(labels)), labels
  end
  local sizes = {}
  local function flat(x, labels_x, ...)
    local groups = { ... }
    local y, counts = arrange(x, labels_x, joined(table.unpack(groups))), {}
    local d = 0
    for i, group in ipairs(groups) do
      counts[i] = 1
      for _, label in ipairs(group) do
        d = d + 1
        sizes[label] = y:size(d)
        counts[i] = counts[i] * y:size(d)
      end
    end
    return operations.reshape(y, counts)
  end
  local y = operations.matmul(flat(a, labels_a, batch, own_a, summed),
    flat(b, labels_b, batch, summed, own_b))
  local shown = {}
  for d, label in ipairs(labels) do
    shown[d] = sizes[label]
  end
  return operations.reshape(y, shown), labels
end

-- einsum ---------------------------------------------------------------------

--- the diagonal of dimensions d < e, at d
local function take_diagonal(x, d, e)
  local order = {}
  for i = 1, x.ndim - 2 do
    order[i] = i
  end
  table.insert(order, d, x.ndim - 1)
  return operations.permute(operations.diagonal(x, 0, d, e), order)
end

--- a subscript as a list of labels; "..." becomes ellipsis labels, `count` of them, "1." the last
local function read_subscript(text, index, count)
  local labels, has_ellipsis = {}, false
  local rest = text
  while rest ~= "" do
    local letter = rest:match("^%a")
    if letter then
      labels[#labels + 1] = letter
      rest = rest:sub(2)
    elseif rest:sub(1, 3) == "..." and not has_ellipsis then
      has_ellipsis = true
      for i = count, 1, -1 do
        labels[#labels + 1] = i .. "."
      end
      rest = rest:sub(4)
    else
      fail("einsum: argument 1: expected letters and at most one ... %s, got '%s'", index, text)
    end
  end
  return labels, has_ellipsis
end

--- tensor k with its labels, each once
local function read_factor(x, text, k)
  local index = ("for tensor %d"):format(k)
  local letters, has_ellipsis = read_subscript(text, index, 0)
  local count = has_ellipsis and x.ndim - #letters or 0
  if count < 0 or #letters + count ~= x.ndim then
    fail("einsum: argument 1: '%s' names %d dimensions of tensor %d, which has the shape %s", text,
      #letters, k, check.shape_text(x))
  end
  local labels, at, d = read_subscript(text, index, count), {}, 1
  while d <= #labels do
    local first = at[labels[d]]
    if not first then
      at[labels[d]] = d
      d = d + 1
    else
      if x:size(first) ~= x:size(d) then
        fail("einsum: argument 1: '%s' names dimensions of sizes %d and %d of tensor %d alike",
          text, x:size(first), x:size(d), k)
      end
      x = take_diagonal(x, first, d)
      table.remove(labels, d)
    end
  end
  return { tensor = x, labels = labels }
end

--- Widens what is 1 in one factor and more in another; all sizes of a label agree then.
local function agree_on_sizes(factors)
  local sizes = {}
  for k, f in ipairs(factors) do
    for d, label in ipairs(f.labels) do
      local size, known = f.tensor:size(d), sizes[label]
      if known and known ~= size and known ~= 1 and size ~= 1 then
        fail("einsum: tensor %d: expected %d elements along '%s', as in a tensor before, got %d", k,
          known, label:match("%a") or "...", size)
      end
      sizes[label] = (known == nil or known == 1) and size or known
    end
  end
  for _, f in ipairs(factors) do
    local wide = {}
    for d, label in ipairs(f.labels) do
      wide[d] = sizes[label]
    end
    f.tensor = operations.expand(f.tensor, wide)
  end
end

--- the labels of the result where none are given: those of "...", then what occurs once, by name
local function implicit_output(factors, counts, ellipsis)
  local labels = {}
  for _, f in ipairs(factors) do
    for _, label in ipairs(f.labels) do
      if counts[label] == 1 and label:find("%a") then
        labels[#labels + 1] = label
      end
    end
  end
  table.sort(labels)
  for i = 1, ellipsis do
    table.insert(labels, 1, i .. ".")
  end
  return labels
end

local function check_output(text, labels, known)
  local seen = {}
  for _, label in ipairs(labels) do
    if seen[label] then
      fail("einsum: argument 1: '%s' after -> names '%s' twice", text, label)
    elseif not known[label] then
      fail("einsum: argument 1: '%s' after -> names '%s', which no tensor has", text, label)
    end
    seen[label] = true
  end
end

--- the subscripts before "->", and the one after it or nil
local function read_equation(equation, count)
  check.argument("einsum", 1, equation, check.string())
  local left, right = equation:gsub("%s", ""), nil
  local at = left:find("->", 1, true)
  if at then
    left, right = left:sub(1, at - 1), left:sub(at + 2)
  end
  local subscripts = {}
  for text in (left .. ","):gmatch("([^,]*),") do
    subscripts[#subscripts + 1] = text
  end
  if #subscripts ~= count then
    fail("einsum: argument 1: expected subscripts for %d tensors, got %d in '%s'", count,
      #subscripts, equation)
  end
  return subscripts, right
end

--- Returns the sum of products of tensors over dimensions that are named by letters.
--- One subscript a tensor, split by commas, and after `->` that of the result. A letter that stands
--- in several tensors multiplies along it; one that is not in the result is summed; one twice in a
--- tensor takes the diagonal. `...` stands for all other dimensions, which broadcast. Without `->`
--- the result has `...` and what occurs once, in alphabetical order, capitals first.
--- shapes  "ij,jk->ik": a [i, j], b [j, k] -> [i, k]; a size of 1 broadcasts
--- domain  any dtypes; sums of small integers are int64, as `sum` has them
--- cost    tensors are multiplied from left to right, as matrices
---     local a, b = wrun.ones(2, 3), wrun.ones(3, 4)
---     print(wrun.einsum("ij,jk->ki", a, b))  -- threes, 4 by 2
---     print(wrun.einsum("ii", wrun.eye(3)))  -- the trace, 3
---@param ... wrun.Tensor
function M.einsum(equation, ...)
  local tensors = { ... }
  if #tensors == 1 and type(tensors[1]) == "table" then
    tensors = tensors[1]
  end
  local subscripts, output = read_equation(equation, #tensors)
  local factors, counts, known, ellipsis = {}, {}, {}, 0
  for k, x in ipairs(tensors) do
    check.tensor_argument("einsum", k + 1, x)
    factors[k] = read_factor(x, subscripts[k], k)
    for label in subscripts[k]:gmatch("%a") do
      counts[label] = (counts[label] or 0) + 1
    end
    for _, label in ipairs(factors[k].labels) do
      known[label] = true
      ellipsis = math.max(ellipsis, tonumber(label:match("^(%d+)%.$")) or 0)
    end
  end
  agree_on_sizes(factors)
  local wanted
  if output then
    wanted = read_subscript(output, "after ->", ellipsis)
    check_output(output, wanted, known)
  else
    wanted = implicit_output(factors, counts, ellipsis)
  end
  -- the labels that the result or a factor after the k-th needs
  local needed = { [#factors] = index_of(wanted) }
  for k = #factors - 1, 1, -1 do
    needed[k] = setmetatable(index_of(factors[k + 1].labels), { __index = needed[k + 1] })
  end
  local y, labels = factors[1].tensor, factors[1].labels
  for k = 2, #factors do
    y, labels = multiply(y, labels, factors[k].tensor, factors[k].labels, needed[k])
  end
  y, labels = sum_away(y, labels, needed[#factors])
  y = #labels > 0 and arrange(y, labels, wanted) or y
  return y == tensors[1] and operations.view(y, y.shape) or y
end

-- tensordot ------------------------------------------------------------------

--- the dimensions of x to sum over, from the end counted from the start
local function read_dimensions(x, index, dims)
  local result = {}
  for i, d in ipairs(dims) do
    if math.type(d) ~= "integer" or d == 0 or d > x.ndim or d < -x.ndim then
      fail("tensordot: argument 3: expected dimensions of tensor %d, %s, got %s", index,
        check.shape_text(x), check.describe(d))
    end
    result[i] = d < 0 and x.ndim + d + 1 or d
  end
  return result
end

--- Returns the sum of products over some dimensions of a and as many of b.
--- shapes  a [m, k, l], b [k, l, n], 2 -> [m, n]; with { { 2 }, { 1 } } dimension 2 of a goes with
---   1 of b; the others stay in order, those of a first
---     local a, b = wrun.ones(2, 3, 4), wrun.ones(4, 3)
---     print(wrun.tensordot(a, b, { { 2, 3 }, { 2, 1 } }))  -- tensor([12., 12.])
---@param dims integer|integer[][]?  2: the last two of a with the first two of b
function M.tensordot(a, b, dims)
  check.tensor_argument("tensordot", 1, a)
  check.tensor_argument("tensordot", 2, b)
  dims = dims == nil and 2 or dims
  local count = math.type(dims) == "integer" and dims
  if count then
    if count < 0 or count > math.min(a.ndim, b.ndim) then
      fail("tensordot: argument 3: expected from 0 to %d dimensions, got %d",
        math.min(a.ndim, b.ndim), count)
    end
    dims = { {}, {} }
    for i = 1, count do
      dims[1][i], dims[2][i] = a.ndim - count + i, i
    end
  elseif type(dims) ~= "table" or type(dims[1]) ~= "table" or type(dims[2]) ~= "table"
    or #dims[1] ~= #dims[2] then
    fail("tensordot: argument 3: expected a number, or two tables of as many dimensions, got %s",
      check.describe(dims))
  end
  local at_a, at_b = read_dimensions(a, 1, dims[1]), read_dimensions(b, 2, dims[2])
  local labels_a, labels_b, keep, wanted = {}, {}, {}, {}
  for i, d in ipairs(at_a) do
    local e = at_b[i]
    if labels_a[d] or labels_b[e] then
      fail("tensordot: argument 3: expected each dimension once")
    elseif a:size(d) ~= b:size(e) then
      fail("tensordot: argument 2: expected %d elements along dimension %d, got %s", a:size(d), e,
        check.shape_text(b))
    end
    labels_a[d], labels_b[e] = i, i
  end
  for _, part in ipairs { { a, labels_a, "a" }, { b, labels_b, "b" } } do
    local x, labels, name = table.unpack(part)
    for d = 1, x.ndim do
      if not labels[d] then
        labels[d] = name .. d
        wanted[#wanted + 1], keep[labels[d]] = labels[d], true
      end
    end
  end
  local y, labels = multiply(a, labels_a, b, labels_b, keep)
  return #labels > 0 and arrange(y, labels, wanted) or y
end

publish.without_methods(M, { "einsum" })

return M
