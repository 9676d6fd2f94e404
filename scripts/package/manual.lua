--- Writes the manual page, from `wrun --help`: `wrun scripts/package/manual.lua >wrun.1`.

local usage = require "usage"
local version = require("wrun")._VERSION

local function roff(text)
  return (text:gsub("\\", "\\e"):gsub("%-", "\\-"):gsub("^([.'])", "\\&%1"))
end

local function add_list(rows)
  for _, row in ipairs(rows) do
    print(".TP\n.B " .. roff(row.name) .. "\n" .. roff(row.text))
  end
end

print((".TH WRUN 1 \"\" \"%s\" \"User Commands\""):format(version))
print(".SH NAME\nwrun \\- numerical runtime scripted in Lua")
print(".SH SYNOPSIS\n.B wrun\n[\\fIoptions\\fR] [\\fIscript\\fR [\\fIargs\\fR]]")
print(".SH DESCRIPTION\n" .. roff(usage[1].text))
print(".SH OPTIONS")
add_list(usage[1].rows)
for i = 2, #usage do
  local title, rest = usage[i].title:match("^([^,]*),? ?(.*)$")
  print(".SH " .. title:upper())
  if rest ~= "" then
    print(roff((rest:gsub("^%l", string.upper))) .. ".")
  end
  add_list(usage[i].rows)
end
print(".SH SEE ALSO\n.BR lua5.4 (1).\nIn a session,\n.B help()\nexplains the library.")
