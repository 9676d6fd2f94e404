--- Experiments: runs that keep what they are and what they learn in a folder, and survive anything.
--- The folder of a run, `runs/NAME/`:
---
---     manifest.json   JSON: `name`, `seed`, `options`, `script` { path, sha256 }, `data` (SHA-256 by
---                     name), `wrun`, `lua`, `blas`, `threads`, `status` ("running", which a killed
---                     run stays, "stopped by SIGINT", "failed" or "finished"), `started` and
---                     `changed` (UTC), `sessions` (how often it was started), `seconds` of the loop
---     log.jsonl       a line of JSON an epoch: `epoch`, `seconds`, and what `add` and `set` gave
---     checkpoints/    000012.safetensors ..., the last few; lua/wrun/checkpoint.lua says what is in
---                     them
---     lock            the process that has the folder, while it runs
---
--- Pictures, and what else a script keeps, lie beside these: `run:path("loss.png")`.
---
--- A step of the loop may be the last of a process, so what is saved is where the loop stands: the
--- number of epochs done and, within one, of batches done and where the generators stood when it
--- began. To go on, they are set back there, the order of the pass is drawn again, so many batches
--- are left out, and then the generators are set to where they stood when it was saved.

local bars = require "wrun.progress"
local check = require "wrun.check"
local checkpoints = require "wrun.checkpoint"
local core = require "wrun.core"
local lock = require "wrun.lock"
local logbook = require "wrun.logbook"
local method = require "wrun.method"
local ranks = require "wrun.ranks"
local save = require "wrun.save"
local sources = require "wrun.sources"
local signals = package.preload["wrun.signals"] and require "wrun.signals"
local wrun = require "wrun"

local fail = check.fail

local M = {}

---@class wrun.Experiment
---@field name string
---@field folder string where all that the run keeps lies
---@field seed integer
---@field options table
---@field rows table[] the rows of the log, one an epoch
---@field epoch integer epochs that are done
---@field values table of one's own, saved with the run
--- A run that keeps itself, made by `wrun.experiment`.
local Experiment = method.object("Experiment")
local LOG = "write run:add { loss = loss } for a mean over the epoch, run:set { loss = loss } else"
Experiment._habits = {
  log = LOG,
  write = LOG,
  log_metric = LOG,
  save = "a run saves what run:keep names; write wrun.save(run:path(name), table) for more",
  load = "a run goes on from what run:keep names",
  finish = "write run:close()",
}

-- Manifest -------------------------------------------------------------------

local function read_text(path)
  local file = io.open(path, "rb")
  local text = file and file:read("a")
  if file then
    file:close()
  end
  return text
end

local function write_text(path, text)
  local ok, message = core.text_save(path, text)
  if not ok then
    fail("experiment: %s", message)
  end
end

local function now()
  return os.date("!%Y-%m-%dT%H:%M:%SZ")
end

local function write_manifest(self, status)
  if not self.folder or not ranks.is_first() then
    return
  end
  local manifest = self._manifest
  manifest.status, manifest.changed, manifest.seconds = status, now(), self._seconds
  local lines = {}
  for i, name in ipairs(check.sorted_keys(manifest)) do
    lines[i] = ('  "%s": %s'):format(name, (save.encode({ manifest[name] })):sub(2, -2))
  end
  write_text(self:path("manifest.json"), "{\n" .. table.concat(lines, ",\n") .. "\n}\n")
end

