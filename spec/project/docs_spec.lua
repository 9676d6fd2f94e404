--- `make docs`: the guide, whose programs print what it says, and what is written for Sphinx.

local child = require "spec.support.child"
local formula = require "scripts.docs.formula"
local source = require "spec.support.source"
local wrun = require "wrun"

local GUIDE = "scripts/docs/guide"

local UNSQUEEZE = [[
.. lua:function:: wrun.unsqueeze(x, d)
   x:unsqueeze(d)

   Returns x with a dimension of size 1\, which is dimension d of the result\.

   .. code-block:: lua

      print(wrun.arange(3):unsqueeze(2))

   :Parameters:
      * **x** ``wrun.Tensor``
      * **d** ``integer``
   :Returns: ``wrun.Tensor``
   :Shapes: ``x [a, b], d = 2 -> [a, 1, b], a view``
]]

local function blocks(text, language)
  local list = {}
  for block in text:gmatch("\n```" .. language .. "\n(.-\n)```") do
    list[#list + 1] = block
  end
  return list
end

local function pages()
  local list = {}
  for path in child.shell("find " .. GUIDE .. " -name '*.md'").out:gmatch("%S+") do
    list[#list + 1] = path
  end
  assert(#list > 10)
  return list
end

describe("the guide", function()
  it("prints what it says", function()
    child.with_folder(function(folder)
      child.shell(("cp -r %s/. %s"):format(GUIDE, folder))
      local words = { "scripts/docs/examples.lua" }
      for _, path in ipairs(pages()) do
        words[#words + 1] = folder .. path:sub(#GUIDE + 1)
      end
      assert.same({ out = "", err = "", status = 0 }, child.run(words))
    end)
  end)

  it("is found out where it prints something else, or fails", function()
    local page = "# A page\n\n```lua\nlocal x = 1\nprint(%s)\n```\n\n```text\n%s\n```\n"
    for _, case in ipairs {
      { "x, 'a'", "1\ta" }, { "1.01", "1" }, -- last digits are the processor's
      { "x", "2", "guide.md:4: expected 2\n\ngot 1\n" },
      { "'a'", "a b", "guide.md:4: expected a b\n\ngot a\n" },
      { "nothing.at.all", "1", "guide.lua:5: attempt to index" },
      { "os.exit(0)", "1", "guide.md: ended early" },
    } do
      child.with_folder(function(folder)
        child.write(page:format(case[1], case[2]), folder .. "/guide.md")
        local result = child.run { "scripts/docs/examples.lua", folder .. "/guide.md" }
        assert.equal(case[3] and 1 or 0, result.status, result.err)
        assert.matches(case[3] or "", result.err, 1, true)
      end)
    end
  end)

  it("explains all of the README's script", function()
    local script = table.concat(blocks(child.read(GUIDE .. "/tutorial/first_script.md"), "lua"))
    local shown = blocks(child.read("README.md"), "lua")[1]:gsub("\n\n", "\n")
    assert.equal(shown, script)
  end)

  it("translates PyTorch into what runs", function()
    local nn, count = wrun.nn, 0
    local environment = setmetatable({
      wrun = wrun, nn = nn, optim = wrun.optim, data = wrun.data, Net = nn.Module:extend("Net"),
      x = wrun.rand(4, 4), w = wrun.rand(3, 4), a = wrun.ones(2), b = wrun.ones(2),
      model = nn.Linear(4, 2), scores = wrun.rand(2, 3), targets = wrun.tensor { 1, 2 },
      loader = wrun.data.loader({ x = wrun.ones(2, 4) }), path = os.tmpname(), f = wrun.sin,
      inputs = { wrun.rand(2, { dtype = "float64", requires_grad = true }) },
    }, { __index = _G })
    local page = child.read(GUIDE .. "/tutorial/from_pytorch.md")
    for cell in page:gmatch("\n|[^\n]*| (`[^\n]*`[^\n]-) |%f[\n]") do
      for code in cell:gmatch("`([^`]+)`") do
        code = code:gsub("%.%.%. end", "end"):gsub(" do$", " do end")
          :gsub("^function [^)]*%)$", "%0 end")
        assert((load("return " .. code, code, "t", environment)
          or assert(load(code, code, "t", environment))))()
        count = count + 1
      end
    end
    os.remove(environment.path)
    assert.is_true(count > 30, count)
  end)

  it("has every key that the sources cite, once", function()
    local known = {}
    for key in child.read(GUIDE .. "/bibliography.md"):gmatch("\n%*%*%[(%w+)%]%*%*") do
      assert.is_nil(known[key], key)
      known[key] = true
    end
    local missing, count = {}, 0
    local files = source.tree()
    for _, path in ipairs(pages()) do
      files[path] = child.read(path)
    end
    for path, text in pairs(files) do
      for key in text:gmatch("%[(%u%a+%d%d%d%d%l*)%]") do
        count = count + 1
        missing[#missing + 1] = not known[key] and path .. ": " .. key or nil
      end
    end
    assert.same({}, missing)
    assert.is_true(count > 150, count)
  end)
end)

describe("the reference for Sphinx", function()
  it("has a page for each part, each topic and each class", function()
    child.with_folder(function(folder)
      local result = child.run { "scripts/docs/pages.lua", folder }
      assert.same({ out = "", err = "", status = 0 }, result)
      local function page(name)
        return child.read(("%s/%s.rst"):format(folder, name))
      end
      assert.matches(UNSQUEEZE, page("topic.view"), 1, true)
      assert.matches("\n.. lua:function:: nn.init.xavier_uniform_(", page("nn.init"), 1, true)
      local linear = page("nn.Linear")
      assert.matches("\n.. lua:class:: nn.Linear(in_features, out_features, options?)\n", linear, 1,
        true)
      assert.matches("\n.. lua:method:: nn.Linear:forward(x)\n", linear, 1, true)
      assert.matches("\nInherited from nn.Module\n.*``nn.Module:state_dict``", linear)
      assert.matches("``x:sum``", page("Tensor"), 1, true)
      assert.matches("m &= \\beta_{1}\\, m + (1 - \\beta_{1})\\, g", page("optim.Adam"), 1, true)
    end)
  end)

  it("finds formulas in a text, and nothing else", function()
    for _, case in ipairs {
      { "Returns ", "log(1 / (1 + e^-x))", ", without overflow.", "\\log(1 / (1 + e^{-x}))" },
      { "Returns ", "x tanh(log(1 + e^x))", ".", "x\\, \\tanh(\\log(1 + e^{x}))" },
      { "Returns ", "a - b * trunc(a / b)", ", with the sign of a.",
        "a - b \\cdot \\operatorname{trunc}(a / b)" },
      { "Is ", "|a - b| <= atol + rtol |b|", " everywhere?",
        "|a - b| \\le \\mathit{atol} + \\mathit{rtol}\\, |b|" },
      { "The loss ", "sum_{i /= t} w_t max(0, margin - x_t + x_i)^p / C", " of scores x",
        "\\sum_{i \\ne t}\\, w_{t}\\, \\max(0, \\mathit{margin} - x_{t} + x_{i})^{p} / C" },
      { "Fills with ", "std = gain * sqrt(2 / (fan_in + fan_out))", ".",
        "\\mathit{std} = \\mathit{gain} \\cdot "
        .. "\\sqrt{2 / (\\mathit{fan\\_in} + \\mathit{fan\\_out})}" },
    } do
      local before, text, after, tex = table.unpack(case)
      assert.same({ { text = before }, { tex = tex }, { text = after } },
        formula.pieces(before .. text .. after))
    end
    for _, sentence in ipairs {
      "Returns the p-norm of a wall-clock and the k-th element, plain or as .gz.",
      "A bound that is nil does not bind; both may be { min = b, max = c }, or upper = true.",
      "Code such as `x = y + 1`, the file a/b.c and x[2] = 0 are none.",
    } do
      assert.same({ { text = sentence } }, formula.pieces(sentence))
    end
  end)

  it("sets lines of formulas below each other", function()
    assert.equal("\\begin{aligned}\n"
      .. "p &= p - \\frac{\\mathit{lr}}{1 - \\beta_{1}^{t}} \\cdot \\frac{m}{\\sqrt{v}"
      .. " + \\varepsilon},\\qquad m = g \\\\\nb &= 0\\text{ where }g < 0\n\\end{aligned}",
      formula.display {
        "    p = p - lr / (1 - beta1^t) * m", "      / (sqrt(v) + eps),  m = g",
        "    b = 0 where g < 0",
      })
  end)
end)

describe("the check of links", function()
  local function checked(links)
    local result
    child.with_folder(function(folder)
      child.shell("mkdir " .. folder .. "/sub")
      child.write('<p id="a"><a href="sub/other.html#b">', folder .. "/index.html")
      child.write('<p id="b">' .. links, folder .. "/sub/other.html")
      result = child.run { "scripts/docs/links.lua", folder }
    end)
    return result
  end

  it("follows files and what is in them", function()
    assert.same({ out = "4 links, 0 broken\n", err = "", status = 0 },
      checked('<a href="#b"><img src="../index.html"><a href="../index.html#a">'
        .. '<a href="https://example.org/">'))
  end)

  it("names each link that leads nowhere", function()
    local result = checked '<a href="#c"><img src="none.png"><a href="../index.html#z">'
    assert.equal("4 links, 3 broken\n", result.out)
    assert.equal(1, result.status)
    for _, link in ipairs { "#c", "none.png", "../index.html#z" } do
      assert.matches("other.html: " .. link, result.err, 1, true)
    end
  end)
end)
