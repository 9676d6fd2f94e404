--- What `wrun --help` says: its sections, and the options, scripts and variables that it lists.

---@class Usage
---@field title string what stands before a list
---@field rows { name: string, text: string }[]

--- reads the sections; the first is the text above all lists
local function sections_of(text)
  local sections, paragraph = { { title = "", rows = {} } }, {}
  for line in (text .. "\n"):gmatch("(.-)\n") do
    local name, about = line:match("^  (%S.-)  +(%S.*)$")
    local section = sections[#sections]
    if name then
      section.rows[#section.rows + 1] = { name = name, text = about }
    elseif line:find("^%S.*:$") then
      sections[#sections + 1] = { title = line:sub(1, -2), rows = {} }
    elseif line ~= "" and not line:find("^usage") then
      paragraph[#paragraph + 1] = line
    end
  end
  sections[1].text = table.concat(paragraph, " ")
  return sections
end

local wrun = arg[-1]
local program = assert(io.popen("'" .. wrun .. "' --help"))
local text = program:read("a")
assert(program:close())
return sections_of(text)
