--- The architecture: who may use whom and what nobody may do, read from every file. Each rule is
--- also shown a tree that breaks it.

local child = require "spec.support.child"
local of_c = require "spec.support.rules_of_c"
local of_lua = require "spec.support.rules_of_lua"
local source = require "spec.support.source"

local function comment(name, layer)
  return ("/*\n * %s - an example (layer %d)\n */\n"):format(name, layer)
end

-- Each rule, a tree of which some files break it and others do not, and what it says of them.
local RULES = {
  {
    "every C file begins with a comment that names it, and has a layer",
    of_c.comments,
    {
      ["runtime/good.c"] = comment("good.c", 3) .. '#include "part.h"\n',
      ["runtime/part.h"] = "/*\n * part.h - for good.c\n */\n",
      ["runtime/named.c"] = comment("other.c", 3),
      ["runtime/bare.c"] = "int x;\n",
      ["runtime/orphan.h"] = "/*\n * orphan.h - for nobody\n */\n",
    },
    {
      "runtime/bare.c: does not begin with a comment that names it",
      "runtime/bare.c: states no layer, and is not a part of one file that does",
      "runtime/named.c: does not begin with a comment that names it",
      "runtime/orphan.h: states no layer, and is not a part of one file that does",
    },
  },
  {
    "a C file includes only headers of its own layer or lower ones",
    of_c.layers,
    {
      ["runtime/low.h"] = comment("low.h", 1),
      ["runtime/high.h"] = comment("high.h", 3) .. '#include "low.h"\n',
      ["runtime/low.c"] = comment("low.c", 1)
        .. '#include "low.h"\n  #  include "../runtime/high.h"\n',
    },
    { "runtime/low.c (layer 1): includes ../runtime/high.h (layer 3)" },
  },
  {
    "only bindings and the command know Lua, only linalg BLAS, only the pool threads",
    of_c.libraries,
    {
      ["runtime/bind_x.c"] = comment("bind_x.c", 4) .. "#include <lua.h>\n",
      ["runtime/main.c"] = comment("main.c", 5) .. "#include <lualib.h>\n",
      ["runtime/linalg.c"] = comment("linalg.c", 3) .. "#include <cblas.h>\n",
      ["runtime/reduce.c"] = comment("reduce.c", 3)
        .. "#include <lauxlib.h>\n#include <cblas.h>\n",
      ["runtime/unbind.c"] = comment("unbind.c", 3) .. '#include "lua5.4/lua.h"\n',
      ["runtime/bind_y.c"] = comment("bind_y.c", 4) .. "#include <pthread.h>\n",
      ["runtime/linalg_x.c"] = comment("linalg_x.c", 3) .. "void dgetrf_(void);\n",
      ["runtime/index.c"] = comment("index.c", 3) .. "void dgetrf_(void);\n",
    },
    {
      "runtime/bind_y.c: includes pthread.h",
      "runtime/index.c: names dgetrf_",
      "runtime/reduce.c: includes lauxlib.h",
      "runtime/reduce.c: includes cblas.h",
      "runtime/unbind.c: includes lua5.4/lua.h",
    },
  },
  {
    "only the command prints and exits",
    of_c.printing,
    {
      ["runtime/main.c"] = comment("main.c", 5) .. 'int f(void) { return printf("x"); }\n',
      ["runtime/a.c"] = comment("a.c", 3)
        .. '/* printf */ // exit\nchar *f(void) { return "stdout"; }\n',
      ["runtime/b.c"] = comment("b.c", 4)
        .. "void f(void) { fputs(text, stderr); exit (1); }\n",
    },
    { "runtime/b.c: uses fputs", "runtime/b.c: uses stderr", "runtime/b.c: uses exit" },
  },
  {
    "nothing in C with static storage can change",
    of_c.state,
    {
      ["runtime/a.c"] = comment("a.c", 1) .. [[
typedef struct { int a; } A;
struct B { int b; };
struct C;
enum { D = 1 };
static const char *const names[] = {"a", "b"};
const struct B table[] = {{1}, {2}};
static int f(int (*g)(int));
static int f(int (*g)(int))
{
    static const char text[] = "static int x;";
    return g(text[0]);
}
]],
      ["runtime/b.c"] = comment("b.c", 1) .. [[
#define ROW \
    static int hidden;
int counter;
static const char *name = "a", *other;
static int (*hook)(void);
static struct { int a; } state;
int f(void)
{
    static int calls = 0;
    return ++calls;
}
]],
    },
    {
      "runtime/b.c: can change: int counter",
      "runtime/b.c: can change: static const char *name",
      "runtime/b.c: can change: static int (*hook)(void)",
      "runtime/b.c: can change: static struct",
      "runtime/b.c: can change: static int calls",
    },
  },
  {
    "the parts of the library know only the parts they may",
    of_lua.requires,
    {
      ["lua/wrun/nn.lua"] = 'return { require("wrun.nn.linear") } -- require("wrun.optim")\n',
      ["lua/wrun/nn/linear.lua"] = 'local check, wrun = require "wrun.check", require("wrun")\n',
      ["lua/wrun/optim/adam.lua"] = "local Linear = require('wrun.nn.linear')\n",
      ["lua/wrun/rbm.lua"] = 'local nn = require "wrun.nn"\n',
      ["lua/wrun/tensor.lua"] = 'local data = require("wrun.data")\n',
      ["lua/wrun/class.lua"] = 'local nn = require("wrun." .. "nn")\nlocal f = require\n',
    },
    {
      "lua/wrun/class.lua: requires something without its name",
      "lua/wrun/optim/adam.lua: requires wrun.nn.linear",
      "lua/wrun/rbm.lua: requires wrun.nn",
      "lua/wrun/tensor.lua: requires wrun.data",
    },
  },
  {
    "the library prints nothing",
    of_lua.printing,
    {
      ["lua/wrun/progress.lua"] = "--- Bars.\nio.stderr:write(bar)\n",
      ["lua/wrun/a.lua"] = "--- print(1)\nlocal t = \"print(1)\" .. [[io.write]]\nM.print(x)\n",
      ["lua/wrun/b.lua"] = "--- B.\nprint(1)\nio.write(2)\nio.stderr:write(3)\n",
      ["scripts/c.lua"] = "--- C.\nprint(1)\n",
    },
    {
      "lua/wrun/b.lua: uses print",
      "lua/wrun/b.lua: uses io.write",
      "lua/wrun/b.lua: uses io.stderr",
    },
  },
  {
    "every Lua file begins with a sentence that says what it is",
    of_lua.comments,
    {
      ["scripts/a.lua"] = "#!/usr/bin/env wrun\n--- A.\n",
      ["spec/b.lua"] = "-- B.\n",
      ["lua/c.lua"] = "local c\n--- C.\n",
    },
    {
      "lua/c.lua: does not begin with a --- comment",
      "spec/b.lua: does not begin with a --- comment",
    },
  },
  {
    "no file is longer than 500 lines",
    of_lua.lengths,
    {
      ["runtime/a.c"] = ("\n"):rep(500),
      ["lua/b.lua"] = ("\n"):rep(501),
      ["spec/fixtures/c.lua"] = ("\n"):rep(600),
    },
    { "lua/b.lua: 501 lines" },
  },
}

