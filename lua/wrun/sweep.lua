--- Studies of many runs: one for each set of options, in processes of their own, kept in a folder.
---
--- Each process of a study is the script itself, started anew: where it comes to `wrun.sweep`, it does
--- the one run that `WRUN_SWEEP`, or a cluster's `SLURM_ARRAY_TASK_ID`, names, and ends. A run that is
--- done is a file `FOLDER/NAME/DIGEST.safetensors`, of the SHA-256 of its options, written whole or
--- not at all; beside it lies what the process wrote, `DIGEST.log`. So a study that is killed goes on
--- with the runs that have no file, and one with more values does only the new ones.

local check = require "wrun.check"
local core = require "wrun.core"
local grids = require "wrun.sweep.grid"
local lock = require "wrun.lock"
local method = require "wrun.method"
local names = require "wrun.names"
local process = require "wrun.sweep.process"
local progress = require "wrun.progress"
local saved = require "wrun.save"
local summary = require "wrun.sweep.summary"
local wrun = require "wrun"

local fail = check.fail

local M = {}

--- What `wrun.sweep` returns; `tostring` makes it a table, a line for each set of options.
---@class wrun.Sweep
---@field rows table[] a run each: options, status ("finished", "failed" or "missing"), values,
---   message, seconds
---@field groups table[] the runs that differ in nothing but the seed: options, count, mean, deviation
---@field best table? the group that is best
---@field effects table[] for each option that has several values: name, values, means, size
local Sweep = method.object("Sweep")

Sweep.__tostring = summary.text

