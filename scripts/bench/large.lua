--- What a million elements cost, on all threads, beside PyTorch at its best number of them: each
--- elementwise operation, then reductions, scans, sorts, choices by index and copies, of each type,
--- and what networks are made of, with its gradients.
---
--- A case is written twice, as Lua and as Python, in the same names: a, b and c, the
--- matrices m and w, p like m that asks for gradients, its classes y, `nets` and `train` that gives
--- p the gradient of a sum, the mask k, the indices i (of a), j (of m, in m's shape), r (of m's rows) and
--- s (few different ones), d (equal to a), g (a few in order), z (zeros) and o (ones).

local harness = require "harness"
local wrun = require "wrun"

local ROUNDS = 7
local ROUND = 3e-3 -- seconds that one takes, about
local SIZE = 1000000
local SIDE = 1000 -- rows and columns of a matrix

local FLOATS = { "float32", "float64" }
local NUMBERS = { "float32", "float64", "int64" }
local ALL = { "float32", "float64", "int64", "bool" }

-- Operations that PyTorch calls otherwise, or gives other arguments.
local RIVALS = {
  gelu_erf = "gelu(a)", gelu_tanh = "gelu(a, approximate='tanh')", polygamma = "polygamma(1, a)",
  leaky_relu = "leaky_relu(a, 0.01)", elu = "elu(a)", celu = "celu(a)",
  softshrink = "softshrink(a)", hardshrink = "hardshrink(a)", clamp = "clamp(a, -1, 1)",
  hardtanh = "hardtanh(a)", threshold = "threshold(a, 0.5, 0)", where = "where(k, a, b)",
}
local OURS = {
  polygamma = "wrun.polygamma(a, 1)", leaky_relu = "wrun.leaky_relu(a)", elu = "wrun.elu(a)",
  celu = "wrun.celu(a)", softshrink = "wrun.softshrink(a)", hardshrink = "wrun.hardshrink(a)",
  clamp = "wrun.clamp(a, -1, 1)", hardtanh = "wrun.hardtanh(a)",
  threshold = "wrun.threshold(a, 0.5, 0)", where = "wrun.where(k, a, b)",
}
local LETTERS = { "a", "a, b", "a, b, c" }

local function elementwise_cases()
  local cases = {}
  for _, o in ipairs(harness.rows()) do
    local arguments = LETTERS[o.arity]
    cases[#cases + 1] = {
      o.name, ALL, OURS[o.name] or ("wrun.%s(%s)"):format(o.name, arguments),
      RIVALS[o.name] or ("%s(%s)"):format(o.name, arguments), low = o.low, high = o.high,
    }
  end
  return cases
end

