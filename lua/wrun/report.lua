--- A page of runs: those of `wrun.experiment` and of `wrun.sweep` below a folder side by side, with
--- curves, pictures and the options that differ, in one file to be sent to somebody.

local base64 = require "wrun.base64"
local check = require "wrun.check"
local core = require "wrun.core"
local curve = require "wrun.report.curve"
local experiment = require "wrun.experiment"
local grid = require "wrun.sweep.grid"
local page = require "wrun.report.page"
local saved = require "wrun.save"

local fail = check.fail

local M = {}

local DEEPEST = 6 -- folders inside each other
local LARGEST = 16 << 20 -- bytes of a picture
local PICTURES = {
  png = "image/png", svg = "image/svg+xml", jpg = "image/jpeg", jpeg = "image/jpeg",
  gif = "image/gif",
}

-- What is there --------------------------------------------------------------

local function names_in(folder)
  local names = core.folder_names(folder) or {}
  table.sort(names)
  return names
end

local function is_file(path)
  local file = io.open(path, "rb")
  local is_there = file and file:read(0) ~= nil
  if file then
    file:close()
  end
  return is_there
end

-- A run of wrun.experiment, or why its folder could not be read.
local function read_run(folder, name)
  local ok, manifest, rows = pcall(experiment.read, folder)
  if not ok then
    local problem = tostring(manifest):gsub("^[^ ]+:%d+: ", "")
    return { name = name, folder = folder, manifest = {}, rows = {}, problem = problem }
  end
  return { name = name, folder = folder, manifest = manifest, rows = rows }
end

-- A run of a study, as a row without curves.
local function read_row(path)
  local ok, kept = pcall(saved.load, path)
  if ok and type(kept) == "table" and type(kept.options) == "table"
    and type(kept.values) == "table" and type(kept.status) == "string" then
    return kept
  end
end

