--- A progress bar on standard error, when that is a terminal; nothing at all otherwise.
--- The line is drawn at most ten times a second and wiped at the end, so that what a script prints
--- stands alone. A "dumb" terminal gets no bar. It has no colours, so NO_COLOR changes nothing.

local check = require "wrun.check"
local core = require "wrun.core"
local method = require "wrun.method"

local M = {}

local NUMBER, COUNTED = check.number(), check.optional(check.number())
local INTERVAL = 0.1 -- seconds between two drawings
local WIDEST = 40 -- columns of the bar itself
local NARROWEST = 5
local WIPE = "\r\27[K"

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

local function line_of(bar, done, now)
  local label = bar.label and bar.label .. " " or ""
  local rate = done / math.max(now - bar.started, 1e-9)
  local speed = done > 0 and "  " .. rate_text(bar, rate) or ""
  local count = bar.count
  if not count or count <= 0 then
    return label .. quantity(bar, done) .. bar.unit .. speed
  end
  local share = math.min(done / count, 1)
  local left = done > 0 and ("  %s left"):format(duration(math.max(count - done, 0) / rate)) or ""
  local head = ("%s%3d%% "):format(label, math.floor(100 * share))
  local amount = (" %s/%s%s"):format(quantity(bar, done), quantity(bar, count), bar.unit)
  local tail = amount .. speed .. left
  local width = math.min(bar.columns - 3 - #head - #tail, WIDEST)
  if width < NARROWEST then
    return head .. tail:sub(2)
  end
  local filled = math.floor(width * share)
  return head .. "[" .. ("#"):rep(filled) .. ("-"):rep(width - filled) .. "]" .. tail
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
  if not self.columns then
    return
  end
  local now = self.clock()
  if now - self.drawn >= INTERVAL then
    self.drawn = now
    self.visible = true
    self.stream:write(WIPE, line_of(self, done, now):sub(1, self.columns - 1))
  end
end

--- Wipes the line.
--- domain  may be called twice
---     local bar = wrun.progress.bar { count = 10 }
---     print(bar:close(), bar.count)
function Bar:close()
  if self.visible then
    self.visible = false
    self.stream:write(WIPE)
  end
end

Bar.__close = Bar.close

-- The width of the terminal that `stream` is, nil where no bar should be drawn.
local function columns_of(stream)
  local is_terminal, columns = core.is_terminal(stream)
  local kind = os.getenv("TERM")
  if is_terminal and kind ~= nil and kind ~= "dumb" then
    return columns or 80
  end
end

local BAR = {
  label = check.optional(check.string()),
  count = check.optional(check.number(nil, 0)),
  unit = check.string(""),
  scale = check.number(1, 1),
  columns = check.optional(check.integer(nil, 1)),
  stream = check.optional(check.passed_on()),
  clock = check.func(core.clock),
}

--- Returns a bar to be updated by hand, as a download does; close it, or declare it <close>.
--- domain  count and done in pieces; `scale` pieces are one `unit` in the text (1e6 bytes, " MB");
---   `columns`, `stream` and `clock` replace the terminal's width, standard error, core.clock
---     local bar <close> = wrun.progress.bar { label = "file.gz", unit = " MB", scale = 1e6 }
---     bar:update(500000, 1000000)
---     print(bar.count)
---@return wrun.progress.Bar
function M.bar(options)
  local bar = check.options("progress.bar", options, BAR)
  bar.stream = bar.stream or io.stderr
  bar.columns = bar.columns or columns_of(bar.stream)
  bar.started = bar.clock()
  bar.drawn = bar.started
  return setmetatable(bar, Bar)
end

-- An iterator that hands on what `iterator` yields and counts it on the bar, which `for` closes.
local function counted(bar, iterator)
  local done = -1
  local function pass(control, ...)
    done = done + 1
    if control ~= nil then
      bar:update(done)
    end
    return control, ...
  end
  return function(state, control)
    return pass(iterator(state, control))
  end
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
  return counted(bar, iterator), state, control, bar
end

return setmetatable(M, { __call = progress })
