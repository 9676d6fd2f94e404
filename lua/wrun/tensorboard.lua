--- Event files, which TensorBoard shows: scalars, histograms and pictures by steps.
--- A file is a row of records: length, check sum of it, an event, check sum of it [tensorboard]. An
--- event is a message of Protocol Buffers: fields, each its number and kind, and its value.

local check = require "wrun.check"
local closed = require("wrun.names").closed
local core = require "wrun.core"
local method = require "wrun.method"
local wrun = require "wrun"

local fail = check.fail

local M = {}

-- CRC-32C, a byte at a time [RFC3720].
local CRC = {}
for byte = 0, 255 do
  local crc = byte
  for _ = 1, 8 do
    crc = crc >> 1 ~ (crc & 1) * 0x82f63b78
  end
  CRC[byte] = crc
end

-- The check sum of the file: turned and shifted, since that of a sum of itself would be of little use.
local function masked_crc(bytes)
  local crc = 0xffffffff
  for i = 1, #bytes do
    crc = crc >> 8 ~ CRC[(crc ~ bytes:byte(i)) & 0xff]
  end
  crc = crc ~ 0xffffffff
  return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff
end

local function record(event)
  local length = string.pack("<I8", #event)
  return length .. string.pack("<I4", masked_crc(length)) .. event
    .. string.pack("<I4", masked_crc(event))
end

-- Messages -------------------------------------------------------------------

local VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5 -- kinds of a field

local function varint(n)
  local parts = {}
  repeat
    local rest = n >> 7
    parts[#parts + 1] = string.char(n & 0x7f | (rest ~= 0 and 0x80 or 0))
    n = rest
  until n == 0
  return table.concat(parts)
end

local function integer(number, value)
  return varint(number << 3 | VARINT) .. varint(value)
end

local function double(number, value)
  return varint(number << 3 | EIGHT) .. string.pack("<d", value)
end

local function float(number, value)
  return varint(number << 3 | FOUR) .. string.pack("<f", value)
end

local function bytes(number, value)
  return varint(number << 3 | BYTES) .. varint(#value) .. value
end

local function doubles(number, list)
  return bytes(number, string.pack("<" .. ("d"):rep(#list), table.unpack(list)))
end

-- The writer -----------------------------------------------------------------

---@class wrun.tensorboard.SummaryWriter
---@field path string the file that is written
--- A file of events that is open, made by `wrun.tensorboard.SummaryWriter`.
local SummaryWriter = method.object("SummaryWriter")

local STEP, TAG, NUMBER = check.integer(nil, 0), check.string(), check.number()

-- Writes an event of these fields.
local function put(writer, fname, fields)
  if not writer.file then
    fail("%s: the file %s is closed", fname, writer.path)
  end
  local ok, message = writer.file:write(record(double(1, writer.clock()) .. fields))
  if ok then
    ok, message = writer.file:flush()
  end
  if not ok then
    fail("%s: %s: %s", fname, writer.path, message)
  end
end

local function put_summary(writer, fname, tag, step, value)
  put(writer, fname, (step > 0 and integer(2, step) or "")
    .. bytes(5, bytes(1, bytes(1, tag) .. value)))
end

--- Adds a number, which TensorBoard draws as a curve over the steps; what stands before a slash in
--- its name, `tag`, groups.
--- domain  a number or a tensor of one element, kept as float32; NaN and infinities too
--- raises  `add_scalar: PATH: ...` when it cannot be written
---     local writer <close> = wrun.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     for step = 1, 3 do writer:add_scalar("loss", 1 / step, step) end
---     print(writer, os.execute("rm -r " .. writer.folder))
---@param value number|wrun.Tensor
function SummaryWriter:add_scalar(tag, value, step)
  check.argument("add_scalar", 1, tag, TAG)
  value = check.is_tensor(value) and value:numel() == 1 and value:item() or value
  if value == value then
    check.argument("add_scalar", 2, value, NUMBER)
  end
  check.argument("add_scalar", 3, step, STEP)
  put_summary(self, "add_scalar", tag, step, float(2, value))
end

--- Adds the distribution of a tensor's elements, in 30 bins of one width.
--- shapes  any
--- domain  any dtype; at least one element, all finite
--- raises  `add_histogram: argument 2: expected finite elements`; as add_scalar
---     local writer <close> = wrun.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     writer:add_histogram("weight", nn.Linear(20, 30).weight, 1)
---     print(writer, os.execute("rm -r " .. writer.folder))
function SummaryWriter:add_histogram(tag, x, step)
  check.argument("add_histogram", 1, tag, TAG)
  check.tensor_argument("add_histogram", 2, x)
  check.argument("add_histogram", 3, step, STEP)
  x = x:detach():flatten():double()
  local low, high = math.huge, -math.huge
  if #x > 0 then
    low, high = x:min():item(), x:max():item()
  end
  if not (high - low < math.huge and high + low == high + low) then
    fail("add_histogram: argument 2: expected finite elements, at least one, got %s",
      check.describe(x))
  end
  local margin = low == high and math.max(math.abs(low) * 1e-6, 1e-300) or 0
  local first, last = low - margin, high + margin
  local counts = x:histc(30, first, last):tolist()
  local limits = {}
  for i = 1, 30 do
    limits[i] = i == 30 and last or first + (last - first) * i / 30
  end
  put_summary(self, "add_histogram", tag, step, bytes(5, double(1, low) .. double(2, high)
    .. double(3, #x) .. double(4, x:sum():item()) .. double(5, x:square():sum():item())
    .. doubles(6, limits) .. doubles(7, counts)))
end

--- Adds a picture.
--- shapes  as `wrun.image.save` takes
--- domain  as `wrun.image.save`, with its options
--- raises  as `wrun.image.save`, and add_scalar
---     local writer <close> = wrun.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     writer:add_image("weights", wrun.rand(8, 8), 1)
---     print(writer, os.execute("rm -r " .. writer.folder))
---@param images wrun.Tensor
---@param options table?  of `wrun.image.save`
function SummaryWriter:add_image(tag, images, step, options)
  check.argument("add_image", 1, tag, TAG)
  check.argument("add_image", 3, step, STEP)
  local path = self.path .. ".png"
  wrun.image.save(path, images, options)
  local file <close> = assert(io.open(path, "rb"))
  os.remove(path)
  local png = file:read("a")
  local width, height, _, kind = string.unpack(">I4I4BB", png, 17)
  local channels = kind & 2 == 2 and 3 or 1
  put_summary(self, "add_image", tag, step, bytes(4, integer(1, height) .. integer(2, width)
    .. integer(3, channels) .. bytes(4, png)))
end

--- Closes the file; a variable declared `<close>` does it by itself.
--- domain  may be called twice
---     local writer = wrun.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     writer:close()
---     print(writer, os.execute("rm -r " .. writer.folder))
function SummaryWriter:close()
  if self.file then
    self.file:close()
    self.file = nil
  end
end

SummaryWriter.__close = SummaryWriter.close

-- "SummaryWriter(runs/a/events.out.tfevents.1.wrun.1.1)"
function SummaryWriter:__tostring()
  return check.escape(("SummaryWriter(%s%s)"):format(self.path, self.file and "" or "; closed"))
end

local count = 0 -- of the writers of this process

local OPTIONS = { clock = check.func(os.time) }

--- Returns a writer of a new event file in a folder, which `tensorboard --logdir FOLDER` shows. A
--- folder is a run: those below one are shown beside each other.
---
--- Options:
---   clock  returns the seconds since 1970 that an event is of (os.time)
--- domain  the folder, and those above it, are made where they are not there
--- raises  `SummaryWriter: FOLDER: ...` when it cannot be made
--- source  record_writer.py, event.proto and summary.proto of TensorBoard
---     local writer <close> = wrun.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     writer:add_scalar("loss", 0.5, 1)
---     print(writer, os.execute("rm -r " .. writer.folder))
---@return wrun.tensorboard.SummaryWriter
function M.SummaryWriter(folder, options)
  check.argument("SummaryWriter", 1, folder, check.path())
  local o = check.options("SummaryWriter", options, OPTIONS)
  local made, message = core.make_folder(folder)
  if not made then
    fail("SummaryWriter: %s", message)
  end
  count = count + 1
  local path = ("%s/events.out.tfevents.%d.wrun.%d.%d"):format(folder, os.time(),
    core.process_id(), count)
  local file, why = io.open(path, "wb")
  if not file then
    fail("SummaryWriter: %s", why)
  end
  local self = setmetatable({
    folder = folder, path = path, file = file, clock = o.clock,
  }, SummaryWriter)
  put(self, "SummaryWriter", bytes(3, "brain.Event:2"))
  return self
end

return closed("tensorboard", M)