-- Loads modules in a state of their own, and prints what changed in _G and the libraries of Lua.
local FRESH = [==[
local function snapshot()
  local seen = { ["the metatable of _G"] = getmetatable(_G) }
  local libraries = { _G = _G, io = io, math = math, os = os, string = string, table = table,
    coroutine = coroutine, debug = debug, utf8 = utf8, ["string metatable"] = getmetatable("") }
  for name, library in pairs(libraries) do
    for key, value in pairs(library) do
      seen[name .. "." .. tostring(key)] = value
    end
  end
  return seen
end
package.preload["spec.offender"] = function()
  leaked, string.trim = 1, print
  return {}
end
local before = snapshot()
for name in (...):gmatch("%S+") do
  require(name)
end
local after, changed = snapshot(), {}
for key, value in pairs(after) do
  if not rawequal(before[key], value) then
    changed[#changed + 1] = key
  end
end
for key in pairs(before) do
  changed[#changed + 1] = after[key] == nil and key or nil
end
table.sort(changed)
io.write(table.concat(changed, "\n"))
]==]

local function changes(modules)
  local script = child.write(FRESH)
  local result = child.run({ script, table.concat(modules, " ") })
  os.remove(script)
  assert.equal("", result.err)
  return result.out
end

-- Opens everything twice in one state; tensors of both openings must go together.
local TWICE = [==[
local first = require "wrun"
local x = first.ones(2, 3, { requires_grad = true })
local linear = first.nn.Linear(3, 4)
for name in pairs(package.loaded) do
  if name:find("^wrun%f[.\0]") then
    package.loaded[name] = nil
  end
end
local second = require "wrun"
assert(first ~= second and second.is_tensor(x))
local y = second.nn.Linear(4, 5)(linear(x * second.ones(3)))
second.optim.SGD({ x }, { lr = 0.1 }):zero_grad()
y:sum():backward()
assert(x.grad:norm():item() > 0 and linear.weight.grad:norm():item() > 0)
assert(first.default_generator == second.default_generator)
io.write(tostring(first.zeros(2) + second.ones(2)))
]==]

describe("the tree", function()
  local tree
  lazy_setup(function()
    tree = source.tree()
  end)

  it("is read whole", function()
    assert.is_true(#source.paths(tree, "^runtime/.*%.c$") > 30)
    assert.is_true(#source.paths(tree, "^lua/") > 20)
    assert.equal(5, of_c.layer(tree, "runtime/main.c"))
    local included = table.concat(source.includes(tree["runtime/bind.h"]), " ")
    assert.equal("lauxlib.h lua.h elementwise.h pool.h random.h tensor.h", included)
    local required = table.concat(source.requires(tree["lua/wrun/optim/adam.lua"]), " ")
    assert.equal("wrun.optim.optimizer wrun.check wrun.optim.common wrun.core", required)
  end)

  for _, rule in ipairs(RULES) do
    local title, check, lawless, complaints = table.unpack(rule)
    it("obeys: " .. title, function()
      assert.same({}, check(tree))
    end)
    it("would be found out: " .. title, function()
      assert.same(complaints, check(lawless))
    end)
  end

  it("holds at its top only what the design lists", function()
    local lawful = {}
    for name in ("LICENSE Makefile README.md build lua runtime scripts spec"):gmatch("%S+") do
      lawful[name] = true
    end
    for _, name in ipairs(source.top()) do
      assert.is_true(lawful[name], name .. " does not belong here")
    end
  end)
end)

describe("the library", function()
  it("sets no global and changes no library of Lua's", function()
    local modules = {}
    for _, path in ipairs(source.paths(source.tree(), "^lua/")) do
      modules[#modules + 1] = path:match("^lua/(.*)%.lua$"):gsub("/", ".")
    end
    assert.is_true(#modules > 20)
    assert.equal("", changes(modules))
  end)

  it("would be found out if it did", function()
    assert.equal("_G.leaked\nstring.trim", changes({ "wrun", "spec.offender" }))
  end)

  it("works when it is opened twice in one state", function()
    local script = child.write(TWICE)
    local result = child.run({ script })
    os.remove(script)
    assert.same({ out = "tensor([1., 1.])", err = "", status = 0 }, result)
  end)
end)
