--- The rules for runtime/: each takes a tree { path = text } and returns what breaks it, a line
--- each.

local source = require "spec.support.source"
local structure = require "spec.support.structure"

local M = {}

local COMMAND = "^runtime/command/" -- which alone prints and exits

-- Headers that only some may include: who, by path.
local KNOWS_LUA = { "^runtime/bind/", COMMAND }
local LOADS_BLAS = { "^runtime/kernels/openblas%.[ch]$" }
local KNOWS_BLAS = { LOADS_BLAS[1], "^runtime/kernels/linalg[%w_]*%.c$" }
local RESERVED = {
  ["lua.h"] = KNOWS_LUA,
  ["lauxlib.h"] = KNOWS_LUA,
  ["lualib.h"] = KNOWS_LUA,
  ["cblas.h"] = LOADS_BLAS,
  ["lapack.h"] = LOADS_BLAS,
  ["lapacke.h"] = LOADS_BLAS,
  ["openblas.h"] = KNOWS_BLAS,
  ["pthread.h"] = { "^runtime/tensor/pool%.c$" },
}

local PRINTING = {}
local names = [[
  printf fprintf vprintf vfprintf dprintf puts fputs putc putchar perror stdout stderr
  exit _exit quick_exit abort
]]
for name in names:gmatch("%S+") do
  PRINTING[name] = true
end

-- A signal handler, callbacks of libedit and jansson and functions of vectors are given no context,
-- so what they need is global.
local GLOBAL = {
  ["runtime/tensor/interrupt.c"] = { ["atomic_bool interrupt_flag"] = true },
  ["runtime/tensor/interrupt.h"] = { ["extern atomic_bool interrupt_flag"] = true },
  ["runtime/bind/bind_process.c"] = { ["extern char **environ"] = true },
  ["runtime/command/call.c"] = { ["static lua_State *volatile running"] = true },
  ["runtime/command/signals.c"] = { ["static volatile sig_atomic_t caught"] = true },
  ["runtime/kernels/portable.c"] = { ["static atomic_bool is_native"] = true },
  ["runtime/kernels/vector_math.c"] = { ["static vector (*_Atomic found)"] = true },
  ["runtime/formats/json_memory.c"] = { ["static _Thread_local bool is_out"] = true },
  ["runtime/command/lineedit.c"] = { ["static struct"] = true },
}

local function c_files(tree)
  return source.paths(tree, "^runtime/.*%.[ch]$")
end

