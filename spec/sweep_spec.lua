--- Studies of many runs: the same whoever does them, killed and resumed, in processes and in an array.

local child = require "spec.support.child"
local files = require "spec.support.files"
local lfs = require "lfs"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local folder = files.folder()

teardown(function()
  files.remove(folder)
end)

-- A study of 24 runs of a few steps each, of which half do not end where HELD is set.
local STUDY = [[
local wrun = require "wrun"
local study = wrun.sweep({
  seed = wrun.sweep.range(1, 4), start = { "small", "he" }, lr = { 0.1, 0.01, 0.5 },
}, function(o)
  local layer = wrun.nn.Linear(3, 2)
  wrun.nn.init.normal_(layer.weight, 0, o.start == "he" and 1 or 0.1)
  local x, optimizer = wrun.randn(8, 3), wrun.optim.SGD(layer:parameters(), { lr = o.lr })
  for _ = 1, 5 do
    optimizer:zero_grad()
    layer(x):square():mean():backward()
    optimizer:step()
  end
  while os.getenv "HELD" and o.seed > 2 do
    require("wrun.core").sleep(0.01)
  end
  return { loss = layer(x):square():mean(), hash = wrun.fingerprint(layer) }
end)
print(study)
for _, row in ipairs(study.rows) do
  print(row.options.lr, row.options.start, row.options.seed, row.values.loss, row.values.hash)
end
]]

local function study(name, text)
  local place = folder .. "/" .. name
  assert(os.execute("mkdir -p " .. place))
  files.write(place .. "/study.lua", text or STUDY)
  return place
end

local function run(place, words, variables)
  return child.shell(("cd %s && %s %s %s"):format(place, variables or "", child.quote(child.wrun),
    words or "study.lua"))
end

local function done(place)
  local count = 0
  for name in lfs.dir(place .. "/runs/study") do
    count = count + (name:find("%.safetensors$") and 1 or 0)
  end
  return count
end

-- What an interrupted study must come to in the end.
local whole
local function expected()
  whole = whole or run(study "whole")
  assert.equal("", whole.err)
  assert.equal(25 + 2 + 6, select(2, whole.out:gsub("\n", "")))
  return whole.out
end

