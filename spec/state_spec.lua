--- Every object with state: stopped at a random moment, saved in a file, loaded into a fresh one,
--- it goes on bit for bit as one that was never stopped.

local files = require "spec.support.files"
local original = require("wrun.method").original
local source = require "spec.support.source"
local wrun = require "wrun"

local nn, optim, data = wrun.nn, wrun.optim, wrun.data

local _, path = files.scratch(teardown)

-- All that is in a value, as text: tensors by dtype, shape and bits, numbers by their bits.
local function text_of(value)
  if type(value) == "table" then
    local parts = {}
    for key, inner in pairs(value) do
      parts[#parts + 1] = text_of(key) .. "=" .. text_of(inner)
    end
    table.sort(parts)
    return "{" .. table.concat(parts, ",") .. "}"
  elseif type(value) == "userdata" then
    return ("%s[%s]%s"):format(value.dtype, table.concat(value.shape, ","),
      text_of(value:reshape(-1):tolist()))
  end
  return math.type(value) == "float" and ("%a"):format(value) or tostring(value)
end

-- Fields that may differ: paths noted for another look, and what the object was made with.
local OTHERS = { _paths = true, seed = true }

-- All that an object's own fields lead to, by path: what it is made of, whether saved or not.
local function fields_of(value, at, fields, above)
  fields, above = fields or {}, above or {}
  if type(value) == "userdata" and not wrun.is_tensor(value) then
    fields[at] = text_of(value:get_state())
  elseif type(value) == "table" and not above[value] then
    above[value] = true
    for key, inner in next, value do
      local _ = not OTHERS[key] and fields_of(inner, at .. "." .. text_of(key), fields, above)
    end
    above[value] = nil
  elseif type(value) ~= "function" and type(value) ~= "table" then
    fields[at] = text_of(value)
  end
  return fields
end

-- Is it a class with a state_dict, its own or an inherited one?
local function has_state(class)
  return type(class) == "table" and rawget(class, "__name") ~= nil and class.state_dict ~= nil
end

local makers = {}

-- `new()` makes an object { state_dict, load_state_dict, go } of its own; `go(i)` is its i-th step
-- and may return what came out.
local function survives(title, new, steps)
  makers[#makers + 1] = new
  it(title, function()
    local whole = new()
    local stop = math.random(1, steps - 1)
    for i = 1, stop do
      whole:go(i)
    end
    wrun.save(path, { state = whole:state_dict() })
    local resumed = new()
    resumed:load_state_dict(wrun.load(path).state)
    assert.equal(text_of(whole:state_dict()), text_of(resumed:state_dict()))
    assert.same(fields_of(whole, title), fields_of(resumed, title), "after step " .. stop)
    for i = stop + 1, steps do
      assert.equal(text_of(whole:go(i)), text_of(resumed:go(i)), "after step " .. stop)
    end
    assert.equal(text_of(whole:state_dict()), text_of(resumed:state_dict()))
  end)
end

-- An object of named parts, whose states are one table.
local function object(parts, go)
  return {
    go = go,
    parts = parts,
    state_dict = function()
      local state = {}
      for name, part in pairs(parts) do
        state[name] = part:state_dict()
      end
      return state
    end,
    load_state_dict = function(_, state)
      for name, part in pairs(parts) do
        part:load_state_dict(state[name])
      end
    end,
  }
end

local function draws(seed)
  return wrun.Generator { engine = "philox", seed = seed }
end

local function network()
  wrun.manual_seed(math.random(1000))
  return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2))
end

-- Steps on the data of step i, and returns the loss.
local function learn(model, optimizer, i)
  local x = wrun.randn(6, 3, { generator = draws(i) })
  return optimizer:step(function()
    optimizer:zero_grad()
    local loss = (model(x) - x:narrow(2, 1, 2)):square():mean()
    loss:backward()
    return loss
  end)
end

