--- Pictures on terminals, by the codes that some of them understand: those of kitty, which take a PNG
--- file, and sixels [DEC1989], which take six rows at a time, colour by colour.

local base64 = require "wrun.base64"
local check = require "wrun.check"
local core = require "wrun.core"

local M = {}

-- Terminals by what they say of themselves.
local KITTY = { ["xterm-kitty"] = true, ["xterm-ghostty"] = true, ghostty = true, WezTerm = true }
local SIXEL = {
  foot = true, ["foot-extra"] = true, mlterm = true, contour = true, mintty = true,
  ["iTerm.app"] = true, ["yaft-256color"] = true,
}

local CHOSEN = { kitty = "kitty", sixel = "sixel", none = false }

--- Returns the codes that the terminal understands, "kitty" or "sixel", or nil: what WRUN_IMAGES
--- says, and without it what standard output is known to be.
function M.protocol(fname)
  local chosen = os.getenv("WRUN_IMAGES")
  if chosen ~= nil and chosen ~= "" then
    if CHOSEN[chosen] == nil then
      check.fail("%s: WRUN_IMAGES: expected kitty, sixel or none, got %s", fname,
        check.describe(chosen))
    end
    return CHOSEN[chosen] or nil
  end
  local term, program = os.getenv("TERM") or "", os.getenv("TERM_PROGRAM") or ""
  if not core.is_terminal() or os.getenv("TMUX") or term:find("^screen") then
    return nil
  elseif KITTY[term] or KITTY[program] then
    return "kitty"
  end
  return (SIXEL[term] or SIXEL[program] or term:find("sixel", 1, true)) and "sixel" or nil
end

-- Kitty ----------------------------------------------------------------------

local MOST = 4096 -- letters of one code

--- Returns the codes that show a PNG file.
function M.kitty(png)
  local text, codes = base64(png), {}
  for first = 1, #text, MOST do
    local rest = first + MOST <= #text and 1 or 0
    codes[#codes + 1] = ("\27_G%sm=%d;%s\27\\"):format(first == 1 and "a=T,f=100," or "", rest,
      text:sub(first, first + MOST - 1))
  end
  return table.concat(codes)
end

-- Sixels ---------------------------------------------------------------------

local LEVELS = 5 -- of red, green and blue above 0
local BAND = 6 -- rows

-- Each pixel's colour by its number, [rows][columns], and the percents of red, green and blue of a
-- number: greys have a hundred, colours 216 together.
local function numbered(sheet)
  if sheet.ndim == 2 then
    return (sheet:double() * (100 / 255)):round():long():tolist(), function(number)
      return number, number, number
    end
  end
  local levels = (sheet:double() * (LEVELS / 255)):round():long()
  local base = LEVELS + 1
  local numbers = levels:select(3, 1) * base ^ 2 + levels:select(3, 2) * base + levels:select(3, 3)
  return numbers:long():tolist(), function(number)
    local step = 100 // LEVELS
    return number // base ^ 2 * step, number // base % base * step, number % base * step
  end
end

-- The letters of one colour in a band, equal ones counted.
local function row_of(masks, width)
  local parts, x = {}, 1
  while x <= width do
    local mask, count = masks[x] or 0, 1
    while x + count <= width and (masks[x + count] or 0) == mask do
      count = count + 1
    end
    local letter = string.char(63 + mask)
    parts[#parts + 1] = count > 3 and ("!%d%s"):format(count, letter) or letter:rep(count)
    x = x + count
  end
  return table.concat(parts)
end

--- Returns the codes that show a sheet of bytes, [height, width] or [height, width, 3].
function M.sixel(sheet)
  local rows, percents = numbered(sheet)
  local height, width = #rows, #rows[1]
  local defined, codes = {}, { ('\27P0;1q"1;1;%d;%d'):format(width, height) }
  for top = 1, height, BAND do
    local order, masks_of = {}, {}
    for row = top, math.min(top + BAND - 1, height) do
      local bit = 1 << row - top
      for x, number in ipairs(rows[row]) do
        local masks = masks_of[number]
        if not masks then
          masks = {}
          masks_of[number], order[#order + 1] = masks, number
        end
        masks[x] = (masks[x] or 0) | bit
      end
    end
    for i, number in ipairs(order) do
      if not defined[number] then
        defined[number] = true
        codes[#codes + 1] = ("#%d;2;%d;%d;%d"):format(number, percents(number))
      end
      codes[#codes + 1] = ("#%d%s%s"):format(number, row_of(masks_of[number], width),
        i < #order and "$" or "-")
    end
  end
  return table.concat(codes) .. "\27\\"
end

return M
