--- Whatever wrun hands out prints as what it is: no example of the documentation meets an object
--- that shows an address, and every public class is met.

local public_items = require "spec.support.public_items"
local run = require "spec.support.example"
local wrun = require "wrun"

-- What comes back is the user's own plain table, or argparse's.
local OTHERS = {
  ["wrun.load"] = true, ["wrun.save"] = true, ["wrun.tolist"] = true, ["data.options"] = true,
}

-- Tensors have a spec of their own; and an empty one holds what no run before decides.
local function shows_address(value)
  if wrun.is_tensor(value) then
    return false
  end
  local text = tostring(value)
  return text:find("0x%x+") or text:find("[object]", 1, true)
end

-- Can it be made to show what it holds? Lua's files and functions cannot.
local function can_show(value)
  local kind = type(value)
  return (kind == "table" or kind == "userdata") and io.type(value) == nil
end

-- Runs an example and calls see(value, is_ours) with each that a function returns to it, and whether
-- that is one of wrun's in Lua.
local function watched(name, text, see)
  local function returned()
    local info, caller = debug.getinfo(2, "Sr"), debug.getinfo(3, "S")
    if caller and caller.source == "=example " .. name then
      for i = info.ftransfer, info.ftransfer + info.ntransfer - 1 do
        see(select(2, debug.getlocal(2, i)), info.source:find("^[@=].*wrun") ~= nil)
      end
    end
  end
  debug.sethook(returned, "r")
  pcall(run, "example " .. name, text)
  debug.sethook()
end

