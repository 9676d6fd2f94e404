--- Checkpoints: all that a run is in one file, so that a run that is killed goes on to the same bits.
--- A file holds a tree { wrun, kinds, position, parts, generators, seals }: `kinds` says what each
--- part is, `seals` has the SHA-256 of each tensor and of the values of each part.

local check = require "wrun.check"
local core = require "wrun.core"
local method = require "wrun.method"
local ranks = require "wrun.ranks"
local repr = require "wrun.repr"
local save = require "wrun.save"
local unrecorded = require "wrun.unrecorded"

local fail = check.fail

local M = {}

local GENERATOR = getmetatable(core.default_generator)
local DEEPEST = 8 -- objects inside each other in which generators are looked for

-- Parts ----------------------------------------------------------------------

local function is_generator(value)
  return getmetatable(value) == GENERATOR
end

local function has_state(value)
  return type(value) == "table" and check.is_callable(value.state_dict)
    and check.is_callable(value.load_state_dict)
end

-- It has the methods of its objects, and no state.
local function is_class(value)
  return type(value) == "table" and rawget(value, "super") ~= nil
end

local function is_plain(value)
  return type(value) == "table" and getmetatable(value) == nil
end

-- The fields of an object by name, also what a module holds apart; what it says of `pairs` is for
-- its users.
local function fields_of(object)
  local fields = {}
  for _, part in ipairs { object, rawget(object, "_held") or nil } do
    for key, value in next, part do
      fields[key] = value
    end
  end
  fields._held = nil
  return fields
end

-- Adds the generators that an object, and the objects in it, hold: path -> generator.
local function find_generators(found, seen, object, path, depth)
  if is_generator(object) and not seen[object] then
    seen[object], found[path] = true, object
  elseif type(object) == "table" and getmetatable(object) and not seen[object]
    and depth < DEEPEST then
    seen[object] = true
    local fields = fields_of(object)
    for _, key in ipairs(check.sorted_keys(fields)) do
      find_generators(found, seen, fields[key], path .. "." .. tostring(key), depth + 1)
    end
  end
end

-- What a part is, as far as its state must fit it: a module with all its layers, else its class.
local function kind_of(part)
  if is_plain(part) then
    return "a table"
  elseif type(part) == "table" and part.parameters then
    return tostring(part)
  end
  local metatable = getmetatable(part)
  return metatable.__name or "an object"
end

M.PARTS = check.rule(nil, "a table of parts by name", function(value)
  if not is_plain(value) then
    return nil, "a table of parts by name, such as { model = model }"
  end
  for name, part in next, value do
    if type(name) ~= "string" or name:find("[.%c]") then
      return nil, "texts without dots as names of parts"
    elseif is_class(part) then
      return nil, ("an object as %s, where the class %s stands"):format(name, part.__name)
    elseif not (has_state(part) or is_generator(part) or is_plain(part)) then
      return nil, ("what has a state_dict, a generator or a table of values as %s"):format(name)
    end
  end
  return value
end)

-- Reading and writing states -------------------------------------------------

local function state_of(part)
  if is_generator(part) then
    return { state = part:get_state() }
  end
  return is_plain(part) and part or part:state_dict()
end

local function put_state(part, state)
  if is_generator(part) then
    part:set_state(state.state)
  elseif is_plain(part) then
    for key in next, part do
      part[key] = nil
    end
    for key, value in next, state do
      part[key] = value
    end
  else
    part:load_state_dict(state)
  end
end

--- Returns where generators stand: a state for each of a table of them.
---@param generators table<string, wrun.Generator>
---@return table<string, wrun.Tensor>
function M.states(generators)
  local states = {}
  for name, generator in pairs(generators) do
    states[name] = generator:get_state()
  end
  return states
end

--- Sets generators to where they stood.
---@param generators table<string, wrun.Generator>
---@param states table<string, wrun.Tensor>
function M.set_states(generators, states)
  for name, generator in pairs(generators) do
    generator:set_state(states[name])
  end
end

-- The SHA-256 of the values in a tree, under its name, and of each tensor, under its own.
local function add_seals(seals, name, tree)
  local text, names, tensors = save.encode({ [name] = tree })
  seals[name] = core.digest { text }
  for _, tensor_name in ipairs(names) do
    local tensor = tensors[tensor_name]
    seals[tensor_name] = core.digest { check.describe(tensor), unrecorded.contiguous(tensor) }
  end
end

local function seals_of(tree)
  local seals = {}
  for _, name in ipairs { "wrun", "kinds", "position", "generators" } do
    add_seals(seals, name, tree[name])
  end
  for name, state in pairs(tree.parts) do
    add_seals(seals, name, state)
  end
  return seals
end

-- The first line in which two texts differ, of each.
local function first_difference(a, b)
  local next_a, next_b = a:gmatch("[^\n]+"), b:gmatch("[^\n]+")
  local line_a, line_b
  repeat
    line_a, line_b = next_a(), next_b()
  until line_a ~= line_b or line_a == nil
  return (line_a or "no more"):match("^%s*(.*)"), (line_b or "no more"):match("^%s*(.*)")
