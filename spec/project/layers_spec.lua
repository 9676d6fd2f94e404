--- The architecture: who may use whom and what nobody may do, read from every file. Each rule is
--- also shown a tree that breaks it.

local child = require "spec.support.child"
local of_c = require "spec.support.rules_of_c"
local of_lua = require "spec.support.rules_of_lua"
local source = require "spec.support.source"

local function comment(name)
  return ("/*\n * %s - an example\n */\n"):format(name)
end

-- Each rule, a tree of which some files break it and others do not, and what it says of them.
local RULES = {
  {
    "every C file stands on a floor and begins with a comment that names it",
    of_c.comments,
    {
      ["runtime/bind/good.c"] = comment("good.c"),
      ["runtime/tensor/named.c"] = comment("other.c"),
      ["runtime/tensor/bare.c"] = "int x;\n",
      ["runtime/high.c"] = comment("high.c"),
      ["runtime/attic/a.h"] = comment("a.h"),
    },
    {
      "runtime/attic/a.h: is in no folder of a floor",
      "runtime/high.c: is in no folder of a floor",
      "runtime/tensor/bare.c: does not begin with a comment that names it",
      "runtime/tensor/named.c: does not begin with a comment that names it",
    },
  },
  {
    "a C file includes only what stands lower, or in its own folder",
    of_c.floors,
    {
      ["runtime/tensor/low.h"] = comment("low.h"),
      ["runtime/tensor/pool.h"] = comment("pool.h") .. '#include "tensor/low.h"\n',
      ["runtime/bind/high.h"] = comment("high.h") .. '#include "tensor/low.h"\n',
      ["runtime/tensor/low.c"] = comment("low.c")
        .. '#include "tensor/low.h"\n  #  include "bind/high.h"\n',
      ["runtime/kernels/a.h"] = comment("a.h"),
      ["runtime/formats/b.c"] = comment("b.c") .. '#include "kernels/a.h"\n',
    },
    {
      "runtime/formats/b.c: includes runtime/kernels/a.h",
      "runtime/tensor/low.c: includes runtime/bind/high.h",
    },
  },
  {
    "no module of C or Lua reaches itself",
    of_c.circles,
    {
      ["runtime/bind/a.h"] = '#include "bind/c.h"\n',
      ["runtime/bind/a.c"] = '#include "bind/a.h"\n',
      ["runtime/bind/b.c"] = '#include "bind/a.h"\n',
      ["runtime/bind/c.h"] = "",
      ["runtime/bind/c.c"] = '#include "bind/a.h"\n',
      ["lua/wrun/x.lua"] = 'local y = require "wrun.y"\n',
      ["lua/wrun/y.lua"] = 'local z = require("wrun.z")\n',
      ["lua/wrun/z.lua"] = 'local x = require "wrun.x"\n',
    },
    {
      "lua/wrun/x lua/wrun/y lua/wrun/z: reach each other",
      "runtime/bind/a runtime/bind/c: reach each other",
    },
  },
  {
    "only bindings and the command know Lua, only linalg BLAS, only the pool threads",
    of_c.libraries,
    {
      ["runtime/bind/x.c"] = comment("x.c") .. "#include <lua.h>\n",
      ["runtime/command/main.c"] = comment("main.c") .. "#include <lualib.h>\n",
      ["runtime/kernels/openblas.h"] = comment("openblas.h") .. "#include <cblas.h>\n",
      ["runtime/kernels/linalg.c"] = comment("linalg.c")
        .. '#include "kernels/openblas.h"\n#include <cblas.h>\n',
      ["runtime/kernels/reduce.c"] = comment("reduce.c")
        .. "#include <lauxlib.h>\n#include <cblas.h>\n",
      ["runtime/formats/unbind.c"] = comment("unbind.c") .. '#include "lua5.4/lua.h"\n',
      ["runtime/bind/y.c"] = comment("y.c") .. "#include <pthread.h>\n",
      ["runtime/kernels/linalg_x.c"] = comment("linalg_x.c") .. "void dgetrf_(void);\n",
      ["runtime/kernels/index.c"] = comment("index.c") .. "void dgetrf_(void);\n",
    },
    {
      "runtime/bind/y.c: includes pthread.h",
      "runtime/formats/unbind.c: includes lua5.4/lua.h",
      "runtime/kernels/index.c: names dgetrf_",
      "runtime/kernels/linalg.c: includes cblas.h",
      "runtime/kernels/reduce.c: includes lauxlib.h",
      "runtime/kernels/reduce.c: includes cblas.h",
    },
  },
  {
    "only the command prints and exits",
    of_c.printing,
    {
      ["runtime/command/main.c"] = comment("main.c") .. 'int f(void) { return printf("x"); }\n',
      ["runtime/kernels/a.c"] = comment("a.c")
        .. '/* printf */ // exit\nchar *f(void) { return "stdout"; }\n',
      ["runtime/bind/b.c"] = comment("b.c")
        .. "void f(void) { fputs(text, stderr); exit (1); }\n",
    },
    {
      "runtime/bind/b.c: uses fputs",
      "runtime/bind/b.c: uses stderr",
      "runtime/bind/b.c: uses exit",
    },
  },
  {
    "no string of a user's becomes one of C's that a zero byte cuts",
    of_c.strings,
    {
      ["runtime/bind/bind_check.c"] = "luaL_checklstring(L, 1, &n); lua_tostring(L, index);\n",
      ["runtime/bind/a.c"] = "luaL_checkstring(L, 1); /* luaL_optstring */ lua_tostring(L, -1);\n"
        .. "lua_tostring(L, PATH); lua_tostring(L, lua_upvalueindex(1));\n",
      ["runtime/command/b.c"] = "luaL_optlstring(L, 1, 0, 0); luaL_checkoption(L, 1, 0, all);\n"
        .. "luaL_checkstack(L, 1, 0); luaL_addstring(&b, s); lua_tostring(L, 1);\n",
    },
    {
      "runtime/bind/a.c: calls luaL_checkstring",
      "runtime/bind/a.c: takes argument PATH as a C string",
      "runtime/command/b.c: calls luaL_optlstring",
      "runtime/command/b.c: calls luaL_checkoption",
    },
  },
  {
    "no binding makes the message of a refusal itself",
    of_c.refusals,
    {
      ["runtime/bind/a.c"] = 'return bind_refuse(L, "%s: %s", path, reason);\n',
      ["runtime/bind/b.c"] = 'lua_pushnil(L);\n  lua_pushfstring(L, "%s", path);\n  return 2;\n',
      ["runtime/bind/c.c"] = "lua_pushnil(L);\n  lua_pushinteger(L, 1);\n  return 2;\n",
    },
    { "runtime/bind/b.c: refuses by lua_pushfstring" },
  },
  {
    "nothing in C with static storage can change",
    of_c.state,
    {
      ["runtime/tensor/a.c"] = comment("a.c") .. [[
typedef struct { int a; } A;
struct B { int b; };
struct C;
enum { D = 1 };
static const char *const names[] = {"a", "b"};
const struct B table[] = {{1}, {2}};
static int f(int (*g)(int));
static int (*const hooks[])(int) = {f};
static int f(int (*g)(int))
{
    static const char text[] = "static int x;";
    return g(text[0]);
}
]],
      ["runtime/tensor/b.c"] = comment("b.c") .. [[
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
      "runtime/tensor/b.c: can change: int counter",
      "runtime/tensor/b.c: can change: static const char *name",
      "runtime/tensor/b.c: can change: static int (*hook)(void)",
      "runtime/tensor/b.c: can change: static struct",
      "runtime/tensor/b.c: can change: static int calls",
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
      ["lua/wrun/data.lua"] = 'return closed("data", {}, { a = { "wrun.optim" } }, {})\n',
      ["lua/wrun/tensor.lua"] = 'local data = require("wrun.data")\n',
      ["lua/wrun/class.lua"] = 'local nn = require("wrun." .. "nn")\nlocal f = require\n',
    },
    {
      "lua/wrun/class.lua: requires something without its name",
      "lua/wrun/data.lua: requires wrun.optim",
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
    "every module of the library has a spec of its name, and every spec beside it a module",
    of_lua.specs,
    {
      ["lua/wrun/tensor/sort.lua"] = "--- Order.\n",
      ["lua/wrun/tensor/linalg.lua"] = "--- Products.\n",
      ["lua/wrun/tensor/linalg_norm.lua"] = "--- Norms.\n",
      ["lua/wrun/nn/losses/loss.lua"] = "--- Loss.\n",
      ["lua/wrun/timer.lua"] = "--- Time.\n",
      ["spec/tensor/sort_views_spec.lua"] = "--- An aspect of sort.\n",
      ["spec/tensor/linalg_norm_edges_spec.lua"] = "--- An aspect of linalg_norm alone.\n",
      ["spec/nn/loss_spec.lua"] = "--- Not where the module is.\n",
      ["spec/timer_spec.lua"] = "--- Time.\n",
      ["spec/runtime/memory_spec.lua"] = "--- Not of the library.\n",
    },
    {
      "lua/wrun/nn/losses/loss.lua: has no spec of its name",
      "lua/wrun/tensor/linalg.lua: has no spec of its name",
      "spec/nn/loss_spec.lua: covers no module of its name",
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
    "a section begins with one kind of line",
    of_lua.rulers,
    {
      ["lua/good.lua"] = "-- Text " .. ("-"):rep(71) .. "\n",
      ["lua/other.lua"] = "-- ---- text ----\n",
      ["spec/short.py"] = "# Text ----\n",
    },
    { "lua/other.lua: -- ---- text ----", "spec/short.py: # Text ----" },
  },
  {
    "no spec demands that something be done in so many seconds",
    of_lua.haste,
    {
      ["spec/slow_spec.lua"] = "assert.is_true(timer:seconds() >= 0.02 and first < second)\n",
      ["spec/hasty_spec.lua"] = "assert.is_true(os.clock() - before < 0.5)\n",
    },
    { "spec/hasty_spec.lua: assert.is_true(os.clock() - before < 0.5)" },
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
    local included = table.concat(source.includes(tree["runtime/bind/bind.h"]), " ")
    assert.equal("lauxlib.h lua.h kernels/linalg.h tensor/pool.h tensor/tensor.h", included)
    local required = table.concat(source.requires(tree["lua/wrun/optim/adam.lua"]), " ")
    assert.equal("wrun.check wrun.optim.common wrun.core wrun.optim.optimizer", required)
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
