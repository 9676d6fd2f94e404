--- `make types`: the definitions that editors read are Lua, and define all that the reference has.

local child = require "spec.support.child"
local comments = require "wrun.reference.comments"
local reference = require "wrun.reference"

local BUILT_IN = {}
for name in ("any boolean false fun function integer nil number string table true"):gmatch("%a+") do
  BUILT_IN[name] = true
end

-- The tags of LuaCATS that a definition file needs.
local TAGS = {}
for name in ("alias class field meta operator overload param return type"):gmatch("%a+") do
  TAGS[name] = true
end

local SUM = [[
---@class (exact) wrun.sum.Options
---@field dtype? string

---Returns the sum over everything, or over one or some dimensions.
]]

local SUM_OPTIONS = [[
---@param keepdim? boolean
---@param options? wrun.sum.Options
---@return wrun.Tensor
function wrun.sum(x, ]]

local LINEAR = [[
---@class wrun.nn.Linear: wrun.nn.Module
---@field in_features integer
---@field out_features integer
---@field weight wrun.Tensor
---@field bias wrun.Tensor?
---@overload fun(x: wrun.Tensor): wrun.Tensor
]]

local LINEAR_CLASS = [[
---@class wrun.nn.Linear.class: wrun.nn.Linear
---@overload fun(in_features: integer, out_features: integer, ]]
  .. [[options?: wrun.nn.Linear.Options): wrun.nn.Linear
wrun.nn.Linear = {}
]]

describe("the types for editors", function()
  local text, entries, by_path, wrun
  local faces, items

  -- Without strings, and without the names of fields and arguments, the names in a type are types.
  local function type_names(kind)
    return kind:gsub('"[^"]*"', ""):gsub("[%w_]+%??%s*:", ""):gmatch("[%a_][%w_.]*")
  end

  lazy_setup(function()
    child.with_folder(function(folder)
      local path = folder .. "/wrun.lua"
      local result = child.run({ "scripts/docs/luacats.lua", path })
      assert.same({ out = "", err = "", status = 0 }, result)
      text = child.read(path)
    end)
    wrun = assert(load(text, "=types", "t", {}))()
    -- of a method by its class too: there are several `forward`
    entries, by_path = comments.parse(text:gsub("%(exact%) ", ""), "types"), {}
    local class = ""
    for _, entry in ipairs(entries) do
      class = entry.class and not entry.class:find("%.Options$") and entry.class or class
      if entry.path then
        local method = entry.path:match("^%u%w*[.:]([%w_]+)$")
        by_path[method and class .. "." .. method or entry.path] = entry
      end
    end
    faces = reference.faces()
    items = reference.items(faces)
  end)

  -- Calls use(item, documentation, where it is defined) for the functions and methods that scripts
  -- reach through wrun, and whose name is no word of Lua.
  local function each_callable(use)
    local count = 0
    reference.each(faces, function(item)
      local entry = reference.documentation(items, item)
      local is_testing = item.name:find("^testing%f[.\0]") ~= nil
      local is_call = item.kind == "function" and not item.value -- of a part itself
      if entry and not is_testing and not is_call and item.name ~= "wrun.repeat"
        and (item.kind == "function" or item.kind == "method") then
        count = count + 1
        local at = item.name:gsub("^wrun%.", ""):gsub("^x:", "Tensor."):gsub(":", ".")
        use(item, entry, by_path["wrun." .. at] or by_path[at], at)
      end
    end)
    return count
  end

  -- Fails unless the text, without the remarks behind types, has these lines.
  local function assert_has(lines)
    local bare = text:gsub(" # [^\n]*", "")
    assert.is_truthy(bare:find(lines, 1, true), lines)
  end

  it("say of a function what its documentation says, with its options as a class", function()
    assert_has(SUM)
    assert_has(SUM_OPTIONS)
    assert.matches("---@field weight wrun.Tensor # [out, in]\n", text, 1, true)
  end)

  it("tell a class from its instances: one makes, the other computes", function()
    assert_has(LINEAR)
    assert_has(LINEAR_CLASS)
  end)

  it("know what an operator of tensors gives", function()
    for name in ("add sub mul div idiv mod pow"):gmatch("%a+") do
      assert.matches(("---@operator %s(wrun.Tensor|number): wrun.Tensor\n"):format(name), text, 1,
        true)
    end
  end)

  it("define every public function and method", function()
    local missing = {}
    local count = each_callable(function(item, _, definition)
      missing[#missing + 1] = definition == nil and item.name or nil
    end)
    assert.same({}, missing)
    assert.is_true(count > 700, count)
    assert.is_function(wrun["repeat"])
  end)

  it("define every class, and say how it is made", function()
    local count = 0
    reference.each(faces, function(item)
      if item.kind == "class" and item.value then
        count = count + 1
        local class = wrun
        for name in item.name:gmatch("[^.]+") do
          class = class[name]
        end
        assert.is_table(class, item.name)
        local constructor = ("---@class wrun.%s.class: wrun.%s\n---@overload fun("):format(
          item.name, item.name)
        assert.matches(constructor, text, 1, true)
      end
    end)
    assert.is_true(count > 80, count)
  end)

  it("have the parameters and the results of the documentation", function()
    local wrong = {}
    each_callable(function(item, entry, definition)
      local left_out = #entry.params - #definition.params -- the object itself, before the colon
      if left_out < 0 or left_out > 1 or #entry.returns ~= #definition.returns then
        wrong[#wrong + 1] = item.name
      end
      for i, param in ipairs(definition.params) do
        local other = entry.params[i + left_out]
        local is_options = definition.params[i].type:find("%.Options$")
        if param.name ~= other.name or (not is_options and param.type ~= other.type)
          or (param.optional ~= other.optional and param.name ~= "...") then
          wrong[#wrong + 1] = item.name .. ": " .. param.name
        end
      end
    end)
    assert.same({}, wrong)
  end)

  it("define the arguments that their tags name", function()
    for _, entry in ipairs(entries) do
      local names = {}
      for i, param in ipairs(entry.params) do
        names[i] = param.name
      end
      if entry.arguments and not entry.class then
        assert.same(names, entry.arguments, entry.path)
      end
    end
  end)

  it("name only types that they define", function()
    local known, unknown = {}, {}
    for name in text:gmatch("\n%-%-%-@class ([%w_.]+)") do
      known[name] = true
    end
    for name in text:gmatch("\n%-%-%-@class %(exact%) ([%w_.]+)") do
      assert.is_nil(known[name], name .. " is defined twice")
      known[name] = true
    end
    for name in text:gmatch("\n%-%-%-@alias ([%w_.]+)") do
      known[name] = true
    end
    local function check(kind)
      for name in type_names(kind) do
        unknown[#unknown + 1] = not BUILT_IN[name] and not known[name] and name or nil
      end
    end
    for _, entry in ipairs(entries) do
      for _, list in ipairs { entry.params, entry.returns, entry.fields } do
        for _, typed in ipairs(list) do
          check(typed.type)
        end
      end
      check(entry.base or "")
    end
    for kind in text:gmatch("\n%-%-%-@overload ([^\n]*)") do
      check(kind)
    end
    assert.same({}, unknown)
  end)

  it("have no tag that LuaCATS does not know", function()
    for tag in text:gmatch("\n%-%-%-@(%a+)") do
      assert.is_true(TAGS[tag], tag)
    end
  end)
end)