--- Returns the indices of the runs that are not finished: those that failed, and those not yet done.
---     local study = wrun.sweep({ lr = { 1, 2 } }, function(o) return { loss = o.lr } end,
---       { workers = 0, folder = os.tmpname() .. ".runs" })
---     print(#study:unfinished(), os.execute("rm -r " .. study.folder))
---@return integer[]
function Sweep:unfinished()
  local list = {}
  for i, row in ipairs(self.rows) do
    list[#list + 1] = row.status ~= "finished" and i or nil
  end
  return list
end

-- Runs -----------------------------------------------------------------------

-- The options of a run as its function gets them: a name that is not there is an error, and which
-- were read is noted.
local function watched(options)
  local read = {}
  return setmetatable({}, {
    __index = function(_, name)
      if options[name] == nil then
        local known = check.sorted_keys(options)
        local near = type(name) == "string" and names.near(name, known)
        fail("sweep: no name '%s'; %s", check.escape(tostring(name)),
          near and ("did you mean %s?"):format(near)
          or "the options are " .. table.concat(known, ", "))
      end
      read[name] = true
      return options[name]
    end,
    __newindex = function(_, name)
      fail("sweep: option %s: is the run's, which does not change it", tostring(name))
    end,
    __pairs = function()
      for name in pairs(options) do
        read[name] = true
      end
      return next, options, nil
    end,
  }), read
end

-- What a run returned, by name, each a number, a text or a boolean.
local function checked_values(result)
  local values = {}
  for name, value in pairs(type(result) == "table" and result or fail(
    "sweep: expected the run to return a table of names and values, got %s",
    check.describe(result))) do
    value = check.is_tensor(value) and value:numel() == 1 and value:item() or value
    if type(name) ~= "string" or type(value) ~= "number" and not grids.is_plain(value) then
      fail("sweep: expected the run to return names with numbers, texts and booleans, got %s = %s",
        check.describe(name), check.describe(value))
    end
    values[name] = value
  end
  return values
end

local function call_run(run, options)
  wrun.manual_seed(math.tointeger(options.seed) or 1)
  local given, read = watched(options)
  local values = checked_values(run(given))
  for _, name in ipairs(check.sorted_keys(options)) do
    if not read[name] and name ~= "seed" then
      fail("sweep: option %s: the run does not use it", name)
    end
  end
  return values
end

-- Does a run and keeps what came of it, an error too, which comes back.
local function do_run(self, index, run)
  local row, start = self.rows[index], core.clock()
  local ok, result = pcall(call_run, run, row.options)
  if not ok and tostring(result):find("interrupted!$") then
    error(result, 0)
  end
  row.status, row.seconds = ok and "finished" or "failed", core.clock() - start
  row.values, row.message = ok and result or {}, not ok and tostring(result) or nil
  saved.save(row.path, {
    options = row.options, values = row.values, status = row.status, message = row.message,
    seconds = row.seconds,
  })
  return not ok and result or nil
end

-- Takes what a run has kept, if it has, into its row.
local function read_row(row)
  local file = io.open(row.path, "rb")
  if not file then
    return
  end
  file:close()
  local kept = saved.load(row.path)
  if grids.digest_of(kept.options or {}) ~= row.digest then
    fail("sweep: %s: is of other options; remove it", row.path)
  end
  row.status, row.values, row.message = kept.status, kept.values or {}, kept.message
  row.seconds = kept.seconds
end

-- An option that the run does not use, or does not have, is wrong in all of them, and so is the name
-- of what counts where the first run that is done does not return it.
local function refuse_misuse(self, row)
  local message = row.status == "failed" and row.message:match("sweep: .*")
  if message then
    fail("%s", message)
  end
  local is_first = row.status == "finished"
  for _, other in ipairs(self.rows) do
    is_first = is_first and (other == row or other.status ~= "finished")
  end
  local name = is_first and (self.options.maximize or self.options.minimize)
  if name and type(row.values[name]) ~= "number" then
    fail("sweep: option %s: expected a number that runs return, one of %s, got '%s'",
      self.options.maximize and "maximize" or "minimize",
      table.concat(check.sorted_keys(row.values), ", "), check.escape(name))
  end
end

-- The process of a run has ended: the row says how.
local function finish(self, row, how, number)
  read_row(row)
  if row.status == "missing" then
    row.status = "failed"
    row.message = ("died of %s %d; %s has what it wrote"):format(
      how == "signal" and how or "exit status", number, row.log)
  end
  refuse_misuse(self, row)
end

local function run_here(self, unfinished, run)
  local bar <close> = progress.bar { label = self.name, count = math.max(#unfinished, 1) }
  for i, index in ipairs(unfinished) do
    do_run(self, index, run)
    refuse_misuse(self, self.rows[index])
    bar:update(i)
  end
end

-- Does this rank's runs. All ranks have read the folder before the first run is kept in it, and the
-- last is kept before they read it again.
local function run_on_ranks(self, unfinished, run, mpi)
  local own = {}
  mpi.barrier()
  for i = mpi.rank() + 1, #unfinished, mpi.size() do
    own[#own + 1] = unfinished[i]
  end
  run_here(self, own, run)
  mpi.barrier()
  for _, index in ipairs(unfinished) do
    read_row(self.rows[index])
    refuse_misuse(self, self.rows[index])
  end
end

-- Does the one run of this process, and ends it.
local function do_own(self, index, parent, run)
  if parent then
    core.process_follow(parent)
  end
  local row = self.rows[index] or fail("sweep: there is no run %d; %s has %d", index, self.name,
    #self.rows)
  wrun.set_num_threads(1)
  if row.status ~= "finished" then
    local message = do_run(self, index, run)
    if message then
      error(message, 0)
    end
  end
  os.exit(true, true)
end

-- The face -------------------------------------------------------------------

--- Returns what a study with `draws` draws an option from: numbers between two bounds.
--- domain  low < high, both finite
---     local study = wrun.sweep({ lr = wrun.sweep.uniform(0, 1) },
---       function(o) return { loss = o.lr } end,
---       { draws = 3, workers = 0, folder = os.tmpname() .. ".runs" })
---     print(#study.rows, os.execute("rm -r " .. study.folder))
---@param low number
---@param high number
---@return wrun.sweep.Draw
function M.uniform(low, high)
  return grids.draw("uniform", low, high, nil, function(u)
    return low + u * (high - low)
  end)
end

--- The same, with logarithms that are uniform, for learning rates.
--- domain  low > 0
---     local study = wrun.sweep({ lr = wrun.sweep.log_uniform(1e-4, 1) },
---       function(o) return { loss = o.lr } end,
---       { draws = 3, workers = 0, folder = os.tmpname() .. ".runs" })
---     print(#study.rows, os.execute("rm -r " .. study.folder))
---@param low number
---@param high number
---@return wrun.sweep.Draw
function M.log_uniform(low, high)
  return grids.draw("log_uniform", low, high, 1e-300, function(u)
    return low * (high / low) ^ u
  end)
end

--- Returns the list of integers from one to another, for seeds.
--- domain  first <= last, a million of them at most
---     print(table.concat(wrun.sweep.range(1, 5), " "))
---@return integer[]
function M.range(first, last)
  check.argument("sweep.range", 1, first, check.integer())
  check.argument("sweep.range", 2, last, check.integer(nil, first, first + 1000000))
  local list = {}
  for i = first, last do
    list[#list + 1] = i
  end
  return list
end

local OPTIONS = {
  name = check.optional(check.path()),
  folder = check.path("runs"),
  workers = check.optional(check.integer(nil, 0, 1024)),
  draws = check.optional(check.integer(nil, 1, 1000000)),
  draw_seed = check.integer(1, 0),
  minimize = check.optional(check.string()),
  maximize = check.optional(check.string()),
  mpi = check.optional(check.mpi()),
}

-- The script's name without its ending.
local function default_name()
  local script = type(arg) == "table" and type(arg[0]) == "string" and arg[0] or "sweep"
  return script:match("([^/]+)$"):gsub("%.lua$", "")
end

-- The study with a row for each run and what is known of it; the folder is there.
local function study(grid, o)
  local name = o.name or default_name()
  local self = setmetatable({
    name = name, folder = o.folder .. "/" .. name, rows = {}, groups = {}, effects = {},
    options = o,
  }, Sweep)
  local made, message = core.make_folder(self.folder)
  if not made then
    fail("sweep: %s", message)
  end
  local seen = {}
  for _, options in ipairs(grids.sets_of(grid, o)) do
    local digest = grids.digest_of(options)
    if not seen[digest] then
      local path = self.folder .. "/" .. digest
      self.rows[#self.rows + 1] = {
        options = options, digest = digest, path = path .. ".safetensors", log = path .. ".log",
        status = "missing", values = {},
      }
      read_row(self.rows[#self.rows])
      seen[digest] = true
    end
  end
  return self
end

-- The grid with the values that the command line has for some of its names.
local function with_settings(grid)
  local settings = process.asked.settings
  if next(settings) == nil then
    return grid
  elseif rawget(grid, 1) ~= nil then
    fail("sweep: --set: the script has a list of runs, not a grid")
  end
  local own = {}
  for name, values in pairs(grid) do
    own[name] = values
  end
  for _, name in ipairs(check.sorted_keys(settings)) do
    if own[name] == nil then
      fail("sweep: option %s: the script has none; its options are %s", name,
        table.concat(check.sorted_keys(grid), ", "))
    end
    own[name] = settings[name]
  end
  return own
end

--- Does a run for each set of options, in processes beside each other, and returns what came of
--- them; `tostring` makes it a table with means and deviations over the seeds, the best, and what
--- each option moves.
---
--- `run` gets one set of options, with the default generator seeded by its `seed`, and returns a
--- table of names and values. A run that is done stays done: a study that is killed, or that gets
--- more values, goes on with those that are missing; remove its folder where `run` itself has
--- changed. A run that fails, or dies, is a row that says so, and is done again the next time.
---
--- Under `mpirun`, option `mpi = wrun.mpi` gives the runs out to the ranks in turn, which share the
--- folder; each returns the whole study.
---
--- On a cluster, `wrun sweep script.lua --slurm` writes an array job of the runs that are not done;
--- when that has run, the same brings back the table of all.
---
--- Options:
---   name       of the study (the script's)
---   folder     where it is kept ("runs", so runs/NAME)
---   workers    processes, each of one thread (as many as there are processors); 0 does the runs in
---              this one
---   draws      so many sets of options drawn at random, not every combination
---   draw_seed  of these (1)
---   minimize   the value that should be small (the only number that runs return)
---   maximize   the value that should be large
---   mpi        `wrun.mpi`, whose ranks do the runs
--- domain  `grid`: names with a value or a list of them, numbers, texts or booleans, or what
---   `sweep.uniform` and `sweep.log_uniform` draw; or a list of sets of options. An option that the
---   run does not use, or reads and is not there, is refused
--- raises  `sweep: option NAME: the run does not use it`; `sweep: FOLDER/NAME: is in use`
---     local study = wrun.sweep({ seed = { 1, 2 }, lr = { 0.1, 1 } }, function(o)
---       return { loss = o.lr + 0.01 * wrun.randn(1):item() }
---     end, { workers = 0, folder = os.tmpname() .. ".runs" })
---     print(study, os.execute("rm -r " .. study.folder))
---@param run fun(options: table): table
---@return wrun.Sweep
local function sweep(_, grid, run, options)
  check.argument("sweep", 1, grid, check.table())
  check.argument("sweep", 2, run, check.callable())
  local o = check.options("sweep", options, OPTIONS)
  local self = study(with_settings(grid), o)
  local index, parent = process.own_index(self)
  if index then
    do_own(self, index, parent, run)
  end
  local is_first = not o.mpi or o.mpi.rank() == 0
  local _ <close> = is_first and lock("sweep", "study", self.folder)
  local unfinished = self:unfinished()
  local workers = process.asked.workers or o.workers or core.processors()
  if #unfinished > 0 then
    if process.asked.is_slurm then
      process.write_job(self, unfinished)
    elseif o.mpi then
      run_on_ranks(self, unfinished, run, o.mpi)
    elseif workers == 0 then
      run_here(self, unfinished, run)
    else
      process.run(self, unfinished, workers, finish)
    end
  end
  summary.add(self, o)
  process.asked.study = self
  return self
end

names.closed("sweep", M)
getmetatable(M).__call = sweep

return M
