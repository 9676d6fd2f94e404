--- A tiny image set whose files are made here, as wrun.data.catalog describes one.

local core = require "wrun.core"
local files = require "spec.support.files"

local M = {}

local NAMES = { "train-i", "train-l", "test-i", "test-l" }

--- The bytes of each file.
M.content = {
  ["train-i"] = files.idx(8, { 3, 2, 2 }, "abcdefghijkl"),
  ["train-l"] = files.idx(8, { 3 }, "\1\0\1"),
  ["test-i"] = files.idx(8, { 1, 2, 2 }, "mnop"),
  ["test-l"] = files.idx(8, { 1 }, "\0"),
}

local function file(name, shape)
  return { name = name, shape = shape, sha256 = files.sha256(M.content[name]) }
end

M.set = {
  name = "Tiny",
  key = "tiny",
  folder = "tiny-set",
  mirrors = { "http://127.0.0.1:1/first/", "http://127.0.0.1:1/second/" },
  mirror_variable = "WRUN_TINY_MIRROR",
  package = "dataset-tiny",
  classes = { "no", "yes" },
  files = {
    train = { x = file("train-i", { 3, 2, 2 }), y = file("train-l", { 3 }) },
    test = { x = file("test-i", { 1, 2, 2 }), y = file("test-l", { 1 }) },
  },
}

--- Puts the files of the set, or those named, into a folder, and returns the folder.
function M.put(folder, names)
  core.make_folder(folder)
  for _, base in ipairs(names or NAMES) do
    files.write(folder .. "/" .. base, M.content[base])
  end
  return folder
end

return M