--- Each file stands in a folder of its floor and begins with a comment that names it.
function M.comments(tree)
  local broken = {}
  for _, path in ipairs(source.paths(tree, "^runtime/.*%.[chd]")) do
    local folder, name = path:match("^runtime/(%w+)/([^/]+)$")
    if not structure.FLOORS[folder] then
      broken[#broken + 1] = path .. ": is in no folder of a floor"
    elseif not tree[path]:find("^/%*\n %* " .. name:gsub("%p", "%%%0") .. " %- %S") then
      broken[#broken + 1] = path .. ": does not begin with a comment that names it"
    end
  end
  return broken
end

--- A file includes only what stands lower, or in its own folder.
M.floors = structure.upward

--- No module reaches itself by what it includes or requires.
function M.circles(tree)
  local broken = {}
  local _, graph = structure.arrows(tree)
  for _, circle in ipairs(structure.circles(graph)) do
    broken[#broken + 1] = table.concat(circle, " ") .. ": reach each other"
  end
  return broken
end

-- A routine of BLAS or LAPACK: cblas_sgemm, or a name of Fortran's, declared by hand.
local function is_blas(word)
  return word:find("^cblas_") or word:find("^%l[%l%d]*_$")
end

local function matches_any(path, patterns)
  for _, pattern in ipairs(patterns) do
    if path:find(pattern) then
      return true
    end
  end
  return false
end

--- Lua is known to the bindings and the command, BLAS to linalg and what loads it, threads to
--- the pool.
function M.libraries(tree)
  local broken = {}
  for _, path in ipairs(c_files(tree)) do
    if not matches_any(path, KNOWS_BLAS) then
      local code = source.code(tree[path], "c"):gsub("[%w_]+ *##", "") -- the start of a name
      for word in code:gmatch("[%a_][%w_]*") do
        if is_blas(word) then
          broken[#broken + 1] = ("%s: names %s"):format(path, word)
        end
      end
    end
    for _, name in ipairs(source.includes(tree[path])) do
      local allowed = RESERVED[name:match("[^/]+$")]
      if allowed and not matches_any(path, allowed) then
        broken[#broken + 1] = ("%s: includes %s"):format(path, name)
      end
    end
  end
  return broken
end

--- Only the command prints and exits.
function M.printing(tree)
  local broken = {}
  for _, path in ipairs(c_files(tree)) do
    if not path:find(COMMAND) then
      for word in source.code(tree[path], "c"):gmatch("[%a_][%w_]*") do
        if PRINTING[word] then
          broken[#broken + 1] = ("%s: uses %s"):format(path, word)
        end
      end
    end
  end
  return broken
end

-- Where strings that users give become C's, which a zero byte would cut.
local TAKES_STRINGS = "runtime/bind/bind_check.c"

--- Strings of users go through the functions that refuse zero bytes.
function M.strings(tree)
  local broken = {}
  for _, path in ipairs(c_files(tree)) do
    if path ~= TAKES_STRINGS then
      local code = source.code(tree[path], "c")
      for name in code:gmatch("%f[%w_](luaL_%l+)") do
        if name:find("^luaL_checkl?string$") or name:find("^luaL_optl?string$")
          or name == "luaL_checkoption" then
          broken[#broken + 1] = ("%s: calls %s"):format(path, name)
        end
      end
      for argument in code:gmatch("%f[%w_]lua_tol?string%(L, ([%w_]+)") do
        if path:find("^runtime/bind/") and argument ~= "lua_upvalueindex" then
          broken[#broken + 1] = ("%s: takes argument %s as a C string"):format(path, argument)
        end
      end
    end
  end
  return broken
end

--- The message of a refusal, which may quote a file, is made where it is escaped.
function M.refusals(tree)
  local broken = {}
  for _, path in ipairs(source.paths(tree, "^runtime/bind/.*%.c$")) do
    for call in source.code(tree[path], "c"):gmatch("lua_pushnil%(L%);%s*(lua_push%l*string)%(") do
      broken[#broken + 1] = ("%s: refuses by %s"):format(path, call)
    end
  end
  return broken
end

-- Is what this declares constant? Of a pointer, the pointer itself must be.
local function is_constant(declaration)
  local of_function = declaration:match("^[^(]*%(%*([^)]*)%)%(") -- int (*const f[])(void)
  local last = of_function or declaration:match("^.*%*(.*)$") or declaration
  return last:find("%f[%w_]const%f[^%w_]") ~= nil
end

local function is_variable(declaration)
  local is_type = declaration:find("^typedef") or declaration:find("^struct [%w_]+$")
  local is_function = declaration:find("^[^(]*%([^*]")
  return not is_type and not is_function
end

-- The declarations outside functions, each up to its value or body, and every static one inside.
local function declarations(text)
  local code = source.code(text, "c"):gsub("\\\n", " "):gsub("%f[^\n\0]%s*#[^\n]*", "")
  local found = {}
  local outside = code:gsub("%b{}", "{}"):gsub("(%)%s*){}", "%1;")
  for statement in outside:gmatch("[^;]+") do
    local declaration = statement:match("^%s*([^={]-)%s*%f[={\0]")
    local is_definition = statement:find("^%s*enum[^}]*{}%s*$")
      or statement:find("^%s*struct[^}]*{}%s*$")
    if declaration ~= "" and not is_definition then
      found[#found + 1] = declaration
    end
  end
  for body in code:gmatch("%)%s*(%b{})") do
    for declaration in body:gmatch("%f[%w_](static%f[^%w_][^;={]-)%s*[;={]") do
      found[#found + 1] = declaration
    end
  end
  return found
end

--- All state hangs off the Lua state: whatever has static storage is constant.
function M.state(tree)
  local broken = {}
  for _, path in ipairs(c_files(tree)) do
    for _, declaration in ipairs(declarations(tree[path])) do
      local is_excused = GLOBAL[path] and GLOBAL[path][declaration]
      if is_variable(declaration) and not is_constant(declaration) and not is_excused then
        broken[#broken + 1] = ("%s: can change: %s"):format(path, declaration)
      end
    end
  end
  return broken
end

return M
