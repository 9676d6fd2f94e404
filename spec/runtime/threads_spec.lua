--- The number of threads changes no bit of any result, nor does running again.

local files = require("spec.support.files")
local refusal = require("spec.support.refusal")
local wrun = require("wrun")

local COUNTS = { 1, 2, 3 }

local generator = wrun.Generator({ seed = 3 })

local function randn(...)
  return wrun.randn({ ... }, { generator = generator })
end

--- Asserts that work() gives equal tensors with every number of threads, and twice.
local function assert_independent(work)
  local want
  for _, count in ipairs(COUNTS) do
    for _ = 1, 2 do
      wrun.set_num_threads(count)
      local got = table.pack(work())
      wrun.set_num_threads(1)
      want = want or got
      for i = 1, want.n do
        assert.same(want[i].shape, got[i].shape)
        assert(want[i]:equal(got[i]), ("result %d differs with %d threads"):format(i, count))
      end
    end
  end
end

describe("the number of threads #many", function()
  local before

  setup(function()
    before = wrun.get_num_threads()
  end)

  teardown(function()
    wrun.set_num_threads(before)
  end)

  -- rows, inner, columns: around the size where products are cut, and around whole tiles
  local PRODUCTS = {
    { 1, 1, 1 }, { 3, 5, 7 }, { 50, 51, 51 }, { 64, 33, 65 }, { 1, 2000, 300 }, { 300, 2000, 1 },
    { 127, 129, 131 }, { 128, 64, 128 }, { 129, 70, 257 }, { 193, 31, 192 }, { 17, 400, 391 },
    { 100, 784, 256 }, { 784, 100, 256 },
  }

  it("changes no product", function()
    for _, size in ipairs(PRODUCTS) do
      local m, k, n = table.unpack(size)
      local a, b, bias = randn(m, k), randn(k, n), randn(n)
      local turned, weight = randn(k, m):t(), randn(n, k)
      assert_independent(function()
        return a:matmul(b), turned:matmul(weight:t()), wrun.linear(a, weight, bias)
      end)
    end
  end)

  it("changes no batch of products, and none of doubles or integers", function()
    local a, b = randn(3, 70, 60), randn(60, 90)
    local whole = a[1]:mul(100):long()
    assert_independent(function()
      return a:matmul(b), a:double():matmul(b:double()), whole:matmul(whole:t())
    end)
  end)

  it("changes no sum, whatever it runs over", function()
    local x, long = randn(130, 7, 301), randn(100003)
    assert_independent(function()
      return x:sum(), x:sum(1), x:sum(2), x:sum(3), x:mean({ 1, 3 }), long:sum(), long:mean(),
        long:norm(), long:std(), x:prod(2), x:max(1), x:min(), x:argmax(3), long:double():sum(),
        x:gt(0):sum(1), x:gt(4):any(2)
    end)
  end)

  it("changes no elementwise operation", function()
    local x, y = randn(301, 333), randn(333)
    assert_independent(function()
      return x + y, x:exp(), (x * y):tanh(), x:abs():log(), x:t():sigmoid(), x:abs():pow(1.7),
        x:gt(y), x:double(), x:clone():mul_(y), wrun.where(x:gt(0), x, y), x:softplus():sin()
    end)
  end)

  -- Its elements fill more than a strip of each thread's share, and no whole number of them; what a
  -- run left out would hold the number before.
  it("leaves out no element of a long row, forward or backward", function()
    for _, count in ipairs(COUNTS) do
      wrun.set_num_threads(count)
      for number = 1, 4 do
        assert(wrun.full({ 5900001 }, number):eq(number):all():item(), count .. " threads")
      end
    end
    wrun.set_num_threads(1)
  end)

  it("changes no softmax and no picking of rows", function()
    local x = randn(700, 133)
    local indices = wrun.randperm(700, { generator = generator })
    assert_independent(function()
      return x:softmax(2), x:log_softmax(1), x:index_select(1, indices),
        x:index_add(1, indices, x), wrun.cat({ x, x * 2 }, 2)
    end)
  end)

  it("changes no step of training", function()
    local nn, optim = wrun.nn, wrun.optim
    local inputs = randn(100, 784)
    local targets = wrun.arange(100):remainder(10) + 1
    assert_independent(function()
      wrun.manual_seed(1)
      local model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
      local optimizer = optim.Adam(model:parameters(), { lr = 0.01 })
      local criterion = nn.CrossEntropyLoss()
      local loss
      for _ = 1, 2 do
        optimizer:zero_grad()
        loss = criterion(model(inputs), targets)
        loss:backward()
        optimizer:step()
      end
      local parameters = model:parameters()
      return loss:detach(), parameters[1], parameters[2].grad, parameters[3], parameters[4]
    end)
  end)

  it("can be read and set, and may exceed the cores there are", function()
    wrun.set_num_threads(7)
    assert.equal(7, wrun.get_num_threads())
    local x = wrun.ones(300000)
    assert.equal(600000, (x + x):sum():item())
    wrun.set_num_threads(1)
    assert.equal(1, wrun.get_num_threads())
  end)

  it("takes no signal from the thread of the script", function()
    wrun.set_num_threads(3)
    local _ = wrun.ones(300000) * 2
    local threads, taking = files.shell("ls /proc/$PPID/task"), 0
    for thread in threads:gmatch("%d+") do -- read here: a shell's start blocks signals for a moment
      local status = files.read("/proc/self/task/" .. thread .. "/status")
      local interrupt = 1 << 2 - 1 -- SIGINT, counted from 1
      local blocked = tonumber(status:match("SigBlk:%s*(%x+)"), 16)
      taking = taking + (blocked & interrupt == 0 and 1 or 0)
    end
    wrun.set_num_threads(1)
    assert.equal(1, taking)
  end)

  it("is from 1 to 256", function()
    for _, wrong in ipairs({ 0, -1, 257 }) do
      assert.equal("set_num_threads: argument 1: expected 1 to 256 threads, got " .. wrong,
        refusal(wrun.set_num_threads, wrong))
    end
    assert.equal("set_num_threads: argument 1: expected a number of threads, got 1.5",
      refusal(wrun.set_num_threads, 1.5))
    assert.equal("set_num_threads: argument 1: expected a number of threads, got nothing",
      refusal(wrun.set_num_threads))
  end)
end)
