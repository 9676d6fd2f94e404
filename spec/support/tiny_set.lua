--- A tiny image set whose files are made here, as wrun.data.catalog describes one.

local core = require "wrun.core"
local files = require "spec.support.files"
local images = require "wrun.data.images"
local refusal = require "spec.support.refusal"

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

--- Makes each case see a machine without the set (files.machine). Returns the machine, and three
--- functions: put(name, names) puts the files of the set, or those named, into a folder below the
--- machine's root and returns it; load(options) loads the set; refusal(options) is the error of that.
function M.machine(before_each, after_each)
  local machine = files.machine(before_each, after_each)
  before_each(function()
    M.set.installed = machine.root .. "/installed"
  end)
  local function put(name, names)
    local folder = machine.root .. "/" .. name
    core.make_folder(folder)
    for _, base in ipairs(names or NAMES) do
      files.write(folder .. "/" .. base, M.content[base])
    end
    return folder
  end
  local function load(options)
    return images.load(M.set, options)
  end
  return machine, put, load, function(options)
    return refusal(load, options)
  end
end

return M
