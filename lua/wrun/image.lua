--- Pictures as PNG files: single ones, grids of many with labels, and pictures beside each other.

local check = require "wrun.check"
local colors = require "wrun.image.colors"
local core = require "wrun.core"
local font = require "wrun.image.font"
local names = require "wrun.names"
local ranks = require "wrun.ranks"
local terminal = require "wrun.image.terminal"
local wrun = require "wrun"

local fail = check.fail

local M = {}

local GRID = {
  columns = check.optional(check.integer(nil, 1)),
  padding = check.integer(2, 0),
  background = check.number(0.5, 0, 1),
  scale = check.integer(1, 1, 64),
  colors = check.choice("grey", colors.NAMES),
  bar = check.boolean(false),
}

local RANGE_NAMES = { unit = true, each = true, all = true, symmetric = true, balanced = true }

GRID.range = check.rule("unit", "unit, each, all, symmetric, balanced or { low, high }",
  function(value)
    local is_pair = type(value) == "table" and math.type(value[1]) and math.type(value[2])
      and #value == 2 and value[1] < value[2]
    return (RANGE_NAMES[value] or is_pair) and value or nil
  end)

local LABELS = check.optional(check.rule(nil, "a list of texts or numbers", function(value)
  local texts = {}
  for i, label in ipairs(type(value) == "table" and value or {}) do
    if type(label) ~= "string" and type(label) ~= "number" then
      return nil
    end
    texts[i] = tostring(label)
  end
  return type(value) == "table" and texts or nil
end))

GRID.row_labels, GRID.column_labels, GRID.captions = LABELS, LABELS, LABELS

-- [n, channels, height, width] float32 in 0..1 for uint8 and for floats of any range
local function to_pictures(fname, index, x)
  check.tensor_argument(fname, index, x)
  local is_colour = x.ndim == 4 and x:size(2) == 3
  if (x.ndim ~= 2 and x.ndim ~= 3 and not is_colour) or x:numel() == 0 then
    fail("%s: argument %d: expected pictures [height, width], [n, height, width] or "
      .. "[n, 3, height, width], got %s", fname, index, check.describe(x))
  end
  if x.dtype == "uint8" then
    x = x / 255
  end
  x = x:detach():float()
  if not x:isfinite():all():item() then
    fail("%s: argument %d: expected finite numbers, got NaN or infinity", fname, index)
  end
  x = x.ndim == 2 and x:unsqueeze(1) or x
  return x.ndim == 3 and x:unsqueeze(2) or x
end

-- from low..high to 0..1; where there is nothing between them, mid grey
local function stretch(x, low, high)
  local width = high - low
  local is_flat = width:eq(0)
  return wrun.where(is_flat, 0.5, (x - low) / wrun.where(is_flat, 1, width))
end

