--- Where image sets lie on this machine.
--- A set is there when all its files are, each plain or as .gz, so that its splits never come from
--- different folders. `set` is an entry of catalog.lua.

local M = {}

local NO_SUCH_FILE, NOT_A_FOLDER = 2, 20 -- errno of io.open

-- A file that is there but cannot be opened counts: reading it says why.
local function exists(path)
  local file, _, errno = io.open(path, "rb")
  if file then
    file:close()
  end
  return file ~= nil or (errno ~= NO_SUCH_FILE and errno ~= NOT_A_FOLDER)
end

local function environment(name)
  local value = os.getenv(name)
  if value ~= "" then
    return value
  end
end

--- Returns every file of a set, in the order in which people list them.
function M.files(set)
  local list = {}
  for _, split in ipairs({ set.files.train, set.files.test }) do
    for _, file in ipairs(split.x and { split.x, split.y } or split) do
      list[#list + 1] = file
    end
  end
  return list
end

--- Returns the paths of a set's files that lie right in `folder`, by the files' names, and the names
--- of the missing.
function M.look(set, folder)
  local paths, missing = {}, {}
  for _, file in ipairs(M.files(set)) do
    local plain = folder .. "/" .. file.name
    local packed = plain .. ".gz"
    paths[file.name] = exists(plain) and plain or exists(packed) and packed or nil
    if not paths[file.name] then
      missing[#missing + 1] = file.name
    end
  end
  return paths, missing
end

--- Returns where in a data folder a set lies, { folder =, paths = }: in the set's own sub-folder or
--- right there. Where neither holds all files, nil and the names that the better of the two lacks.
function M.find(set, folder)
  local fewest
  for _, candidate in ipairs({ folder .. "/" .. set.folder, folder }) do
    local paths, missing = M.look(set, candidate)
    if #missing == 0 then
      return { folder = candidate, paths = paths }
    elseif not fewest or #missing < #fewest then
      fewest = missing
    end
  end
  return nil, fewest
end

--- Returns the data folder that the environment names, nil when it names none.
function M.given()
  return environment("WRUN_DATA")
end

--- Returns the folder that holds a set's downloads, nil when there is no home to put it in.
function M.cache(set)
  local base = environment("XDG_CACHE_HOME")
  if base and base:sub(1, 1) == "/" then -- the XDG specification ignores relative ones
    return base .. "/wrun/" .. set.folder
  end
  local home = environment("HOME")
  return home and home .. "/.cache/wrun/" .. set.folder
end

--- Returns the folders to look in for a set when the script names none.
function M.usual(set)
  local folders = {}
  folders[1] = M.given()
  folders[#folders + 1] = M.cache(set)
  folders[#folders + 1] = set.installed
  return folders
end

--- Returns the addresses of the folders that serve a set: `mirror`, the environment's, or its own.
function M.mirrors(set, mirror)
  mirror = mirror or environment(set.mirror_variable)
  if not mirror then
    return set.mirrors
  end
  return { mirror:sub(-1) == "/" and mirror or mirror .. "/" }
end

return M
