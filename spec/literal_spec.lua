--- Tables as Lua: they can be read back, and are cut where they are long.

local literal = require "wrun.literal"
local wrun = require "wrun"

-- What the text of a value gives back.
local function back(value)
  return assert(load("return " .. literal.text(value)))()
end

describe("literal", function()
  it("writes what can be read back, to the bit", function()
    local values = {
      { 1, 2, 3 }, {}, { { 1, { 2 } }, {} }, { lr = 0.1, betas = { 0.9, 0.999 } },
      { [0] = "zero", [2.5] = true, [-1] = false, ["end"] = 1, ["a b"] = 2, [""] = 3 },
      { "a\nb\0c\"\\\t\r", "é", "\xff\xfe", "]]", "--[[ ]]" },
      { 0.1 + 0.2, 1e300, 1.0, -0.0, 2 ^ 53, math.maxinteger, math.mininteger },
      { math.huge, -math.huge, [5] = "after holes" },
    }
    for _, value in ipairs(values) do
      assert.same(value, back(value))
    end
    assert.equal("float", math.type(back({ 1.0 })[1]))
    assert.equal("-0x0p+0", ("%a"):format(back({ -0.0 })[1]))
    assert.is_true(back({ 0 / 0 })[1] ~= back({ 0 / 0 })[1])
  end)

  it("writes any nested table back", function()
    local function random_value(depth)
      local kind = math.random(depth > 0 and 5 or 4)
      if kind == 1 then
        return math.random(-1000, 1000)
      elseif kind == 2 then
        return (math.random() - 0.5) * 10.0 ^ math.random(-300, 300)
      elseif kind == 3 then
        local bytes = {}
        for i = 1, math.random(0, 10) do
          bytes[i] = string.char(math.random(0, 255))
        end
        return table.concat(bytes)
      elseif kind == 4 then
        return math.random() < 0.5
      end
      local t = {}
      for i = 1, math.random(0, 6) do
        t[math.random() < 0.5 and i or "k" .. i] = random_value(depth - 1)
      end
      return t
    end
    for _ = 1, 500 do
      local value = { random_value(3) }
      assert.same(value, back(value))
    end
  end)

  it("stays on one line where it fits, and fills lines with lists", function()
    assert.equal("{ 1, 2, { a = 3 } }", literal.text { 1, 2, { a = 3 } })
    assert.equal("{}", literal.text {})
    local numbers = {}
    for i = 1, 15 do
      numbers[i] = 10000000 + i
    end
    for line in literal.text(numbers):gmatch("[^\n]+") do
      assert.is_true(#line <= 80)
    end
    assert.equal(4, select(2, literal.text(numbers):gsub("\n", "\n")))
    local long = ("x"):rep(50)
    local lines = '{\n  a = "%s",\n  b = {\n    c = "%s",\n    d = "%s",\n  },\n}'
    assert.equal(lines:format(long, long, long),
      literal.text { a = long, b = { c = long, d = long } })
  end)

  it("cuts what is long and deep, and says so", function()
    local numbers = {}
    for i = 1, 100 do
      numbers[i] = i
    end
    assert.matches("20,\n  %-%-%[%[ 80 more %]%]\n}$", literal.text(numbers))
    assert.same({ table.unpack(numbers, 1, 20) }, back(numbers))
    assert.equal("{ { { { { --[[ more ]] } } } } }", literal.text { { { { { { 1 } } } } } })
    assert.matches('^{\n  "x+" %-%-%[%[ 300 bytes %]%],\n}$', literal.text { ("x"):rep(300) })
    local t = { 1 }
    t.own = t
    assert.equal("{ 1, own = nil --[[ a table that this one is in ]] }", literal.text(t))
  end)

  it("says what stands where Lua has no text", function()
    local text = literal.text {
      x = wrun.ones(3, 4), f = print, layer = wrun.nn.Linear(2, 3), part = wrun.nn,
      sizes = wrun.ones(3, 4).shape,
    }
    for _, part in ipairs {
      "x = nil --[[ float32 [3, 4] ]]", "f = nil --[[ a function ]]", "sizes = { 3, 4 }",
      "layer = nil --[[ Linear ]]", "part = nil --[[ wrun.nn ]]",
    } do
      assert.truthy(text:find(part, 1, true), text)
    end
    local keyed = { [print] = 1, [wrun.ones(1)] = 2, [true] = 3 }
    assert.truthy(literal.text(keyed):find("--[[ a function: 1 ]]", 1, true))
    assert.same({ [true] = 3 }, back(keyed))
    local evil = setmetatable({}, { __tostring = function() return "]] os.exit(9)" end })
    assert.equal("{ nil --[=[ ]] os.exit(9) ]=] }", literal.text { evil })
  end)
end)