-- name, types, Lua, Python
local STRUCTURAL = {
  { "a + 1", NUMBERS, "a + 1", "a + 1" },
  { "a + b in place", NUMBERS, "a:add_(b)", "a.add_(b)" },
  { "m + a row", NUMBERS, "m + m[1]", "m + m[0]" },
  { "m + a column", NUMBERS, "m + m:narrow(2, 1, 1)", "m + m[:, :1]" },
  { "m + m transposed", NUMBERS, "m + m:t()", "m + m.t()" },
  { "every second + 1", NUMBERS, "a:view(-1, 2):select(2, 1) + 1", "a.view(-1, 2)[:, 0] + 1" },

  { "sum", ALL, "a:sum()", "a.sum()" },
  { "sum of rows", ALL, "m:sum(2)", "m.sum(1)" },
  { "sum of columns", ALL, "m:sum(1)", "m.sum(0)" },
  { "sum of the middle of three", NUMBERS, "m:view(10, 100, -1):sum(2)",
    "m.view(10, 100, -1).sum(1)" },
  { "sum of long rows", NUMBERS, "a:view(4, -1):sum(2)", "a.view(4, -1).sum(1)" },
  { "sum of long columns", NUMBERS, "a:view(-1, 4):sum(1)", "a.view(-1, 4).sum(0)" },
  { "sum of short rows", NUMBERS, "a:view(-1, 4):sum(2)", "a.view(-1, 4).sum(1)" },
  { "mean", FLOATS, "a:mean()", "a.mean()" },
  { "mean of rows", FLOATS, "m:mean(2)", "m.mean(1)" },
  { "mean of columns", FLOATS, "m:mean(1)", "m.mean(0)" },
  { "prod", NUMBERS, "a:prod()", "a.prod()" },
  { "prod of rows", NUMBERS, "m:prod(2)", "m.prod(1)" },
  { "prod of columns", NUMBERS, "m:prod(1)", "m.prod(0)" },
  { "max", ALL, "a:max()", "a.max()" },
  { "max of rows", ALL, "m:max(2)", "m.max(1)" },
  { "max of columns", ALL, "m:max(1)", "m.max(0)" },
  { "amax of rows", ALL, "m:amax(2)", "m.amax(1)" },
  { "amax of columns", ALL, "m:amax(1)", "m.amax(0)" },
  { "aminmax", NUMBERS, "a:aminmax()", "a.aminmax()" },
  { "argmax", NUMBERS, "a:argmax()", "a.argmax()" },
  { "argmax of rows", NUMBERS, "m:argmax(2)", "m.argmax(1)" },
  { "argmax of columns", NUMBERS, "m:argmax(1)", "m.argmax(0)" },
  { "var", FLOATS, "a:var()", "a.var()" },
  { "std of rows", FLOATS, "m:std(2)", "m.std(1)" },
  { "std of columns", FLOATS, "m:std(1)", "m.std(0)" },
  { "any", ALL, "z:any()", "z.any()" },
  { "any of rows", ALL, "z:view(1000, -1):any(2)", "z.view(1000, -1).any(1)" },
  { "any of columns", ALL, "z:view(1000, -1):any(1)", "z.view(1000, -1).any(0)" },
  { "all", ALL, "o:all()", "o.all()" },
  { "all of columns", ALL, "o:view(1000, -1):all(1)", "o.view(1000, -1).all(0)" },
  { "count_nonzero", ALL, "a:count_nonzero()", "a.count_nonzero()" },
  { "norm", FLOATS, "a:norm()", "a.norm()" },
  { "norm of rows", FLOATS, "m:norm(2, 2)", "m.norm(2, 1)" },
  { "norm of columns", FLOATS, "m:norm(2, 1)", "m.norm(2, 0)" },
  { "1-norm", FLOATS, "a:norm(1)", "a.norm(1)" },
  { "logsumexp of rows", FLOATS, "m:logsumexp(2)", "m.logsumexp(1)" },
  { "logsumexp of columns", FLOATS, "m:logsumexp(1)", "m.logsumexp(0)" },
  { "softmax of rows", FLOATS, "m:softmax(2)", "m.softmax(1)" },
  { "softmax of columns", FLOATS, "m:softmax(1)", "m.softmax(0)" },
  { "log_softmax of rows", FLOATS, "m:log_softmax(2)", "m.log_softmax(1)" },
  { "nansum", FLOATS, "a:nansum()", "a.nansum()" },
  { "dot", NUMBERS, "a:dot(b)", "a.dot(b)" },
  { "dist", FLOATS, "a:dist(b)", "a.dist(b)" },
  { "equal", ALL, "a:equal(d)", "a.equal(d)" },
  { "allclose", FLOATS, "a:allclose(d)", "a.allclose(d)" },

  { "cumsum", NUMBERS, "a:cumsum(1)", "a.cumsum(0)" },
  { "cumsum of rows", NUMBERS, "m:cumsum(2)", "m.cumsum(1)" },
  { "cumsum of columns", NUMBERS, "m:cumsum(1)", "m.cumsum(0)" },
  { "cumprod of rows", NUMBERS, "m:cumprod(2)", "m.cumprod(1)" },
  { "cummax of rows", NUMBERS, "m:cummax(2)", "m.cummax(1)" },
  { "cummax of columns", NUMBERS, "m:cummax(1)", "m.cummax(0)" },
  { "logcumsumexp of rows", FLOATS, "m:logcumsumexp(2)", "m.logcumsumexp(1)" },
  { "diff", NUMBERS, "a:diff()", "a.diff()" },

  { "sort", NUMBERS, "a:sort()", "a.sort()" },
  { "sort of rows", ALL, "m:sort(2)", "m.sort(1)" },
  { "sort of columns", NUMBERS, "m:sort(1)", "m.sort(0)" },
  { "argsort", NUMBERS, "a:argsort()", "a.argsort()" },
  { "topk(10)", NUMBERS, "a:topk(10)", "a.topk(10)" },
  { "topk(10) of rows", NUMBERS, "m:topk(10, 2)", "m.topk(10, 1)" },
  { "topk(100000)", NUMBERS, "a:topk(100000)", "a.topk(100000)" },
  { "kthvalue", NUMBERS, "a:kthvalue(500000)", "a.kthvalue(500000)" },
  { "median", NUMBERS, "a:median()", "a.median()" },
  { "median of rows", NUMBERS, "m:median(2)", "m.median(1)" },
  { "quantile", FLOATS, "a:quantile(0.3)", "a.quantile(0.3)" },
  { "unique", ALL, "a:unique()", "a.unique()" },
  { "unique of few", { "int64" }, "s:unique()", "s.unique()" },
  { "unique with inverse and counts", NUMBERS,
    "a:unique { return_inverse = true, return_counts = true }",
    "a.unique(return_inverse=True, return_counts=True)" },
  { "unique_consecutive", ALL, "a:unique_consecutive()", "a.unique_consecutive()" },
  { "bincount", { "int64" }, "s:bincount()", "s.bincount()" },
  { "bincount of many", { "int64" }, "i:bincount()", "i.bincount()" },
  { "bincount with weights", FLOATS, "s:bincount(a)", "s.bincount(a)" },
  { "histc", FLOATS, "a:histc(100)", "a.histc(100)" },
  { "searchsorted", NUMBERS, "wrun.searchsorted(g, a)", "searchsorted(g, a)" },
  { "bucketize", NUMBERS, "wrun.bucketize(a, g)", "bucketize(a, g)" },
  { "isin", NUMBERS, "wrun.isin(a, g)", "isin(a, g)" },
  { "mode of rows", { "int64" }, "s:view(1000, -1):mode(2)", "s.view(1000, -1).mode(1)" },

  { "masked_fill", ALL, "a:masked_fill(k, 1)", "a.masked_fill(k, 1)" },
  { "masked_select", ALL, "a:masked_select(k)", "a.masked_select(k)" },
  { "masked_scatter", ALL, "a:masked_scatter(k, b)", "a.masked_scatter(k, b)" },
  { "nonzero", ALL, "a:nonzero()", "a.nonzero()" },
  { "where with a number", NUMBERS, "wrun.where(k, a, 0)", "where(k, a, 0)" },
  { "nan_to_num", FLOATS, "a:nan_to_num()", "a.nan_to_num()" },
  { "isclose", FLOATS, "a:isclose(b)", "a.isclose(b)" },
  { "gather", ALL, "a:gather(1, i)", "a.gather(0, i)" },
  { "gather of rows", NUMBERS, "m:gather(2, j)", "m.gather(1, j)" },
  { "gather of columns", NUMBERS, "m:gather(1, j)", "m.gather(0, j)" },
  { "take", NUMBERS, "a:take(i)", "a.take(i)" },
  { "index_select of elements", ALL, "a:index_select(1, i)", "a.index_select(0, i)" },
  { "index_select of rows", ALL, "m:index_select(1, r)", "m.index_select(0, r)" },
  { "index_select of columns", ALL, "m:index_select(2, r)", "m.index_select(1, r)" },
  { "index_add of elements", NUMBERS, "a:index_add(1, i, b)", "a.index_add(0, i, b)" },
  { "index_add of rows", NUMBERS, "m:index_add(1, r, w)", "m.index_add(0, r, w)" },
  { "index_add of columns", NUMBERS, "m:index_add(2, r, w)", "m.index_add(1, r, w)" },
  { "index_copy of rows", NUMBERS, "m:index_copy(1, r, w)", "m.index_copy(0, r, w)" },
  { "index_fill of rows", NUMBERS, "m:index_fill(1, r, 1)", "m.index_fill(0, r, 1)" },
  { "scatter", NUMBERS, "a:scatter(1, i, b)", "a.scatter(0, i, b)" },
  { "scatter_add", NUMBERS, "a:scatter_add(1, i, b)", "a.scatter_add(0, i, b)" },
  { "one_hot", { "int64" }, "wrun.one_hot(r, 1000)", "one_hot(r, 1000)" },

  { "cat", ALL, "wrun.cat { a, b }", "cat([a, b])" },
  { "cat of columns", ALL, "wrun.cat({ m, w }, 2)", "cat([m, w], 1)" },
  { "stack", ALL, "wrun.stack { a, b }", "stack([a, b])" },
  { "stack along the last", ALL, "wrun.stack({ a, b }, 2)", "stack([a, b], 1)" },
  { "clone", ALL, "a:clone()", "a.clone()" },
  { "copy_", ALL, "a:copy_(b)", "a.copy_(b)" },
  { "fill_", ALL, "a:fill_(1)", "a.fill_(1)" },
  { "zeros", ALL, "wrun.zeros(1000000, { dtype = a.dtype })", "zeros(1000000, dtype=a.dtype)" },
  { "ones", ALL, "wrun.ones(1000000, { dtype = a.dtype })", "ones(1000000, dtype=a.dtype)" },
  { "arange", { "float32", "int64" }, "wrun.arange(1000000, { dtype = a.dtype })",
    "arange(1000000, dtype=a.dtype)" },
  { "linspace", FLOATS, "wrun.linspace(0, 1, 1000000, { dtype = a.dtype })",
    "linspace(0, 1, 1000000, dtype=a.dtype)" },
  { "copy of the transposed", ALL, "m:t():contiguous()", "m.t().contiguous()" },
  { "copy of a permuted", NUMBERS, "a:view(100, 100, 100):permute(3, 2, 1):contiguous()",
    "a.view(100, 100, 100).permute(2, 1, 0).contiguous()" },
  { "copy of swapped heads", NUMBERS, "a:view(10, 100, 10, 100):transpose(2, 3):contiguous()",
    "a.view(10, 100, 10, 100).transpose(1, 2).contiguous()" },
  { "copy of every second", ALL, "a:view(-1, 2):select(2, 1):contiguous()",
    "a.view(-1, 2)[:, 0].contiguous()" },
  { "copy of every second row", NUMBERS, "m:view(500, 2, -1):select(2, 1):contiguous()",
    "m.view(500, 2, -1)[:, 0].contiguous()" },
  { "copy of a broadcast row", NUMBERS, "m[1]:expand(1000, 1000):contiguous()",
    "m[0].expand(1000, 1000).contiguous()" },
  { "copy to the transposed", NUMBERS, "m:t():copy_(w)", "m.t().copy_(w)" },
  { "flip", NUMBERS, "a:flip(1)", "a.flip(0)" },
  { "flip of rows", NUMBERS, "m:flip(2)", "m.flip(1)" },
  { "roll", NUMBERS, "a:roll(10)", "a.roll(10)" },
  { "repeat", NUMBERS, "wrun['repeat'](m[1], 1000, 1)", "m[0].repeat(1000, 1)" },
  { "repeat_interleave", NUMBERS, "m[1]:repeat_interleave(1000)", "m[0].repeat_interleave(1000)" },
  { "tril", NUMBERS, "m:tril()", "m.tril()" },
  { "outer", NUMBERS, "m[1]:outer(m[2])", "m[0].outer(m[1])" },
  { "diag_embed", NUMBERS, "m[1]:diag_embed()", "m[0].diag_embed()" },
  { "to bool", NUMBERS, "a:bool()", "a.bool()" },
  { "to uint8", NUMBERS, "a:byte()", "a.byte()" },
  { "to int32", ALL, "a:int()", "a.int()" },
  { "to int64", { "float32", "float64", "bool" }, "a:long()", "a.long()" },
  { "to float32", { "float64", "int64", "bool" }, "a:float()", "a.float()" },
  { "to float64", { "float32", "int64", "bool" }, "a:double()", "a.double()" },
}

