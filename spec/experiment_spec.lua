--- Experiments: what a run keeps in its folder, and that it ends in the same bits however it was
--- stopped.

local child = require "spec.support.child"
local experiments = require "wrun.experiment"
local kills = require "spec.support.kills"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn, optim, data = wrun.nn, wrun.optim, wrun.data

require "wrun.testing"

local function with_folder(use)
  return function()
    child.with_folder(function(folder)
      use(folder .. "/run")
    end, true)
  end
end

-- Draws of every kind: of the loader, of dropout, one an epoch, and by a generator of its own.
local function train(folder, each_step, options)
  options = options or {}
  local run <close> = wrun.experiment {
    name = "spec", seed = 3, folder = folder, keeps = folder ~= nil, every = options.every or 0,
    options = { lr = 0.01 },
  }
  local x = wrun.randn(23, 4)
  local noise = wrun.Generator { seed = 5 }
  local loader = data.loader({ x = x, y = x:sum(2):gt(0):long() + 1 },
    { batch_size = 4, shuffle = not options.sampler, sampler = options.sampler,
      generator = options.generator })
  local model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2))
  local optimizer = optim.Adam(model:parameters(), { lr = 0.01 })
  local scheduler = optim.lr_scheduler.ExponentialLR(optimizer, { gamma = 0.9 })
  run:keep { model = model, optimizer = optimizer, scheduler = scheduler, noise = noise }
  local steps = 0
  for epoch, batches in run:loop(options.epochs or 3, loader) do
    local shift = wrun.randn(1):item()
    for inputs, targets in batches do
      steps = steps + 1
      optimizer:zero_grad()
      local loss = nn.functional.cross_entropy(model(inputs) + shift, targets)
      loss = loss + wrun.randn(1, { generator = noise }):item() * model[1].weight:sum()
      loss:backward()
      optimizer:step()
      run:add({ loss = loss }, #targets)
      if each_step then
        each_step(epoch, steps)
      end
    end
    scheduler:step()
    run.values.last = epoch
    run:set { rate = optimizer.param_groups[1].lr }
  end
  return wrun.fingerprint(model) .. wrun.randn(1):item(), run, steps
end

-- The rows of a log but for the time they took.
local function rows_of(run)
  local rows = {}
  for i, row in ipairs(run.rows) do
    rows[i] = ("%d %a %a"):format(row.epoch, row.loss, row.rate)
  end
  return rows
end

describe("experiment", function()
  local samplers = {
    ["a shuffle"] = function() return {} end,
    ["a shuffle of its own generator"] = function()
      return { generator = wrun.Generator { seed = 9 } }
    end,
    ["draws with replacement"] = function()
      return { sampler = data.RandomSampler(23, { replacement = true, num_samples = 40 }) }
    end,
    ["weights"] = function()
      local generator = wrun.Generator { seed = 4 }
      return {
        sampler = data.WeightedRandomSampler(wrun.rand(23, { generator = generator }), 30,
          { generator = generator }),
      }
    end,
  }
  for name, options in pairs(samplers) do
    it("goes on to the same bits after any step, of " .. name, with_folder(function(folder)
      local expected, whole = train(nil, nil, options())
      local stopped, ok, result, run = 0
      repeat -- the script ends by an error after two steps, until none are left
        ok, result, run = pcall(train, folder, function(_, steps)
          if steps == 3 then
            stopped = stopped + 1
            error("stopped", 0)
          end
        end, options())
      until ok
      assert.is_true(stopped >= 8)
      assert.equal(expected, result)
      assert.same(rows_of(whole), rows_of(run))
    end))
  end

  it("ends in the same bits after SIGKILL at any moment #many", function()
    local text, is_right = kills.text(kills.kill(8, os.time(), true))
    assert.is_true(is_right, text)
  end)

  -- A run of three epochs which in the second says "ready", and waits until the file `told` is there.
  local SLOW = [[
    local wrun = require "wrun"
    local folder <const> = %q
    local run <close> = wrun.experiment { name = "slow", folder = folder, every = 1e6 }
    local model, data = wrun.nn.Linear(1, 1), wrun.data
    run:keep { model = model }
    local loader = data.loader({ x = wrun.ones(20, 1) }, { batch_size = 2 })
    for epoch, batches in run:loop(3, loader) do
      print("epoch", epoch)
      local count = 0
      for x in batches do
        count = count + 1
        if epoch == 2 and count == 2 then
          print "ready"
          io.flush()
          while not os.rename(folder .. ".told", folder .. ".told") do
            require("wrun.core").sleep(0.01)
          end
        end
        model.weight:detach():add_(wrun.rand(1))
        run:add { x = x:mean() }
      end
    end
    print(wrun.fingerprint(model))
  ]]

  -- Runs the script, does what `order` says to $pid when it is ready, and waits for its end.
  local function order(script, folder, text)
    -- env, since a shell has its background processes ignore SIGINT
    return child.shell(([[%s %s >%s.out & pid=$!
      until grep -qs ready %s.out; do sleep 0.05; done; %s; wait $pid]]):format(
      child.quote(child.wrun), script, folder, folder, text))
  end

  for name, number in pairs { INT = 2, TERM = 15, USR1 = 10 } do
    it("is saved and ends when it is told to by SIG" .. name, with_folder(function(folder)
      local script = child.write(SLOW:format(folder))
      local told = order(script, folder, ("kill -%s $pid; touch %s.told"):format(name, folder))
      assert.equal(128 + number, told.status, told.err)
      assert.matches(("^[^\n]*wrun: stopped by SIG%s after %%d+ batches of epoch 2; started again, "
        .. "%s goes on from there\n$"):format(name, (folder:gsub("%p", "%%%0"))), told.err)
      assert.equal("stopped by SIG" .. name, experiments.read(folder).status)
      local again = child.shell(child.quote(child.wrun) .. " " .. script)
      assert.equal(0, again.status, again.err)
      assert.is_nil(again.out:find("epoch\t1\n", 1, true))
      os.execute("rm -r " .. folder)
      local whole = child.shell(child.quote(child.wrun) .. " " .. script)
      assert.equal(whole.out:match("%x+\n$"), again.out:match("%x+\n$"))
      os.remove(script)
      os.remove(folder .. ".out")
      os.remove(folder .. ".told")
    end))
  end

  it("ends at once by a second signal", with_folder(function(folder)
    local script = child.write(SLOW:format(folder))
    local told = order(script, folder, "while kill -TERM $pid 2>/dev/null; do sleep 0.2; done")
    assert.equal(128 + 15, told.status)
    assert.equal("", (told.err:gsub("[^\n]*Terminated[^\n]*\n", "")))
    assert.equal("running", experiments.read(folder).status)
    os.remove(script)
    os.remove(folder .. ".out")
  end))

  it("has no more epochs when it has ended", with_folder(function(folder)
    local expected = train(folder)
    local result, run, steps = train(folder)
    assert.equal(expected, result)
    assert.equal(0, steps)
    assert.equal(3, #run.rows)
    assert.equal(3, run.values.last)
    assert.equal("finished", experiments.read(folder).status)
  end))

  it("goes on where there are more epochs", with_folder(function(folder)
    train(folder)
    local result, run, steps = train(folder, nil, { epochs = 5 })
    assert.equal(2 * 6, steps)
    assert.equal(5, #run.rows)
    assert.equal(train(nil, nil, { epochs = 5 }), result)
  end))

  it("ends by break, for good", with_folder(function(folder)
    local function stop_early()
      local run <close> = wrun.experiment { name = "spec", folder = folder }
      local model = nn.Linear(1, 1)
      run:keep { model = model }
      for epoch in run:loop(10) do
        wrun.no_grad(function() model.weight:add_(1) end)
        run:set { epoch_again = epoch }
        if epoch == 4 then
          break
        end
      end
      return run, wrun.fingerprint(model)
    end
    local run, expected = stop_early()
    assert.equal(4, #run.rows)
    local again, result = stop_early()
    assert.equal(expected, result)
    assert.same_bits(run:column("epoch_again"), again:column("epoch_again"))
  end))

  it("has loops one after the other", with_folder(function(folder)
    local function both(fail_at)
      local run <close> = wrun.experiment { name = "spec", folder = folder, every = 0 }
      local first = nn.Linear(1, 1)
      run:keep { first = first }
      for epoch in run:loop(3) do
        first.weight:detach():add_(wrun.rand(1))
        assert(fail_at ~= epoch, "stopped")
      end
      local second = nn.Linear(1, 2)
      run:keep { second = second }
      for epoch in run:loop(3) do
        second.weight:detach():add_(first.weight:detach() * wrun.rand(1))
        assert(fail_at ~= 3 + epoch, "stopped")
      end
      return wrun.fingerprint { first.weight, second.weight }, #run.rows
    end
    local expected = both()
    os.execute("rm -r " .. folder)
    for fail_at = 2, 6 do
      assert.is_false((pcall(both, fail_at)))
    end
    local result, rows = both()
    assert.equal(expected, result)
    assert.equal(6, rows)
  end))

  it("keeps what it is, and its log", with_folder(function(folder)
    local _, run = train(folder)
    run:set { accuracy = wrun.full({ 1 }, 0.5) }
    local manifest, rows = experiments.read(folder)
    assert.equal("spec", manifest.name)
    assert.equal(3, manifest.seed)
    assert.same({ lr = 0.01 }, manifest.options)
    assert.equal(0.5, manifest.results.accuracy)
    assert.equal(1, manifest.sessions)
    assert.matches("^%x+$", manifest.data.x)
    assert.matches("^OpenBLAS", manifest.blas)
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", manifest.started)
    assert.equal(3, #rows)
    for i, row in ipairs(run.rows) do
      assert.same(row, rows[i])
    end
    local _, _, steps = train(folder)
    assert.equal(0, steps)
    assert.equal(2, experiments.read(folder).sessions)
  end))

  it("means over an epoch, by weight", function()
    local run = wrun.experiment { name = "spec", keeps = false }
    for _ in run:loop(1) do
      run:add({ loss = wrun.full({ 1 }, 3) }, 1)
      run:add({ loss = 1 }, 3)
    end
    assert.equal(1.5, run.rows[1].loss)
    assert.same({ 1.5 }, run:column("loss"):tolist())
  end)

  it("lets one run have a folder at a time", with_folder(function(folder)
    local run = wrun.experiment { name = "spec", folder = folder }
    local function again() return wrun.experiment { name = "spec", folder = folder } end
    assert.equal(("experiment: %s: is in use by this process; close the run that has it first")
      :format(folder), (refusal(again)))
    local other = child.run { "-e", ([[
      require("wrun").experiment { name = "spec", folder = "%s" }]]):format(folder) }
    assert.equal(1, other.status)
    assert.matches("experiment: " .. folder .. ": is in use by process %d+; give this run another "
      .. "name, or wait", other.err)
    run:close()
    again():close()
  end))

  it("does not go on as another run", with_folder(function(folder)
    local function begin(seed, options, y)
      local run <close> = wrun.experiment {
        name = "spec", folder = folder, seed = seed, options = options,
      }
      run:keep { model = nn.Linear(1, 1) }
      local set = { x = wrun.ones(4, 1), y = y or wrun.ones(4) }
      for _, batches in run:loop(1, data.loader(set)) do
        for _ in batches do run:set { a = 1 } end
      end
    end
    begin(1, { lr = 0.1, sizes = { 3, 4 } })
    begin(1, { lr = 0.1, sizes = { 3, 4 } })
    local function refused(...)
      return (refusal(begin, ...)):match("^experiment: .*/run: was begun with (.*); give this run "
        .. "another name, or remove the folder$")
    end
    assert.equal("options.lr 0.1, and this is 0.2", refused(1, { lr = 0.2, sizes = { 3, 4 } }))
    assert.equal("options.sizes.2 4, and this is 5", refused(1, { lr = 0.1, sizes = { 3, 5 } }))
    assert.equal("options.lr 0.1, and this is none", refused(1, { sizes = { 3, 4 } }))
    assert.equal("seed 1, and this is 2", refused(2, { lr = 0.1, sizes = { 3, 4 } }))
    assert.matches("^data.y the string '%x+', and this is the string",
      refused(1, { lr = 0.1, sizes = { 3, 4 } }, wrun.zeros(4)))
    begin(1, { lr = 0.1, sizes = { 3, 4 } })
  end))

  -- A limit of a file's size stands for a disk that is full.
  it("keeps the last good state where the disk is full", with_folder(function(folder)
    local script = child.write(([[
      local wrun = require "wrun"
      local run <close> = wrun.experiment { name = "full", folder = %q, every = 0 }
      local model = wrun.nn.Linear(8, 100)
      run:keep { model = model }
      for epoch in run:loop(4) do
        model.weight:detach():add_(wrun.rand(1))
        assert(arg[1] ~= "stop" or epoch < 3, "stopped")
      end
      print(wrun.fingerprint(model))
    ]]):format(folder))
    local function go(before, after)
      return child.shell(("%s %s %s %s"):format(before, child.quote(child.wrun), script, after))
    end
    local expected = go("", "")
    os.execute("rm -r " .. folder)
    assert.matches("stopped", go("", "stop").err)
    local full = go("ulimit -f 4;", "")
    assert.equal(1, full.status)
    assert.matches("checkpoint: %S+/checkpoints/000003.safetensors: File too large; what was saved "
      .. "before stays", full.err)
    assert.equal("", child.shell("ls " .. folder .. "/checkpoints | grep new").out)
    local again = go("", "")
    assert.equal(expected.out, again.out, again.err)
    os.remove(script)
  end))

  it("refuses wrong use", with_folder(function(folder)
    local function run()
      return wrun.experiment { name = "spec", keeps = false }
    end
    for text, wrong in pairs {
      ["option name: expected a name of letters, digits, - and _, got the string 'a/b'"] =
        function() wrun.experiment { name = "a/b" } end,
      ["option options: expected a table of numbers, booleans, texts and tables of these"] =
        function() wrun.experiment { name = "a", folder = folder, options = { print } } end,
      ["path: expected a run with a folder, and this one keeps nothing"] =
        function() run():path("a") end,
      ["mean: argument 1: expected a name that add was given in this epoch, got the string 'a'"] =
        function() run():mean("a") end,
      ["add: expected inside of a loop"] = function() run():add { a = 1 } end,
      ["set: field a: expected a number or a tensor of one element, got a table"] =
        function() run():set { a = {} } end,
      ["column: argument 1: expected a name that a row of the log has, got the string 'loss'"] =
        function() run():column("loss") end,
      ["loop: argument 2: expected a loader, got 3"] = function() run():loop(1, 3) end,
      ["loop: expected parts to keep; first say what the run is made of: run:keep { model ="] =
        function()
          local kept <close> = wrun.experiment { name = "a", folder = folder .. "2" }
          kept:loop(1)
        end,
    } do
      local message = refusal(wrong)
      assert.is_truthy(message:find(text, 1, true), message)
    end
    child.with_file("", function(path)
      assert.equal(("experiment: %s: Not a directory"):format(path),
        (refusal(function() wrun.experiment { name = "a", folder = path } end)))
    end)
    assert.matches("^experiment: /proc/nowhere: ",
      (refusal(function() wrun.experiment { name = "a", folder = "/proc/nowhere" } end)))
  end))
end)
