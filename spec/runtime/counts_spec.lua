--- No count that a script gives makes a function run for ever or fill the memory, and no length
--- that a table claims: every function answers, or says why not.
---
--- Each number of each example of the reference is replaced by numbers far outside, and each table
--- by one whose length is a lie, in a process of little memory; ordinarily by one of them in turn,
--- in `make check-all` by every one.

local child = require "spec.support.child"

local SCRIPT = [[
local public_items, wrun = require "spec.support.public_items", require "wrun"
local kind, every, folder = arg[1], arg[2] == "every", arg[3]

local NUMBERS = { "2147483648", "9007199254740992", "4611686018427387904", "math.maxinteger",
  "math.mininteger", "1e300", "math.huge", "(0/0)", "-1" }
local LENGTHS = { "1 << 40", "math.maxinteger", "-1", "1e300", "0/0", "'x'" }
local SECONDS = 1 -- of the processor

-- What is long because so much work was asked for: epochs, steps of chains, draws one by one.
local WORK = {
  ["data.RandomSampler"] = true, ["dbn.Model:fit"] = true, ["dbn.Model:sample"] = true,
  ["rbm.Chains:images"] = true, ["rbm.Chains:load_state_dict"] = true,
  ["rbm.Chains:state_dict"] = true, ["rbm.Chains:step"] = true, ["rbm.Chains:swap_rates"] = true,
  ["rbm.Model:ais"] = true, ["rbm.Model:chains"] = true, ["rbm.Model:distribute"] = true,
  ["rbm.Model:fit"] = true, ["rbm.Model:gibbs"] = true, ["wrun.checkpoint"] = true,
}

local environment = setmetatable({
  nn = wrun.nn, optim = wrun.optim, data = wrun.data, rbm = wrun.rbm, dbn = wrun.dbn,
  image = wrun.image, wrun = wrun, gradcheck = wrun.gradcheck,
  os = setmetatable({ tmpname = function() return folder .. "/file" end }, { __index = os }),
  print = function(...)
    for i = 1, select("#", ...) do
      tostring((select(i, ...)))
    end
  end,
}, { __index = _G })

local function blank(text)
  return ("~"):rep(#text)
end

-- Each place of a pattern outside strings, comments and the heads of loops.
local function places(example, pattern, visit)
  local code = example:gsub("%-%-[^\n]*", blank):gsub('"[^"\n]*"', blank)
    :gsub("for [^\n]- do", blank)
  local from, to = code:find(pattern)
  while from do
    if not code:sub(from - 1, from - 1):find("[%w_]") or from == 1 then
      visit(example:sub(1, from - 1), example:sub(from, to), example:sub(to + 1))
    end
    from, to = code:find(pattern, pattern == "%b{}" and from + 1 or to + 1)
  end
end

local turn, calls = 0, 0

local function try(name, before, after, replacements)
  turn = turn + 1
  for i, replacement in ipairs(replacements) do
    local run = (every or turn % #replacements + 1 == i)
      and load(before .. replacement .. after, "=" .. name, "t", environment)
    if run then
      io.write(before, replacement, after, "\n")
      io.flush()
      calls = calls + 1
      local start = os.clock()
      debug.sethook(function()
        if os.clock() - start > SECONDS then
          error("endless", 0)
        end
      end, "", 100000)
      local _, message = pcall(run)
      debug.sethook()
      wrun.manual_seed(calls)
      collectgarbage()
      if tostring(message):find("endless", 1, true) and not WORK[name] then
        io.stderr:write("no answer: ", before, replacement, after, "\n")
      end
    end
  end
end

local seen = {}
for _, item in ipairs(public_items()) do
  local example = item.entry and item.entry.example
  if example and not seen[example] then
    seen[example] = true
    if kind == "numbers" then
      places(example, "%d[%d.]*[eE]?%-?%d*", function(before, _, after)
        try(item.name, before, after, NUMBERS)
      end)
    else
      places(example, "%b{}", function(before, list, after)
        local lies = {}
        for i, length in ipairs(LENGTHS) do
          lies[i] = "(setmetatable(" .. list .. ", { __len = function() return " .. length
            .. " end }))"
        end
        try(item.name, before, after, lies)
      end)
    end
  end
end
io.write(calls, " calls\n")
]]

local function answers(kind, share, least, seconds)
  child.with_folder(function(folder)
    local script = child.write(SCRIPT, folder .. "/script.lua")
    -- a loop in C would not see the hook, so the process has a limit too
    local result = child.shell(("ulimit -v 2000000; timeout -s KILL %d %s --threads 1 %s %s %s %s")
      :format(seconds, child.quote(child.wrun), script, kind, share, folder))
    local last = result.out:match("([^\n]*)\n*$")
    assert.equal("", result.err)
    assert.is_true(tonumber(last:match("^(%d+) calls$") or 0) > least, last)
  end)
end

describe("examples with a number far outside #memory", function()
  it("give answers", function()
    answers("numbers", "some", 2000, 240)
  end)

  it("give answers, every number #slow", function()
    answers("numbers", "every", 18000, 3000)
  end)
end)

describe("examples with a table that lies about its length #memory", function()
  it("give answers", function()
    answers("lengths", "some", 500, 120)
  end)

  it("give answers, every length #slow", function()
    answers("lengths", "every", 3000, 900)
  end)
end)
