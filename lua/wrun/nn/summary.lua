--- Summaries of modules: what each layer gives for an input, holds, and costs.

local check = require "wrun.check"
local columns = require "wrun.columns"
local core = require "wrun.core"
local method = require "wrun.method"
local registry = require "wrun.nn.registry"
local wrun = require "wrun"

local BYTES = { float32 = 4, float64 = 8, int64 = 8, int32 = 4, uint8 = 1, bool = 1 }

local function bytes_of(tensor)
  return tensor:numel() * BYTES[tensor.dtype]
end

--- What `summary` returns; `tostring` makes it a table of layers with their totals.
---@class wrun.nn.Summary
local Summary = method.object("Summary")

-- 1234567 as "1,234,567"
local function grouped(n)
  return (("%d"):format(n):reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", ""))
end

local function lines_of(rows)
  local lines = { { "layer", "output", "parameters", "flops", "bytes" } }
  for _, row in ipairs(rows) do
    local name = row.path:match("[^.]*$")
    lines[#lines + 1] = {
      ("  "):rep(row.depth) .. (name ~= "" and name .. " " or "") .. row.label,
      row.shape and check.shape_text(row.shape) or "-", grouped(row.parameters), grouped(row.flops),
      grouped(row.bytes),
    }
  end
  return lines
end

function Summary:__tostring()
  local texts = columns.align(lines_of(self.rows), { true, true })
  texts[#texts + 1] = ("parameters %s (%s trained), %s bytes; outputs %s bytes"):format(
    grouped(self.parameters), grouped(self.trained), grouped(self.parameter_bytes),
    grouped(self.bytes))
  texts[#texts + 1] = ("flops %s, of products only, a multiply-add as 2"):format(
    grouped(self.flops))
  return check.escape(table.concat(texts, "\n"))
end

-- Counts the parameters of the module itself that no row has counted yet.
local function count_parameters(summary, module, counted)
  local count = 0
  for _, parameter in registry.fields(module, registry.is_parameter) do
    if not counted[parameter] then
      counted[parameter] = true
      count = count + parameter:numel()
      summary.parameter_bytes = summary.parameter_bytes + bytes_of(parameter)
      summary.trained = summary.trained + (parameter.requires_grad and parameter:numel() or 0)
    end
  end
  summary.parameters = summary.parameters + count
  return count
end

-- Has `summary` get a row for each call of `module`, by functions that are first put into `hooks`.
local function watch(summary, module, path, counted, hooks)
  local open = {} -- the rows of calls that have not returned
  local function before()
    local row = { path = path, module = module, label = module:label(), depth = summary.depth }
    row.parameters = count_parameters(summary, module, counted)
    summary.rows[#summary.rows + 1] = row
    summary.depth = summary.depth + 1
    open[#open + 1] = row
  end
  local function after(_, inputs, output)
    local row = table.remove(open)
    if not row then -- of a call that had begun before
      return
    end
    local is_tensor = check.is_tensor(output)
    row.shape = is_tensor and output.shape or nil
    row.bytes = is_tensor and bytes_of(output) or 0
    row.flops = module:flops(inputs, output)
    summary.depth = summary.depth - 1
    summary.flops = summary.flops + row.flops
    local is_leaf = module:children()[1] == nil
    summary.bytes = summary.bytes + (is_leaf and row.bytes or 0)
  end
  hooks[before], hooks[after] = true, true
  module:register_forward_pre_hook(before)
  module:register_forward_hook(after)
end

-- Takes those of the hooks away that the module has: all, unless an error came between.
local function unwatch(module, hooks)
  for _, handles in pairs(module._hooks or {}) do
    for i = #handles, 1, -1 do
      if hooks[handles[i].fn] then
        handles[i]:remove()
      end
    end
  end
end

--- Returns what each self below gives for an input, holds and costs; `tostring` makes it a table.
--- It runs the self once, in evaluation and without recording, and leaves its modes as they were.
--- shapes  as `forward` takes
--- domain  the arguments of `forward`. The result has `rows`, a call each in order, with path,
---   module, label, depth, shape (of the output), parameters (its own, counted once), flops and
---   bytes (of the output); and the totals parameters, trained (those that require a gradient),
---   parameter_bytes, flops, and bytes (of the outputs of modules without modules). flops are those
---   of products, as a layer's `flops` says, a multiply-add counting as 2
--- raises  what `forward` raises
---     local model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
---     print(model:summary(wrun.zeros(100, 784)))
---@param ... any
---@return wrun.nn.Summary
return function(self, ...)
  local summary = setmetatable({
    rows = {}, depth = 0, parameters = 0, trained = 0, parameter_bytes = 0, flops = 0, bytes = 0,
  }, Summary)
  local hooks, modes, counted = {}, {}, {}
  local undone <close> = setmetatable({}, {
    __close = core.scoped.undo(function()
      for below, mode in pairs(modes) do
        unwatch(below, hooks)
        below.training, modes[below] = mode, nil
      end
    end),
  })
  local _ <close> = undone -- twice: a host's interrupt may come in the call that closes
  for path, below in self:named_modules() do
    modes[below] = below.training
    watch(summary, below, path, counted, hooks)
  end
  self:eval()
  local _ <close> = wrun.no_grad()
  self(...)
  return summary
end
