--- A small machine and everything about it by brute force in plain Lua: an oracle that shares no
--- code with wrun.rbm.

local wrun = require "wrun"

local M = {}

--- All states of n binary units as Lua tables; the first unit changes fastest.
function M.states(n)
  local list = {}
  for code = 0, (1 << n) - 1 do
    local state = {}
    for j = 1, n do
      state[j] = (code >> (j - 1)) & 1
    end
    list[code + 1] = state
  end
  return list
end

--- The number of a state in `states`.
function M.code(state)
  local code = 1
  for j, bit in ipairs(state) do
    code = code + math.tointeger(bit) * (1 << (j - 1))
  end
  return code
end

--- A float64 machine with weights and biases from N(0, std).
function M.new(visible, hidden, std, seed)
  local r = wrun.rbm.new {
    visible = visible, hidden = hidden, std = std, seed = seed, dtype = "float64",
  }
  local generator = wrun.Generator({ seed = seed })
  r.visible_bias:normal_(0, std, { generator = generator })
  r.hidden_bias:normal_(0, std, { generator = generator })
  r.base:normal_(0, 0.3, { generator = generator })
  return r
end

--- Such a machine whose units are independent.
function M.without_weights(visible, hidden)
  local r = M.new(visible, hidden, 1, 1)
  r.weight:fill_(0)
  return r
end

--- E(v, h) from the definition.
function M.energy(r, v, h)
  local w, a, b = r.weight:tolist(), r.visible_bias:tolist(), r.hidden_bias:tolist()
  local e = 0
  for i, vi in ipairs(v) do
    e = e - a[i] * vi
  end
  for j, hj in ipairs(h) do
    e = e - b[j] * hj
    for i, vi in ipairs(v) do
      e = e - hj * w[j][i] * vi
    end
  end
  return e
end

--- log Z from the joint sum, and p(v) of all states of the visible units.
function M.distribution(r)
  local visible, hidden = M.states(r.weight:size(2)), M.states(r.weight:size(1))
  local p, z = {}, 0
  for code, v in ipairs(visible) do
    p[code] = 0
    for _, h in ipairs(hidden) do
      p[code] = p[code] + math.exp(-M.energy(r, v, h))
    end
    z = z + p[code]
  end
  for code in ipairs(p) do
    p[code] = p[code] / z
  end
  return math.log(z), p
end

--- Pearson's statistic of counts against probabilities, as a standard score (Wilson and Hilferty).
function M.chi_square_score(counts, p)
  local n, x, cells, rest_count, rest_p = 0, 0, 0, 0, 0
  for code in ipairs(p) do
    n = n + (counts[code] or 0)
  end
  local function add(count, probability)
    if probability > 0 then
      x = x + (count - n * probability) ^ 2 / (n * probability)
      cells = cells + 1
    end
  end
  for code, probability in ipairs(p) do
    if n * probability >= 5 then
      add(counts[code] or 0, probability)
    else
      rest_count, rest_p = rest_count + (counts[code] or 0), rest_p + probability
    end
  end
  add(rest_count, rest_p)
  local k = cells - 1
  return ((x / k) ^ (1 / 3) - (1 - 2 / (9 * k))) / math.sqrt(2 / (9 * k))
end

--- Counts of the states in the rows of v, added to `counts`.
function M.count(v, counts)
  for _, row in ipairs(v:tolist()) do
    local code = M.code(row)
    counts[code] = (counts[code] or 0) + 1
  end
  return counts
end

--- Bars and stripes of n x n pixels: every union of rows, and of columns; 2^(n + 1) - 2 patterns, of
--- which the empty and the full one come twice.
function M.bars_and_stripes(n)
  local list = {}
  for _, lines in ipairs(M.states(n)) do
    local by_row, by_column = {}, {}
    for i = 1, n do
      for j = 1, n do
        by_row[(i - 1) * n + j], by_column[(i - 1) * n + j] = lines[i], lines[j]
      end
    end
    list[#list + 1], list[#list + 2] = by_row, by_column
  end
  return wrun.tensor(list, { dtype = "float64" })
end

--- The log-likelihood of all these patterns at the best possible distribution, summed.
function M.bars_and_stripes_optimum(n)
  local total = 2 * 2 ^ n
  return (total - 4) * math.log(1 / total) + 4 * math.log(2 / total)
end

--- The mean log-likelihood of data, exactly.
function M.log_likelihood(r, data)
  return r:log_likelihood(data, r:log_z()):mean():item()
end

--- n rows of `width` units that are 1 with probability 0.4.
function M.random_data(n, width, seed)
  local generator = wrun.Generator({ seed = seed })
  return wrun.rand(n, width, { dtype = "float64", generator = generator }):lt(0.4):double()
end

return M
