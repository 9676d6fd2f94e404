--- What `wrun --profile` says at the end: where a script's time went, as a table and as a trace.
---
--- The core has counted and timed (runtime/bind/bind_profile.c). Bytes are those of the tensors that
--- an operation reads and writes; of what is picked from a tensor, only those picked. A view has none.
--- FLOPs are 2 for each multiplication in a product, and 1 for each element of an elementwise
--- operation; others have none. The trace is an object of Chrome's Trace Event Format.

local check = require "wrun.check"
local columns = require "wrun.columns"
local core = require "wrun.core"
local json = require "wrun.json"
local unrecorded = require "wrun.unrecorded"

local M = {}

local RUNS = 3
local WIDTH = 768 -- of the product whose speed is called the machine's peak
local COPIED = 1 << 22 -- floats

local function quickest(f, ...)
  local best = math.huge
  for _ = 1, RUNS do
    local start = core.clock()
    f(...)
    best = math.min(best, core.clock() - start)
  end
  return best
end

-- FLOPs and bytes a second, by a product and a copy
local function measure_peak()
  local a, b = unrecorded.ones(WIDTH, WIDTH), unrecorded.ones(WIDTH, WIDTH)
  local from, to = unrecorded.ones(COPIED), unrecorded.ones(COPIED)
  return {
    flops = 2 * WIDTH ^ 3 / quickest(unrecorded.matmul, a, b),
    bytes = 2 * 4 * COPIED / quickest(unrecorded.copy_, to, from),
  }
end

local function amount(x)
  for _, unit in ipairs { { 1e12, " T" }, { 1e9, " G" }, { 1e6, " M" }, { 1e3, " k" } } do
    if x >= unit[1] then
      return core.format("%.3g%s", x / unit[1], unit[2])
    end
  end
  return x > 0 and core.format("%.3g", x) or "-"
end

local function seconds(x)
  return x > 0 and core.format("%.6f", x) or "-"
end

local function percent(x)
  return core.format("%.1f %%", 100 * x)
end

local function time_of(row)
  return row.seconds + row.backward
end

-- What both tables say after their first columns; of the peaks, the one that is nearer.
local function add_rates(cells, row, profile, peak)
  local time = time_of(row)
  local share = time > 0 and math.max(row.flops / peak.flops, row.bytes / peak.bytes) / time or 0
  for _, cell in ipairs {
    percent(time / profile.seconds), amount(row.bytes), amount(row.flops),
    time > 0 and amount(row.bytes / time) or "-", time > 0 and amount(row.flops / time) or "-",
    share > 0 and percent(share) or "-",
  } do
    cells[#cells + 1] = cell
  end
  return cells
end

local RATES = { "share", "bytes", "FLOPs", "bytes/s", "FLOP/s", "of peak" }

-- Appends a table of the rows, those that took longest first.
local function add_table(lines, rows, head, first_cells, profile, peak)
  if #rows == 0 then
    return
  end
  table.sort(rows, function(a, b)
    if time_of(a) ~= time_of(b) then
      return time_of(a) > time_of(b)
    end
    return a.name < b.name
  end)
  local cells = { table.move(RATES, 1, #RATES, #head + 1, head) }
  for _, row in ipairs(rows) do
    cells[#cells + 1] = add_rates(first_cells(row), row, profile, peak)
  end
  lines[#lines + 1] = ""
  table.move(columns.align(cells, { true }), 1, #cells, #lines + 1, lines)
end

local function total(rows)
  local time = 0
  for _, row in ipairs(rows) do
    time = time + time_of(row)
  end
  return time
end

local function text_of(profile, peak)
  local operations, collector = total(profile.operation), total(profile.collector)
  local shares = { { "profile", "seconds", "share" } }
  for _, share in ipairs {
    { "operations", operations }, { "collector", collector },
    { "Lua and waiting", profile.seconds - operations - collector }, { "all", profile.seconds },
  } do
    shares[#shares + 1] = { share[1], seconds(share[2]), percent(share[2] / profile.seconds) }
  end
  local lines = columns.align(shares, { true })
  local threads = core.get_num_threads()
  lines[#lines + 1] = ("peak: %sFLOP/s in a product, %sbytes/s in a copy, on %d thread%s"):format(
    amount(peak.flops), amount(peak.bytes), threads, threads == 1 and "" or "s")
  add_table(lines, profile.operation, { "operation", "calls", "seconds" }, function(row)
    return { row.name, tostring(row.calls), seconds(time_of(row)) }
  end, profile, peak)
  add_table(lines, profile.layer, { "layer", "calls", "forward", "backward" }, function(row)
    return { row.name, tostring(row.calls), seconds(row.seconds), seconds(row.backward) }
  end, profile, peak)
  return check.escape(table.concat(lines, "\n")) .. "\n"
end

local function object(fields)
  local parts = {}
  for i = 1, #fields, 2 do
    local value = fields[i + 1]
    parts[#parts + 1] = json.text(fields[i]) .. ":"
      .. (type(value) == "string" and value or core.format("%d", value))
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function text(name)
  return json.text(check.escape(name))
end

local function microseconds(x)
  return core.format("%.3f", 1e6 * x)
end

local function totals(rows)
  local parts = {}
  for i, row in ipairs(rows) do
    parts[i] = object {
      "name", text(row.name), "calls", row.calls, "bytes", row.bytes, "flops", row.flops,
      "forward_us", microseconds(row.seconds), "backward_us", microseconds(row.backward),
    }
  end
  return "[" .. table.concat(parts, ",\n") .. "]"
end

local function event(i)
  local kind, name, begin, duration, bytes, flops, layer = core.profile.event(i)
  local arguments = { "bytes", bytes, "flops", flops }
  if layer then
    arguments[5], arguments[6] = "layer", text(layer)
  end
  return object {
    "name", text(name), "cat", json.text(kind), "ph", '"X"', "ts", microseconds(begin),
    "dur", microseconds(duration), "pid", 1, "tid", 1, "args", object(arguments),
  }
end

local function trace_of(profile, peak)
  local events = {}
  for i = 1, profile.events do
    events[i] = event(i)
  end
  return object {
    "traceEvents", "[" .. table.concat(events, ",\n") .. "]", "displayTimeUnit", '"ms"',
    "otherData", object {
      "version", text(core.version), "threads", core.get_num_threads(),
      "seconds", core.format("%.9f", profile.seconds), "events_left_out", profile.left_out,
      "peak_flops", core.format("%.0f", peak.flops), "peak_bytes", core.format("%.0f", peak.bytes),
      "operations", totals(profile.operation), "layers", totals(profile.layer),
      "collector", totals(profile.collector),
    },
  } .. "\n"
end

--- Writes the trace to a path, and returns the table; or nil and a message.
---@param path string
---@return string?, string?
function M.finish(path)
  local profile = core.profile.read()
  local peak = measure_peak()
  local table_text = text_of(profile, peak)
  local ok, message = core.text_save(path, trace_of(profile, peak))
  if not ok then
    return nil, table_text .. message
  end
  return table_text .. ("trace: %s; Perfetto and chrome://tracing show it\n"):format(
    check.escape(path))
end

return M
