--- Loads an image set of the catalogue: finds or fetches it, checks it, returns it as tensors.

local catalog = require "wrun.data.catalog"
local check = require "wrun.check"
local core = require "wrun.core"
local folders = require "wrun.data.folders"
local progress = require "wrun.progress"
local ranks = require "wrun.ranks"
local sets = require "wrun.data.sets"
local wrun = require "wrun"

local fail = check.fail

local M = {}

local SETS = { "fashion_mnist", "mnist" }

local RULES = {
  split = check.optional(check.choice(nil, { "train", "test" })),
  folder = check.optional(check.path()),
  mirror = check.optional(check.string()),
  otherwise = check.optional(check.choice(nil, SETS)),
}
local LOCAL_RULES = { split = RULES.split, folder = RULES.folder } -- of sets without mirrors

-- The uncompressed size, and a little for what compression may add.
local function limit_of(file)
  local size = 4 + 4 * #file.shape
  local elements = 1
  for _, n in ipairs(file.shape) do
    elements = elements * n
  end
  return size + elements + elements // 1000 + 1024
end

-- Fetches one file from the first mirror that serves it; else false and what each mirror answered.
local function fetch(file, mirrors, folder)
  local answers = {}
  for _, mirror in ipairs(mirrors) do
    local name = file.name .. ".gz"
    local bar <close> = progress.bar({ label = name, unit = " MB", scale = 1e6 })
    local ok, message = core.download(mirror .. name, folder .. "/" .. name, {
      sha256 = file.sha256,
      limit = limit_of(file),
      progress = function(done, total)
        bar:update(done, total)
      end,
    })
    if ok then
      return true
    end
    answers[#answers + 1] = message
  end
  return false, table.concat(answers, "\n  ")
end

-- Completes the set in the cache; the location, or nil and why not.
local function download(set, mirrors)
  local folder = folders.cache(set)
  if not folder then
    return nil, "there is no folder to download to: set HOME or XDG_CACHE_HOME"
  end
  local made, message = core.make_folder(folder)
  if not made then
    return nil, message
  end
  local paths = folders.look(set, folder)
  for _, file in ipairs(folders.files(set)) do
    if not paths[file.name] then
      local ok, answers = fetch(file, mirrors, folder)
      if not ok then
        return nil, answers
      end
    end
  end
  return { folder = folder, paths = (folders.look(set, folder)) }
end

local function refuse_folder(set, what, folder, missing)
  local expected = "the files of %s in %s or in its sub-folder %s, plain or as .gz"
  fail("%s: %s: expected %s; missing: %s%s", set.key, what,
    expected:format(set.name, folder, set.folder), table.concat(missing, ", "),
    set.mirrors and "; they are at " .. set.mirrors[1] or "")
end

-- What to do by hand where there are no mirrors, or the machine has no way to them.
local function manual(set, mirrors)
  local lines = { "To put it there by hand, fetch these files:" }
  for _, file in ipairs(folders.files(set)) do
    lines[#lines + 1] = "  " .. (mirrors and mirrors[1] .. file.name .. ".gz" or file.name)
  end
  for i = 2, mirrors and #mirrors or 0 do
    lines[#lines + 1] = "(or those of the same names from " .. mirrors[i] .. ")"
  end
  local cache = folders.cache(set)
  if cache then
    lines[#lines + 1] = "and put them into " .. cache
    lines[#lines + 1] = "or into any folder that the environment variable WRUN_DATA names."
  else
    lines[#lines + 1] = "and put them into a folder that the environment variable WRUN_DATA names."
  end
  if set.package then
    lines[#lines + 1] = "On Debian, `apt-get install " .. set.package .. "` does it too."
  end
  return table.concat(lines, "\n")
end

-- The location of a set, or nil and why it cannot be had. A folder that was named must hold it.
local function locate(set, options)
  if options.folder then
    local location, missing = folders.find(set, options.folder)
    return location or refuse_folder(set, "option folder", options.folder, missing)
  end
  for _, folder in ipairs(folders.usual(set)) do
    local location = folders.find(set, folder)
    if location then
      return location
    end
  end
  if not set.mirrors then
    return nil
  end
  local given = folders.given()
  if given then
    local _, missing = folders.find(set, given)
    refuse_folder(set, "WRUN_DATA", given, missing)
  end
  return download(set, folders.mirrors(set, options.mirror))
end

-- How to replace a bad copy, by where it lies.
local function remedy(set, path, file)
  local folder = path:match("^(.*)/")
  if folder == folders.cache(set) then
    return "delete it, and it is downloaded anew"
  elseif folder == set.installed then
    return "`apt-get install --reinstall " .. set.package .. "` puts it right"
  end
  return "a good copy is at " .. folders.mirrors(set)[1] .. file.name .. ".gz"
end

local function read(set, location, file)
  local path = location.paths[file.name]
  local tensor, message = core.idx_read(set.key, path,
    { sha256 = file.sha256, shape = file.shape })
  if not tensor then
    fail("%s: %s; %s", set.key, message, remedy(set, path, file))
  end
  return tensor
end

---@class wrun.data.Dataset
--- Samples and their classes, as wrun.data.mnist returns them: `#set` says how many, and `set[i]` is
--- the list { x[i], y[i] }. Any table with x (and y) will do for wrun.data.loader.
---@field x wrun.Tensor uint8 [n, 28, 28] or [n, 3, 32, 32], 0 to 255
---@field y wrun.Tensor int64 [n], an index in `classes`
---@field classes string[]
---@field name string
---@field folder string where it came from

local Dataset = sets.Fields:extend("Dataset")

-- "Dataset(MNIST: 60000 samples [28, 28], 10 classes)"
function Dataset:__tostring()
  local sizes = self.x.shape
  local count = table.remove(sizes, 1)
  return ("Dataset(%s: %d samples %s, %d classes)"):format(self.name, count,
    check.shape_text(sizes), #self.classes)
end

-- The pictures and the labels, from 0, in a file of records: a byte of label, then a picture.
local function read_records(set, path)
  local size = 1
  for _, n in ipairs(set.picture) do
    size = size * n
  end
  local records, count = core.records_read(set.key, path, set.most, 1 + size)
  if not records then
    fail("%s: %s", set.key, count)
  end
  records = records:narrow(1, 1, count)
  local labels = records:select(2, 1):to("int64")
  local greatest, where = labels:max(1)
  if greatest:item() >= #set.classes then
    fail("%s: %s: record %d: expected a label from 0 to %d, got %d", set.key, path, where:item(),
      #set.classes - 1, greatest:item())
  end
  return records:narrow(2, 2, size), labels
end

-- The pictures and the labels, from 0, of one split.
local function read_parts(set, location, files)
  if not set.picture then
    return read(set, location, files.x), read(set, location, files.y):to("int64")
  end
  local pictures, labels = {}, {}
  for i, file in ipairs(files) do
    pictures[i], labels[i] = read_records(set, location.paths[file.name])
  end
  return wrun.cat(pictures, 1):reshape(-1, table.unpack(set.picture)), wrun.cat(labels, 1)
end

local function read_split(set, location, split)
  local x, y = read_parts(set, location, set.files[split])
  return Dataset {
    x = x,
    y = y + 1,
    classes = { table.unpack(set.classes) },
    name = set.name,
    folder = location.folder,
  }
end

--- Returns one split of a set, or both (training set first) when the options name none.
--- wrun.data says what the options are and what is raised.
function M.load(set, given)
  local options = check.options(set.key, given, set.mirrors and RULES or LOCAL_RULES)
  local location, reason = locate(set, options)
  if location then
    if options.split then
      return read_split(set, location, options.split)
    end
    return read_split(set, location, "train"), read_split(set, location, "test")
  end
  if not set.mirrors then
    fail("%s: %s is not on this machine, and it is not downloaded\n%s", set.key, set.name,
      manual(set))
  end
  local other = catalog[options.otherwise]
  if other and other ~= set then
    if ranks.is_first() then
      io.stderr:write(("%s cannot be reached: this is %s instead\n"):format(set.name, other.name))
    end
    return M.load(other, { split = options.split })
  end
  fail("%s: %s is not on this machine and cannot be downloaded:\n  %s\n%s", set.key, set.name,
    reason, manual(set, folders.mirrors(set, options.mirror)))
end

return M
