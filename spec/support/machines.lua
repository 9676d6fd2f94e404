--- What the ranks of `rbm/share_ranks_spec.lua` do: prints a line for each machine, with its
--- fingerprint, which may not depend on how many ranks there are.
---
--- machines.lua FOLDER: all of it; FOLDER begin: trains half-way, and saves; FOLDER go_on: the rest.

local tiny = require "spec.support.tiny_rbm"
local wrun = require "wrun"

local mpi, rbm = wrun.mpi, wrun.rbm
local folder, part = ...

-- 70 rows in batches of 30: the last has 10, fewer than there are shards.
local data = tiny.random_data(70, 12, 3)

local function fingerprint(machine)
  return wrun.fingerprint {
    machine.weight, machine.visible_bias, machine.hidden_bias, machine.hidden_offset,
  }
end

-- Each rank begins otherwise, and takes over what rank 0 has.
local function machine(options)
  local given = { visible = 12, hidden = 5, seed = 7 + mpi.rank() }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  return rbm.new(given):distribute(mpi)
end

local function options_of(method, more)
  local options = {
    method = method, epochs = 4, batch_size = 30, chains = 21, temperatures = 3, l2 = 0.001,
    momentum = 0.5, lr = { 0.2, 0.01 },
  }
  for name, value in pairs(more or {}) do
    options[name] = value
  end
  return options
end

local METHODS = { "cd", "pcd", "fpcd", "pt", "exact" }

if part then
  for _, method in ipairs(METHODS) do
    local trainer = machine():trainer(data, options_of(method))
    local path = folder .. "/" .. method .. ".safetensors"
    if part == "go_on" then
      trainer:load_state_dict(wrun.load(path))
    end
    trainer:run_epoch()
    trainer:run_epoch()
    local state = trainer:state_dict()
    if part == "go_on" then
      print(method, fingerprint(trainer.model))
    elseif mpi.rank() == 0 then
      wrun.save(path, state)
    end
  end
  return
end

for _, method in ipairs(METHODS) do
  local r = machine():fit(data, options_of(method))
  print(method, fingerprint(r))
end
local r = machine { std = 0.5 }
for _, reverse in ipairs { false, true } do
  local z = r:ais { chains = 21, steps = 30, reverse = reverse }
  print("ais", ("%a %a"):format(z.log_z, z.sd))
end
print("drawn, sparse", fingerprint(machine():fit(data * 0.8,
  options_of("pcd", { binarize = "stochastic", sparsity = { target = 0.2 } }))))
for _, kinds in ipairs {
  { visible_units = "gaussian", dtype = "float64" }, { visible_units = "softmax", categories = 4 },
} do
  print(kinds.visible_units, fingerprint(machine(kinds):fit(data, options_of "cd")))
end

local study = wrun.sweep({ seed = { 1, 2, 3 }, lr = { 0.1, 0.2 } }, function(o)
  assert(o.lr < 0.2 or o.seed < 3, "too much")
  return { loss = o.lr + wrun.rand(1):item() }
end, { name = "study", folder = folder, mpi = mpi, minimize = "loss" })
print("study", #study:unfinished(), ("%a"):format(study.best.mean.loss), study.rows[6].message)
