--- What is hashed to see that results have the same bits on every processor: each part is a function
--- that returns tensors, computed from numbers that wrun draws itself.

local child = require "spec.support.child"
local core = require "wrun.core"
local operations = require "wrun.operations"
local wrun = require "wrun"

local nn, optim = wrun.nn, wrun.optim

local M = {}

-- An odd count, so that the last block of a kernel is not full.
local COUNT = 2003
local LARGE = { float32 = 3e38, float64 = 1e308 }

-- Numbers near, far and beyond, the same each time; from 0 up where positive.
local function numbers(dtype, seed, positive)
  local generator = wrun.Generator({ seed = seed })
  local parts = { wrun.tensor({ 0, -0.0, 1, -1, 0.5, 1e-40, 1e-310, LARGE[dtype], 1 / 0 },
    { dtype = dtype }) }
  for _, scale in ipairs({ 0.9, 3, 40, 1e4 }) do
    local drawn = wrun.rand({ COUNT }, { dtype = dtype, generator = generator })
    parts[#parts + 1] = (drawn * 2 - 1) * scale
  end
  local all = wrun.cat(parts)
  return positive and all:abs() or all
end

local function is_float(x)
  return x.dtype:find("float") ~= nil
end

-- The bits of a NaN say nothing.
local function without_nan(x)
  return is_float(x) and wrun.where(x:eq(x), x, wrun.zeros_like(x)) or x
end

-- The value and the derivatives of a row of ops.def, in float32 and float64.
local function operation(row)
  local found = {}
  for _, dtype in ipairs({ "float32", "float64" }) do
    for _, positive in ipairs({ false, true }) do
      local arguments = {}
      for i = 1, row.arity do
        arguments[i] = numbers(dtype, i, positive)
        if row.kind == "bitwise" or row.kind == "shift" then
          arguments[i] = (arguments[i] * 2):clamp(-9, 9):to("int64")
        elseif row.kind == "select" and i == 1 then
          arguments[i] = arguments[i]:gt(0)
        elseif row.name == "polygamma" and i == 2 then
          arguments[i] = arguments[i]:abs():clamp(1, 4):floor()
        end
        -- Of digamma it is a polygamma of an order that optimising compilers fold.
        arguments[i]:requires_grad_(is_float(arguments[i]) and row.name ~= "digamma")
      end
      local y = operations[row.name](table.unpack(arguments))
      found[#found + 1] = without_nan(y:detach())
      if y.requires_grad then
        y:sum():backward()
        for _, x in ipairs(arguments) do
          found[#found + 1] = x.grad and without_nan(x.grad)
        end
      end
    end
  end
  return found
end

-- What `work` gives of two matrices, one of them positive definite, in both precisions.
local function matrices(work)
  local found = {}
  for _, dtype in ipairs({ "float32", "float64" }) do
    local generator = wrun.Generator({ seed = 3 })
    local x = wrun.randn({ 301, 203 }, { dtype = dtype, generator = generator })
    for _, y in ipairs({ work(x, x:t():matmul(x) / 100) }) do
      found[#found + 1] = y
    end
  end
  return found
end

local function by_both_dimensions(names)
  return function()
    return matrices(function(x)
      local found = {}
      for name in names:gmatch("%S+") do
        found[#found + 1] = (x[name](x, 1))
        found[#found + 1] = (x[name](x, 2))
      end
      return table.unpack(found)
    end)
  end
end

-- 640 digits that are not: ten patterns of 64 pixels, with noise.
local function patterns()
  local generator = wrun.Generator({ seed = 5 })
  local pattern = wrun.rand({ 10, 64 }, { generator = generator })
  local label = wrun.randint(1, 11, { 640 }, { generator = generator })
  local noise = wrun.rand({ 640, 64 }, { generator = generator })
  return (pattern:index_select(1, label) + noise) / 2, label
end

-- The parameters of 64-48-32-10 units after two epochs.
local function network(activation, make_optimizer)
  return function()
    wrun.manual_seed(1)
    local x, label = patterns()
    local model = nn.Sequential(nn.Linear(64, 48), activation(), nn.Linear(48, 32), activation(),
      nn.Linear(32, 10))
    local optimizer, criterion = make_optimizer(model:parameters()), nn.CrossEntropyLoss()
    for step = 0, 31 do
      local first = step % 16 * 40 + 1
      optimizer:step(function()
        optimizer:zero_grad()
        local loss = criterion(model(x:narrow(1, first, 40)), label:narrow(1, first, 40))
        loss:backward()
        return loss
      end)
    end
    return model:parameters()
  end
end

local function adam(parameters)
  return optim.Adam(parameters, { lr = 0.01 })
end

local OPTIMIZERS =
  "ASGD Adadelta Adagrad Adam AdamW Adamax LBFGS Lion NAdam RAdam RMSprop Rprop SGD"

local function machine(method)
  return function()
    local trained = wrun.rbm.new { visible = 64, hidden = 12, seed = 1 }
    trained:fit((patterns()), { method = method, epochs = 3, batch_size = 40, lr = 0.1 })
    return { trained.weight, trained.visible_bias, trained.hidden_bias,
      wrun.tensor({ trained:log_z() }, { dtype = "float64" }) }
  end
end

local function draws()
  local found = {}
  for _, dtype in ipairs({ "float32", "float64" }) do
    wrun.manual_seed(7)
    local function empty()
      return wrun.empty({ COUNT }, { dtype = dtype })
    end
    local rate = wrun.rand({ COUNT }, { dtype = dtype })
    for _, x in ipairs({
      rate, wrun.randn({ COUNT }, { dtype = dtype }), rate:bernoulli(), empty():exponential_(),
      empty():log_normal_(), empty():cauchy_(), empty():geometric_(0.3), wrun.poisson(rate * 20),
    }) do
      found[#found + 1] = x
    end
  end
  return found
end

-- A list of { name, function that returns tensors }, in order.
local function parts()
  local all = {}
  for _, row in ipairs(core.elementwise_rows()) do
    all[#all + 1] = { row.name, function() return operation(row) end }
  end
  for name, work in pairs({
    ["sums"] = by_both_dimensions "sum mean std var norm logsumexp",
    ["products"] = by_both_dimensions "prod cumsum cumprod logcumsumexp softmax log_softmax",
    ["matmul"] = function()
      return matrices(function(x, s)
        return x:matmul(x:t()), s, x:matmul(x[1]), s:narrow(1, 1, 5):matmul(s)
      end)
    end,
    ["linalg"] = function()
      local linalg = wrun.linalg
      return matrices(function(x, s)
        local q, r = linalg.qr(x)
        local u, singular, vh = linalg.svd(x, false)
        local values, vectors = linalg.eigh(s)
        return linalg.cholesky(s), linalg.inv(s), linalg.solve(s, x:t()), q, r, u, singular, vh,
          values, vectors, linalg.lstsq(x, x:narrow(2, 1, 2) + 1), linalg.det(s)
      end)
    end,
    ["draws"] = draws,
    ["network of ReLU"] = network(nn.ReLU, adam),
    ["network of Tanh"] = network(nn.Tanh, adam),
    ["network of GELU"] = network(nn.GELU, adam),
    ["RBM by cd"] = machine("cd"),
    ["RBM by pcd"] = machine("pcd"),
    ["RBM by pt"] = machine("pt"),
    ["DBN"] = function()
      local stack = wrun.dbn.new { sizes = { 64, 24, 10 }, seed = 1 }
      stack:fit((patterns()), { epochs = 2, batch_size = 40 })
      return stack:to_nn():parameters()
    end,
  }) do
    all[#all + 1] = { name, work }
  end
  for name in OPTIMIZERS:gmatch("%S+") do
    all[#all + 1] = { name, network(nn.Tanh, function(parameters)
      return optim[name](parameters, { lr = 0.01 })
    end) }
  end
  table.sort(all, function(a, b) return a[1] < b[1] end)
  return all
end

--- Prints a line for each part: its name, a tab, the fingerprint of its tensors.
function M.print()
  for _, part in ipairs(parts()) do
    print(part[1] .. "\t" .. wrun.fingerprint(part[2]()))
  end
end

--- Returns the names of all parts, in order.
function M.names()
  local names = {}
  for i, part in ipairs(parts()) do
    names[i] = part[1]
  end
  return names
end

--- Reads what print has written: fingerprints by name.
function M.read(text)
  local fingerprints = {}
  for name, fingerprint in text:gmatch("([^\n\t]+)\t(%x+)\n") do
    fingerprints[name] = fingerprint
  end
  return fingerprints
end

--- Returns the fingerprints that every x86-64-v3 processor must give; to write them anew:
--- `build/wrun spec/portable.lua >spec/fixtures/portable.txt`.
function M.committed()
  return M.read(child.read("spec/fixtures/portable.txt"))
end

return M