-- Networks: name, what Lua and Python call it, and the arguments in Lua and Python, of which m is p
-- where gradients follow.
local NETWORK_PARTS = {
  { "LayerNorm", "layer_norm", "m" },
  { "RMSNorm", "rms_norm", "m" },
  { "BatchNorm1d", "batch_norm", "m" },
  { "BatchNorm1d after eval()", "batch_norm_eval", "m" },
  { "BatchNorm2d", "batch_norm_2d", "m:view(10, 20, 50, 100)", "m.view(10, 20, 50, 100)" },
  { "GroupNorm", "group_norm", "m" },
  { "softmax", "softmax", "m" },
  { "log_softmax", "log_softmax", "m" },
  { "CrossEntropyLoss", "cross_entropy", "m, y" },
  { "CrossEntropyLoss, smoothed", "smoothed", "m, y" },
  { "CrossEntropyLoss of probabilities", "cross_entropy", "m, q" },
  { "NLLLoss", "nll", "m, y" },
  { "MultiMarginLoss", "multi_margin", "m, y" },
  { "MSELoss", "mse", "m, w" },
  { "L1Loss", "l1", "m, w" },
  { "HuberLoss", "huber", "m, w" },
  { "SmoothL1Loss", "smooth_l1", "m, w" },
  { "BCELoss", "bce", "q, q", "q, q" },
  { "BCEWithLogitsLoss", "bce_logits", "m, q" },
  { "KLDivLoss", "kl", "m, q" },
  { "PoissonNLLLoss", "poisson", "m, q" },
  { "GaussianNLLLoss", "gaussian", "m, w, q" },
  { "SoftMarginLoss", "soft_margin", "m, w" },
  { "HingeEmbeddingLoss", "hinge", "m, o" },
  { "Dropout", "dropout", "m" },
  { "GELU", "gelu", "m" },
  { "SiLU", "silu", "m" },
  { "Linear", "linear", "m" },
  { "CosineSimilarity", "cosine", "m, w" },
  { "PairwiseDistance", "pairwise", "m, w" },
}

