--- Initialisers with structure: identities, orthogonal and sparse matrices.

local check = require "wrun.check"
local common = require "wrun.nn.init.common"
local wrun = require "wrun"

local fail, settings = check.fail, common.settings

local M = {}

--- Fills a matrix with the identity: ones on the diagonal, as far as it goes.
--- shapes  tensor [m, n]
--- domain  any dtype
--- raises  `eye_: argument 1: expected 2 dimensions`
---     print(nn.init.eye_(wrun.empty(2, 3)))
function M.eye_(tensor)
  common.check_dimensions("eye_", tensor, 2, 2)
  local _ <close> = wrun.no_grad()
  local rows, columns = tensor:size(1), tensor:size(2)
  return tensor:copy_(wrun.arange(rows):unsqueeze(2):eq(wrun.arange(columns)))
end

local GAIN = { gain = check.number(1) }

--- Fills a matrix with the identity, repeated down or across until it is full, times gain: unlike
--- that of `eye_`, no row and no column is zero, whatever the shape.
--- shapes  tensor [m, n]
--- domain  float32 or float64. A gain of 1e-6 is for the last layer of a residual branch, which then
---   adds almost nothing, but has no unit without a gradient
--- raises  `idinit_: argument 1: expected 2 dimensions`
--- source  [Pan2025]: IDInit
---     print(nn.init.idinit_(wrun.empty(5, 2)))
---@param ... any gain = 1, or { gain = }
function M.idinit_(tensor, ...)
  common.check_dimensions("idinit_", tensor, 2, 2)
  local o = settings("idinit_", tensor, GAIN, { "gain" }, ...)
  local rows, columns = tensor:size(1), tensor:size(2)
  local period = math.max(math.min(rows, columns), 1)
  local _ <close> = wrun.no_grad()
  local is_one = (wrun.arange(rows) % period):unsqueeze(2):eq(wrun.arange(columns) % period)
  return tensor:copy_(is_one * o.gain)
end

-- The matrix of Hadamard [size, size], size a power of 2, with orthonormal rows.
local function hadamard(size)
  local h = wrun.ones(1, 1, { dtype = "float64" })
  while #h < size do
    h = wrun.cat({ wrun.cat({ h, h }, 2), wrun.cat({ h, -h }, 2) })
  end
  return h / math.sqrt(size)
end

--- Fills a matrix with the identity where there are no more outputs than inputs, and elsewhere with
--- a part of Hadamard's matrix, which mixes all inputs into all outputs: no draws, and no layer's
--- rank is held down by the number of inputs while it learns.
--- shapes  tensor [out, in]
--- domain  float32 or float64; elements are 0, 1, or 1 / sqrt(s) up to a sign, where s is the least
---   power of 2 that is not below out
--- raises  `hadamard_: argument 1: expected 2 dimensions`
--- source  [Zhao2022], algorithm 1: ZerO, which gives last layers of residual branches zeros
---     print(nn.init.hadamard_(wrun.empty(4, 2)), nn.init.hadamard_(wrun.empty(2, 3)))
function M.hadamard_(tensor)
  common.check_dimensions("hadamard_", tensor, 2, 2)
  local rows, columns = tensor:size(1), tensor:size(2)
  if rows <= columns then
    return M.eye_(tensor)
  end
  local size = 1
  while size < rows do
    size = size * 2
  end
  local _ <close> = wrun.no_grad()
  return tensor:copy_(hadamard(size):narrow(1, 1, rows):narrow(2, 1, columns))
end

local DIRAC = { groups = check.integer(1, 1) }

