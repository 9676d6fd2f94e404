--- What Hinton's guide tells one to watch [Hinton2012].

local repr = require "wrun.repr"

local M = {}

local BINS = 20

local function summary(x)
  local y = x:double()
  return repr.result("Summary", {
    mean = y:mean():item(),
    std = y:var(nil, false, { unbiased = false }):sqrt():item(),
    low = y:min():item(),
    high = y:max():item(),
    histogram = y:histc(BINS),
  })
end

--- Statistics of a machine on rows of data.
--- shapes  v [n, visible]
--- domain  activity: each hidden unit's mean [hidden]; dead and always_on: how many units are below
---   0.01 and above 0.99 on average; saturated: the share of single probabilities outside
---   0.01..0.99; map [n, hidden], units by cases; weight, visible_bias and hidden_bias { mean, std,
---   low, high, histogram: counts in 20 bins from low to high }; reconstruction_error: squared,
---   summed over units, a case
function M.of(model, v)
  local map = model:hidden(v)
  local activity = map:mean(1)
  return repr.result("Statistics", {
    activity = activity,
    dead = activity:lt(0.01):sum():item(),
    always_on = activity:gt(0.99):sum():item(),
    saturated = (map:lt(0.01):float() + map:gt(0.99):float()):mean():item(),
    map = map,
    weight = summary(model.weight),
    visible_bias = summary(model.visible_bias),
    hidden_bias = summary(model.hidden_bias),
    reconstruction_error = (v - model:reconstruct(v)):square():sum(2):mean():item(),
  })
end

return M
