--- Checkpoints: all of a run in one file, and which files are refused.

local child = require "spec.support.child"
local core = require "wrun.core"
local refusal = require "spec.support.refusal"
local wrun = require "wrun"

local nn, optim = wrun.nn, wrun.optim

require "wrun.testing"

local function with_folder(use)
  return function()
    child.with_folder(use, true)
  end
end

local function files(folder)
  local names = core.folder_names(folder)
  table.sort(names)
  return names
end

describe("checkpoint", function()
  it("brings back models, optimisers, generators and values", with_folder(function(folder)
    local function parts(seed)
      wrun.manual_seed(seed)
      local model = nn.Linear(3, 2)
      return {
        model = model,
        optimizer = optim.Adam(model:parameters()),
        noise = wrun.Generator { seed = seed },
        best = { epoch = seed, loss = 0 / 0, weights = wrun.full({ 2 }, seed) },
      }
    end
    local mine = parts(1)
    wrun.randn(1) -- leaves a second normal for the next call
    wrun.randn(1, { generator = mine.noise })
    wrun.checkpoint(folder, mine):save { epoch = 7, note = "mine" }
    local first = { wrun.randn(3), wrun.randn(3, { generator = mine.noise }) }
    local other = parts(2)
    local position = wrun.checkpoint(folder, other):load()
    assert.equal(7, position.epoch)
    assert.equal("mine", position.note)
    assert.same_bits(mine.model.weight, other.model.weight)
    assert.same_bits(first[1], wrun.randn(3))
    assert.same_bits(first[2], wrun.randn(3, { generator = other.noise }))
    assert.equal(1, other.best.epoch)
    assert.same_bits(wrun.full({ 2 }, 1), other.best.weights)
  end))

  it("finds the generators inside of what it keeps", with_folder(function(folder)
    local function machine(seed)
      return wrun.rbm.new { visible = 4, hidden = 2, seed = seed }
    end
    local mine, other = machine(1), machine(2)
    mine:chains(5):step(3)
    wrun.checkpoint(folder, { chains = mine:chains(5) }):save()
    local expected = wrun.rand(4, { generator = mine.generator })
    wrun.checkpoint(folder, { chains = other:chains(5) }):load()
    assert.same_bits(expected, wrun.rand(4, { generator = other.generator }))
  end))

  it("keeps the last few files", with_folder(function(folder)
    local checkpoint = wrun.checkpoint(folder, { model = nn.Linear(1, 1) }, { keep = 3 })
    assert.is_nil(checkpoint:load())
    for epoch = 1, 5 do
      checkpoint:save { epoch = epoch }
    end
    assert.same({ "000003.safetensors", "000004.safetensors", "000005.safetensors" },
      files(folder))
    assert.equal(5, checkpoint:position().epoch)
  end))

  it("keeps the files before one that cannot be written", with_folder(function(folder)
    local checkpoint = wrun.checkpoint(folder, { model = nn.Linear(1, 1) })
    checkpoint:save { epoch = 1 }
    local text = refusal(function() checkpoint:save { epoch = 2, f = print } end)
    assert.matches("position.f: expected a tensor, a table, a number", text)
    assert.same({ "000001.safetensors" }, files(folder))
    assert.equal(1, checkpoint:load().epoch)
  end))

  local function network(activation, width)
    return nn.Sequential(nn.Linear(3, width or 4), activation or nn.ReLU(),
      nn.Linear(width or 4, 1))
  end

  local function parts(model)
    return { model = model, optimizer = optim.SGD(model:parameters(), { lr = 0.1 }) }
  end

  it("refuses those of other parts, with the first difference", with_folder(function(folder)
    wrun.checkpoint(folder, parts(network())):save()
    local at = "^checkpoint: " .. folder:gsub("%p", "%%%0") .. "/000001.safetensors: "
    local function refused(others)
      return (refusal(function() wrun.checkpoint(folder, others):load() end))
    end
    local other = network(nn.Tanh())
    local before = wrun.fingerprint(other)
    assert.matches(at .. "model: expected %(2%): Tanh%(%), found %(2%): ReLU%(%)$",
      refused(parts(other)))
    assert.matches(at .. "model: expected %(1%): Linear%(in_features=3, out_features=5, bias=True%)"
      .. ", found %(1%): Linear%(in_features=3, out_features=4, bias=True%)$",
      refused(parts(network(nil, 5))))
    local same = network()
    assert.matches(at .. "optimizer: expected Adam, found SGD$",
      refused { model = same, optimizer = optim.Adam(same:parameters()) })
    assert.matches(at .. "has a part optimizer, which this run does not keep$",
      refused { model = same })
    local more = parts(same)
    more.ema = { decay = 0.9 }
    assert.matches(at .. "has no ema; its parts are model, optimizer$", refused(more))
    assert.equal(before, wrun.fingerprint(other))
  end))

  it("leaves all parts as they were where one of them does not fit", with_folder(function(folder)
    local mine = nn.Linear(2, 1)
    wrun.checkpoint(folder, {
      a = mine, b = optim.SGD({ { params = { mine.weight } }, { params = { mine.bias } } }),
    }):save()
    local other = nn.Linear(2, 1)
    local before = wrun.fingerprint(other)
    local text = refusal(function()
      wrun.checkpoint(folder, { a = other, b = optim.SGD(other:parameters()) }):load()
    end)
    assert.matches("b: SGD: load_state_dict: expected 1 groups, got 2$", text)
    assert.equal(before, wrun.fingerprint(other))
  end))

  it("refuses one that is altered, another version's, cut, or none", with_folder(function(folder)
    local path = folder .. "/000001.safetensors"
    local mine = parts(network())
    local function refused(change)
      os.remove(path)
      wrun.checkpoint(folder, mine):save { epoch = 1 }
      child.write(change(child.read(path)), path)
      return (refusal(function() wrun.checkpoint(folder, mine):load() end))
        :match("^checkpoint: .*/000001.safetensors: (.*)$")
    end
    local function save_changed(change)
      return function()
        local tree = wrun.load(path)
        change(tree)
        wrun.save(path, tree)
        return child.read(path)
      end
    end
    local tail = " is not as it was saved; without this file the run goes on from the one before it"
    assert.equal("model.1.weight" .. tail, refused(save_changed(function(tree)
      tree.parts.model["1.weight"][1][1] = 7
    end)))
    assert.equal("optimizer" .. tail, refused(save_changed(function(tree)
      tree.parts.optimizer.param_groups[1].lr = 0.2
    end)))
    assert.equal("position" .. tail, refused(save_changed(function(tree)
      tree.position.epoch = 2
    end)))
    assert.equal("was written by wrun 9.9, and this is " .. core.version,
      refused(save_changed(function(tree) tree.wrun = "wrun 9.9" end)))
    assert.equal("is no checkpoint", refused(save_changed(function(tree) tree.seals = nil end)))
    assert.is_string(refused(function(text) return text:sub(1, -2) end))
    assert.is_string(refused(function() return "" end))
  end))

  it("refuses what it cannot keep", function()
    for _, case in ipairs {
      { { a = print }, "expected what has a state_dict, a generator or a table of values as a" },
      { { ["a.b"] = {} }, "expected texts without dots as names of parts" },
      { { nn.Linear(1, 1) }, "expected texts without dots as names of parts" },
      { nn.Linear(1, 1), "expected a table of parts by name, such as { model = model }" },
    } do
      local text = refusal(function() wrun.checkpoint("x", case[1]) end)
      assert.is_truthy(text:find("checkpoint: argument 2: " .. case[2], 1, true), text)
    end
  end)
end)
