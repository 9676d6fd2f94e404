--- Checks the links of pages: `wrun scripts/docs/links.lua FOLDER`.
---
--- Each link and each picture of each page must be a file, and what stands behind # an element of
--- it. Links to elsewhere are not followed.

local folder = arg[1]

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read("a") -- nil where it is a folder
  if file then
    file:close()
  end
  return text
end

--- the text and the ids of a file, nil where there is none
local pages = setmetatable({}, {
  __index = function(self, path)
    local text = read(path)
    local page = text and { text = text, ids = {} } or false
    if page and path:find("%.html$") then
      for id in text:gmatch(' id="([^"]*)"') do
        page.ids[id] = true
      end
    end
    self[path] = page
    return page
  end,
})

--- "a/b/../c" as "a/c"
local function plain(path)
  local parts = {}
  for part in path:gmatch("[^/]+") do
    if part == ".." then
      table.remove(parts)
    elseif part ~= "." then
      parts[#parts + 1] = part
    end
  end
  return (path:find("^/") and "/" or "") .. table.concat(parts, "/")
end

local function is_good(from, link)
  local path, id = link:match("^([^#?]*)[^#]*#?(.*)$")
  local target = path == "" and from or plain(from:match("^(.*)/") .. "/" .. path)
  local page = pages[target]
  return page and (id == "" or page.ids[id])
end

local count, broken, list = 0, 0, assert(io.popen("find '" .. folder .. "' -name '*.html'"))
for path in list:lines() do
  path = plain(path)
  for _, attribute in ipairs { "href", "src" } do
    for link in pages[path].text:gmatch("%f[%w]" .. attribute .. '="([^"]*)"') do
      link = link:gsub("&amp;", "&")
      if not link:find("^%a+:") then
        count = count + 1
        if not is_good(path, link) then
          broken = broken + 1
          io.stderr:write(path, ": ", link, "\n")
        end
      end
    end
  end
end
list:close()
print(("%d links, %d broken"):format(count, broken))
os.exit(broken == 0 and count > 0)
