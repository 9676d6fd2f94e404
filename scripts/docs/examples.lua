--- Runs the programs of the guide: `wrun scripts/docs/examples.lua PAGE.md...`.
---
--- The blocks of Lua on a page are one program, run in the page's folder: what it writes is there
--- for the page to show. A block of text that follows is what it prints; numbers may differ as they
--- do between processors. Each other difference is an error.

local TOLERANCE = 0.06 -- of numbers that training carries on

local function read(path)
  local file = assert(io.open(path))
  local text = file:read("a")
  file:close()
  return text
end

local function quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

--- the blocks of a page: { lua =, line =, printed = }
local function blocks_of(text)
  local blocks, number, open = {}, 0, nil
  for line in text:gmatch("([^\n]*)\n") do
    number = number + 1
    local language = line:match("^```(.*)$")
    if open and language then
      local body = table.concat(open, "\n") .. "\n"
      if open.language == "lua" then
        blocks[#blocks + 1] = { lua = body, line = open.line }
      elseif open.language == "text" and blocks[1] and not blocks[#blocks].printed then
        blocks[#blocks].printed = body
      end
      open = nil
    elseif language then
      open = { language = language, line = number + 1 }
    elseif open then
      open[#open + 1] = line
    end
  end
  return blocks
end

--- one program, with its lines where they are on the page, and a mark where a promise is due
local function program_of(blocks)
  local lines, count = {}, 0
  for _, block in ipairs(blocks) do
    lines[#lines + 1] = ("\n"):rep(block.line - 1 - count) .. block.lua
    count = block.line - 1 + select(2, block.lua:gsub("\n", ""))
    if block.printed then
      lines[#lines + 1] = 'io.write("\\0")\n'
      count = count + 1
    end
  end
  return table.concat(lines)
end

--- whether a word printed is the one promised, or a number near it
local function is_like(promised, printed)
  local number, other = tonumber(promised), tonumber(printed)
  if number and other then
    return math.abs(number - other) <= TOLERANCE * math.max(1, math.abs(number))
  end
  return promised == printed
end

local function words(text)
  local list = {}
  for word in text:gmatch("[^%s%[%]%(%),]+") do
    list[#list + 1] = word
  end
  return list
end

--- what is wrong with what a block printed, or nil
local function difference(block, printed)
  local promised, got = words(block.printed), words(printed)
  for i = 1, math.max(#promised, #got) do
    if not is_like(promised[i] or "nothing", got[i] or "nothing") then
      return ("expected %s\ngot %s"):format(block.printed, printed)
    end
  end
end

local function run(page)
  local folder, name = page:match("^(.*)/([^/]*)%.md$")
  local blocks = blocks_of(read(page))
  if #blocks == 0 then
    return
  end
  local path = ("%s/%s.lua"):format(folder, name)
  local file = assert(io.open(path, "w"))
  assert(file:write(program_of(blocks)))
  assert(file:close())
  local wrun = arg[-1]:find("/") and not arg[-1]:find("^/") and '"$PWD"/' .. quote(arg[-1])
    or quote(arg[-1])
  local program = assert(io.popen(("wrun=%s; cd %s && exec \"$wrun\" %s.lua"):format(wrun,
    quote(folder), name)))
  local printed, number = program:read("a"), 0
  assert(program:close(), page .. ": failed")
  for _, block in ipairs(blocks) do
    if block.printed then
      number = number + 1
    end
  end
  local pieces = {}
  for piece in printed:gmatch("(%Z*)%z") do
    pieces[#pieces + 1] = piece
  end
  assert(#pieces == number, page .. ": ended early")
  number = 0
  for _, block in ipairs(blocks) do
    if block.printed then
      number = number + 1
      local wrong = difference(block, pieces[number])
      if wrong then
        error(("%s:%d: %s"):format(page, block.line, wrong), 0)
      end
    end
  end
end

for _, page in ipairs(arg) do
  run(page)
end
