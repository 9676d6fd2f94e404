--- Prints, part by part, how much of PyTorch's interface is here and agrees with it: how many names
--- of spec/support/interface.lua exist, how many of them stand in a fixture that PyTorch made, and
--- how many of those pass. `make parity` runs it; it runs every spec on the way.

local interface = require "spec.support.interface"
local interpreter = require "spec.support.interpreter"
local source = require "spec.support.source"
local wrun = require "wrun"

-- What expressions write in place of a name.
local OPERATORS = { add = "+", sub = "-", mul = "*", div = "/", pow = "^", neg = "-" }

-- name -> in how many passing and failing specs its word stands
local function results()
  local busted = assert(io.popen("command -v busted")):read("l")
  local command = ("%s %s --ignore-lua --output=TAP 2>/dev/null"):format(interpreter(), busted)
  local passed, failed = {}, {}
  for line in assert(io.popen(command)):lines() do
    local verdict, title = line:match("^(n?o?t? ?ok) %d+ %- (.*)")
    local into = verdict == "ok" and passed or verdict and failed
    for word in (into and title or ""):gmatch("[%a_][%w_]*") do
      into[word] = (into[word] or 0) + 1
    end
  end
  return passed, failed
end

-- The words and operators of all fixtures, as a set.
local function fixture_words()
  local words = {}
  for path, text in pairs(source.tree()) do
    if path:find("^spec/fixtures/.*%.lua$") then
      for word in text:gmatch("[%a_][%w_]*") do
        words[word] = true
      end
      for name, operator in pairs(OPERATORS) do
        words[name] = words[name] or text:find('"[^"\n]* %' .. operator .. " ") ~= nil
      end
    end
  end
  return words
end

-- t[name], or nil where reading an unknown name is an error
local function field(t, name)
  local exists, value = pcall(function()
    return t[name]
  end)
  return exists and value or nil
end

local function holder(at)
  local value = wrun
  for name in at:gmatch("%.([%w_]+)") do
    value = field(value, name)
    if value == nil then
      return {}
    end
  end
  return value
end

local function row(title, ...)
  return ("%-18s %6s %6s %9s %6s"):format(title, ...)
end

local passed, failed = results()
local with_fixture = fixture_words()
local total = { names = 0, exist = 0, fixtures = 0, pass = 0 }
local missing, unproven, failing = {}, {}, {}
print(row("part", "names", "exist", "fixtures", "pass"))
for _, part in ipairs(interface) do
  local count = { names = #part.names, exist = 0, fixtures = 0, pass = 0 }
  local at = holder(part.at)
  for _, name in ipairs(part.names) do
    if field(at, name) == nil and (at ~= wrun or field(wrun.zeros(1), name) == nil) then
      missing[#missing + 1] = part.at .. "." .. name
    else
      count.exist = count.exist + 1
      if not with_fixture[name] then
        unproven[#unproven + 1] = name
      else
        count.fixtures = count.fixtures + 1
        local is_right = passed[name] and not failed[name]
        count.pass = count.pass + (is_right and 1 or 0)
        failing[#failing + 1] = not is_right and name or nil
      end
    end
  end
  print(row(part.title, count.names, count.exist, count.fixtures, count.pass))
  for key, value in pairs(count) do
    total[key] = total[key] + value
  end
end
print(row("all", total.names, total.exist, total.fixtures, total.pass))
for title, list in pairs { missing = missing, ["without a PyTorch fixture"] = unproven,
  ["not passing"] = failing } do
  if #list > 0 then
    print(("%s: %s"):format(title, table.concat(list, " ")))
  end
end
os.exit(#missing + #failing == 0, true)