local function network_cases()
  local cases = {}
  for _, part in ipairs(NETWORK_PARTS) do
    local name, call = part[1], "nets." .. part[2] .. "(%s)"
    local ours, theirs = call:format(part[3]), call:format(part[4] or part[3])
    cases[#cases + 1] = { name, { "float32" }, ours, theirs }
    if ours:find("%f[%w]m%f[%W]") then
      local function trained(text)
        return ("train(%s)"):format(text:gsub("%f[%w]m%f[%W]", "p"))
      end
      cases[#cases + 1] = { name .. " and gradient", { "float32" }, trained(ours), trained(theirs) }
    end
  end
  return cases
end

local function train(y)
  return y:sum():backward()
end

local function networks()
  local nn = wrun.nn
  return {
    layer_norm = nn.LayerNorm(SIDE), rms_norm = nn.RMSNorm(SIDE),
    batch_norm = nn.BatchNorm1d(SIDE), batch_norm_eval = nn.BatchNorm1d(SIDE):eval(),
    batch_norm_2d = nn.BatchNorm2d(20), group_norm = nn.GroupNorm(10, SIDE),
    softmax = nn.Softmax(2), log_softmax = nn.LogSoftmax(2),
    cross_entropy = nn.CrossEntropyLoss(),
    smoothed = nn.CrossEntropyLoss { label_smoothing = 0.1 }, nll = nn.NLLLoss(),
    multi_margin = nn.MultiMarginLoss(), mse = nn.MSELoss(), l1 = nn.L1Loss(),
    huber = nn.HuberLoss(), smooth_l1 = nn.SmoothL1Loss(), bce = nn.BCELoss(),
    bce_logits = nn.BCEWithLogitsLoss(), kl = nn.KLDivLoss { reduction = "batchmean" },
    poisson = nn.PoissonNLLLoss(), gaussian = nn.GaussianNLLLoss(),
    soft_margin = nn.SoftMarginLoss(), hinge = nn.HingeEmbeddingLoss(), dropout = nn.Dropout(0.5),
    gelu = nn.GELU(), silu = nn.SiLU(), linear = nn.Linear(SIDE, 10),
    cosine = nn.CosineSimilarity(), pairwise = nn.PairwiseDistance(),
  }
end

-- Operands -------------------------------------------------------------------

local NAMES = "wrun, nets, train, a, b, c, d, m, w, p, q, y, k, i, j, r, s, g, z, o"

local function draw(dtype, size, low, high)
  if dtype == "bool" then
    return wrun.rand(size):gt(0.5)
  elseif dtype == "int64" then
    local least = math.ceil(low)
    return wrun.randint(least, math.max(math.floor(high), least + 1) + 1, { size })
  end
  return wrun.empty(size, { dtype = dtype }):uniform_(low, high)
end

-- The values of NAMES.
local function operands(dtype, low, high)
  local function vector(size)
    return draw(dtype, size or SIZE, low, high)
  end
  local a, m = vector(), vector():view(SIDE, SIDE)
  local few = vector(100):sort()
  local p = dtype:find("float") and m:clone():requires_grad_(true) or m
  return wrun, networks(), train, a, vector(), vector(), a:clone(), m, vector():view(SIDE, SIDE), p,
    wrun.rand(SIDE, SIDE), wrun.randint(1, SIDE + 1, { SIDE }), wrun.rand(SIZE):gt(0.5),
    wrun.randperm(SIZE), wrun.randint(1, SIDE + 1, { SIDE, SIDE }), wrun.randperm(SIDE),
    wrun.randint(1, 101, { SIZE }), few, wrun.zeros_like(a), wrun.ones_like(a)
end

-- Returns f(count) that evaluates the expression so many times, nil where it cannot.
local function loop(expression, ...)
  local source = "local %s = ... return function(n) for _ = 1, n do local _ = %s end end"
  local run = assert(load(source:format(NAMES, expression)))(...)
  return pcall(run, 1) and run or nil
end

-- The table ------------------------------------------------------------------

local torch = harness.torch()
local all_threads = wrun.get_num_threads()

local function measure(case, dtype, ...)
  local name, ours, theirs = case[1], case[3], case[4]
  local run = loop(ours, ...)
  if not run then
    return
  end
  local count = math.ceil(ROUND / harness.seconds(run, 1))
  local contestants, is_rival = { wrun = harness.warmed(harness.each(run, count)) }, false
  for threads = 1, all_threads, math.max(all_threads - 1, 1) do
    local command = { "expression", threads, count, theirs }
    if torch and torch:ask(table.unpack(command)) then
      contestants["torch" .. threads] = harness.warmed(torch:asking(table.unpack(command)))
      is_rival = true
    end
  end
  local times = harness.take_turns(ROUNDS, contestants)
  local rival = is_rival and harness.best(times.torch1, times["torch" .. all_threads]) or nil
  harness.least(("%s, %s"):format(name, dtype), times.wrun, rival)
end

local function measure_all(part, cases)
  harness.heading(("large: %s, 1,000,000 elements"):format(part), "PyTorch")
  for _, dtype in ipairs(ALL) do
    local low, high, values
    for _, case in ipairs(cases) do
      local is_of_dtype = false
      for _, other in ipairs(case[2]) do
        is_of_dtype = is_of_dtype or other == dtype
      end
      if is_of_dtype and harness.wants(("%s: %s, %s"):format(part, case[1], dtype)) then
        if case.low ~= low or case.high ~= high or not values then
          low, high = case.low or -3, case.high or 3
          values = table.pack(operands(dtype, low, high))
          if torch then
            torch:ask("operands", dtype, low, high)
          end
        end
        measure(case, dtype, table.unpack(values, 1, values.n))
      end
    end
  end
end

measure_all("elementwise", elementwise_cases())
measure_all("others", STRUCTURAL)
measure_all("networks", network_cases())

if torch then
  torch:close()
end
