--- What processes that `wrun.mpi` has joined leave to one of them: to read and write files.
--- Of processes that have not touched it, each stands alone.

local M = {}

-- What `wrun.mpi` knows of the others, nil where it was not touched or there are none.
local function world()
  local joined = package.loaded["wrun.mpi.world"]
  return joined and joined.size > 1 and joined or nil
end

--- Is this process the one that reads and writes for all?
function M.is_first()
  local joined = world()
  return not joined or joined.rank == 0
end

--- Returns what f() returns on the first rank, one value that can be sent; an error there is one on
--- all ranks. All call it together.
---@param fname string  the function that errors name
function M.from_first(fname, f)
  local joined = world()
  if not joined then
    return f()
  end
  local outcome
  if joined.rank == 0 then
    local ok, value = pcall(f)
    outcome = { ok = ok, value = value, text = not ok and tostring(value) or nil }
    if not ok then
      outcome.value = nil
    end
  end
  outcome = joined.spread(fname, outcome)
  if not outcome.ok then
    error(outcome.text, 0)
  end
  return outcome.value
end

--- Returns the signal that asks one of the ranks to end, and whether to save: where there is one, or
--- where the first rank wants to. All call it together, each with what it knows itself.
---@param name string?
---@param number integer?
---@param is_due boolean?
---@return string?
---@return integer?
---@return boolean?
function M.decide(name, number, is_due)
  local joined = world()
  if not joined then
    return name, number, is_due
  end
  local word = joined.first_of(name and ("%s %d"):format(name, number) or "",
    is_due and "save" or "")
  local signal, digits = word:match("^(%S+) (%d+)$")
  return signal, math.tointeger(digits), word ~= ""
end

return M
