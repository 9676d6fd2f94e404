--- Whether many draws are distributed as they should be.

local assert = require "luassert"
local wrun = require "wrun"

local M = {}

local sqrt = math.sqrt

-- [fan_out, fan_in], different enough that a swapped fan shows, and 120,000 draws.
M.FAN_OUT, M.FAN_IN = 400, 300
M.N = M.FAN_OUT * M.FAN_IN

-- Five standard errors of a mean or of a standard deviation of N draws: a right draw fails one seed
-- in a million, and the seed is fixed.
M.SIGMAS = 5

--- Returns an empty matrix of N elements.
function M.matrix()
  return wrun.empty(M.FAN_OUT, M.FAN_IN, { dtype = "float64" })
end

local function assert_spread(w, std, kurtosis)
  local mean, spread = w:mean():item(), w:std():item()
  assert.near(0, mean, M.SIGMAS * std / sqrt(M.N))
  assert.near(std, spread, M.SIGMAS * std * sqrt((kurtosis - 1) / (4 * M.N)))
end

--- Asserts that a matrix was drawn from U(-bound, bound).
function M.assert_uniform(w, bound)
  local largest = w:abs():max():item()
  assert.is_true(largest <= bound)
  -- The largest of N draws misses the bound by more than this share once in a million times.
  assert.is_true(largest > bound * (1 - 14 / M.N))
  assert_spread(w, bound / sqrt(3), 9 / 5)
end

--- Asserts that a matrix was drawn from N(0, std^2).
function M.assert_normal(w, std)
  assert_spread(w, std, 3)
  -- 4.55 % of a normal lie beyond two standard deviations; a uniform has none there.
  local beyond = w:abs():gt(2 * std):double():mean():item()
  assert.near(0.0455, beyond, M.SIGMAS * sqrt(0.0455 / M.N))
end

return M