-- Fills `found`, { runs =, studies =, pictures = }, with what lies below a folder.
local function look(found, folder, name, depth)
  local study = { name = name, rows = {} }
  if is_file(folder .. "/manifest.json") then
    found.runs[#found.runs + 1] = read_run(folder, name)
  end
  for _, entry in ipairs(names_in(folder)) do
    local path = folder .. "/" .. entry
    local kind = PICTURES[(entry:match("%.(%w+)$") or ""):lower()]
    if kind then
      found.pictures[#found.pictures + 1] = { path = path, run = name, name = entry, kind = kind }
    elseif entry:find("^%x+%.safetensors$") then
      study.rows[#study.rows + 1] = read_row(path)
    elseif depth < DEEPEST and not is_file(path) then
      look(found, path, name == "" and entry or name .. "/" .. entry, depth + 1)
    end
  end
  table.sort(study.rows, function(a, b)
    return grid.options_text(a.options) < grid.options_text(b.options)
  end)
  if study.rows[1] then
    found.studies[#found.studies + 1] = study
  end
end

-- Tables ---------------------------------------------------------------------

local function value_text(value)
  if type(value) == "number" then
    return core.number_text(value)
  elseif type(value) == "table" then
    return (saved.encode(value))
  end
  return value == nil and "" or tostring(value)
end

-- A number with few digits that sorts with all.
local function number_cell(value)
  if math.type(value) ~= "float" then
    return value_text(value)
  end
  return { html = page.text(core.format("%.5g", value)), sort = core.number_text(value) }
end

-- The names in these tables that do not have one value in all.
local function differing(tables)
  local found = {}
  for _, t in ipairs(tables) do
    for name in pairs(t) do
      for _, other in ipairs(tables) do
        if value_text(other[name]) ~= value_text(t[name]) then
          found[name] = true
        end
      end
    end
  end
  return check.sorted_keys(found)
end

-- What a run has set behind its loop.
local function results_of(run)
  return type(run.manifest.results) == "table" and run.manifest.results or {}
end

-- What the logs and the results of runs measure: names of numbers, without those they count by.
local function measures(runs)
  local found = {}
  local function add(row)
    for name, value in pairs(row) do
      found[name] = found[name] or type(value) == "number" or nil
    end
  end
  for _, run in ipairs(runs) do
    for _, row in ipairs(run.rows) do
      add(row)
    end
    add(results_of(run))
  end
  found.epoch, found.seconds = nil, nil
  return check.sorted_keys(found)
end

-- The value of a name in the end: the result of the run, or else the last in its log.
local function last_of(run, name)
  local result = results_of(run)[name]
  if type(result) == "number" then
    return result
  end
  for i = #run.rows, 1, -1 do
    if type(run.rows[i][name]) == "number" then
      return run.rows[i][name]
    end
  end
end

local function status_cell(status)
  status = value_text(status)
  local class = status:find("fail", 1, true) and ' class="failed"' or ""
  return { html = ("<span%s>%s</span>"):format(class, page.text(status)), sort = status }
end

local function name_cell(run)
  return {
    sort = run.name,
    html = ('<label><input type="checkbox" checked data-run="%s"><span class="dot" style='
      .. '"background:%s"></span>%s</label>'):format(run.class, run.color, page.text(run.name)),
  }
end

local function runs_table(runs, names)
  local options, read = {}, {}
  for i, run in ipairs(runs) do
    options[i] = type(run.manifest.options) == "table" and run.manifest.options or {}
    read[#read + 1] = not run.problem and options[i] or nil
  end
  local different = differing(read)
  local heads = { "run", "status" }
  table.move(different, 1, #different, #heads + 1, heads)
  heads[#heads + 1], heads[#heads + 2], heads[#heads + 3] = "seed", "epochs", "seconds"
  table.move(names, 1, #names, #heads + 1, heads)
  local rows = {}
  for i, run in ipairs(runs) do
    local cells = { name_cell(run), status_cell(run.problem and "failed" or run.manifest.status) }
    for _, name in ipairs(different) do
      cells[#cells + 1] = value_text(options[i][name])
    end
    cells[#cells + 1] = value_text(run.manifest.seed)
    cells[#cells + 1] = tostring(#run.rows)
    cells[#cells + 1] = number_cell(run.manifest.seconds)
    for _, name in ipairs(names) do
      cells[#cells + 1] = number_cell(last_of(run, name))
    end
    rows[i] = cells
  end
  return page.table(heads, rows)
end

local function study_table(study)
  local options, values = {}, {}
  for i, row in ipairs(study.rows) do
    options[i] = row.options
    for name, value in pairs(row.values) do
      values[name] = type(value) == "number" or nil
    end
  end
  local names = differing(options)
  local count = #names
  local measured = check.sorted_keys(values)
  table.move(measured, 1, #measured, count + 1, names)
  names[#names + 1], names[#names + 2] = "status", "seconds"
  local rows = {}
  for i, row in ipairs(study.rows) do
    local cells = {}
    for n = 1, count do
      cells[n] = value_text(row.options[names[n]])
    end
    for n = 1, #measured do
      cells[count + n] = number_cell(row.values[measured[n]])
    end
    cells[#names - 1], cells[#names] = status_cell(row.status), number_cell(row.seconds)
    rows[i] = cells
  end
  return page.table(names, rows)
end

-- Pictures -------------------------------------------------------------------

local function curves(runs, names)
  local parts = {}
  for _, name in ipairs(names) do
    local series = {}
    for i, run in ipairs(runs) do
      local one = {
        x = {}, y = {}, class = run.class, color = run.color, title = page.text(run.name),
      }
      for n, row in ipairs(run.rows) do
        one.x[n], one.y[n] = type(row.epoch) == "number" and row.epoch or n, row[name] or false
      end
      series[i] = one
    end
    local svg = curve.svg(series, "epoch")
    parts[#parts + 1] = svg and ("<figure><figcaption>%s</figcaption>\n%s</figure>"):format(
      page.text(name), svg) or nil
  end
  return parts
end

local function picture(one)
  local caption = page.text(one.run == "" and one.name or one.run .. "/" .. one.name)
  local file = io.open(one.path, "rb")
  local bytes = file and file:read(LARGEST + 1) or ""
  if file then
    file:close()
  end
  local inside = #bytes > LARGEST and '<p class="note">too large to be put here</p>'
    or bytes == "" and '<p class="note">cannot be read</p>'
    or ('<img alt="%s" src="data:%s;base64,%s">'):format(caption, one.kind, base64(bytes))
  return ("<figure><figcaption>%s</figcaption>%s</figure>"):format(caption, inside)
end

local function details(run)
  local lines = {}
  for _, name in ipairs(check.sorted_keys(run.manifest)) do
    lines[#lines + 1] = ("%s: %s"):format(name, value_text(run.manifest[name]))
  end
  lines[#lines + 1] = run.problem
  return ("<details><summary>%s</summary><pre>%s</pre></details>"):format(page.text(run.name),
    page.text(table.concat(lines, "\0")):gsub("\\x00", "\n"))
end

-- The page -------------------------------------------------------------------

local function section(parts, title, class, inside)
  if #inside > 0 then
    parts[#parts + 1] = ("<h2>%s</h2>\n<div class=\"%s\">\n%s\n</div>"):format(page.text(title),
      class, table.concat(inside, "\n"))
  end
end

local OPTIONS = { output = check.optional(check.path()) }

--- Writes a page of the runs below a folder, those of `wrun.experiment` and `wrun.sweep`, and returns
--- its path: a table of runs that sorts, with the options that differ, curves of all that their logs
--- have, and the pictures that lie in their folders.
---
--- The page is one file and needs no other; what it shows is escaped, whoever wrote it. A box before
--- a run hides its curves. `wrun report runs/` does the same from the shell.
---
--- Options:
---   output  the file (`report.html` in the folder)
--- domain  folders inside each other, up to six; pictures PNG, SVG, JPEG and GIF, up to 16 MB each
--- raises  `report: FOLDER: No such file or directory`; `report: FOLDER: holds no runs`
---     local folder = os.tmpname() .. ".runs"
---     local run = wrun.experiment { name = "demo", folder = folder .. "/demo" }
---     run:close()
---     print(wrun.report(folder), os.execute("rm -r " .. folder))
---@return string
function M.report(folder, options)
  check.argument("report", 1, folder, check.path())
  local o = check.options("report", options, OPTIONS)
  local names, message = core.folder_names(folder)
  if not names then
    fail("report: %s", message)
  end
  folder = #folder > 1 and folder:gsub("/+$", "") or folder
  local found = { runs = {}, studies = {}, pictures = {} }
  look(found, folder, "", 0)
  if #found.runs == 0 and #found.studies == 0 then
    fail("report: %s: holds no runs of wrun.experiment or wrun.sweep", folder)
  end
  for i, run in ipairs(found.runs) do
    run.name = run.name == "" and tostring(run.manifest.name or folder) or run.name
    run.class, run.color = "run-" .. i, curve.COLORS[(i - 1) % #curve.COLORS + 1]
  end
  local parts, measured, pictures, about = {}, measures(found.runs), {}, {}
  if found.runs[1] then
    section(parts, "Runs", "runs", { runs_table(found.runs, measured) })
    section(parts, "Curves", "curves", curves(found.runs, measured))
  end
  for _, study in ipairs(found.studies) do
    section(parts, "Study " .. study.name, "study", { study_table(study) })
  end
  for i, one in ipairs(found.pictures) do
    pictures[i] = picture(one)
  end
  section(parts, "Pictures", "pictures", pictures)
  for i, run in ipairs(found.runs) do
    about[i] = details(run)
  end
  section(parts, "What each run is", "about", about)
  local path = o.output or folder .. "/report.html"
  local ok, why = core.text_save(path, page.page("Runs in " .. folder, parts))
  if not ok then
    fail("report: %s", why)
  end
  return path
end

return M
