--- wrun.help: what it says of values and names, and what it says when it knows nothing.

local child = require "spec.support.child"
local wrun = require "wrun"

local nn, help = wrun.nn, wrun.help

local function first_line(x)
  return help(x):match("^[^\n]*")
end

local OUTER = [[
wrun.outer(a, b)   or   x:outer(b)

  Returns all products of an element of a and an element of b.

  shapes    a [n], b [m] -> [n, m]
  domain    any dtypes
  raises    `outer: argument N: expected a tensor`
  a         wrun.Tensor
  b         wrun.Tensor
  returns   wrun.Tensor

      print(wrun.arange(1, 4):outer(wrun.arange(1, 4)))]]

describe("wrun.help", function()
  it("says what a function is, how it is called, and shows an example", function()
    assert.equal(OUTER, help(wrun.outer))
  end)

  it("knows it by any of its names", function()
    for _, name in ipairs { "outer", "wrun.outer", "x:outer", "x.outer", "Tensor:outer" } do
      assert.equal(OUTER, help(name), name)
    end
    assert.equal(OUTER, help(wrun.ones(2).outer))
  end)

  it("knows elementwise operations by their rows, in place too", function()
    assert.equal("wrun.abs(x)   or   x:abs()", first_line(wrun.abs))
    assert.equal(help(wrun.abs), help(wrun.abs_))
    assert.equal(help(wrun.abs), help("abs_"))
    assert.matches("Returns the magnitude of x.\n  Elementwise; abs_ puts", help "abs", 1, true)
    assert.equal("wrun.add(a, b)   or   x:add(b)", first_line(wrun.add))
    assert.equal(help(wrun.add), help("+"))
    assert.equal(help(wrun.pow), help("^"))
    assert.equal(help(wrun.index), help("[]"))
  end)

  it("says the options of a class by its rules, and what they mean by its bases", function()
    local function shows(text, class)
      assert.matches(text, help(class):gsub("%s+", " "), 1, true)
    end
    shows(" options etas = {0.5, 1.2} (two numbers with 0 < a < 1 < b); lr = 0.01 (a number >= 0): "
      .. "d in the first step, and no more than that; maximize = false: g begins with minus",
      wrun.optim.Rprop)
    shows("; decoupled_weight_decay = true (true (Adam can do without)): always so;",
      wrun.optim.AdamW)
    shows("eps = 1e-08 (a number >= 0): keeps what is divided by above 0", wrun.optim.AdamW)
    shows("weight_decay = 0.01 (a number >= 0): of the parameters, as above ", wrun.optim.AdamW)
    shows("weight_decay = 0 (a number >= 0): g is the gradient plus ", wrun.optim.Adam)
    shows("line_search_fn (strong_wolfe, or none); lr = 1 ", wrun.optim.LBFGS)
    shows(" raises `LBFGS: expected one group of parameters`; `LBFGS: argument 1: expected param",
      wrun.optim.LBFGS)
    shows('mode = "min" (min or max)', wrun.optim.lr_scheduler.ReduceLROnPlateau)
    shows(" options gamma = 0.1: the factor; step_size (an integer >= 1) "
      .. "raises `StepLR: argument 1", wrun.optim.lr_scheduler.StepLR)
  end)

  it("knows a class, an instance, a method and what it inherits", function()
    local linear = "nn.Linear(in_features, out_features, options?)   a class, below nn.Module"
    assert.equal(linear, first_line(nn.Linear))
    assert.equal(linear, first_line(nn.Linear(2, 3)))
    assert.equal(linear, first_line("Linear"))
    assert.matches("\n  forward             Returns x weight^T + bias.\n", help(nn.Linear), 1, true)
    assert.equal("nn.Linear:forward(x)", first_line(nn.Linear.forward))
    assert.equal("nn.Linear:forward(x)", first_line("Linear.forward"))
    assert.equal("nn.Module:children()", first_line(nn.Linear.children))
    assert.matches("\n  params    ", help(wrun.optim.Adam), 1, true) -- Optimizer's init
    local Own = nn.Linear:extend("Own")
    assert.equal(linear, first_line(Own(2, 3)))
  end)

  it("knows objects whose class no face holds", function()
    assert.matches("^data%.Loader%(", help(wrun.data.loader({ x = wrun.ones(2) })))
    local machine = wrun.rbm.new({ visible = 2, hidden = 2 })
    assert.matches("^rbm%.Chains", help(machine:chains(1)))
    assert.matches("^rbm%.Model", help(machine))
    assert.matches("^Tensor\n", help(wrun.ones(2)))
    assert.matches("^Generator\n", help(wrun.default_generator))
  end)

  it("lists a part, and everything when it is asked nothing", function()
    assert.matches("^nn%.init\n\n  Initialisers: each fills", help(nn.init))
    assert.equal(help(nn.init), help("nn.init"))
    assert.matches("\n  nn.init.xavier_uniform_ Fills with draws", help(nn.init), 1, true)
    local all = help(wrun)
    assert.matches("\n  nn.init             Initialisers", all, 1, true)
    assert.matches("\n  wrun.abs            Returns the magnitude of x.\n", all, 1, true)
  end)

  it("is short when it is asked nothing, and lists topics and parts", function()
    local short = help()
    assert.matches("^help%(x%) says what x is", short)
    assert.is_true(select(2, short:gsub("\n", "\n")) < 23) -- rows of a terminal, and a prompt
    assert.matches(" linalg mask neural random reduce ",
      short:gsub("linalg_%l+ ", ""):gsub("%s+", " "), 1, true)
    assert.matches("\n  rbm         Restricted Boltzmann Machines", short, 1, true)
  end)

  it("says what is wrong with nil", function()
    assert.matches("^help: got nil, which nothing is known of", help(nil))
  end)

  it("lists a topic, behind a function of its name #many", function()
    assert.matches("^The topic reduce\n\n  Reductions: sums, means", help "reduce")
    assert.matches("\n  wrun.amax           Returns", help "reduce", 1, true)
    assert.matches("\n  wrun.abs            Returns", help "elementwise", 1, true)
    assert.matches("^wrun.sort%(x.*\n\nThe topic sort\n.*\n  wrun.topk ", help "sort")
    assert.is_nil(help(wrun.sort):find("The topic", 1, true))
    local topics = {}
    for word in help():match("TOPIC.-:\n(.-)\n\n"):gmatch("%S+") do
      topics[#topics + 1] = word
      assert.truthy(help(word):find("The topic " .. word, 1, true), word)
    end
    assert.is_true(#topics > 15)
  end)

  it("offers names that are nearly right", function()
    local offer = help("lineer")
    assert.matches("^help: nothing has the name lineer; is it [%w_.:, ]+%?$", offer)
    assert.matches("nn.Linear, ", offer, 1, true)
    assert.matches("^help: nothing has the name cumsim; is it wrun%.cumsum,", help("cumsim"))
    assert.matches("nn.init.xavier_normal_, nn.init.xavier_uniform_?", help("xavier"), 1, true)
    assert.equal("help: nothing has the name qqqqqqqq", help("qqqqqqqq"))
    assert.equal("help: nothing has the name ", help(""))
    assert.equal("help: nothing has the name @", help("@"))
  end)

  it("says when it knows nothing of a value", function()
    assert.equal("help: nothing is known of 3", help(3))
    assert.equal("help: nothing is known of a function", help(print))
    assert.equal("help: nothing is known of a table", help({}))
    assert.equal("help: nothing is known of true", help(true))
  end)

  it("keeps its lines short", function()
    for _, x in ipairs { wrun.rbm.Model.fit, nn.Module, wrun } do
      for line in help(x):gmatch("[^\n]+") do
        assert.is_true(#line <= 100, line)
      end
    end
  end)

  it("is at hand in the interactive session", function()
    local result = child.run({ "-i" }, { input = "help(wrun.outer)\n" })
    assert.equal("> help(wrun.outer)\n" .. OUTER .. "\n> \n",
      result.out:match("^[^\n]*\n[^\n]*\n(.*)$"))
  end)

  it("reads the sources that WRUN_LUA names", function()
    local result = child.run({ "-e", "print(require('wrun').help('outer'))" },
      { env = "WRUN_LUA=lua" })
    assert.same({ out = OUTER .. "\n", err = "", status = 0 }, result)
  end)
end)