--- Returns the manifest of a run's folder, and the rows of its log.
--- raises  `experiment: PATH: No such file or directory`
---     local folder = os.tmpname() .. ".run"
---     wrun.experiment({ name = "demo", folder = folder }):close()
---     print(require("wrun.experiment").read(folder).name, os.execute("rm -r " .. folder))
---@param folder string
---@return table manifest
---@return table[] rows
function M.read(folder)
  local path = folder .. "/manifest.json"
  local file, message = io.open(path, "rb")
  if not file then
    fail("experiment: %s", message)
  end
  file:close()
  local rows = {}
  for line in (read_text(folder .. "/log.jsonl") or ""):gmatch("([^\n]*)\n") do
    rows[#rows + 1] = save.decode(folder .. "/log.jsonl", line)
  end
  return save.decode(path, read_text(path)), rows
end

-- The script that runs, and the SHA-256 of its text.
local function script()
  local path = type(arg) == "table" and arg[0]
  local text = type(path) == "string" and (read_text(path) or sources.script(path))
  return { path = path or nil, sha256 = text and core.digest { text } or nil }
end

-- The path and the two values where two trees of values first differ, or nil.
local function difference(a, b, path)
  if type(a) ~= "table" or type(b) ~= "table" then
    if a ~= b then
      return path, a, b
    end
    return nil
  end
  local keys = {}
  for _, t in ipairs { a, b } do
    for key in pairs(t) do
      keys[key] = true
    end
  end
  for _, key in ipairs(check.sorted_keys(keys)) do
    local where, x, y = difference(a[key], b[key], path .. "." .. tostring(key))
    if where then
      return where, x, y
    end
  end
end

local function shown(value)
  return value == nil and "none" or check.describe(value)
end

-- Refuses to go on with a run that was begun otherwise.
local function check_same(self, before, fields)
  for _, field in ipairs(fields) do
    local where, old, new = difference(before[field], self._manifest[field], field)
    if where then
      fail("experiment: %s: was begun with %s %s, and this is %s; give this run another name, or "
        .. "remove the folder", self.folder, where, shown(old), shown(new))
    end
  end
end

-- Opening --------------------------------------------------------------------

-- A table as it comes back from a manifest.
local function plain(options)
  local ok, text, tensors = pcall(save.encode, options)
  if not ok or #tensors > 0 then
    fail("experiment: option options: expected a table of numbers, booleans, texts and tables of "
      .. "these, got one with %s", ok and "tensors" or text:match("got (.*)"))
  end
  return save.decode("options", text)
end

-- The manifest of a run that has saved something in the folder, or nil.
local function manifest_before(self)
  local names = core.folder_names(self:path("checkpoints"))
  return names and #names > 0 and read_text(self:path("manifest.json"))
    and M.read(self.folder) or nil
end

-- Takes the folder, and returns the manifest of the run, and the seconds that it has taken before.
local function take_folder(self, o)
  self._lock = lock("experiment", "run", self.folder)
  local before = manifest_before(self)
  self._manifest = {
    name = o.name, seed = o.seed, options = plain(o.options), script = script(),
    wrun = core.version, lua = _VERSION, blas = core.blas_text(),
    threads = core.get_num_threads(), data = before and before.data or {},
    results = before and before.results or {},
    sessions = 1 + (before and before.sessions or 0), started = before and before.started or now(),
  }
  if before then
    self._seconds = before.seconds
    local same, message = pcall(check_same, self, before, { "seed", "options" })
    if not same then
      self:close()
      error(message, 0)
    end
  end
  write_manifest(self, "running")
  return { manifest = self._manifest, seconds = self._seconds }
end

local function open_folder(self, o)
  self._checkpoint = checkpoints.checkpoint(self:path("checkpoints"), {}, { keep = o.keep })
  local taken = ranks.from_first("experiment", function()
    return take_folder(self, o)
  end)
  self._manifest, self._seconds = taken.manifest, taken.seconds
end

local NAME = check.rule(nil, "a name of letters, digits, - and _", function(value)
  return type(value) == "string" and value:find("^[%w_][%w_.-]*$") and value or nil
end)

local RULES = {
  name = NAME,
  seed = check.integer(1),
  options = check.table({}),
  folder = check.optional(check.path()),
  keeps = check.boolean(true),
  every = check.number(10, 0),
  keep = check.integer(2, 1),
}

--- Opens the folder of a run, `runs/NAME/`, seeds the default generator, and returns the run.
--- Started again, it goes on where it was, to the very bits of a run that never stopped: two lines,
--- this one and `run:keep`, around a loop by `run:loop`.
--- Options:
---   name     of the run
---   seed     of every random draw (1)
---   options  what else the run follows, a table of values ({})
---   folder   where all of it lies ("runs/NAME")
---   keeps    whether anything is written at all (true)
---   every    seconds between two checkpoints (10); 0 saves after each step
---   keep     how many checkpoints stay (2)
--- domain  one process at a time; the folder is made where there is none
--- raises  `experiment: PATH: ...`: cannot be written; is in use; was begun with other options
---     local folder, model = os.tmpname() .. ".run", nn.Linear(3, 1)
---     local optimizer = optim.SGD(model:parameters(), { lr = 0.1 })
---     local loader = data.loader({ x = wrun.rand(6, 3) }, { batch_size = 2 })
---     local run <close> = wrun.experiment { name = "demo", seed = 7, folder = folder }
---     run:keep { model = model, optimizer = optimizer }
---     for epoch, batches in run:loop(3, loader) do
---       for x in batches do
---         optimizer:zero_grad()
---         local loss = model(x):square():mean()
---         loss:backward()
---         optimizer:step()
---         run:add { loss = loss }
---       end
---     end
---     print(run, run.rows[3].loss < run.rows[1].loss, os.execute("rm -r " .. folder))
---@param given table
---@return wrun.Experiment
function M.experiment(given)
  local o = check.options("experiment", given, RULES)
  local self = setmetatable({
    name = o.name, seed = o.seed, options = o.options, every = o.every, rows = {}, epoch = 0,
    folder = o.keeps and (o.folder or "runs/" .. o.name) or nil, values = {},
    _loops = 0, _seconds = 0, _parts = {},
  }, Experiment)
  wrun.manual_seed(o.seed)
  self._manifest = { results = {}, data = {} }
  if not self.folder then
    return self
  end
  open_folder(self, o)
  return self
end

--- Returns the path of a file in the run's folder, for pictures and what else is to lie there.
--- domain  the file need not be there
--- raises  `path: expected a run with a folder`
---     local folder = os.tmpname() .. ".run"
---     local run <close> = wrun.experiment { name = "demo", folder = folder }
---     print(run:path("loss.png"), os.execute("rm -r " .. folder))
---@return string
function Experiment:path(name)
  check.argument("path", 1, name, check.path())
  if not self.folder then
    fail("path: expected a run with a folder, and this one keeps nothing")
  end
  return self.folder .. "/" .. name
end

--- Says what the run is made of: what is saved, and loaded when it is started again.
--- domain  parts by name, as for `wrun.checkpoint`; before the loop
--- raises  as wrun.checkpoint
---     local run = wrun.experiment { name = "demo", keeps = false }
---     run:keep { model = nn.Linear(2, 1) }
---     print(run)
---@param parts table<string, table|wrun.Generator>
function Experiment:keep(parts)
  for name, part in next, check.argument("keep", 1, parts, checkpoints.PARTS) do
    self._parts[name] = part
  end
end

-- Where the loop stands ------------------------------------------------------

-- Ends the script for a signal: the command makes its status of the field.
local Stop = {
  __name = "Stop",
  __tostring = function(stop)
    return stop.text
  end,
}

local function stop(self, name, number)
  save.last_path = nil -- this says it better
  local done = self._done and (" after %d batches of epoch %d"):format(self._done, self.epoch + 1)
    or (" after epoch %d"):format(self.epoch)
  self._is_stopped = true
  write_manifest(self, "stopped by " .. name)
  error(setmetatable({
    signal = number,
    text = ("stopped by %s%s%s"):format(name, done, self.folder
      and ("; started again, %s goes on from there"):format(check.escape(self.folder)) or ""),
  }, Stop), 0)
end

local function save_state(self, is_over)
  local seconds = core.clock()
  self._seconds, self._since = self._seconds + seconds - self._since, seconds
  if self._checkpoint then
    self._checkpoint:save {
      loop = self._loops, epoch = self.epoch, batches = self._done, begun = self._begun,
      means = self._means, set = self._set, rows = #self.rows, seconds = self._seconds,
      values = self.values, is_over = is_over,
    }
  end
  self._saved = core.clock()
end

-- The signal that asks the script to end, its name and number, or nil.
local function caught()
  if signals then
    return signals.caught()
  end
end

-- Between two steps: saves when it is time to, and ends where the script is told to.
local function boundary(self)
  local name, number = caught()
  local is_due = name ~= nil or core.clock() - self._saved >= self.every
  name, number, is_due = ranks.decide(name, number, is_due)
  if is_due then
    save_state(self)
  end
  if name then
    stop(self, name, number)
  end
end

-- The rows of the log up to those that the checkpoint knows; later ones will come again.
local function load_rows(self, count)
  local path = self:path("log.jsonl")
  local lines, rows = {}, {}
  for line in (read_text(path) or ""):gmatch("[^\n]*\n") do
    if #lines < count then
      lines[#lines + 1] = line
      rows[#rows + 1] = save.decode(path, line:sub(1, -2))
    end
  end
  write_text(path, table.concat(lines))
  return rows
end

-- Takes over what was saved last, where that is of this loop, and returns its position.
local function load_state(self)
  local position = self._checkpoint:position()
  if not position or position.loop ~= self._loops then
    return position
  end
  self._checkpoint:load()
  self.epoch, self._done, self._begun = position.epoch, position.batches, position.begun
  self._means, self._set, self._seconds = position.means, position.set, position.seconds
  for name, value in pairs(position.values) do
    self.values[name] = value
  end
  return position
end

-- Values ---------------------------------------------------------------------

local function number_of(fname, name, value)
  if check.is_tensor(value) and value:numel() == 1 then
    value = value:item()
  end
  if type(value) ~= "number" then
    fail("%s: field %s: expected a number or a tensor of one element, got %s", fname,
      tostring(name), check.describe(value))
  end
  return value
end

-- Refuses names that no log has.
local function check_names(fname, values)
  check.argument(fname, 1, values, check.table())
  for name in pairs(values) do
    if type(name) ~= "string" or not utf8.len(name) or name:find("%c") or name == "" then
      fail("%s: argument 1: expected texts as names, got %s", fname, check.describe(name))
    end
  end
end

local function mean_of(sum)
  return sum.total / sum.weight
end

--- Returns the mean of what `add` was given in this epoch.
--- domain  in the body of a loop
--- raises  `mean: argument 1: expected a name that add was given in this epoch`
---     local run = wrun.experiment { name = "demo", keeps = false }
---     for _ in run:loop(1) do
---       for step = 1, 4 do run:add { loss = 1 / step } end
---       print(run:mean("loss"))
---     end
---@return number
function Experiment:mean(name)
  check.argument("mean", 1, name, check.string())
  local sum = self._means and self._means[name]
  return sum and mean_of(sum)
    or fail("mean: argument 1: expected a name that add was given in this epoch, got %s",
      check.describe(name))
end

--- Adds values of a step to their running means over the epoch, which the bar shows and the log
--- keeps.
--- shapes  tensors of one element
--- domain  by name, also numbers; `weight` is what they count (1), such as the size of the batch
--- raises  `add: field NAME: expected a number`
---     local run = wrun.experiment { name = "demo", keeps = false }
---     for _ in run:loop(1) do
---       run:add { loss = 1 }
---       run:add { loss = 2 }
---     end
---     print(run.rows[1].loss) -- 1.5
---@param values table<string, number|wrun.Tensor>
---@param weight number?
function Experiment:add(values, weight)
  check_names("add", values)
  weight = check.argument("add", 2, weight, check.positive(1))
  if not self._means then
    fail("add: expected inside of a loop, as its means are an epoch's; set is for other values")
  end
  for name, value in pairs(values) do
    local sum = self._means[name] or { total = 0.0, weight = 0 }
    sum.total = sum.total + weight * number_of("add", name, value)
    sum.weight = sum.weight + weight
    self._means[name] = sum
  end
end

--- Sets values of the epoch, which the log keeps, such as what a test at its end has shown; after
--- the loop those of the whole run, `results` in the manifest.
--- shapes  tensors of one element
--- domain  by name, also numbers, texts and booleans
--- raises  `set: field NAME: expected`
---     local run = wrun.experiment { name = "demo", keeps = false }
---     for _ in run:loop(2) do run:set { accuracy = 0.5 } end
---     print(#run.rows, run.rows[2].accuracy) -- 2  0.5
---@param values table<string, any>
function Experiment:set(values)
  check_names("set", values)
  local target = self._set or self._manifest.results
  for name, value in pairs(values) do
    local is_plain = type(value) == "string" or type(value) == "boolean"
    target[name] = is_plain and value or number_of("set", name, value)
  end
  if not self._set then
    write_manifest(self, self._manifest.status)
  end
end

--- Returns a column of the log: the values of one name, epoch by epoch.
--- shapes  -> [rows] float64
--- domain  NaN where a row has none
--- raises  `column: argument 1: expected a name that a row of the log has`
---     local run = wrun.experiment { name = "demo", keeps = false }
---     for epoch in run:loop(2) do run:set { loss = 1 / epoch } end
---     print(run:column("loss"))
---@return wrun.Tensor
function Experiment:column(name)
  check.argument("column", 1, name, check.string())
  local values, has_one = {}, false
  for i, row in ipairs(self.rows) do
    values[i] = type(row[name]) == "number" and row[name] or 0 / 0
    has_one = has_one or row[name] ~= nil
  end
  if not has_one then
    fail("column: argument 1: expected a name that a row of the log has, got %s",
      check.describe(name))
  end
  return wrun.tensor(values, { dtype = "float64" })
end

-- The loop -------------------------------------------------------------------

-- What the iterator of a loop knows, and what ends it: its last epoch, a break, or an error.
local Loop = { __name = "Loop" }

function Loop:__tostring()
  return ("Loop(%d epochs)"):format(self.epochs)
end

local function begin_epoch(self, loop)
  self._means, self._set, self._done = self._means or {}, self._set or {}, self._done
  if self._begun then -- in the middle of it
    checkpoints.set_states(loop.generators, self._begun)
  else
    self._begun = checkpoints.states(loop.generators)
  end
  loop.bar = bars.bar {
    label = ("epoch %d/%d"):format(self.epoch + 1, loop.epochs),
    count = loop.source and #loop.source, first = self._done or 0,
  }
end

local function end_epoch(self, loop)
  local row = { epoch = self.epoch + 1 }
  for name, sum in pairs(self._means) do
    row[name] = mean_of(sum)
  end
  for name, value in pairs(self._set) do
    row[name] = value
  end
  local seconds = core.clock()
  row.seconds = self._seconds + seconds - self._since
  self.epoch = self.epoch + 1
  self._means, self._set, self._done, self._begun = nil, nil, nil, nil
  self.rows[#self.rows + 1] = row
  if loop.log then
    loop.log:write(row)
  end
  loop.bar:close()
end

-- Takes the bar away before what a script prints of the epoch.
local function wiped_at_end(bar, first, ...)
  if first == nil then
    bar:close()
  end
  return first, ...
end

-- The batches of the epoch that begins, or goes on.
local function batches_of(self, loop)
  local next_batch
  local skip = self._done
  return function()
    if not next_batch then
      next_batch = loop.source:batches { skip = skip or 0 }
      if skip then
        checkpoints.set_states(loop.generators, loop.states)
      end
      self._done = skip or 0
    else
      self._done = self._done + 1
      boundary(self)
    end
    if loop.bar.columns then
      local means = {}
      for name, sum in pairs(self._means) do
        means[name] = mean_of(sum)
      end
      loop.bar:set(means)
      loop.bar:update(self._done)
    end
    return wiped_at_end(loop.bar, next_batch())
  end
end

local function next_epoch(self, loop)
  if loop.is_open then
    end_epoch(self, loop)
    loop.is_open = false
    boundary(self)
  end
  if self.epoch >= loop.epochs then
    return nil
  end
  begin_epoch(self, loop)
  loop.is_open = true
  return self.epoch + 1, loop.source and batches_of(self, loop) or nil
end

local function close_loop(self, loop, message)
  if loop.bar then
    loop.bar:close()
  end
  if message == nil then
    local is_over = loop.is_over or loop.is_open
    if loop.is_open then -- left by break
      end_epoch(self, loop)
    end
    if loop.bar then -- there was an epoch left
      save_state(self, is_over or nil)
    end
    write_manifest(self, "finished")
  elseif not self._is_stopped then -- a command's message handler has made text of a Stop
    pcall(write_manifest, self, "failed") -- what failed is to be heard of first
  end
  if loop.log then
    loop.log:close()
  end
  if message == nil then
    local name, number = ranks.decide(caught())
    if name then
      stop(self, name, number)
    end
  end
end

function Loop:__close(message)
  local _ <close> = self.guard -- at last, signals are the program's again
  close_loop(self.run, self, message)
end

-- The SHA-256 of the tensors of a data set, by name.
local function data_of(source)
  local dataset, hashes = type(source) == "table" and source.dataset, {}
  for _, name in ipairs { "x", "y" } do
    local tensor = type(dataset) == "table" and rawget(dataset, name)
    if check.is_tensor(tensor) then
      hashes[name] = core.digest { check.describe(tensor), tensor:detach():contiguous() }
    end
  end
  return hashes
end

local function open_loop(self, epochs, source)
  local loop = setmetatable({ run = self, epochs = epochs, source = source }, Loop)
  local keeper = self._checkpoint or checkpoints.checkpoint("", {})
  keeper:add(self._parts)
  if source then
    keeper:_watch("loader", source)
  end
  loop.generators = keeper.generators
  self._since, self._saved = core.clock(), core.clock()
  self._loops = self._loops + 1
  self.epoch, self._means, self._set, self._done, self._begun = 0, nil, nil, nil, nil
  if not self.folder then
    return loop
  end
  if next(self._parts) == nil then
    fail("loop: expected parts to keep; first say what the run is made of: "
      .. "run:keep { model = model }")
  end
  local before = { data = self._manifest.data }
  local position = load_state(self)
  self._manifest.data = data_of(source)
  if position then
    check_same(self, before, { "data" })
    loop.states = checkpoints.states(loop.generators)
    loop.is_past = position.loop > self._loops
    loop.is_over = loop.is_past or position.loop == self._loops and position.is_over
  end
  self.rows = ranks.from_first("experiment", function()
    return load_rows(self, position and position.rows or 0)
  end)
  loop.log = logbook.open(self:path("log.jsonl"), { append = true })
  write_manifest(self, "running")
  return loop
end

--- Returns an iterator over the epochs that are left: their numbers, and the batches of each.
---
--- It draws a bar, writes a row of the log at the end of each epoch, and saves the run every so many
--- seconds, between two batches, and at its end. SIGINT, SIGTERM and SIGUSR1 let the step be done,
--- save the run, and end the program with the status 128 + the signal; a second one ends it at once.
--- domain  `loader`: a `data.loader`, an RBM's trainer, or what else has `batches { skip = n }` and a
---   length; without it there are only epochs. The run ends with the last epoch or by `break`; one
---   that has ended has no more epochs. What the body draws before its batches is drawn again where
---   a run goes on in the middle of an epoch; what it computes from weights there is not the same
--- raises  `loop: expected parts to keep`; as wrun.checkpoint; `experiment: PATH: was begun with`
---     local run = wrun.experiment { name = "demo", keeps = false }
---     local loader = data.loader({ x = wrun.rand(6, 2) }, { batch_size = 2 })
---     for epoch, batches in run:loop(2, loader) do
---       for x in batches do run:add { mean = x:mean() } end
---     end
---     print(#run.rows)
---@param loader table?
---@return fun(): integer?, (fun(): ...)?
---@return nil
---@return nil
---@return any
function Experiment:loop(epochs, loader)
  check.argument("loop", 1, epochs, check.integer(nil, 0))
  if loader ~= nil and not (type(loader) == "table" and check.is_callable(loader.batches)) then
    fail("loop: argument 2: expected a loader, got %s", check.describe(loader))
  end
  local loop = open_loop(self, epochs, loader)
  loop.guard = signals and signals.catch()
  return function()
    if loop.is_over then
      return nil
    end
    return next_epoch(self, loop)
  end, nil, nil, loop
end

--- Lets go of the folder; a variable declared `<close>` does it by itself.
--- domain  may be called twice
---     local run = wrun.experiment { name = "demo", keeps = false }
---     print(run, run:close())
function Experiment:close()
  if self._lock then
    self._lock:close() -- the file stays: somebody may be waiting for it
    self._lock = nil
  end
end

Experiment.__close = Experiment.close

-- "Experiment(demo in runs/demo, 3 epochs)"
function Experiment:__tostring()
  return check.escape(("Experiment(%s%s, %d epochs)"):format(self.name,
    self.folder and " in " .. self.folder or "", self.epoch))
end

return M
