--- Pictures as PNG files: single ones, grids of many, and pictures beside each other.

local check = require "wrun.check"
local core = require "wrun.core"
local names = require "wrun.names"
local wrun = require "wrun"

local fail = check.fail

local M = {}

local GRID = {
  columns = check.optional(check.integer(nil, 1)),
  padding = check.integer(2, 0),
  background = check.number(0.5, 0, 1),
  range = check.choice("unit", { "unit", "each", "all", "symmetric" }),
  scale = check.integer(1, 1, 64),
}

-- [n, height, width] float32 in 0..1 for uint8 and for floats of any range
local function to_pictures(fname, x)
  check.tensor_argument(fname, 1, x)
  if (x.ndim ~= 2 and x.ndim ~= 3) or x:numel() == 0 then
    fail("%s: argument 1: expected pictures [height, width] or [n, height, width], got %s", fname,
      check.describe(x))
  end
  if x.dtype == "uint8" then
    x = x / 255
  end
  x = x:detach():float()
  if not x:isfinite():all():item() then
    fail("%s: argument 1: expected finite numbers, got NaN or infinity", fname)
  end
  return x.ndim == 2 and x:unsqueeze(1) or x
end

-- from low..high to 0..1; where there is nothing between them, mid grey
local function stretch(x, low, high)
  local width = high - low
  local is_flat = width:eq(0)
  return wrun.where(is_flat, 0.5, (x - low) / wrun.where(is_flat, 1, width))
end

local RANGES = {
  unit = function(x)
    return x
  end,
  all = function(x)
    return stretch(x, x:min(), x:max())
  end,
  each = function(x)
    local flat = x:flatten(2)
    local low, high = flat:min(2), flat:max(2)
    return stretch(flat, low:unsqueeze(2), high:unsqueeze(2)):reshape(x.shape)
  end,
  symmetric = function(x)
    local flat = x:flatten(2)
    local size = flat:abs():max(2):unsqueeze(2)
    return stretch(flat, -size, size):reshape(x.shape)
  end,
}

local function repeated(x, scale)
  if scale == 1 then
    return x
  end
  local n, height, width = table.unpack(x.shape)
  return x:reshape(n, height, 1, width, 1):expand(n, height, scale, width, scale)
    :reshape(n, height * scale, width * scale)
end

-- With nothing around them when there is only one.
local function layout(fname, pictures, options)
  local o = check.options(fname, options, GRID)
  local x = repeated(RANGES[o.range](to_pictures(fname, pictures)):clamp(0, 1), o.scale)
  local n, height, width = table.unpack(x.shape)
  if n == 1 then
    return x[1]
  end
  local columns = math.min(o.columns or math.ceil(math.sqrt(n)), n)
  local rows = (n + columns - 1) // columns
  local pad = o.padding
  local sheet = wrun.full({ rows * (height + pad) + pad, columns * (width + pad) + pad },
    o.background, { dtype = "float32" })
  for i = 1, n do
    local row, column = (i - 1) // columns, (i - 1) % columns
    sheet:narrow(1, row * (height + pad) + pad + 1, height)
      :narrow(2, column * (width + pad) + pad + 1, width):copy_(x[i])
  end
  return sheet
end

--- Lays pictures out in a grid, row by row; a single one comes back as it is.
--- shapes  pictures [n, height, width] or [height, width] -> [grid height, grid width] float32
--- domain  0 (black) to 1 (white), clamped; uint8 counts as 0..1. Options columns (default: about
---   as many as rows), padding (2 pixels), background (0.5), scale (pixels a pixel, 1) and range:
---   "unit" (values are 0..1), "each" (every picture from its least to its largest value), "all"
---   (the same for all together), "symmetric" (every picture around zero, as mid grey)
---     print(image.grid(wrun.rand(6, 4, 4), { columns = 3, padding = 1 }).shape[2])
function M.grid(pictures, options)
  return layout("image.grid", pictures, options)
end

--- Writes pictures to a PNG file of 256 greys, laid out as `grid` does.
--- shapes  pictures [n, height, width] or [height, width]
--- domain  as grid; the file is complete or not there
--- raises  as grid; `image.save: PATH: ...` when it cannot be written
---     local path = os.tmpname()
---     image.save(path, wrun.rand(4, 28, 28), { columns = 2 })
---     print(#image.load(path)) os.remove(path)
function M.save(path, pictures, options)
  path = check.argument("image.save", 1, path, check.path())
  local sheet = layout("image.save", pictures, options)
  local ok, reason = core.image_save(path, (sheet * 255):round():byte():contiguous())
  if not ok then
    fail("image.save: %s: %s", path, reason)
  end
end

--- Reads a PNG file; colours become grey.
--- shapes  -> [height, width] uint8
--- domain  the values of the file, whatever light it says they mean; those of 16 bits divided by
---   257; up to 2^26 pixels
--- raises  `image.load: PATH: ...` for a file that is missing or no picture
---     print(pcall(image.load, "/no/such/picture.png"))
function M.load(path)
  path = check.argument("image.load", 1, path, check.path())
  local picture, reason = core.image_load(path)
  return picture or fail("image.load: %s: %s", path, reason)
end

--- Interleaves pictures: the first of each, then the second of each, so that a grid shows them
--- beside each other.
--- shapes  k times [n, height, width] -> [n * k, height, width] float32
--- domain  floats, or uint8, which counts as 0..1
---     local x, noise = wrun.ones(2, 4, 4), wrun.rand(2, 4, 4)
---     print(image.beside(x, noise).shape[1])
---@param ... wrun.Tensor
function M.beside(...)
  local list = { ... }
  for i, x in ipairs(list) do
    local shape = check.is_tensor(list[1]) and check.shape_text(list[1])
    if not check.is_tensor(x) or x.ndim ~= 3 or check.shape_text(x) ~= shape then
      fail("image.beside: argument %d: expected pictures %s, got %s", i,
        i > 1 and shape or "[n, height, width]", check.describe(x))
    end
    list[i] = x.dtype == "uint8" and x / 255 or x:float()
  end
  if #list == 0 then
    fail("image.beside: argument 1: expected pictures [n, height, width], got nil")
  end
  return wrun.stack(list, 2):flatten(1, 2)
end

return names.closed("image", M)