describe("the state of", function()
  local optimisers = {
    SGD = { lr = 0.1, momentum = 0.9, nesterov = true }, Adam = { amsgrad = true }, AdamW = {},
    Adadelta = {}, Adagrad = { lr_decay = 0.1 }, Adamax = {}, ASGD = { t0 = 2 },
    LBFGS = { max_iter = 3, line_search_fn = "strong_wolfe" }, Lion = {}, NAdam = {}, RAdam = {},
    RMSprop = { momentum = 0.5, centered = true }, Rprop = {},
  }

  it("every optimiser is here", function()
    for name, class in pairs(optim) do
      if optim.Optimizer:is_class(class) and class ~= optim.Optimizer then
        assert.is_table(optimisers[name], name)
      end
    end
  end)

  for name, options in pairs(optimisers) do
    survives(name .. " and its model", function()
      local model = network()
      local optimizer = optim[name](model:parameters(), options)
      optimizer.param_groups[1].note = { "of the user's own", 1.5 }
      return object({ model = model, optimizer = optimizer }, function(_, i)
        return learn(model, optimizer, i)
      end)
    end, 12)
  end

  local schedule = optim.lr_scheduler
  local schedulers = {
    ChainedScheduler = function(optimizer)
      return schedule.ChainedScheduler {
        schedule.ConstantLR(optimizer, { factor = 0.1, total_iters = 4 }),
        schedule.ExponentialLR(optimizer, { gamma = 0.5 }),
        schedule.CosineAnnealingLR(optimizer, { T_max = 3 }),
      }
    end,
    SequentialLR = function(optimizer)
      return schedule.SequentialLR(optimizer, {
        schedulers = {
          schedule.LinearLR(optimizer), schedule.StepLR(optimizer, { step_size = 2 }),
        },
        milestones = { 5 },
      })
    end,
    ReduceLROnPlateau = function(optimizer)
      return schedule.ReduceLROnPlateau(optimizer, { patience = 1, cooldown = 1 })
    end,
  }
  local options_of = {
    ConstantLR = {}, LinearLR = {}, ExponentialLR = { gamma = 0.9 }, StepLR = { step_size = 3 },
    MultiStepLR = { milestones = { 2, 5 } }, PolynomialLR = { total_iters = 8 },
    CosineAnnealingLR = { T_max = 4 }, CosineAnnealingWarmRestarts = { T_0 = 2, T_mult = 2 },
    CyclicLR = { base_lr = 0.01, max_lr = 0.1, step_size_up = 3 },
    OneCycleLR = { max_lr = 0.1, total_steps = 30 },
    LambdaLR = { lr_lambda = function(i) return 1 / (i + 1) end },
    MultiplicativeLR = { lr_lambda = function() return 0.9 end },
  }
  for name, options in pairs(options_of) do
    schedulers[name] = function(optimizer)
      return schedule[name](optimizer, options)
    end
  end

  it("every scheduler is here", function()
    for name in pairs(schedule) do
      assert.is_true(schedulers[name] ~= nil or name == "LRScheduler", name)
    end
  end)

  for name, make in pairs(schedulers) do
    survives(name .. ", its optimiser and its model", function()
      local model = network()
      local optimizer = optim.SGD(model:parameters(), { lr = 0.1, momentum = 0.9 })
      local scheduler = make(optimizer)
      local parts = { model = model, optimizer = optimizer, scheduler = scheduler }
      return object(parts, function(_, i)
        local loss = learn(model, optimizer, i)
        scheduler:step(name == "ReduceLROnPlateau" and loss or nil)
        return scheduler:get_last_lr()
      end)
    end, 14)
  end

  -- what a module of this name is made with, anew each time
  local function arguments_of(name)
    local parameters = { a = nn.Parameter(wrun.zeros(2)), nn.Parameter(wrun.ones(3)) }
    local arguments = {
      BatchNorm1d = { 4 }, BatchNorm2d = { 4 }, Bilinear = { 2, 3, 4 }, Embedding = { 5, 3 },
      GroupNorm = { 2, 4 }, LayerNorm = { 4 }, Linear = { 3, 4 }, LogSoftmax = { 2 },
      ModuleDict = { { a = nn.Linear(2, 3), b = nn.PReLU() } },
      ModuleList = { { nn.Linear(2, 3), nn.BatchNorm1d(3) } },
      ParameterDict = { { a = parameters.a } }, ParameterList = { { parameters[1] } },
      ReZero = { nn.Linear(2, 2) }, RMSNorm = { 4 },
      Sequential = { nn.Linear(2, 3), nn.BatchNorm1d(3) }, Softmax = { 2 }, Softmin = { 2 },
      Threshold = { 0.1, 2 }, Unflatten = { 2, { 2, 2 } },
    }
    return table.unpack(arguments[name] or {})
  end

  for name, class in pairs(nn) do
    if has_state(class) and class ~= nn.Module then
      survives("a module: " .. name, function()
        local module = class(arguments_of(name))
        return object({ module = module }, function(_, i)
          local _ <close> = wrun.no_grad()
          for _, list in ipairs { module:parameters(), module:buffers() } do
            for _, t in ipairs(list) do
              t:add_(wrun.randint(1, 9, t.shape, { generator = draws(i) }))
            end
          end
        end)
      end, 5)
    end
  end

  survives("an averaged model", function()
    local model = network()
    local optimizer = optim.SGD(model:parameters(), { lr = 0.1 })
    local average = optim.swa_utils.AveragedModel(model)
    local parts = { model = model, optimizer = optimizer, average = average }
    return object(parts, function(_, i)
      learn(model, optimizer, i)
      average:update_parameters(model)
    end)
  end, 8)

  -- a generator as the other objects are: its state_dict is a table
  local function part_of_generator(generator)
    return {
      state_dict = function()
        return { generator:get_state() }
      end,
      load_state_dict = function(_, state)
        generator:set_state(state[1])
      end,
    }
  end

  for _, engine in ipairs { "mt19937", "philox" } do
    survives("a generator: " .. engine, function()
      local generator = wrun.Generator { engine = engine, seed = math.random(1000) }
      return object({ generator = part_of_generator(generator) }, function(_, i)
        local with = { generator = generator }
        return { wrun.randn(i % 5, with), wrun.rand(i, with), wrun.randperm(i, with),
          wrun.empty(3):bernoulli_(0.5, with), wrun.randn(1, 3, with) }
      end)
    end, 30)
  end

  survives("a loader's generator", function()
    local generator = wrun.Generator { seed = math.random(1000) }
    local loader = data.loader(data.TensorDataset(wrun.arange(20)), {
      batch_size = 3, shuffle = true, generator = generator,
    })
    return object({ generator = part_of_generator(generator) }, function()
      local batches = {}
      for batch in loader:batches() do
        batches[#batches + 1] = batch
      end
      return batches
    end)
  end, 6)

  local x = wrun.rand(30, 6, { generator = draws(1) }):round()
  local function machine(seed)
    return wrun.rbm.new { visible = 6, hidden = 4, seed = seed or math.random(1000) }
  end

  for _, method in ipairs { "cd", "pcd", "fpcd", "pt", "exact" } do
    survives("a trainer by " .. method, function()
      local trainer = machine():trainer(x, {
        method = method, k = 1, chains = 5, temperatures = 4, batch_size = 30, epochs = 9,
        lr = { 0.5, 0 }, momentum = 0.5, l1 = 0.001, l2 = 0.001, sparsity = { target = 0.1 },
        binarize = "stochastic",
      })
      trainer.go = trainer.run_epoch
      return trainer
    end, 9)
  end

  survives("early stopping", function()
    local model = network()
    local stopping = wrun.early_stopping(model)
    return object({ model = model, stopping = stopping }, function(_, i)
      wrun.no_grad(function() model[1].weight:fill_(i) end)
      local is_over = stopping:step(math.sin(i))
      stopping:restore()
      return is_over
    end)
  end, 12)

  survives("a machine that is fitted again and again", function()
    local one = machine()
    return object({ machine = one }, function(_, i)
      one:fit(x:narrow(1, i, 20), { method = "cd", epochs = 1, lr = 0.1 })
    end)
  end, 6)

  survives("chains at temperatures", function()
    local one = machine(1)
    local chains = one:chains(5, { temperatures = 4 })
    return object({ machine = one, chains = chains }, function()
      return { chains:step().v, chains:swap_rates() }
    end)
  end, 9)

  survives("a belief network", function()
    local model = wrun.dbn.new { sizes = { 6, 4, 3 }, seed = math.random(1000) }
    return object({ model = model }, function()
      model:fit(x, { method = "cd", epochs = 1, lr = 0.1 })
      return model:sample(3, 2)
    end)
  end, 4)
end)

describe("every state_dict of the library", function()
  -- "wrun.dbn:151": a module, as a file or as it is compiled in, and a line of it
  local function place(where, line)
    where = where:gsub("^[@=]", ""):gsub("^lua/", ""):gsub("%.lua$", "")
    return where:gsub("/", ".") .. ":" .. line
  end

  it("is among them", function()
    local seen, names = {}, {}
    for _, new in ipairs(makers) do
      local made = new()
      for _, part in pairs(made.parts or { made }) do
        local info = debug.getinfo(original(part.state_dict), "S")
        seen[place(info.source, info.linedefined)] = true
        names[part.__name or ""] = true
      end
    end
    local tree, count = source.tree(), 0
    for _, name in ipairs(source.paths(tree, "^lua/.*%.lua$")) do
      local number = 0
      for line in tree[name]:gmatch("([^\n]*)\n") do
        number = number + 1
        if line:find("^function %w+[:.]state_dict%(") then
          count = count + 1
          assert.is_true(seen[place(name, number)], name)
        end
      end
    end
    assert.is_true(count >= 9)
    -- and what inherits one
    local bases = { Module = true, Optimizer = true, LRScheduler = true }
    for _, face in ipairs { nn, optim, optim.lr_scheduler, optim.swa_utils, wrun.rbm, wrun.dbn } do
      for name, class in pairs(face) do
        if has_state(class) and not bases[name] then
          assert.is_true(names[class.__name], name)
        end
      end
    end
  end)
end)

describe("a machine", function()
  it("keeps parameters that were written by hand or loaded when it is fitted", function()
    for _, center in ipairs { true, false } do
      local by_hand = wrun.rbm.new { visible = 2, hidden = 1, seed = 1, center = center }
      by_hand.visible_bias:copy_(wrun.tensor { -3.5, 3.4 })
      local loaded = wrun.rbm.new { visible = 2, hidden = 1, center = center }
      loaded:load_state_dict(by_hand:state_dict())
      for _, one in ipairs { by_hand, loaded } do
        local before = one:plain()
        one:fit(wrun.tensor { { 1.0, 1 }, { 0, 1 } }, { lr = 0, epochs = 1 })
        assert.equal(text_of(before), text_of(one:plain()))
      end
    end
  end)
end)