describe("printing", function()
  local public = public_items()
  local met, complaints = {}, {}

  local function see(name)
    return function(value, is_ours)
      if not can_show(value) then
        return
      end
      local class = debug.getmetatable(value)
      local is_record = is_ours and not class and #value == 0 and next(value) ~= nil
      if (class or is_record) and not OTHERS[name] and shows_address(value) then
        complaints[#complaints + 1] = name .. ": " .. tostring(value)
      end
      while type(class) == "table" and not met[class] do
        met[class] = true
        met[tostring(rawget(class, "__name"))] = true
        class = rawget(class, "super")
      end
    end
  end

  -- A random name with 0x in it, which a run or a log shows, would be taken for an address.
  local function plain_name(tmpname)
    local name = tmpname()
    while name:find("0x", 1, true) do
      os.remove(name)
      name = tmpname()
    end
    return name
  end

  lazy_setup(function()
    local tmpname = os.tmpname
    rawset(os, "tmpname", function() return plain_name(tmpname) end)
    for _, item in ipairs(public) do
      local example = item.is_defined and item.entry and item.entry.example
      if example and not item.name:find("^testing") then
        watched(item.name, example, see(item.name))
      end
    end
    rawset(os, "tmpname", tmpname)
  end)

  it("shows what an object holds in every example", function()
    assert.same({}, complaints)
  end)

  it("has met every class", function()
    local unmet = {}
    for _, item in ipairs(public) do
      if item.kind == "class" and item.value and not met[item.value] then
        unmet[#unmet + 1] = item.name
      end
    end
    assert.same({}, unmet)
  end)

  it("finds what shows an address", function()
    local found = 0
    watched("sample", "local a = nn.Linear(1, 1):buffers() return tostring(a)", function(value)
      found = found + (can_show(value) and shows_address(value) and 1 or 0)
    end)
    assert.equal(1, found)
  end)

  it("names classes and parts", function()
    for _, item in ipairs(public) do
      if (item.kind == "class" or item.kind == "face") and item.value
        and not item.name:find("^testing") then
        assert.is_nil(shows_address(item.value), item.name)
      end
    end
    assert.equal("class Linear", tostring(wrun.nn.Linear))
    for _, item in ipairs(public) do
      if item.kind == "face" and not item.name:find("^testing") then
        local name = item.name == "wrun" and "wrun" or "wrun." .. item.name
        assert.equal(("%s: help(%s) lists what is in it"):format(name, name), tostring(item.value))
      end
    end
  end)

  it("shows sizes and strides, which stay lists", function()
    local x = wrun.zeros(3, 4)
    assert.equal("Size([3, 4])", tostring(x.shape))
    assert.equal("Size([3, 4])", tostring(x:size()))
    assert.equal("Size([])", tostring(x:sum().shape))
    assert.equal("Stride([4, 1])", tostring(x:stride()))
    assert.equal("shape: Size([3, 4])", "shape: " .. x.shape)
    local sizes, seen = x.shape, {}
    for i, size in ipairs(sizes) do
      seen[i] = size
    end
    assert.same({ 3, 4 }, seen)
    assert.equal(2, #sizes)
    assert.same({ 3, 4 }, { table.unpack(sizes) })
    assert.equal("3 x 4", table.concat(sizes, " x "))
    assert.is_true(sizes == x:size() and sizes == { 3, 4 } and sizes ~= { 4, 3 })
    assert.is_true(sizes ~= wrun.zeros(3).shape)
    table.insert(sizes, 5)
    assert.same({ 3, 4, 5 }, wrun.zeros(sizes).shape)
    sizes[1] = "no size"
    assert.equal("Size([no size, 4, 5])", tostring(sizes))
  end)

  it("says what a set and its loader hold", function()
    local data = wrun.data
    local set = data.TensorDataset(wrun.zeros(5, 3), wrun.arange(1, 6))
    assert.equal("TensorDataset(5 samples)", tostring(set))
    assert.equal("Subset(2 samples)", tostring(data.Subset(set, { 1, 3 })))
    assert.equal("ConcatDataset(10 samples)", tostring(data.ConcatDataset { set, set }))
    local function loader(options)
      return tostring(data.loader({ x = wrun.zeros(600, 2) }, options))
    end
    assert.equal("Loader(6 batches of 100, shuffled)", loader { batch_size = 100, shuffle = true })
    assert.equal("Loader(600 batches of 1, in order)", loader())
    assert.equal("Loader(2 batches of 2)", loader { batch_size = 2, sampler = { 1, 2, 3 } })
    assert.equal("SequentialSampler(count=3)", tostring(data.SequentialSampler(3)))
    assert.equal("SubsetRandomSampler(indices=int64 [2])",
      tostring(data.SubsetRandomSampler { 1, 2 }))
    assert.equal("BatchSampler(batch_size=2, drop_last=False, sampler=SequentialSampler)",
      tostring(data.BatchSampler(data.SequentialSampler(3), 2)))
  end)

  it("says where a run is", function()
    local optim = wrun.optim
    local optimizer = optim.SGD({ wrun.zeros(2, { requires_grad = true }) }, { lr = 0.1 })
    local scheduler = optim.lr_scheduler.StepLR(optimizer, { step_size = 2 })
    assert.equal("StepLR(base_lrs=[0.1], gamma=0.1, last_epoch=0, optimizer=SGD, step_size=2)",
      tostring(scheduler))
    assert.equal("StateDict(base_lrs=[0.1], gamma=0.1, last_epoch=0, step_size=2)",
      tostring(scheduler:state_dict()))
    assert.equal("StateDict(weight=float32 [1, 2], bias=float32 [1])",
      tostring(wrun.nn.Linear(2, 1):state_dict()))
    assert.matches("^Timer%(%d+%.%d%d%d s%)$", tostring(wrun.timer()))
    assert.equal("Bar(epoch 3: 0 of 600)",
      tostring(wrun.progress.bar { label = "epoch 3", count = 600 }))
    local guard <close> = wrun.no_grad()
    assert.equal("Guard(open)", tostring(guard))
  end)

  it("says what a machine's parts are", function()
    local machine = wrun.rbm.new { visible = 4, hidden = 2, seed = 1 }
    local name = "RBM(4 binary visible, 2 binary hidden)"
    assert.equal(("Chains(10 chains of %s, 5 steps)"):format(name),
      tostring(machine:chains(10):step(5)))
    assert.equal(("Chains(10 chains at 3 temperatures of %s, 0 steps)"):format(name),
      tostring(machine:chains(10, { temperatures = 3 })))
    assert.equal(("Trainer(pcd of %s, 0 of 10 epochs)"):format(name),
      tostring(machine:trainer(wrun.zeros(5, 4))))
  end)

  it("says what a hook is and when it is gone", function()
    local layer = wrun.nn.Linear(2, 1)
    local handle = layer:register_forward_hook(function() end)
    assert.equal("Handle(after hook of Linear(2 -> 1))", tostring(handle))
    handle:remove()
    assert.equal("Handle(removed)", tostring(handle))
  end)
end)