end

local function refuse(path, ...)
  fail("checkpoint: %s: %s", path, (...):format(select(2, ...)))
end

-- Refuses a file that is not as it was written, or another wrun's.
local function check_seals(path, tree)
  if type(tree.seals) ~= "table" or type(tree.parts) ~= "table" or type(tree.kinds) ~= "table" then
    refuse(path, "is no checkpoint")
  elseif tree.wrun ~= core.version then
    refuse(path, "was written by %s, and this is %s", check.escape(tostring(tree.wrun)),
      core.version)
  end
  local seals = seals_of(tree)
  for _, name in ipairs(check.sorted_keys(tree.seals)) do
    if seals[name] ~= tree.seals[name] then
      refuse(path, "%s is not as it was saved; without this file the run goes on from the one "
        .. "before it", name)
    end
  end
end

-- Refuses a file of other parts.
local function check_parts(self, path, tree)
  for _, name in ipairs(check.sorted_keys(self.parts)) do
    if tree.kinds[name] == nil then
      refuse(path, "has no %s; its parts are %s", name,
        table.concat(check.sorted_keys(tree.kinds), ", "))
    end
    local expected, found = first_difference(kind_of(self.parts[name]), tree.kinds[name])
    if expected ~= found then
      refuse(path, "%s: expected %s, found %s", name, expected, found)
    end
  end
  for _, name in ipairs(check.sorted_keys(tree.kinds)) do
    if self.parts[name] == nil then
      refuse(path, "has a part %s, which this run does not keep", name)
    end
  end
  for _, name in ipairs(check.sorted_keys(self.generators)) do
    if tree.generators[name] == nil then
      refuse(path, "has no state of the generator %s", name)
    end
  end
end

-- Tables copied, and the tensors in them.
local function copy(value)
  if check.is_tensor(value) then
    return value:detach():clone()
  elseif type(value) ~= "table" then
    return value
  end
  local result = {}
  for key, inner in pairs(value) do
    result[key] = copy(inner)
  end
  return result
end

-- The folder -----------------------------------------------------------------

---@class wrun.Checkpoint
---@field folder string
---@field parts table<string, table> what is saved and loaded
--- The checkpoints of a run, made by `wrun.checkpoint`.
local Checkpoint = method.object("Checkpoint")