--- Fills the weight of a convolution so that it passes its input channels on unchanged.
--- Each group of output channels gets the first input channels, as many as there are: 1 at the
--- centre of the kernel, 0 elsewhere.
--- shapes  tensor [out, in, ...] with 1 to 3 further dimensions; groups divides out
--- domain  any dtype
--- raises  `dirac_: argument 1: expected 3 to 5 dimensions`
---     print(nn.init.dirac_(wrun.empty(2, 2, 3)))
---@param ... any groups = 1, or { groups = }
function M.dirac_(tensor, ...)
  common.check_dimensions("dirac_", tensor, 3, 5)
  local groups = settings("dirac_", tensor, DIRAC, { "groups" }, ...).groups
  local outputs = tensor:size(1)
  if outputs % groups ~= 0 then
    fail("dirac_: option groups: expected a divisor of %d, the first size, got %d", outputs, groups)
  end
  local _ <close> = wrun.no_grad()
  tensor:zero_()
  local each = outputs // groups
  local centre = {}
  for d = 3, tensor.ndim do
    centre[d] = tensor:size(d) // 2 + 1
  end
  for group = 0, groups - 1 do
    for channel = 1, math.min(each, tensor:size(2)) do
      centre[1], centre[2] = group * each + channel, channel
      tensor[centre] = 1
    end
  end
  return tensor
end

local ORTHOGONAL = { gain = check.number(1), generator = check.generator() }

--- Fills with a matrix whose rows or columns, the fewer of them, are orthonormal, times gain.
--- The matrix is uniform among all such: the factor q of normal draws, with the signs that make r's
--- diagonal positive. A deep linear network keeps the length of its signal.
--- shapes  tensor [m, ...]; further dimensions are joined into one
--- domain  float32 or float64; a tensor without elements is left alone
--- raises  `orthogonal_: argument 1: expected at least 2 dimensions`; as `normal_`
--- source  [Saxe2013]; the signs after [Mezzadri2007], "How to generate random matrices from the
---   classical compact groups". PyTorch's up to rounding.
---     local weight = nn.init.orthogonal_(wrun.empty(2, 4), 3)
---     print(weight:matmul(weight:t()))  -- 9 on the diagonal
---@param ... any gain = 1, or { gain =, generator = }
function M.orthogonal_(tensor, ...)
  common.check_dimensions("orthogonal_", tensor, 2, math.huge)
  local o = settings("orthogonal_", tensor, ORTHOGONAL, { "gain" }, ...)
  if tensor:numel() == 0 then
    return tensor
  end
  local _ <close> = wrun.no_grad()
  local rows = tensor:size(1)
  local columns = tensor:numel() // rows
  local flat = wrun.empty(rows, columns, { dtype = tensor.dtype })
  flat:normal_(0, 1, { generator = o.generator })
  local q, r = wrun.qr(rows < columns and flat:t() or flat)
  q = q * r:diag():sign()
  return tensor:copy_((rows < columns and q:t() or q):reshape(tensor.shape) * o.gain)
end

local SPARSE = {
  sparsity = check.number(nil, 0, 1), std = check.number(0.01, 0), generator = check.generator(),
}

--- Fills a matrix with draws from N(0, std^2), and then a share of each column with zeros.
--- shapes  tensor [m, n]; ceil(sparsity * m) elements of each column become 0
--- domain  float32 or float64; sparsity from 0 to 1
--- raises  `sparse_: argument 1: expected 2 dimensions`; `option sparsity: expected a number`
--- source  [Martens2010]. The indices too are drawn from `generator`; PyTorch takes them from the
---   default one even then.
---     print(nn.init.sparse_(wrun.empty(4, 3), 0.5))
---@param ... any sparsity, std = 0.01, or { sparsity =, std =, generator = }
function M.sparse_(tensor, ...)
  common.check_dimensions("sparse_", tensor, 2, 2)
  local o = settings("sparse_", tensor, SPARSE, { "sparsity", "std" }, ...)
  common.draw(tensor, "normal_", 0, o.std, o.generator)
  local _ <close> = wrun.no_grad()
  local rows, columns = tensor:size(1), tensor:size(2)
  local count = math.ceil(o.sparsity * rows)
  for column = 1, columns do
    local indices = wrun.randperm(rows, { generator = o.generator }):narrow(1, 1, count)
    tensor:select(2, column):index_fill_(1, indices, 0)
  end
  return tensor
end

return M