-- Each returns the pictures in 0..1, and the values of 0 and 1 where they are the same for all.
local RANGES = {
  unit = function(x)
    return x, 0, 1
  end,
  all = function(x)
    return stretch(x, x:min(), x:max()), x:min():item(), x:max():item()
  end,
  balanced = function(x)
    local size = x:abs():max()
    return stretch(x, -size, size), -size:item(), size:item()
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

local function in_range(x, range)
  if type(range) == "table" then
    local low, high = range[1], range[2]
    return (x - low) / (high - low), low, high
  end
  return RANGES[range](x)
end

local function magnified(x, scale)
  return scale == 1 and x or x:repeat_interleave(scale, 3):repeat_interleave(scale, 4)
end

-- The grid's measures: of a cell, which is as wide as what stands in its column, and of the margins
-- around all cells that labels and the bar need.
local function measure(o, x, bar_texts)
  local n, _, height, width = table.unpack(x.shape)
  local m = { n = n, height = height, width = width, padding = o.padding }
  m.columns = math.min(o.columns or math.ceil(math.sqrt(n)), n)
  m.rows = (n + m.columns - 1) // m.columns
  m.text_scale = (o.scale + 1) // 2
  m.line = font.size("", m.text_scale)
  m.gap = 2 * m.text_scale
  local function widest(texts)
    local most = 0
    for _, text in ipairs(texts or {}) do
      most = math.max(most, (select(2, font.size(text, m.text_scale))))
    end
    return most > 0 and most + m.gap or 0
  end
  m.cell_width = math.max(width, widest(o.captions), widest(o.column_labels))
  m.cell_height = math.max(height, o.row_labels and m.line or 0)
    + (o.captions and m.line + m.gap or 0)
  m.left = widest(o.row_labels)
  m.top = o.column_labels and m.line + m.gap or 0
  m.bar_width = 8 * m.text_scale
  m.right = bar_texts and m.bar_width + m.gap + widest(bar_texts) or 0
  m.inner_width = m.columns * (m.cell_width + o.padding) + o.padding
  m.inner_height = math.max(m.rows * (m.cell_height + o.padding) + o.padding,
    bar_texts and #bar_texts * m.line + 2 * o.padding or 0)
  return m
end

-- Draws a text into the sheet [channels, height, width], its left upper corner there.
local function write(sheet, text, y, x, m, ink)
  local pixels = font.draw(text, m.text_scale)
  if pixels then
    local height, width = table.unpack(pixels.shape)
    local place = sheet:narrow(2, y + 1, height):narrow(3, x + 1, width)
    place:copy_(wrun.where(pixels:gt(0), ink, place))
  end
end

local function width_of(text, m)
  return (select(2, font.size(text, m.text_scale)))
end

local function place_labels(sheet, o, m, ink)
  for column, text in ipairs(o.column_labels or {}) do
    local cell = m.left + o.padding + (column - 1) * (m.cell_width + o.padding)
    write(sheet, text, m.gap // 2, cell + (m.cell_width - width_of(text, m)) // 2, m, ink)
  end
  for row, text in ipairs(o.row_labels or {}) do
    local cell = m.top + o.padding + (row - 1) * (m.cell_height + o.padding)
    write(sheet, text, cell + math.max(m.height - m.line, 0) // 2,
      m.left - m.gap // 2 - width_of(text, m), m, ink)
  end
end

-- The bar of all values, the greatest on top, with the texts of the greatest, middle and least.
local function place_bar(sheet, o, m, texts, ink)
  local height = m.inner_height - 2 * o.padding
  local x, y = m.left + m.inner_width, m.top + o.padding
  local values = wrun.linspace(1, 0, height):reshape(1, 1, height, 1)
  local bar = colors.apply(values, o.colors):expand(1, sheet:size(1), height, m.bar_width)
  sheet:narrow(2, y + 1, height):narrow(3, x + 1, m.bar_width):copy_(bar[1])
  for i, text in ipairs(texts) do
    local down = (height - m.line) * (i - 1) // (#texts - 1)
    write(sheet, text, y + down, x + m.bar_width + m.gap, m, ink)
  end
end

local function check_count(fname, name, labels, count, noun)
  if labels and #labels ~= count then
    fail("%s: option %s: expected %d texts, one a %s, got %d", fname, name, count, noun, #labels)
  end
end

-- The texts of a bar, nil where none is wanted.
local function bar_texts(fname, o, low, high)
  if not o.bar then
    return nil
  elseif not low then
    fail("%s: option bar: expected one range for all pictures, such as all or balanced, got %s",
      fname, check.describe(o.range))
  end
  return { ("%.3g"):format(high), ("%.3g"):format((low + high) / 2), ("%.3g"):format(low) }
end

-- A sheet [height, width], or of colours [3, height, width]; with nothing around a single picture
-- that has no labels.
local function layout(fname, index, pictures, options)
  local o = check.options(fname, options, GRID)
  local x, low, high = in_range(to_pictures(fname, index, pictures), o.range)
  x = x:clamp(0, 1)
  if x:size(2) == 3 and (o.colors ~= "grey" or o.bar) then
    fail("%s: option %s: expected none for pictures that have colours", fname,
      o.bar and "bar" or "colors")
  end
  x = magnified(colors.apply(x, o.colors), o.scale)
  local texts = bar_texts(fname, o, low, high)
  local m = measure(o, x, texts)
  check_count(fname, "captions", o.captions, m.n, "picture")
  check_count(fname, "column_labels", o.column_labels, m.columns, "column")
  check_count(fname, "row_labels", o.row_labels, m.rows, "row")
  local is_bare = m.n == 1 and not (texts or o.captions or o.column_labels or o.row_labels)
  local sheet = is_bare and x[1]
  if not is_bare then
    local ink = o.background < 0.5 and 1 or 0
    sheet = wrun.full({ x:size(2), m.top + m.inner_height, m.left + m.inner_width + m.right },
      o.background, { dtype = "float32" })
    for i = 1, m.n do
      local row, column = (i - 1) // m.columns, (i - 1) % m.columns
      local top = m.top + o.padding + row * (m.cell_height + o.padding)
      local left = m.left + o.padding + column * (m.cell_width + o.padding)
      sheet:narrow(2, top + 1, m.height)
        :narrow(3, left + (m.cell_width - m.width) // 2 + 1, m.width):copy_(x[i])
      local caption = o.captions and o.captions[i] or ""
      write(sheet, caption, top + m.height + m.gap // 2,
        left + (m.cell_width - width_of(caption, m)) // 2, m, ink)
    end
    place_labels(sheet, o, m, ink)
    if texts then
      place_bar(sheet, o, m, texts, ink)
    end
  end
  return sheet:size(1) == 1 and sheet[1] or sheet
end

--- Lays pictures out in a grid, row by row; a single one without labels comes back as it is.
---
--- Options:
---   columns        of the grid (about as many as rows)
---   padding        pixels between pictures (2)
---   background     the grey around them (0.5); texts are black on it, or white where it is dark
---   scale          pixels a pixel (1)
---   range          which values are 0 and 1: "unit" (0 and 1), { low, high }, "all" (the least and
---                  the greatest of all), "balanced" (all around zero, which is in the middle), or
---                  for every picture its own: "each" (least and greatest), "symmetric" (around zero)
---   colors         of values: "grey" (black to white), "viridis" (dark blue to yellow), "diverging"
---                  (blue over white to red: with range "balanced", negative and positive)
---   bar            a bar of these colours with the values they stand for (false)
---   row_labels     a text for each row, to the left of it
---   column_labels  a text for each column, above it
---   captions       a text for each picture, below it
--- shapes  pictures [n, height, width] or [height, width] -> [grid height, grid width] float32, with
---   colors other than "grey" [3, ...]; pictures in colour [n, 3, height, width] -> [3, ...]
--- domain  0 to 1 after the range, clamped; uint8 counts as 0..1. Texts are ASCII; others are boxes
---     local digits = wrun.rand(6, 28, 28)
---     print(image.grid(digits, { columns = 3, column_labels = { "a", "b", "c" } }).shape)
---     print(image.grid(digits - 0.5, { range = "balanced", colors = "diverging", bar = true }).shape)
function M.grid(pictures, options)
  return layout("image.grid", 1, pictures, options)
end

-- Writes a sheet to a PNG file and returns it as bytes [height, width] or [height, width, 3].
local function write_file(fname, path, sheet)
  sheet = (sheet * 255):round():byte()
  sheet = (sheet.ndim == 3 and sheet:permute(2, 3, 1) or sheet):contiguous()
  if ranks.is_first() then
    local ok, reason = core.image_save(path, sheet)
    if not ok then
      fail("%s: %s: %s", fname, path, reason)
    end
  end
  return sheet
end

-- Endings of pictures that are no PNG files.
local OTHERS = {
  jpg = true, jpeg = true, gif = true, bmp = true, webp = true, tif = true, tiff = true,
}

local function check_path(fname, path)
  path = check.argument(fname, 1, path, check.path())
  local ending = path:match("%.(%w+)$")
  if ending and OTHERS[ending:lower()] then
    fail("%s: argument 1: expected the path of a PNG file, got '%s'", fname, check.escape(path))
  end
  return path
end

--- Writes pictures to a PNG file, of 256 greys or in colour, laid out as `grid` does.
--- shapes  pictures [n, height, width], [height, width] or [n, 3, height, width]
--- domain  as grid; the file is complete or not there
--- raises  as grid; `image.save: PATH: ...` when it cannot be written; `image.save: argument 1:
---   expected the path of a PNG file` for a path that ends as another kind does
---     local path = os.tmpname()
---     image.save(path, wrun.rand(4, 3, 32, 32), { columns = 2, captions = { "cat", "dog", 3, 4 } })
---     print(#image.load(path)) os.remove(path)
function M.save(path, pictures, options)
  path = check_path("image.save", path)
  write_file("image.save", path, layout("image.save", 2, pictures, options))
end

--- Writes pictures as `save` does, and returns what to print to see them: the picture itself, in the
--- codes of kitty or of sixel, where standard output is a terminal that is known to take them, and
--- elsewhere the path of the file.
--- shapes  as save
--- domain  the environment variable WRUN_IMAGES decides instead: kitty, sixel or none
--- raises  as save, under the name image.show; `image.show: WRUN_IMAGES: expected`
--- source  kitty's graphics protocol; [DEC1989] for sixel, whose greys are a hundred and whose colours
---   are 216
---     local path = os.tmpname()
---     print(image.show(path, wrun.rand(6, 28, 28), { scale = 4 }))
---     os.remove(path)
---@return string
function M.show(path, pictures, options)
  path = check_path("image.show", path)
  local protocol = terminal.protocol("image.show")
  local sheet = write_file("image.show", path, layout("image.show", 2, pictures, options))
  if protocol == "kitty" then
    local file <close> = assert(io.open(path, "rb"))
    return terminal.kitty(file:read("a"))
  end
  return protocol == "sixel" and terminal.sixel(sheet) or path
end

local LOAD = { mode = check.choice("gray", { "gray", "rgb" }) }

--- Reads a PNG file.
--- shapes  -> [height, width], or [3, height, width] in colour; uint8
--- domain  option mode "gray" (default: colours become grey by their light) or "rgb"; the values of
---   the file, whatever light it says they mean; those of 16 bits divided by 257; before black where
---   it can be seen through; up to 2^26 pixels
--- raises  `image.load: PATH: ...` for a file that is missing or no picture
---     local path = os.tmpname()
---     image.save(path, wrun.rand(1, 3, 32, 32))
---     print(image.load(path, { mode = "rgb" }).shape[1])
---     os.remove(path)
---@return wrun.Tensor
function M.load(path, options)
  path = check.argument("image.load", 1, path, check.path())
  local is_rgb = check.options("image.load", options, LOAD).mode == "rgb"
  local picture, reason = core.image_load(path, is_rgb)
  if picture == nil then
    fail("image.load: %s: %s", path, reason)
  end
  return is_rgb and picture:permute(3, 1, 2):contiguous() or picture
end

--- Interleaves pictures: the first of each, then the second of each, so that a grid shows them
--- beside each other.
--- shapes  k times [n, height, width] -> [n * k, height, width] float32; in colour [n, 3, ...]
--- domain  floats, or uint8, which counts as 0..1
---     local x, noise = wrun.ones(2, 4, 4), wrun.rand(2, 4, 4)
---     print(image.beside(x, noise).shape[1])
---@param ... wrun.Tensor
function M.beside(...)
  local list = { ... }
  for i, x in ipairs(list) do
    local shape = check.is_tensor(list[1]) and check.shape_text(list[1])
    local is_many = check.is_tensor(x) and (x.ndim == 3 or x.ndim == 4 and x:size(2) == 3)
    if not is_many or check.shape_text(x) ~= shape then
      fail("image.beside: argument %d: expected pictures %s, got %s", i,
        i > 1 and shape or "[n, height, width] or [n, 3, height, width]", check.describe(x))
    end
    list[i] = x.dtype == "uint8" and x / 255 or x:float()
  end
  if #list == 0 then
    fail("image.beside: argument 1: expected pictures [n, height, width] or [n, 3, height, width], "
      .. "got nil")
  end
  return wrun.stack(list, 2):flatten(1, 2)
end

return names.closed("image", M)
