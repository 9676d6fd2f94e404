--- Pictures on terminals: the codes read back by decoders of another kind.

local child = require "spec.support.child"
local terminal = require "wrun.image.terminal"
local wrun = require "wrun"

-- Reads sixels as a terminal does; returns [height][width] of { red, green, blue } in percent.
local function decode(text)
  local width, height, body = text:match('^\27P0;1q"1;1;(%d+);(%d+)(.*)\27\\$')
  local colours, rows, x, top, colour, at = {}, {}, 1, 1, nil, 1
  for row = 1, tonumber(height) do
    rows[row] = {}
  end
  local function put(letter, count)
    local mask = letter:byte() - 63
    for _ = 1, count do
      for bit = 0, 5 do
        if mask >> bit & 1 == 1 then
          assert(not rows[top + bit][x], "a pixel is drawn twice")
          rows[top + bit][x] = colours[colour]
        end
      end
      x = x + 1
    end
  end
  local readers = {
    { "^#(%d+);2;(%d+);(%d+);(%d+)", function(number, ...)
      colours[number] = { ... }
    end },
    { "^#(%d+)", function(number)
      colour = number
    end },
    { "^!(%d+)([?-~])", function(count, letter)
      put(letter, tonumber(count))
    end },
    { "^([?-~])", function(letter)
      put(letter, 1)
    end },
    { "^(%$)", function()
      x = 1
    end },
    { "^(%-)", function()
      x, top = 1, top + 6
    end },
  }
  while at <= #body do
    local before = at
    for _, reader in ipairs(readers) do
      local found = { body:find(reader[1], at) }
      if found[1] then
        reader[2](table.unpack(found, 3))
        at = found[2] + 1
        break
      end
    end
    assert(at > before, "no sixel: " .. body:sub(at, at + 20))
  end
  return rows, tonumber(width)
end

-- What `wrun -e` prints of a picture, with an environment.
local function shown(env, code)
  local result
  child.with_folder(function(folder)
    local script = ('local wrun = require "wrun" local path = "%s/x.png" %s'):format(folder, code)
    result = child.run({ "-e", script }, { env = env })
    result.png = io.open(folder .. "/x.png") and child.read(folder .. "/x.png")
    result.folder = folder
  end)
  return result
end

local SHOW = "print(wrun.image.show(path, wrun.eye(40):reshape(1, 40, 40), { scale = 3 }))"

describe("image.terminal", function()
  it("writes sixels of greys, six rows at a time", function()
    for _, shape in ipairs { { 1, 1 }, { 6, 5 }, { 13, 300 }, { 7, 2 } } do
      local sheet = wrun.randint(0, 256, shape):byte()
      if shape[2] > 100 then
        sheet:narrow(2, 20, 200):fill_(255) -- runs
      end
      local rows, width = decode(terminal.sixel(sheet))
      assert.equal(shape[2], width)
      for i, row in ipairs(sheet:tolist()) do
        for j, grey in ipairs(row) do
          local percent = tostring(math.floor(grey * 100 / 255 + 0.5))
          local found = table.concat(rows[i][j], " ")
          assert(found == ("%s %s %s"):format(percent, percent, percent), found)
        end
      end
    end
  end)

  it("writes colours to the nearest of six levels each", function()
    local sheet = wrun.randint(0, 256, { 8, 9, 3 }):byte()
    local rows = decode(terminal.sixel(sheet))
    for i, row in ipairs(sheet:tolist()) do
      for j, pixel in ipairs(row) do
        for c, value in ipairs(pixel) do
          assert(math.abs(tonumber(rows[i][j][c]) - value * 100 / 255) <= 10 + 1e-9)
        end
      end
    end
  end)

  it("writes PNG files for kitty, in pieces that base64 reads back", function()
    local bytes = {}
    for i = 1, 10000 do
      bytes[i] = string.char(i * i % 256)
    end
    for _, count in ipairs { 1, 2, 3, 3072, 3073, 10000 } do
      local png, pieces, lasts = table.concat(bytes, "", 1, count), {}, {}
      for keys, text in terminal.kitty(png):gmatch("\27_G([^;]*);([^\27]*)\27\\") do
        assert.is_true(#text <= 4096)
        assert.equal(#pieces == 0, keys:find("a=T,f=100,", 1, true) == 1)
        lasts[#lasts + 1] = keys:match("m=(%d)")
        pieces[#pieces + 1] = text
      end
      assert.equal(("1"):rep(#pieces - 1) .. "0", table.concat(lasts))
      child.with_folder(function(folder)
        local file <close> = assert(io.open(folder .. "/text", "w"))
        file:write(table.concat(pieces))
        file:close()
        child.shell(("base64 -d %s/text >%s/bytes"):format(folder, folder))
        assert.equal(png, child.read(folder .. "/bytes"))
      end)
    end
  end)
end)

describe("image.show", function()
  it("writes the file, and names it where there is no terminal that can", function()
    for _, env in ipairs { "TERM=xterm-kitty", "WRUN_IMAGES=none TERM=xterm-kitty" } do
      local result = shown(env, SHOW)
      assert.equal(result.folder .. "/x.png\n", result.out)
      assert.equal("\137PNG", result.png:sub(1, 4))
    end
  end)

  it("shows it as WRUN_IMAGES says", function()
    local rows = decode(shown("WRUN_IMAGES=sixel", SHOW).out:sub(1, -2))
    assert.equal(120, #rows)
    assert.same({ "100", "100", "100" }, rows[120][120])
    assert.same({ "0", "0", "0" }, rows[120][1])
    local kitty = shown("WRUN_IMAGES=kitty", SHOW)
    assert.equal(terminal.kitty(kitty.png) .. "\n", kitty.out)
    assert.truthy(shown("WRUN_IMAGES=tv", SHOW).err:find("image.show: WRUN_IMAGES: expected kitty, "
      .. "sixel or none, got the string 'tv'", 1, true))
  end)

  it("knows terminals that can by what they say", function()
    for env, start in pairs {
      ["TERM=xterm-kitty"] = "\27_Ga=T", ["TERM=foot"] = "\27P0;1q",
      ["TERM=xterm TERM_PROGRAM=WezTerm"] = "\27_Ga=T", ["TERM=xterm"] = "/",
      ["TERM=xterm-kitty TMUX=1"] = "/",
    } do
      child.with_folder(function(folder)
        local file <close> = assert(io.open(folder .. "/x.lua", "w"))
        file:write(('local wrun = require "wrun" local path = "%s/x.png" '):format(folder) .. SHOW)
        file:close()
        -- util-linux's script gives a command a terminal
        local out = child.shell(("env -u TMUX %s script -qec '%s %s/x.lua' /dev/null"):format(env,
          child.wrun, folder)).out
        assert.equal(start, out:sub(1, #start), env)
      end)
    end
  end)
end)
