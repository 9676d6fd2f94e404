--- A progress bar on standard error, when that is a terminal; nothing at all otherwise.
--- The line is drawn at most ten times a second and wiped at the end, so that what a script prints
--- stands alone. It follows the width of the terminal: where that is small, parts of it are left
--- out. A "dumb" terminal gets no bar. NO_COLOR, if it is not empty, and CLICOLOR=0 take the colour
--- away; CLICOLOR_FORCE, if it is not 0, brings it where the stream is no terminal, too.

local check = require "wrun.check"
local core = require "wrun.core"
local method = require "wrun.method"
local ranks = require "wrun.ranks"

local M = {}

local NUMBER, COUNTED = check.number(), check.optional(check.number())
local INTERVAL = 0.1 -- seconds between two drawings
local MARGIN = 3 -- columns for the ^C that a terminal writes, and the cursor
local WIDEST = 40 -- columns of the bar itself
local NARROWEST = 5
local LONGEST = 20 -- columns of a value
local WIPE = "\r\27[K"
local COLOR, PLAIN = "\27[32m", "\27[0m"

---@class wrun.progress.Bar
--- A bar that is updated by hand, made by `wrun.progress.bar`.
local Bar = method.object("Bar")

local function duration(seconds)
  local s = math.floor(seconds + 0.5)
  if s < 3600 then
    return ("%d:%02d"):format(s // 60, s % 60)
  end
  return ("%d:%02d:%02d"):format(s // 3600, s // 60 % 60, s % 60)
end

local function quantity(bar, value)
  if bar.scale == 1 then
    return ("%.0f"):format(value)
  end
  return core.format("%.1f", value / bar.scale)
end

-- Three figures are enough to see a rate change.
local function rate_text(bar, rate)
  local scaled = rate / bar.scale
  local format = scaled >= 100 and "%.0f%s/s" or scaled >= 10 and "%.1f%s/s" or "%.2f%s/s"
  return core.format(format, scaled, bar.unit)
end

-- Columns of a text, and its first so many.
local function width_of(text)
  return utf8.len(text) or #text
end

local function cut(text, room)
  if room <= 0 or width_of(text) <= room then
    return room > 0 and text or ""
  end
  return text:sub(1, utf8.len(text) and utf8.offset(text, room + 1) - 1 or room)
end

-- "  loss 0.12  epoch 3", in the order in which the names were first set; all, or the first `count`.
local function values_text(bar, count)
  local texts = {}
  for i = 1, count or #bar.names do
    local name = bar.names[i]
    local value = bar.values[name]
    local text = math.type(value) == "float" and ("%.4g"):format(value) or tostring(value)
    texts[i] = ("  %s %s"):format(name, cut(text, LONGEST))
  end
  return check.escape(table.concat(texts))
end

-- What stands behind the bar, from the most to the least.
local TAILS = { { "amount", "speed", "times" }, { "amount", "times" }, { "times" }, { "left" } }

local function tail_of(pieces, names)
  local texts = {}
  for i, name in ipairs(names) do
    texts[i] = pieces[name]
  end
  return table.concat(texts)
end

-- The line, of at most `room` columns; and how long the filled part of the bar in it is, and behind
-- which byte it stands.
local function line_of(bar, done, now, room)
  local label = bar.label and bar.label .. " " or ""
  local taken, values, count = now - bar.started, values_text(bar), bar.count
  local rate = (done - bar.first) / math.max(taken, 1e-9)
  local speed = rate > 0 and "  " .. rate_text(bar, rate) or ""
  if not count or count <= 0 then
    local amount = quantity(bar, done) .. bar.unit
    return cut(("%s%s%s  %s%s"):format(label, amount, speed, duration(taken), values), room)
  end
  local share = math.min(done / count, 1)
  local left = rate > 0 and duration(math.max(count - done, 0) / rate) .. " left"
  local pieces = {
    amount = (" %s/%s%s"):format(quantity(bar, done), quantity(bar, count), bar.unit),
    speed = speed,
    times = ("  %s%s"):format(duration(taken), left and ", " .. left or ""),
    left = left and "  " .. left or "",
  }
  local head = ("%s%3d%%"):format(label, math.floor(100 * share))
  for _, names in ipairs(TAILS) do
    local tail = tail_of(pieces, names) .. values
    local width = math.min(room - 3 - width_of(head) - width_of(tail), WIDEST)
    if width >= NARROWEST then
      local filled = math.floor(width * share)
      return ("%s [%s%s]%s"):format(head, ("#"):rep(filled), ("-"):rep(width - filled), tail),
        filled, #head + 2
    end
  end
  local line = head .. pieces.left .. values
  for shown = #bar.names, 0, -1 do
    if width_of(line) <= room then
      return line
    end
    line = head .. values_text(bar, shown)
  end
  return cut(line, room)
end

local function is_set(name)
  local value = os.getenv(name)
  return value ~= nil and value ~= "" and value ~= "0"
end

-- Is what is written to the stream to have colours? As no-color.org and bixense.com/clicolors say.
local function has_color(is_terminal)
  local none = os.getenv("NO_COLOR")
  if none ~= nil and none ~= "" then
    return false
  end
  return is_set("CLICOLOR_FORCE") or is_terminal and os.getenv("CLICOLOR") ~= "0"
end

-- The width of the terminal that `stream` is, nil where no bar should be drawn.
local function columns_of(stream)
  local is_terminal, columns = core.is_terminal(stream)
  local kind = os.getenv("TERM")
  if is_terminal and kind ~= nil and kind ~= "dumb" then
    return columns or 80
  end
end

-- What takes the line away that was drawn: of a terminal that has become narrower, all its rows.
local function wipe_of(bar)
  local rows = bar.length > 0 and (bar.length - 1) // bar.columns or 0
  return rows > 0 and ("\r\27[%dA\27[J"):format(rows) or WIPE
end

local function draw(bar, now)
  bar.columns = bar.is_measured and columns_of(bar.stream) or bar.columns
  local line, filled, first = line_of(bar, bar.done, now, bar.columns - MARGIN)
  local wipe = wipe_of(bar)
  bar.length, bar.drawn, bar.visible = width_of(line), now, true
  if filled and filled > 0 and bar.has_color then
    line = line:sub(1, first) .. COLOR .. ("#"):rep(filled) .. PLAIN .. line:sub(first + filled + 1)
  end
  bar.stream:write(wipe, line)
end

--- Shows that `done` of the bar's count are done, unless the line was drawn only just now.
--- domain  done >= 0; `count` replaces what the bar was made with, 0 while unknown
---     local bar <close> = wrun.progress.bar { count = 10 }
---     bar:update(5)
---     print(bar.count)
---@param done number
---@param count number?
function Bar:update(done, count)
  check.argument("update", 1, done, NUMBER)
  self.count = check.argument("update", 2, count, COUNTED) or self.count
  self.done = done
  if self.columns then
    local now = self.clock()
    if now - self.drawn >= INTERVAL then
      draw(self, now)
    end
  end
end

--- Sets values that the line shows behind all else, such as a loss; they stay until they are set
--- anew.
--- domain  numbers, texts, booleans and tensors of one element, by name; what is new comes last
---     local bar <close> = wrun.progress.bar { count = 10 }
---     for step = 1, 10 do
---       bar:set { loss = 1 / step }
---       bar:update(step)
---     end
---     print(bar.values.loss)
---@param values table<string, any>
function Bar:set(values)
  check.argument("set", 1, values, check.table())
  for _, name in ipairs(check.sorted_keys(values)) do
    local value = values[name]
    if check.is_tensor(value) and value:numel() == 1 then
      value = value:item()
    end
    if type(name) ~= "string" or type(value) == "table" or type(value) == "userdata" then
      check.fail("set: field %s: expected a number, a text or a tensor of one element, got %s",
        tostring(name), check.describe(value))
    end
    self.names[#self.names + 1] = self.values[name] == nil and name or nil
    self.values[name] = value
  end
end

--- Returns an iterator for `for` that yields what the given one yields and counts it on the bar,
--- which the loop closes at its end.
--- domain  `state` and `control` are what an iterator like `next` wants besides
---     local loader = data.loader({ x = wrun.rand(4, 2) }, { batch_size = 2 })
---     local bar = wrun.progress.bar { label = "epoch 1", count = #loader }
---     for x in bar:each(loader:batches()) do bar:set { mean = x:mean() } end
---     print(bar.done)
---@param state any
---@param control any
---@return function iterator
---@return any ... the state and what else `for` wants
function Bar:each(iterator, state, control)
  check.argument("each", 1, iterator, check.func())
  local done = -1
  local function pass(next_control, ...)
    done = done + 1
    if next_control ~= nil then
      self:update(done)
    end
    return next_control, ...
  end
  return function(given, last)
    return pass(iterator(given, last))
  end, state, control, self
end

--- Wipes the line.
--- domain  may be called twice
---     local bar = wrun.progress.bar { count = 10 }
---     print(bar:close(), bar.count)
function Bar:close()
  if self.visible then
    self.visible = false
    self.columns = self.is_measured and columns_of(self.stream) or self.columns
    self.stream:write(wipe_of(self))
  end
end

Bar.__close = Bar.close

-- "Bar(epoch 3: 150 of 600)"
function Bar:__tostring()
  local label = self.label and self.label .. ": " or ""
  local count = self.count and (" of %g"):format(self.count) or ""
  return check.escape(("Bar(%s%g%s)"):format(label, self.done, count))
end

local BAR = {
  label = check.optional(check.string()),
  count = check.optional(check.number(nil, 0)),
  unit = check.string(""),
  first = check.number(0, 0),
  scale = check.number(1, 1),
  columns = check.optional(check.integer(nil, 1)),
  stream = check.optional(check.passed_on()),
  clock = check.func(core.clock),
}

--- Returns a bar to be updated by hand, as a download does; close it, or declare it <close>.
--- domain  count and done in pieces, of which `first` (0) were done before, at no known rate;
---   `scale` pieces are one `unit` in the text (1e6 bytes, " MB"); `columns`, `stream` and `clock`
---   replace the terminal's width, standard error, core.clock. The line shows the share, the count,
---   the rate, the time taken and left, and what `set` was given
---     local bar <close> = wrun.progress.bar { label = "file.gz", unit = " MB", scale = 1e6 }
---     bar:update(500000, 1000000)
---     print(bar.count)
---@return wrun.progress.Bar
function M.bar(options)
  local bar = check.options("progress.bar", options, BAR)
  bar.stream = bar.stream or io.stderr
  bar.is_measured = not bar.columns
  bar.columns = ranks.is_first() and (bar.columns or columns_of(bar.stream)) or nil
  bar.has_color = has_color(bar.is_measured)
  bar.started = bar.clock()
  bar.drawn = bar.started
  bar.done, bar.length, bar.names, bar.values = 0, 0, {}, {}
  return setmetatable(bar, Bar)
end

local ITERATOR = check.func()
local COUNT = check.optional(check.integer(nil, 0))
local LABEL = check.optional(check.string())

--- Returns an iterator for `for` that yields what the given one yields, and shows how far it is.
--- domain  `count` is how many steps there are, nil when unknown; `state` and `control` are what an
---   iterator like `next` wants besides
--- cost    nothing without a terminal (the iterator itself comes back), else a clock reading a step
---     local loader = data.loader({ x = wrun.rand(4, 2) }, { batch_size = 2 })
---     for x in wrun.progress(loader:batches(), #loader, "epoch 1") do print(x.shape[1]) end
---@param state any
---@param control any
---@return function iterator
---@return any ... the state and what else `for` wants
local function progress(_, iterator, count, label, state, control)
  check.argument("progress", 1, iterator, ITERATOR)
  check.argument("progress", 2, count, COUNT)
  check.argument("progress", 3, label, LABEL)
  local bar = M.bar({ label = label, count = count })
  if not bar.columns then
    return iterator, state, control
  end
  return bar:each(iterator, state, control)
end

require("wrun.names").closed("progress", M)
getmetatable(M).__call = progress

return M
