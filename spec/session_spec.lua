--- The Lua side of the interactive session: globals, results, and what words are completed to.

local session = require "wrun.session"
local wrun = require "wrun"

describe("the session's completion", function()
  local globals = { x = wrun.ones(2, 3), text = "abc", list = { wrun.nn.Linear(2, 3) } }
  session.start(globals, error)
  globals.print, globals.table = print, table
  local asked = {}

  local function files(path)
    asked[#asked + 1] = path
    return { path .. "one.csv", path .. "two/", path .. "one.csv" }
  end

  -- What the last word of a line may become; words end as libedit ends them.
  local function complete(line)
    local word = line:match("[^%s\"\\'`@$><=;|&{(+%-*/%%^~#,%[%]%)}]*$")
    return session.complete(globals, line, #line - #word, files)
  end

  local function has(list, candidate)
    local count = 0
    for _, text in ipairs(list) do
      count = count + (text == candidate and 1 or 0)
    end
    return count == 1
  end

  it("knows globals, parts and what is in them, each once", function()
    assert.same({ "print" }, complete("pri"))
    assert.same({ "nn.Linear" }, complete("a = nn.Linea"))
    assert.is_true(has(complete("wrun."), "wrun.nn"))
    assert.is_true(has(complete("wrun.r"), "wrun.rbm"))
    assert.is_true(has(complete("table."), "table.concat"))
    assert.same({}, complete("nothing.at.al"))
    assert.same({}, complete("print(x.nothing.a"))
  end)

  it("knows fields and methods of tensors", function()
    assert.same({ "x:sum" }, complete("x:sum"))
    assert.same({ "x.shape" }, complete("print(x.sha"))
    assert.is_true(has(complete("x."), "x.requires_grad"))
    assert.is_true(has(complete("x:"), "x:reshape"))
    assert.is_false(has(complete("x:"), "x:shape"))
    assert.is_false(has(complete("x:"), "x:_missing"))
  end)

  it("knows methods of modules, also in lists, and of strings", function()
    assert.is_true(has(complete("list[1]:para"), ":parameters"))
    assert.same({ ".weight" }, complete("list[1].weig"))
    assert.is_true(has(complete("list[1].weight:re"), ".weight:reshape"))
    assert.same({ "text:upper" }, complete("text:upp"))
  end)

  it("offers no candidate twice", function()
    for _, line in ipairs { "", "x:", "x.", "nn.", "wrun.", "optim.", "list[1]:", "text:" } do
      local seen = {}
      for _, text in ipairs(complete(line)) do
        assert.is_nil(seen[text], line .. text)
        seen[text] = true
      end
    end
  end)

  it("knows the options of what is called", function()
    assert.same({ "lr = " }, complete("optim.SGD(list[1]:parameters(), { lr"))
    assert.same({ "momentum = " }, complete("optim.SGD(p, { lr = 0.1, mom"))
    assert.same({ "batch_sampler = ", "batch_size = " }, complete("data.loader(set, { batch_"))
    assert.same({ "hidden = ", "hidden_units = " }, complete("wrun.rbm.new { hid"))
    assert.same({ "requires_grad = " }, complete("wrun.zeros(2, { req"))
    assert.same({ "generator = " }, complete("x:normal_(0, 1, { gen"))
    assert.same({ "step_size = " }, complete("optim.lr_scheduler.StepLR(o, {\n  gamma = 1, ste"))
    assert.same({ "dtype = " }, complete("nn.Linear(2, 3, { dt"))
    assert.same({ "print" }, complete("optim.SGD(p, { lr = pri")) -- a value
    assert.same({ "print" }, complete("{ pri")) -- a table
  end)

  it("draws nothing from generators while it looks for options", function()
    wrun.manual_seed(1)
    local state = wrun.get_rng_state()
    for _, name in ipairs { "rand", "randn", "randperm", "randint", "full", "manual_seed" } do
      complete(("wrun.%s(2, { a"):format(name))
    end
    assert.is_true(state:equal(wrun.get_rng_state()))
  end)

  it("knows files inside quotes", function()
    assert.same({ "one.csv", "two/" }, complete('wrun.load("/tmp/'))
    assert.same({ "one.csv", "two/" }, complete("io.open '"))
    assert.same({ "/tmp/", "" }, asked)
    assert.same({ "print" }, complete("'closed' .. pri"))
    assert.same({ "print" }, complete("'it\\'s' .. pri"))
    assert.same({ "print" }, complete("'line'\npri"))
  end)

  it("cuts candidates where the editor's word begins", function()
    local function names(path)
      return { path .. "file.npy" }
    end
    local line = "io.open('my-"
    assert.same({ "file.npy" }, session.complete(globals, line, #line, names))
    assert.same({ "my-file.npy" }, session.complete(globals, line, #line - 3, names))
  end)
end)

describe("the session's results", function()
  it("are as print should get them", function()
    local globals = {}
    session.start(globals, error)
    assert.same({ true, nil, 1, "{ 2 }", nil, "a", n = 6 },
      table.pack(session.results(globals, 1, { 2 }, nil, "a")))
    assert.equal(1, globals._)
    local x = wrun.ones(2)
    assert.equal(x, select(3, session.results(globals, x)))
    assert.equal(x, globals._)
    session.results(globals, nil)
    assert.equal(x, globals._)
    assert.is_false(session.results(globals, globals.exit))
    assert.equal(wrun.help() .. "\n", select(2, session.results(globals, globals.help)))
    assert.equal(wrun.help "abs" .. "\n", select(2, session.results(globals, globals.help "abs")))
  end)
end)