describe("wrun.sweep", function()
  it("does every run in processes, each seeded, and the same in this one", function()
    assert.matches("start moves loss by", expected(), 1, true)
    local here = study("here", (STUDY:gsub("%nprint%(study%)", "")
      :gsub("end%)\nprint", "end, { workers = 0 })\nprint")))
    assert.equal(expected(), run(here).out)
  end)

  it("goes on where it was killed, to the same bits, and its processes end with it", function()
    local place = study "killed"
    local script = ([[cd %s; HELD=1 %s study.lua & study=$!
      for _ in $(seq 500); do ls runs/study/*.safetensors && break; sleep 0.02; done
      %s study.lua; kill -9 $study; sleep 0.5
      echo "$(ls runs/study | wc -l) $(sleep 1; ls runs/study | wc -l)"]]):format(place,
      child.quote(child.wrun), child.quote(child.wrun))
    local result = child.shell(script)
    local before, after = result.out:match("(%d+) (%d+)\n$")
    assert.equal(before, after) -- nothing has run on
    assert.matches("sweep: runs/study: is in use by process %d+; give this study another name, or "
      .. "wait", result.err)
    local count = done(place)
    assert.is_true(count > 0 and count < 24, count)
    assert.equal(expected(), run(place).out)
    assert.equal(24, done(place))
  end)

  it("is the array job of a cluster, by SLURM_ARRAY_TASK_ID alone", function()
    local place = study "array"
    local job = run(place, "sweep study.lua --slurm")
    assert.matches("24 of 24 runs are not finished; sbatch runs/study/array.sh", job.out, 1, true)
    local text = files.read(place .. "/runs/study/array.sh")
    assert.matches("#SBATCH --array=1-24\n", text, 1, true)
    assert.matches(" sweep study.lua %-%-slurm\n$", text)
    for index = 1, 24 do
      if index ~= 7 then
        local task = ("cd %s; SLURM_ARRAY_TASK_ID=%d sh runs/study/array.sh"):format(place, index)
        assert.equal("", child.shell(task).err)
      end
    end
    assert.matches("1 of 24 runs are not finished", run(place, "sweep study.lua --slurm").out, 1,
      true)
    assert.matches("--array=7\n", files.read(place .. "/runs/study/array.sh"), 1, true)
    assert.equal("", run(place, nil, "SLURM_ARRAY_TASK_ID=7").out)
    assert.equal(expected(), run(place, "sweep study.lua --slurm").out)
    assert.matches("there is no run 25; study has 24",
      run(place, nil, "SLURM_ARRAY_TASK_ID=25").err, 1, true)
  end)

  it("has a row for each run that fails or dies, and does it again the next time", function()
    local place = study("dies", [[
      local study = require("wrun").sweep({ what = { "good", "bad", "exit", "kill" } }, function(o)
        if io.open("mended") then return { loss = 1 } end
        if o.what == "bad" then error("no luck") end
        if o.what == "exit" then os.exit(3) end
        if o.what == "kill" then os.execute("kill -9 $PPID") end
        return { loss = 1 }
      end)
      print(study)]])
    local out = run(place).out
    assert.matches("run 2 %(what bad%) failed: study.lua:3: no luck\n", out)
    assert.matches("run 3 %(what exit%) failed: died of exit status 3; runs/study/%x+.log has", out)
    assert.matches("run 4 %(what kill%) failed: died of signal 9; runs/study/%x+.log has", out)
    assert.matches("3 of 4 runs are not finished\n$", out)
    files.write(place .. "/mended", "")
    assert.is_nil(run(place).out:find("failed", 1, true))
  end)

  it("refuses options that the run does not use, or does not have", function()
    local place = study("misuse", [[
      require("wrun").sweep({ lr = { 1, 2 }, momentum = 0.9 }, function(o)
        return { loss = o.lr }
      end)]])
    assert.matches("study.lua:1: sweep: option momentum: the run does not use it\n",
      run(place).err, 1, true)
    files.write(place .. "/study.lua", [[
      require("wrun").sweep({ lr = { 1, 2 } }, function(o) return { loss = o.ir } end)]])
    assert.matches("sweep: no name 'ir'; did you mean lr?", run(place).err, 1, true)
    assert.matches("sweep: option depth: the script has none; its options are lr",
      run(place, "sweep study.lua --set depth=2").err, 1, true)
  end)

  it("takes values from the command line, and more of them later", function()
    local place = study "more"
    local out = run(place, "sweep study.lua --set seed=1..2 --set lr=0.1 --workers 1").out
    assert.equal(4, done(place))
    assert.matches("\nhe +2 ", out)
    assert.equal(expected(), run(place).out)
    assert.matches("Error: option '--set': expected NAME=VALUES, got 'lr'",
      run(place, "sweep study.lua --set lr").err, 1, true)
    files.write(place .. "/none.lua", "")
    assert.matches("'none.lua' does not call wrun.sweep", run(place, "sweep none.lua").err, 1, true)
  end)
end)

describe("wrun.sweep in this process", function()
  local count = 0

  local function sweep(grid, f, options)
    count = count + 1
    options = options or {}
    options.workers, options.folder, options.name = 0, folder, "here" .. count
    return wrun.sweep(grid, f, options)
  end

  local function nothing(o)
    return { loss = #tostring(o.a) }
  end

  it("gives a run its options, which it can neither change nor mistake", function()
    assert.equal("sweep: option a: is the run's, which does not change it",
      refusal(sweep, { a = 1 }, function(o) o.a = 2 end))
    local function misread(o)
      return { x = o.longar }
    end
    assert.equal("sweep: no name 'longar'; did you mean longer?",
      refusal(sweep, { longer = 1 }, misread))
    assert.equal("sweep: no name 'rate'; the options are lr",
      refusal(sweep, { lr = 1 }, function(o) return { x = o.rate } end))
    local seen = {}
    sweep({ a = 1, b = "x" }, function(o)
      for name, value in pairs(o) do
        seen[name] = value
      end
      return {}
    end)
    assert.same({ a = 1, b = "x" }, seen)
  end)

  it("refuses what runs should not return", function()
    assert.equal("sweep: expected the run to return a table of names and values, got nil",
      refusal(sweep, { a = 1 }, function() end))
    assert.equal("sweep: expected the run to return names with numbers, texts and booleans, got "
      .. "the string 'x' = a table", refusal(sweep, { a = 1 }, function() return { x = {} } end))
    local rows = sweep({ a = 1 }, function(o)
      return { x = wrun.tensor(o.a + 0.5), nan = 0 / 0 }
    end).rows
    assert.equal(1.5, rows[1].values.x)
    assert.is_true(rows[1].values.nan ~= rows[1].values.nan)
  end)

  it("refuses studies that are none", function()
    assert.equal("sweep: argument 1: expected a table, got nil", refusal(wrun.sweep))
    assert.equal("sweep: argument 2: expected a function, got nil", refusal(wrun.sweep, { a = 1 }))
    assert.equal("sweep: option a: expected numbers, texts and booleans, got a function",
      refusal(sweep, { a = print }, nothing))
    assert.equal("sweep: option a: expected one value or more, got none",
      refusal(sweep, { a = {} }, nothing))
    assert.equal("sweep: option a: is drawn, which needs draws = N",
      refusal(sweep, { a = wrun.sweep.uniform(0, 1) }, nothing))
    assert.equal("sweep: /dev/null: Not a directory", refusal(wrun.sweep, { a = 1 }, nothing,
      { folder = "/dev/null", workers = 0 }))
  end)

  it("does only what a study of its name has not done", function()
    local options = { workers = 0, folder = folder, name = "same" }
    assert.equal(2, #wrun.sweep({ a = { 1, 2 } }, nothing, options).rows)
    local calls = 0
    local longer = wrun.sweep({ a = { 1, 2, 3 } }, function(o)
      calls = calls + 1
      return nothing(o)
    end, options)
    assert.same({}, longer:unfinished())
    assert.equal(1, calls)
  end)
end)
