--- NumPy's files: NPY, one array, and NPZ, several with names.

local check = require "wrun.check"
local core = require "wrun.core"
local repr = require "wrun.repr"
local unrecorded = require "wrun.unrecorded"

local fail = check.fail

local M = {}

local PATH = check.path()

--- Returns the tensor that an NPY file of NumPy holds, plain or compressed with gzip.
--- shapes  as in the file; row-major, whatever the file's order
--- domain  bool, uint8, int32, int64, float32 and float64 stay as they are; other integers become
---   int64, float16 becomes float32; little and big endian; versions 1.0 to 3.0. Texts, dates,
---   records, complex numbers and Python objects are refused; nothing is evaluated
--- raises  `npy: PATH: ...` for a file that is missing or bad
--- source  numpy/lib/format.py
---     local path = os.tmpname()
---     data.save_npy(path, wrun.arange(6):reshape(2, 3))
---     print(data.npy(path), os.remove(path))
---@return wrun.Tensor
function M.npy(path)
  check.argument("npy", 1, path, PATH)
  local tensor, message = core.npy_read(path)
  return tensor or fail("npy: %s", message)
end

--- Writes a tensor to an NPY file, which NumPy reads as it was.
--- shapes  x [...], any
--- domain  any dtype; the file is complete or not there
--- raises  `save_npy: PATH: ...` when it cannot be written
---     local path = os.tmpname()
---     data.save_npy(path, wrun.tensor({ true, false }))
---     print(data.npy(path).dtype, os.remove(path))
function M.save_npy(path, x)
  check.argument("save_npy", 1, path, PATH)
  check.tensor_argument("save_npy", 2, x)
  local ok, message = core.npy_save(path, unrecorded.contiguous(x))
  if not ok then
    fail("save_npy: %s", message)
  end
end

--- Returns all arrays of an NPZ file of NumPy by their names.
--- shapes  as `npy`
--- domain  as `npy`; members stored or deflated, check sums verified; nothing is unpacked to a
---   path. Members that are no tensors (texts, objects, other files) are left out, and raise when
---   they are asked for
--- raises  `npz: PATH: ...` for a file that is missing or bad; on access `npz: PATH: member
---   'NAME': holds`
--- source  PKWARE's APPNOTE 6.3
---     local path = os.tmpname()
---     data.save_npz(path, { x = wrun.zeros(2, 3), y = wrun.tensor({ 1, 2 }) })
---     print(data.npz(path).y, os.remove(path))
---@return table<string, wrun.Tensor>
function M.npz(path)
  check.argument("npz", 1, path, PATH)
  local arrays, left = core.npz_read(path)
  if not arrays then
    fail("npz: %s", left)
  end
  return setmetatable(arrays, {
    __tostring = function()
      return repr.object("NPZ", arrays)
    end,
    __index = function(_, name)
      return left[name] and fail("npz: %s: %s", path, left[name])
    end,
  })
end

local NPZ = { compress = check.boolean(false) }

--- Writes tensors to an NPZ file, which NumPy reads by the same names. Option compress (false)
--- deflates them.
--- shapes  any
--- domain  names are UTF-8 texts; any dtypes; the same tensors give the same bytes; the file is
---   complete or not there
--- raises  `save_npz: PATH: ...` when it cannot be written
---     local path = os.tmpname()
---     data.save_npz(path, { w = wrun.eye(3) }, { compress = true })
---     print(data.npz(path).w:sum(), os.remove(path))
---@param tensors table<string, wrun.Tensor>
function M.save_npz(path, tensors, options)
  check.argument("save_npz", 1, path, PATH)
  check.argument("save_npz", 2, tensors, check.table())
  local o = check.options("save_npz", options, NPZ)
  local names, list = {}, {}
  for name, tensor in pairs(tensors) do
    local is_name = type(name) == "string" and utf8.len(name) and not name:find("\0", 1, true)
      and name ~= "" and #name < 4092
    if not is_name or not check.is_tensor(tensor) then
      fail("save_npz: argument 2: expected a table of name and tensor, got %s = %s",
        check.describe(name), check.describe(tensor))
    end
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    list[i] = unrecorded.contiguous(tensors[name])
  end
  local ok, message = core.npz_save(path, names, list, o.compress)
  if not ok then
    fail("save_npz: %s", message)
  end
end

return M
