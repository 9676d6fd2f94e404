--- Writes the inputs that fuzzing starts from: `wrun spec/fuzz/seeds.lua FORMAT FOLDER`.

local wrun = require "wrun"
local data = wrun.data

local format, folder = ...
local count = 0

local function path()
  count = count + 1
  return ("%s/seed%d"):format(folder, count)
end

local function put(bytes)
  local file <close> = assert(io.open(path(), "wb"))
  assert(file:write(bytes))
end

local TENSORS = {}
for i, dtype in ipairs { "float32", "float64", "int64", "int32", "uint8", "bool" } do
  TENSORS[i] = wrun.ones(2, i, { dtype = dtype })
end

local function compressed(name)
  os.execute(("gzip -kc '%s' > '%s'"):format(name, path()))
end

local WRITERS = {
  gzip = function()
    put("plain")
    compressed(folder .. "/seed1")
  end,
  idx = function()
    for element in ("\8\9\11\12\13\14"):gmatch(".") do
      put("\0\0" .. element .. "\2" .. string.pack(">I4I4", 2, 1) .. ("\1"):rep(16))
    end
    put("\0\0\8\1\0\0\0\3abc")
    compressed(folder .. "/seed7")
  end,
  npy = function()
    for _, x in ipairs(TENSORS) do
      data.save_npy(path(), x)
    end
    for _, descr in ipairs { ">f8", "<f2", ">i2", "<u8", "|O" } do
      local header = ("{'descr': '%s', 'fortran_order': True, 'shape': (1, 2)}"):format(descr)
      put("\x93NUMPY\2\0" .. string.pack("<I4", #header) .. header .. ("\1"):rep(16))
    end
    compressed(folder .. "/seed1")
  end,
  npz = function()
    for _, compress in ipairs { false, true } do
      data.save_npz(path(), { a = TENSORS[1] }, { compress = compress })
      data.save_npz(path(), { a = TENSORS[2], b = TENSORS[6] }, { compress = compress })
    end
  end,
  safetensors = function()
    wrun.save(path(), { a = TENSORS[1], b = { TENSORS[2], 3 } }, { note = "n" })
    wrun.save(path(), { a = TENSORS[5], b = TENSORS[4], c = wrun.zeros(0) })
    for _, dtype in ipairs { "F16", "BF16", "I8", "U64" } do
      local header = ('{"x":{"dtype":"%s","shape":[1],"data_offsets":[0,%d]}}'):format(dtype,
        dtype == "U64" and 8 or dtype == "I8" and 1 or 2)
      put(string.pack("<I8", #header) .. header .. ("\1"):rep(8))
    end
  end,
  csv = function()
    for options = 0, 255, 23 do
      put(string.char(options) .. 'a,"b ""c""\n"\n1,2.5e3\n\n,"nan"\n')
    end
    put("\1  1 -2\t3\n4 5 6 \n")
  end,
}

WRITERS[format]()
