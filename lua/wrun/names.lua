--- Names of wrun's tables: what stands in other files comes when its name is first read; reading an
--- unknown one is an error that says which name is near it.

local core = require "wrun.core"

local M = {}

--- How many letters are put in, left out, changed or swapped with their neighbour between a and b?
function M.distance(a, b)
  local before, last
  local row = {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    before, last, row = last, row, { [0] = i }
    for j = 1, #b do
      local is_same = a:byte(i) == b:byte(j)
      row[j] = math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (is_same and 0 or 1))
      if before and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        row[j] = math.min(row[j], before[j - 2] + 1)
      end
    end
  end
  return row[#b]
end

--- Returns the known name nearest to `name`, the first by the alphabet of those equally near, or
--- nil where more than a third of its letters would have to change.
function M.nearest(name, known)
  local best, least
  for _, candidate in ipairs(known) do
    local distance = M.distance(name:lower(), candidate:lower())
    if distance * 3 <= math.max(#name, 3)
      and (not best or distance < least or distance == least and candidate < best) then
      best, least = candidate, distance
    end
  end
  return best
end

-- The first known name that begins with `name`, where it has at least four letters.
local function longer(name, known)
  table.sort(known)
  for _, candidate in ipairs(#name >= 4 and known or {}) do
    if candidate:sub(1, #name):lower() == name:lower() then
      return candidate
    end
  end
end

-- What PyTorch has under other names, and where it is here.
local OTHERWISE = {
  DataLoader = "wrun.data.loader(set, options)",
  Tensor = "wrun.tensor(list)",
  FloatTensor = "wrun.tensor(list)",
  LongTensor = "wrun.tensor(list):long()",
  as_tensor = "wrun.tensor(list)",
  from_numpy = "wrun.data.npy(path)",
  RBM = "wrun.rbm.new { visible = n, hidden = m }",
  tqdm = "wrun.progress(iterator, count)",
}

--- Refuses a name: "nn: no name 'Liner'; did you mean Linear?"
---@param owner string  what errors call the table
---@param ... table  the tables whose keys are the names there are
function M.refuse(owner, name, ...)
  local known = {}
  for _, names in ipairs { ... } do
    for key in pairs(names) do
      if type(key) == "string" and key:sub(1, 1) ~= "_" then
        known[#known + 1] = key
      end
    end
  end
  local near = type(name) == "string" and #name > 1 and (OTHERWISE[name] or M.nearest(name, known)
    or longer(name, known) or core.methods[name] and ("x:%s()"):format(name))
  core.fail("%s: no name %s%s", owner,
    type(name) == "string" and "'" .. core.escape(name) .. "'" or core.describe(name),
    near and "; did you mean " .. near .. "?" or "")
end

--- What a part of wrun prints as.
---@param owner string
---@return string
function M.text(owner)
  return ("%s: help(%s) lists what is in it"):format(owner, owner)
end

--- Puts the fields of another table into a table, but for those that are there.
function M.fill(t, source)
  for name, value in pairs(source) do
    if rawget(t, name) == nil then
      t[name] = value
    end
  end
end

-- The modules of parts as they were loaded. A host may take them out of package.loaded, as busted
-- does after each file; of a class that two files need there must not be two.
local kept = {}

-- What `require` returns for a module, and for those of its part that it requires, the same always.
local function load_module(file)
  local prefix = file:match("^[%w_]+%.[%w_]+")
  for name, module in pairs(kept[prefix] or {}) do
    package.loaded[name] = package.loaded[name] or module
  end
  local module = require(file)
  kept[prefix] = kept[prefix] or {}
  for name, value in pairs(package.loaded) do
    if type(name) == "string" and name:sub(1, #prefix) == prefix then
      kept[prefix][name] = value
    end
  end
  return module
end

--- Returns load(t, name), which loads files, the first first, until t has the name; without a name
--- all. What could not be loaded is tried again.
---@param files string[]  modules
---@param add fun(module: table)  takes what a file returns
function M.loader(files, add)
  local function load_one(file)
    add(load_module(file))
  end
  return function(t, name)
    while #files > 0 and (name == nil or rawget(t, name) == nil) do
      local file = table.remove(files, 1) -- which may read from t itself
      local ok, message = pcall(load_one, file)
      if not ok then
        table.insert(files, 1, file)
        error(message, 0)
      end
    end
    return rawget(t, name)
  end
end

-- closed table -> what of it nobody has touched: its parts, and what loads its files
local untouched = setmetatable({}, { __mode = "k" })

--- Returns what a closed table has under a name, nil where it has nothing.
function M.find(t, name)
  local parts = untouched[t].parts
  local part = parts[name]
  if part then
    local module = load_module(part[1])
    M.fill(t, { [name] = part[2] and module[part[2]] or module })
    parts[name] = nil
  end
  return rawget(t, name) or untouched[t].load(t, name)
end

--- Iterates over all of a table's fields as `next` does, of a closed one also those still to load.
function M.pairs(t)
  if untouched[t] then
    for name in pairs(untouched[t].parts) do
      M.find(t, name)
    end
    untouched[t].load(t)
  end
  return next, t
end

--- Makes reading an unknown name from a table of functions an error, and returns the table. What
--- stands in other files is loaded when it is first touched; `pairs` walks all there is.
---@param owner string  what errors call the table
---@param parts table<string, string[]>?  name -> its module, and its name in that unless it is it
---@param files string[]|function|nil  modules all of whose names belong here, or what loads them, as
---   `loader` returns it
function M.closed(owner, t, parts, files)
  local load = type(files) == "function" and files or M.loader(files or {}, function(module)
    M.fill(t, module)
  end)
  untouched[t] = { parts = parts or {}, load = load }
  local text = owner == "wrun" and owner or "wrun." .. owner
  return setmetatable(t, {
    __name = text,
    __index = function(_, name)
      local value = M.find(t, name)
      if value == nil then
        M.refuse(owner, name, t)
      end
      return value
    end,
    __pairs = M.pairs,
    __tostring = function()
      return M.text(text)
    end,
  })
end

return M
