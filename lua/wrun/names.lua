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

-- What PyTorch and NumPy have under other names, and where it is here.
local OTHERWISE = {
  DataLoader = "wrun.data.loader(set, options)",
  Dataset = "wrun.data.TensorDataset(x, y)",
  Dense = "nn.Linear(inputs, outputs)",
  FloatTensor = "wrun.tensor(list)",
  LongTensor = "wrun.tensor(list):long()",
  RBM = "wrun.rbm.new { visible = n, hidden = m }",
  Swish = "nn.SiLU()",
  Tensor = "wrun.tensor(list)",
  Variable = "wrun.tensor(list, { requires_grad = true })",
  absolute = "x:abs()",
  array = "wrun.tensor(list)",
  as_tensor = "wrun.tensor(list)",
  average = "x:mean()",
  clip = "x:clamp(least, most)",
  concat = "wrun.cat(list)",
  concatenate = "wrun.cat(list)",
  divide = "x / y",
  dropout = "nn.Dropout { p = 0.5 }",
  from_numpy = "wrun.data.npy(path)",
  hist = "x:histc()",
  identity = "wrun.eye(n)",
  inf = "math.huge",
  inference_mode = "wrun.no_grad(f)",
  loadtxt = "wrun.data.csv(path)",
  mod = "x % y",
  multiply = "x * y",
  nan = "0 / 0",
  newaxis = "x:unsqueeze(dimension)",
  permutation = "wrun.randperm(n)",
  pi = "math.pi",
  power = "x ^ y",
  random = "wrun.rand(sizes)",
  ravel = "x:flatten()",
  read_csv = "wrun.data.csv(path)",
  savez = "wrun.data.save_npz(path, arrays)",
  set_grad_enabled = "wrun.no_grad(f)",
  set_seed = "wrun.manual_seed(n)",
  subtract = "x - y",
  tqdm = "wrun.progress(iterator, count)",
}
for _, dtype in ipairs { "bool", "uint8", "int32", "int64", "float32", "float64" } do
  OTHERWISE[dtype] = ("{ dtype = '%s' }"):format(dtype)
end

-- What PyTorch has and wrun has not, by a pattern of its names.
local PROCESSOR = "wrun computes on the processor alone"
local OWN_LAYER = "; nn.Module:extend(name) makes a layer of one's own"
local ABSENT = {
  ["^[Cc]onv"] = "wrun has no convolutions" .. OWN_LAYER,
  ["[Pp]ool%dd$"] = "wrun has no pooling" .. OWN_LAYER,
  ["^LSTM"] = "wrun has no recurrent layers" .. OWN_LAYER,
  ["^GRU"] = "wrun has no recurrent layers" .. OWN_LAYER,
  ["^RNN"] = "wrun has no recurrent layers" .. OWN_LAYER,
  ["^Transformer"] = "wrun has no attention" .. OWN_LAYER,
  ["Attention$"] = "wrun has no attention" .. OWN_LAYER,
  ["^cuda$"] = PROCESSOR,
  ["^device$"] = PROCESSOR,
  ["Parallel$"] = PROCESSOR,
  ["^compile$"] = "operations run as they are written",
  ["^jit$"] = "operations run as they are written",
}

local FIGURE = "write plot.Figure {}:line(values):save(path)"
local CONFUSION = "write metrics.confusion(names), which has precision, recall and f1"

-- the same in one part
local ABSENT_IN = {
  wrun = {
    check = "write require \"wrun.check\"",
    testing = "write require \"wrun.testing\"",
    profile = "write wrun --profile script.lua in the shell",
  },
  plot = { plot = FIGURE, show = FIGURE, figure = FIGURE, subplots = FIGURE, savefig = FIGURE },
  metrics = {
    f1 = CONFUSION, f1_score = CONFUSION, precision = CONFUSION, recall = CONFUSION,
    confusion_matrix = CONFUSION,
  },
}

local function absent(owner, name)
  if ABSENT_IN[owner] and ABSENT_IN[owner][name] then
    return ABSENT_IN[owner][name]
  end
  for pattern, text in pairs(ABSENT) do
    if name:find(pattern) then
      return text
    end
  end
end

-- the parts of wrun in which a name is looked for
local PARTS = {
  "nn", "optim", "data", "rbm", "linalg", "autograd", "optim.lr_scheduler", "nn.init",
  "nn.functional", "nn.utils", "image",
}

-- The name in a part of wrun that is below this one.
local function below(owner, name)
  for _, path in ipairs(PARTS) do
    if owner == "wrun" or path:find(owner .. ".", 1, true) == 1 then
      local part = package.loaded["wrun"]
      for step in path:gmatch("[^.]+") do
        part = part[step]
      end
      for other in pairs(part) do
        if other == name then
          return "wrun." .. path .. "." .. name
        end
      end
    end
  end
end

--- Returns the known name that is near to `name`, or begins with it, or nil.
---@param known string[]
---@return string?
function M.near(name, known)
  return M.nearest(name, known) or longer(name, known)
end

-- what lists the names of a table, where it is not help of the part of wrun
local LISTS = { wrun = "wrun.help(wrun)", tensor = "wrun.help('Tensor')" }

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
  local is_word = type(name) == "string" and #name > 1
  local remedy = is_word and absent(owner, name)
  local near = not remedy and is_word and (OTHERWISE[name] or below(owner, name))
  near = near or not remedy and is_word and (M.near(name, known)
    or core.methods[name] and ("x:%s()"):format(name))
  core.fail("%s: no name %s; %s", owner,
    type(name) == "string" and "'" .. core.escape(name) .. "'" or core.describe(name),
    near and "did you mean " .. near .. "?" or remedy
      or (LISTS[owner] or ("wrun.help(wrun.%s)"):format(owner)) .. " lists those there are")
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
    if type(name) == "string" and name:find(prefix, 1, true) == 1 then
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