-- The numbers of the files that are there, in order.
local function numbers_of(self)
  local numbers = {}
  for _, name in ipairs(core.folder_names(self.folder) or {}) do
    numbers[#numbers + 1] = math.tointeger(tonumber(name:match("^(%d+)%.safetensors$")))
  end
  table.sort(numbers)
  return numbers
end

local function path_of(self, number)
  return ("%s/%06d.safetensors"):format(self.folder, number)
end

-- The path and the tree of what was saved last, as it was written; nil where nothing was.
local function newest(self)
  local found = ranks.from_first("checkpoint", function()
    local numbers = numbers_of(self)
    if #numbers == 0 then
      return {}
    end
    local path = path_of(self, numbers[#numbers])
    local read, tree = pcall(save.load, path)
    if not read then
      fail("checkpoint: %s", (tostring(tree):gsub("^.-load: ", "")))
    end
    check_seals(path, tree)
    return { path = path, tree = tree }
  end)
  return found.path, found.tree
end

--- Returns the position that `save` was given last, and loads nothing; nil where nothing was saved.
--- raises  as load, but for the parts
---     local folder = os.tmpname() .. ".run"
---     local checkpoint = wrun.checkpoint(folder, {})
---     checkpoint:save { epoch = 3 }
---     print(checkpoint:position().epoch, os.execute("rm -r " .. folder))
---@return table? position
function Checkpoint:position()
  local _, tree = newest(self)
  return tree and repr.record("Position", tree.position)
end

-- Writes a tree to a new file, whose path it returns, and removes all but the last few.
local function write(self, tree)
  tree.seals = seals_of(tree)
  local made, message = core.make_folder(self.folder)
  if not made then
    fail("checkpoint: %s", message)
  end
  local numbers = numbers_of(self)
  local path = path_of(self, (numbers[#numbers] or 0) + 1)
  local written
  written, message = pcall(save.save, path, tree)
  if not written then
    fail("checkpoint: %s; what was saved before stays", (tostring(message):gsub("^.-save: ", "")))
  end
  for i = 1, #numbers + 1 - self.keep do
    os.remove(path_of(self, numbers[i]))
  end
  return path
end

--- Writes all parts, every generator in them, the default generator, and a position, a table of
--- values of one's own, to a new file, and then removes all but the last few. Several ranks call it
--- together, and the first writes; the file does not say how many there are.
--- domain  numbers, booleans, texts, tensors, and tables of these
--- raises  `checkpoint: PATH: ...` when it cannot be written; the files before it are then untouched
---     local folder, model = os.tmpname() .. ".run", nn.Linear(2, 1)
---     local checkpoint = wrun.checkpoint(folder, { model = model })
---     checkpoint:save { epoch = 3 }
---     print(checkpoint:load().epoch, os.execute("rm -r " .. folder))
---@param position table?
---@return string path
function Checkpoint:save(position)
  check.argument("save", 1, position, check.table({}))
  local tree = {
    wrun = core.version, position = position or {}, kinds = {}, parts = {},
    generators = M.states(self.generators),
  }
  for _, name in ipairs(check.sorted_keys(self.parts)) do -- in one order on all ranks
    local part = self.parts[name]
    tree.kinds[name], tree.parts[name] = kind_of(part), state_of(part)
  end
  return ranks.from_first("checkpoint", function()
    return write(self, tree)
  end)
end

--- Loads what `save` wrote last into the parts, sets the generators, and returns the position; nil
--- where nothing was saved.
--- domain  on an error the parts are as they were
--- raises  `checkpoint: PATH: ...`: is no checkpoint, was written by another version of wrun, is not
---   as it was saved, or is of other parts, with the first difference
---     local folder, model = os.tmpname() .. ".run", nn.Linear(2, 1)
---     local checkpoint = wrun.checkpoint(folder, { model = model })
---     print(checkpoint:load())
---@return table? position
function Checkpoint:load()
  local path, tree = newest(self)
  if not path then
    return nil
  end
  check_parts(self, path, tree)
  local before = {}
  for _, name in ipairs(check.sorted_keys(self.parts)) do
    before[name] = copy(state_of(self.parts[name]))
  end
  for _, name in ipairs(check.sorted_keys(self.parts)) do
    local ok, message = pcall(put_state, self.parts[name], tree.parts[name])
    if not ok then
      for other, state in pairs(before) do
        pcall(put_state, self.parts[other], state)
      end
      fail("checkpoint: %s: %s: %s", path, name, (tostring(message):gsub("^[^\n:]*:%d+: ", "")))
    end
  end
  M.set_states(self.generators, tree.generators)
  return repr.record("Position", tree.position)
end

--- Adds parts to those that are saved and loaded.
--- domain  as for `wrun.checkpoint`
--- raises  `add: argument 1: expected`
---     local checkpoint = wrun.checkpoint("run", {})
---     checkpoint:add { model = nn.Linear(2, 1) }
---     print(checkpoint)
---@param parts table<string, table|wrun.Generator>
function Checkpoint:add(parts)
  check.argument("add", 1, parts, M.PARTS)
  for name, part in next, parts do
    self.parts[name] = part
  end
  local generators, seen = { default = core.default_generator }, {}
  seen[core.default_generator] = true
  for _, name in ipairs(check.sorted_keys(self.parts)) do
    find_generators(generators, seen, self.parts[name], name, 0)
  end
  for name, generator in pairs(self.watched) do
    find_generators(generators, seen, generator, name, 0)
  end
  self.generators = generators
end

-- Keeps the generators of an object too that has no state of its own, such as a loader.
function Checkpoint:_watch(name, object)
  self.watched[name] = object
  self:add({})
end

-- "Checkpoint(runs/demo/checkpoints: model, optimizer)"
function Checkpoint:__tostring()
  return check.escape(("Checkpoint(%s: %s)"):format(self.folder,
    table.concat(check.sorted_keys(self.parts), ", ")))
end

local OPTIONS = { keep = check.integer(2, 1) }

--- Returns the checkpoints of a run in a folder, for a loop of one's own; `wrun.experiment` has them
--- made by itself.
--- domain  parts: by name, what has state_dict and load_state_dict, as models, optimisers,
---   schedulers, trainers of RBMs and chains do, generators, and tables of values of one's own.
---   Generators inside of them, and the default one, are kept too. Option keep: how many files stay
---   (2)
--- raises  `checkpoint: argument 2: expected`
---     local folder, model = os.tmpname() .. ".run", nn.Linear(2, 1)
---     local optimizer = optim.SGD(model:parameters(), { lr = 0.1 })
---     local checkpoint = wrun.checkpoint(folder, { model = model, optimizer = optimizer })
---     local done = checkpoint:load() or { epoch = 0 }
---     for epoch = done.epoch + 1, 3 do
---       checkpoint:save { epoch = epoch }
---     end
---     print(checkpoint:load().epoch, os.execute("rm -r " .. folder))
---@param parts table<string, table|wrun.Generator>
---@param options { keep: integer }?
---@return wrun.Checkpoint
function M.checkpoint(folder, parts, options)
  check.argument("checkpoint", 1, folder, check.path())
  check.argument("checkpoint", 2, parts, M.PARTS)
  local o = check.options("checkpoint", options, OPTIONS)
  local checkpoint = setmetatable({
    folder = folder, keep = o.keep, parts = {}, watched = {}, generators = {},
  }, Checkpoint)
  checkpoint:add(parts)
  return checkpoint
end

return M
