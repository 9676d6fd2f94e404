--- Entries that follow from others: each function here takes what another name's entry says and
--- returns what the derived name's is, where its own comment does not say better.

local arguments = require "wrun.reference.arguments"

local M = {}

local TENSOR = "wrun.Tensor"

--- what of an entry is of no other: where it stands and what it defines
local OWN = { "class", "base", "alias", "path", "is_bare" }

--- the arguments of own: those that its tags describe, else those that other has under their name,
--- else what names mean everywhere
local function arguments_of(own, other)
  local tags, others = own.params or {}, other.params or {}
  if #tags == 0 or #others == 0 or not own.arguments or own.is_typed then
    return #tags > 0 and tags or others
  end
  local described, params = {}, {}
  for _, param in ipairs(others) do
    described[param.name] = param
  end
  for _, param in ipairs(tags) do
    described[param.name] = param.is_usual and described[param.name] or param
  end
  for _, name in ipairs(own.arguments) do
    params[#params + 1] = described[name]
  end
  return params
end

--- Returns own, and of other what own lacks.
function M.completed(own, other)
  if not own or not other then
    return own or other
  end
  local result, parts = {}, {}
  for _, entry in ipairs { other, own } do
    for field, value in pairs(entry) do
      local says_nothing = value == "" or type(value) == "table" and #value == 0
      result[field] = says_nothing and result[field] or value
    end
    for part, text in pairs(entry.parts) do
      parts[part] = text
    end
  end
  for _, field in ipairs(OWN) do
    result[field] = own[field]
  end
  if own.summary ~= "" then
    result.text = own.text
  end
  parts.as = nil
  result.parts, result.params = parts, arguments_of(own, other)
  return result
end

--- "Returns the sum of x." -> "the sum of x"
local function what_comes_back(entry)
  return (entry.summary:gsub("^Returns ", ""):gsub("^Makes a layer that returns ", "")
    :gsub("^Makes ", ""):gsub("%.$", ""))
end

--- the text with the errors of one function as another's
local function errors_of(text, from, to)
  return text and (text:gsub("`" .. from .. ": ", "`" .. to .. ": ")
    :gsub("under the name `" .. from .. "`", "under the name `" .. to .. "`"))
end

--- the example with calls of one function as another's
local function calls_of(text, from, to)
  return text and (text:gsub("([.:])" .. from .. "%f[^%w_]", "%1" .. to))
end

local function parts_of(entry, changed)
  local parts = {}
  for part, text in pairs(entry.parts) do
    parts[part] = text
  end
  for part, text in pairs(changed) do
    parts[part] = text
  end
  return parts
end

local function with(entry, changed, new)
  local result = {}
  for field, value in pairs(entry) do
    result[field] = value
  end
  result[changed] = new
  return result
end

--- Returns the entry with other errors.
function M.with_errors(entry, raises)
  return with(entry, "parts", parts_of(entry, { raises = raises }))
end

--- The entry of `to`, which is as `from` but for its name.
---@param entry wrun.reference.Entry of `from`
function M.under_name(entry, from, to)
  return M.completed({
    summary = "", text = {}, params = {}, returns = {}, fields = {},
    parts = { raises = errors_of(entry.parts.raises, from, to) },
    example = calls_of(entry.example, from, to),
  }, entry)
end

--- `add_` from `add`: the same in place.
---@param entry wrun.reference.Entry of `name`
function M.in_place(entry, name)
  local first = entry.params[1] and entry.params[1].name or "x"
  local result = M.under_name(entry, name, name .. "_")
  result.summary = ("`%s` in place: %s becomes %s."):format(name, first,
    (what_comes_back(entry):gsub("^a copy of ", "")))
  if entry.parts.shapes:find("broadcast") then
    result.parts.shapes = ("%s; %s keeps its shape"):format(entry.parts.shapes, first)
  end
  result.text = entry.text
  result.returns = { { type = TENSOR, text = first } }
  return result
end

--- `zeros_like` from `zeros`: the same in the shape of a tensor.
---@param entry wrun.reference.Entry of `name`
function M.like(entry, name)
  return {
    module = entry.module,
    line = entry.line,
    summary = ("Returns %s, in the shape of x."):format(what_comes_back(entry)),
    text = {},
    parts = {
      shapes = "x [...] -> same",
      domain = ("x's dtype unless options name another; options as `%s`"):format(name),
      raises = ("`%s_like: argument 1: expected a tensor`; as `%s`"):format(name, name),
      source = entry.parts.source,
    },
    params = {
      { name = "x", type = TENSOR, text = "", optional = false },
      { name = "options", type = "table", text = "", optional = true },
    },
    returns = { { type = TENSOR, text = "" } },
    fields = {},
    example = ("print(wrun.ones(2, 3):%s_like())"):format(name),
  }
end

--- Returns the entry of a class with what it lacks of its base's, with the options that this lists
--- but for those that it lists itself, and with what these raise.
function M.with_options(entry, base)
  local listed, options = {}, { entry.parts.options }
  for name in ("; " .. (entry.parts.options or "")):gmatch("; ([%w_]+)") do
    listed[name] = true
  end
  for option in (base.parts.options .. "; "):gmatch("(.-); ") do
    options[#options + 1] = not listed[option:match("^[%w_]+")] and option or nil
  end
  local raises = { entry.parts.raises }
  raises[#raises + 1] = base.parts.raises
  return M.completed({
    summary = "", text = {}, parts = {
      options = table.concat(options, "; "),
      raises = #raises > 0 and table.concat(raises, "; ") or nil,
    },
  }, M.completed(entry, base))
end

--- `0.001`, `"min"`, `{0.9, 0.999}`
local function value_text(value)
  if type(value) ~= "table" then
    return type(value) == "string" and ("%q"):format(value) or tostring(value)
  end
  local texts = {}
  for i, item in ipairs(value) do
    texts[i] = value_text(item)
  end
  return "{" .. table.concat(texts, ", ") .. "}"
end

-- what a rule expects that its default shows
local PLAIN = { ["a number"] = true, ["true or false"] = true }

--- "lr = 0.001 (a number >= 0): the size of a step"
local function option_text(name, rule, meaning)
  local text = name
  if rule.default ~= nil then
    text = text .. " = " .. value_text(rule.default)
  end
  if rule.default == nil or not PLAIN[rule.expected] then
    text = text .. " (" .. rule.expected .. (rule.optional and ", or none)" or ")")
  end
  return text .. (meaning and ": " .. meaning or "")
end

--- Returns the entry of a class with the options that its rules name. The `options` of its comment
--- and of those above say what they mean: "lr: the size of a step; ..."
---@param start wrun.reference.Entry? of its init, which raises too
---@param class wrun.Class with a field rules
---@param above wrun.reference.Entry[] its comment and those of the classes above
function M.with_rules(entry, start, class, above)
  local meanings, names, options = {}, {}, {}
  for i = #above, 1, -1 do
    for name, meaning in ((above[i].parts.options or "") .. ";"):gmatch("([%w_]+): (.-);") do
      meanings[name] = meaning
    end
  end
  for name in pairs(class.rules) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    options[i] = option_text(name, class.rules[name], meanings[name])
  end
  local raises, usual = entry.parts.raises, start and start.parts.raises
  if raises and usual and raises ~= usual then
    raises = raises .. "; " .. usual
  end
  return M.completed({
    summary = "", text = {}, parts = {
      options = #options > 0 and table.concat(options, "; ") or nil,
      raises = raises and raises:gsub("`NAME:", "`" .. class.__name .. ":"),
    },
  }, entry)
end

local function functional_example(text, class, name)
  local short = class:match("[^.]+$")
  local options = text:match("nn%." .. short .. "(%b())"):sub(2, -2)
  local function call(given)
    return ("nn.functional.%s(%s%s)"):format(name, given:sub(2, -2),
      options ~= "" and ", " .. options or "")
  end
  text = text:gsub("local criterion = nn%.%w+%b()\n", ""):gsub("criterion(%b())", call)
  return (text:gsub("nn%." .. short .. "%b()(%b())", call))
end

--- `nn.functional.mse_loss` from `nn.MSELoss`: the loss as a function of tensors and options.
---@param entry wrun.reference.Entry of the loss
---@param class string its name
---@param name string the functional form's
---@param tensors string[] the names of the tensors
function M.functional(entry, class, name, tensors)
  local params = {}
  for i, tensor in ipairs(tensors) do
    params[i] = { name = tensor, type = TENSOR, text = "", optional = false }
  end
  params[#params + 1] = { name = "options", type = "table", text = "", optional = true }
  return {
    module = entry.module,
    line = entry.line,
    summary = ("Returns %s: `%s` as a function."):format(what_comes_back(entry), class),
    text = entry.text,
    parts = parts_of(entry, {
      raises = errors_of(entry.parts.raises, class:match("[^.]+$"), name),
    }),
    params = params,
    returns = { { type = TENSOR, text = "" } },
    fields = {},
    example = functional_example(entry.example, class, name),
  }
end

--- Returns the type of a table of options with these rules, nil where one asks for what has none,
--- and the defaults.
---@return string? text "left = true, upper = false"
function M.options_type(rules)
  local fields, defaults = {}, {}
  for name, rule in pairs(rules) do
    local kind = name == "generator" and "wrun.Generator" or arguments.type_of(rule)
    if kind ~= "wrun.Generator" and not arguments.has_type(rule) then
      return nil
    end
    fields[#fields + 1] = name .. ": " .. kind
    local is_shown = rule.default ~= nil and type(rule.default) ~= "function"
    defaults[#defaults + 1] = is_shown and name .. " = " .. value_text(rule.default) or nil
  end
  table.sort(fields)
  table.sort(defaults)
  if #fields > 0 then
    return "{ " .. table.concat(fields, ", ") .. " }", table.concat(defaults, ", ")
  end
end

--- Returns the entry with the type and the defaults of its argument `options`, if no tag says them.
function M.with_options_type(entry, rules)
  local params, kind, text = {}, M.options_type(rules)
  for i, param in ipairs(entry.params) do
    local is_options = param.name == "options" and param.is_usual and kind
    params[i] = is_options and { name = "options", type = kind, text = text, optional = true }
      or param
  end
  return with(entry, "params", params)
end

--- Returns the entry with the arguments of which the checks in the source say what they are, where
--- no tag does.
function M.with_arguments(entry, found)
  local described, params, seen = {}, {}, 0
  for _, param in ipairs(entry.params) do
    described[param.name] = param
  end
  for _, name in ipairs(entry.arguments) do
    local param, checked = described[name], found[name]
    seen = param and seen + 1 or seen
    if checked and (not param or param.is_usual) then
      local has_text = checked.default ~= nil and value_text(checked.default) ~= "{}"
      param = {
        name = name, type = checked.type, text = has_text and value_text(checked.default) or "",
        optional = checked.optional or false, is_usual = param ~= nil,
      }
    end
    params[#params + 1] = param
  end
  return seen == #entry.params and with(entry, "params", params) or entry -- other tags are wrong
end

local function setting_text(rule)
  local words = {}
  if rule.default ~= nil then
    local format = type(rule.default) == "string" and "default %q" or "default %s"
    words[1] = format:format(rule.default)
  end
  words[#words + 1] = not rule.expected:find("^an? %a+$") and rule.expected or nil
  return table.concat(words, "; ")
end

--- `nn.ReLU` from `relu`: the layer that applies a function to its input, with settings between.
---@param entry wrun.reference.Entry of the function
---@param class string the layer's name
---@param name string the function's
---@param settings { [1]: string, [2]: wrun.check.Rule }[] each its name and its rule
function M.layer(entry, class, name, settings)
  local short = class:match("[^.]+$")
  local params, raises, given, names = {}, {}, {}, { [entry.params[1].name] = "x" }
  for i, setting in ipairs(settings) do
    local label, rule = setting[1], setting[2]
    params[i] = {
      name = label, type = arguments.type_of(rule), text = setting_text(rule),
      optional = rule.default ~= nil,
    }
    names[entry.params[i + 1] and entry.params[i + 1].name or label] = label
    raises[i] = ("`%s: argument %d: expected %s`"):format(short, i, rule.expected)
    given[#given + 1] = rule.default == nil and "1" or nil
  end
  local function renamed(text)
    return (text:gsub("%f[%w_]%l[%w_]*", names):gsub("[;,] [%w_]+ %l+ [^;,]- unless given", ""))
  end
  raises[#raises + 1] = ("`%s: option NAME: unknown`"):format(short)
  raises[#raises + 1] = #settings > 0 and ("as `%s`"):format(name) or nil
  return {
    module = entry.module,
    line = entry.line,
    summary = ("Makes a layer that returns %s."):format(renamed(what_comes_back(entry))),
    text = {},
    parts = {
      shapes = entry.parts.shapes:find("^x ") and entry.parts.shapes or "x [...] -> same",
      domain = renamed(entry.parts.domain),
      raises = table.concat(raises, "; "),
      source = entry.parts.source,
    },
    params = params,
    returns = {},
    fields = {},
    example = ("print(%s(%s)(wrun.tensor { -1.0, 0.0, 0.5, 2.0 }))"):format(class,
      table.concat(given, ", ")),
  }
end

return M
