--- An optimiser's state in shares: the bits of one in one piece, and its memory on no rank.

local mpirun = require "spec.support.mpirun"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

-- Trains; `begin` stops at half-time, and saves, from where `go_on` goes on.
local SCRIPT = [[
  local wrun = require "wrun"
  local nn, optim, mpi = wrun.nn, wrun.optim, wrun.mpi
  local folder, part = ...

  local function train(name, options, share_state)
    wrun.manual_seed(3)
    local x, y = wrun.rand(50, 6), wrun.randint(1, 4, { 50 })
    local model = nn.Sequential(nn.Linear(6, 16), nn.Dropout(0.2), nn.ReLU(), nn.Linear(16, 9),
      nn.Tanh(), nn.Linear(9, 3))
    local optimizer = optim[name](model:parameters(), options)
    local team = mpi.distribute(model, optimizer, { share_state = share_state })
    local path = folder .. "/" .. name .. ".safetensors"
    if part == "go_on" then
      local saved = wrun.load(path)
      model:load_state_dict(saved.model)
      optimizer:load_state_dict(saved.optimizer)
    end
    for epoch = part == "go_on" and 3 or 1, part == "begin" and 2 or 4 do
      wrun.manual_seed(epoch)
      local loader = mpi.loader({ x = x, y = y }, { batch_size = 20, shuffle = true })
      for batch in loader:batches() do
        optimizer:zero_grad()
        team:backward(batch, function(rows, classes)
          return nn.functional.cross_entropy(model(rows), classes)
        end)
        optimizer:step()
      end
    end
    local saved = { model = model:state_dict(), optimizer = optimizer:state_dict() }
    if part == "begin" and mpi.rank() == 0 then
      wrun.save(path, saved)
    end
    local held, whole = 0, 0
    for parameter, state in pairs(optimizer.state) do
      held = held + parameter:numel()
    end
    for number in pairs(saved.optimizer.state) do
      whole = whole + 1
    end
    return wrun.fingerprint(model), mpi.all_gather(held), whole
  end

  for _, case in ipairs {
    { "Adam", { lr = 0.01 } }, { "SGD", { lr = 0.1, momentum = 0.9, weight_decay = 0.01 } },
    { "Lion", { lr = 0.001 } },
  } do
    local name, options = table.unpack(case)
    local fingerprint, held, whole = train(name, options, true)
    print(name, fingerprint)
    io.stderr:write(("held %s of %d\n"):format(table.concat(held, " "), whole))
    assert(part or fingerprint == train(name, options, false))
  end
]]

describe("share_state", function()
  local folder

  setup(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
  end)

  teardown(function()
    os.execute("rm -r " .. folder)
  end)

  local function run(ranks, part)
    local result = mpirun.run(ranks, SCRIPT, { arguments = folder .. " " .. (part or "") })
    assert.equal(0, result.status, result.err)
    return result.out, result.err
  end

  it("trains to the same bits, with a share of the state on each rank #many", function()
    if not mpirun.is_there(pending) then
      return
    end
    local one, said = run(1)
    assert.truthy(said:find("held 295 of 6\n", 1, true), said)
    local two, said_two = run(2)
    assert.truthy(said_two:find("held 147 148 of 6\n", 1, true), said_two)
    local three, said_three = run(3)
    assert.truthy(said_three:find("held 144 96 55 of 6\n", 1, true), said_three)
    assert.equal(one, two)
    assert.equal(one, three)
    -- saved by three, gone on with by two
    run(3, "begin")
    assert.equal(one, (run(2, "go_on")))
  end)

  it("refuses what has no state to be shared", function()
    local model = wrun.nn.Linear(2, 1)
    local function share(optimizer)
      return refusal(wrun.mpi.distribute, model, optimizer, { share_state = true })
    end
    assert.equal("distribute: option share_state: expected an optimiser whose state it is", share())
    assert.equal("distribute: option share_state: LBFGS has a step of its own, which may look at "
      .. "all parameters at once", share(wrun.optim.LBFGS(model:parameters())))
  end)
end)
