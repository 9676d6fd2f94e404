--- Each reader of files that is given a file of another kind says what it is, and what reads it.

local child = require "spec.support.child"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local data, image = wrun.data, wrun.image

local function zip_with(name)
  return "PK\3\4" .. ("\0"):rep(22) .. string.pack("<I2I2", #name, 0) .. name .. ("\0"):rep(60)
end

local PNG = "; image.load reads PNG"
local CSV = "; data.csv reads CSV"
local SAFETENSORS = "; wrun.load reads safetensors"

-- How files begin, by the descriptions of their formats, and what is said of them.
local KINDS = {
  { "\x93NUMPY\1\0\x76\0{'descr'", "an NPY array, which data.npy reads", "data.npy" },
  { "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a PNG picture, which image.load reads", "image.load" },
  { zip_with("x.npy"), "an NPZ archive, which data.npz reads", "data.npz" },
  { string.pack("<I8", 90) .. "{" .. (" "):rep(20), "a safetensors file, which wrun.load reads",
    "wrun.load" },
  { "\0\0\8\3\0\0\0\1", "an IDX file, which data.idx reads", "data.idx" },
  { zip_with("archive/data.pkl"), "a file of PyTorch's torch.save, which wrun.load reads",
    "wrun.load" },
  { string.pack("<i4i4s4", 4, 1, "V 1") .. "\17\0\0\0torch.FloatTensor",
    "a file of Torch7, which wrun.load reads", "wrun.load" },
  { "4\n1\n3\nV 1\n17\ntorch.FloatTensor\n", "a text file of Torch7; write it as 'binary'",
    "data.csv" },
  { zip_with("word/document.xml"), "a ZIP archive; data.npz reads NPZ", "data.npz" },
  { "\x80\2\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.",
    "a file of torch.save before PyTorch 1.6; save it again with a later one" },
  { "\x80\4\x95\0\0\0\0\0\0\0\0", "a pickle of Python" .. SAFETENSORS },
  { "\xff\xd8\xff\xe0\0\x10JFIF\0", "a JPEG picture" .. PNG },
  { "GIF89a\1\0\1\0", "a GIF picture" .. PNG },
  { "II*\0\8\0\0\0", "a TIFF picture" .. PNG },
  { "\x89HDF\r\n\x1a\n\0\0\0\0\0\8\8\0", "an HDF5 file" },
  { "PAR1\x15\4\x15\x10", "a Parquet table" .. CSV },
  { "ARROW1\0\0\xff\xff\xff\xff", "an Arrow table" .. CSV },
  { "SQLite format 3\0\16\0", "an SQLite database" .. CSV },
  { "MATLAB 5.0 MAT-file" .. (" "):rep(105) .. "\0\1IM", "a MATLAB file" },
  { "GGUF\3\0\0\0\0\0\0\0", "a GGUF file" .. SAFETENSORS },
  { "\x28\xb5\x2f\xfd\4\0\0", "compressed with zstd; gzip is unpacked" },
  { "BZh91AY&SY\0\1", "compressed with bzip2; gzip is unpacked" },
  { "\xfd7zXZ\0\0\4", "compressed with xz; gzip is unpacked" },
  { "name" .. ("\0"):rep(253) .. "ustar\0", "a TAR archive; unpack it first" },
  { "\xff\xfe1\0,\0", "text in UTF-16; UTF-8 is read" },
  { "<!DOCTYPE html>\n<html>", "a text of HTML or XML", "data.csv" },
  { '{ "loss": 1.5 }\n', "a text of JSON" .. CSV, "data.csv" },
  { "1,2,3\n4,5,6\n7,8,9\n", "text; data.csv reads numbers from text", "data.csv" },
  { "", "empty", "data.csv" },
}

local READERS = {
  ["data.npy"] = data.npy,
  ["data.npz"] = data.npz,
  ["data.csv"] = data.csv,
  ["data.idx"] = data.idx,
  ["image.load"] = image.load,
  ["wrun.load"] = wrun.load,
}

describe("files of another kind", function()
  for name, read in pairs(READERS) do
    it("are named by " .. name, function()
      for _, kind in ipairs(KINDS) do
        local bytes, what, own = table.unpack(kind)
        if own ~= name and not (name == "data.idx" and bytes == "") then
          child.with_file(bytes, function(path)
            local message = refusal(read, path)
            assert.equal("; it is " .. what, message:match("; it is .*") or message)
            assert.is_true(message:lower():find(path:lower() .. ": not a", 1, true) ~= nil
              or message:find("truncated", 1, true) ~= nil
              or message:find("read beyond end of data", 1, true) ~= nil, message)
          end)
        end
      end
    end)
  end

  it("are not named where a file of the right kind is damaged", function()
    for _, kind in ipairs(KINDS) do
      local bytes, _, own = table.unpack(kind)
      if READERS[own] and own ~= "data.csv" then
        child.with_file(bytes, function(path)
          local message = refusal(READERS[own], path)
          assert.is_nil(message:match("; it is " .. kind[2]:match("[^;,]+")), message)
        end)
      end
    end
  end)

  it("are seen through gzip", function()
    local packed = child.shell("printf '\\211PNG\\r\\n\\032\\n' | gzip").out
    child.with_file(packed, function(path)
      local what = "; it is a PNG picture, which image.load reads"
      assert.equal(what, refusal(data.npy, path):match("; it is .*"))
      assert.equal(what, refusal(wrun.load, path):match("; it is .*"))
      assert.equal("; it is compressed with gzip; gunzip it first",
        refusal(data.npz, path):match("; it is .*"))
    end)
  end)

  it("are texts for CSV when a column that is passed over holds odd bytes", function()
    child.with_file("1,\27\1x\n2,y\n", function(path)
      assert.same({ { 1 }, { 2 } }, data.csv(path, { columns = { 1 } }):tolist())
    end)
  end)
end)
