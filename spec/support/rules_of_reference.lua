--- The rules of doc comments: each takes what is public, { name, kind, entry, members }, and
--- returns what breaks it, a line each.

local M = {}

local function is_callable(item)
  return item.kind == "function" or item.kind == "method"
end

--- complaints, one for each item that `find` says something about
local function complaints(items, find)
  local broken = {}
  for _, item in ipairs(items) do
    local problem = find(item, item.entry)
    if problem then
      broken[#broken + 1] = item.name .. ": " .. problem
    end
  end
  table.sort(broken)
  return broken
end

--- complaints about the items that have a comment; `summaries` refuses those without
local function documented(items, find)
  return complaints(items, function(item, entry)
    return entry and find(item, entry)
  end)
end

--- Each begins with a sentence.
function M.summaries(items)
  return complaints(items, function(_, entry)
    if not entry then
      return "has no comment"
    elseif entry.summary == "" then
      return "has no summary"
    end
    local is_sentence = entry.summary:find("^[%u%d`|-]") and entry.summary:find("[.?:]$")
    return not is_sentence and "the summary is no sentence: " .. entry.summary or nil
  end)
end

local function mentions_tensors(entry)
  for _, list in ipairs { entry.params, entry.returns } do
    for _, typed in ipairs(list) do
      if typed.type:find("%f[%w]Tensor") then
        return true
      end
    end
  end
end

--- Functions that take or give tensors say the shapes.
function M.shapes(items)
  return documented(items, function(item, entry)
    if is_callable(item) and mentions_tensors(entry) and not entry.parts.shapes then
      return "says no shapes"
    end
  end)
end

--- A layer says the shapes of what goes in and comes out, itself or in its forward.
function M.layers(items)
  return documented(items, function(item, entry)
    for _, member in ipairs(item.kind == "class" and item.members or {}) do
      if member.name:find(":forward$") and not entry.parts.shapes
        and not (member.entry and member.entry.parts.shapes) then
        return "says no shapes, nor does its forward"
      end
    end
  end)
end

--- Functions with arguments say which values are good.
function M.domains(items)
  return documented(items, function(item, entry)
    if (is_callable(item) or item.start) and #entry.params > 0 and not entry.parts.domain then
      return "says no domain"
    end
  end)
end

--- Each argument has a type; tags stand in the order of the arguments.
function M.params(items)
  return documented(items, function(item, entry)
    if not (is_callable(item) or item.start) then
      return nil
    end
    local tagged, defined = {}, {}
    for i, param in ipairs(entry.params) do
      tagged[i] = param.name
      if param.type == "" then
        return ("argument %s has no type"):format(param.name)
      end
    end
    for _, name in ipairs(not entry.is_typed and entry.arguments or tagged) do
      if name ~= "_" and name ~= "self" then
        defined[#defined + 1] = name
      end
    end
    if tagged[1] == "self" then
      table.remove(tagged, 1)
    end
    local is, should = table.concat(tagged, ", "), table.concat(defined, ", ")
    return is ~= should and ("has tags for (%s), takes (%s)"):format(is, should) or nil
  end)
end

--- Functions, and classes that scripts make instances of, show an example.
function M.examples(items)
  return documented(items, function(item, entry)
    if (item.kind == "function" or item.start) and item.value and not entry.example then
      return "shows no example"
    end
  end)
end

-- what sentences begin with that promise a value
local PROMISES = { "^Returns ", "^Is ", "^Are ", "^Have ", "^Has ", " returns ", "^Iterates " }

--- What comes back has a tag.
function M.returns(items)
  return documented(items, function(item, entry)
    if not is_callable(item) or #entry.returns > 0 then
      return nil
    end
    for _, promise in ipairs(PROMISES) do
      if entry.summary:find(promise) then
        return "promises a result without a tag"
      end
    end
  end)
end

local BUILT_IN = {}
for name in ("any boolean false fun function integer nil number string table true"):gmatch("%a+") do
  BUILT_IN[name] = true
end

--- the names of types in a type: without strings, and without the names of fields and arguments
local function type_names(text)
  return text:gsub('"[^"]*"', ""):gsub("[%w_]+%??%s*:", ""):gmatch("[%a_][%w_.]*")
end

--- The types that tags name are Lua's, or classes and aliases of tags.
function M.types(items)
  local known = {}
  for _, item in ipairs(items) do
    known[item.entry and item.entry.class or false] = true
    known[item.entry and item.entry.alias or false] = true
  end
  return documented(items, function(_, entry)
    for _, list in ipairs { entry.params, entry.returns, entry.fields } do
      for _, typed in ipairs(list) do
        for name in type_names(typed.type) do
          if not BUILT_IN[name] and not known[name] then
            return "nothing is of the type " .. name
          end
        end
      end
    end
  end)
end

return M
