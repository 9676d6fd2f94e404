--- A formula for every row of runtime/kernels/ops.def: plain Lua on one element, which shares nothing with
--- the kernels but the C library behind math.

local function expm1(x)
  local u = math.exp(x)
  if u == 1 or x ~= x then
    return x
  elseif u - 1 == -1 or u == math.huge then
    return u - 1
  end
  return (u - 1) * x / math.log(u) -- Kahan's form: the rounding of u cancels
end

local function log1p(x)
  local u = 1 + x
  if u == 1 or u ~= u then
    return x
  elseif u == math.huge then
    return u
  end
  return math.log(u) * x / (u - 1)
end

local function maximum(a, b)
  return (a > b or a ~= a) and a or b
end

local function minimum(a, b)
  return (a < b or a ~= a) and a or b
end

-- As Python divides: rounded down from the exact remainder, so that 1 // 0.1 is 9.
local function floor_divide(a, b)
  if math.type(a) == "integer" then
    return a // b
  elseif b == 0 then
    return a / b
  elseif a - a ~= 0 or b ~= b then
    return 0 / 0
  elseif b - b ~= 0 then
    return (a < 0 and b > 0 or a > 0 and b < 0) and -1 or 0
  end
  return ((a - a % b) / b + 0.5) // 1
end

local function power(a, b)
  if math.type(a) == "float" then
    return a ^ b
  end
  local result = 1
  for _ = 1, b do
    result = result * a
  end
  return result
end

-- the sign of a number, of zero and of NaN
local function has_sign(x)
  return string.pack(">d", x):byte() >= 128
end

local function sinh(x)
  if math.abs(x) > 1 then
    return (math.exp(x) - math.exp(-x)) / 2
  end
  local e = expm1(x)
  return (e + e / (e + 1)) / 2
end

-- Left of the tail the series of positive terms, right of it the continued fraction of erfc.
local TAIL = 0.5

local function erfc_tail(x)
  if x > 30 then
    return x ~= x and x or 0
  end
  local fraction = x
  for k = 2000, 1, -1 do
    fraction = x + k / 2 / fraction
  end
  return math.exp(-x * x) / fraction / math.sqrt(math.pi)
end

local function erf(x)
  if math.abs(x) > TAIL then
    local value = 1 - erfc_tail(math.abs(x))
    return x < 0 and -value or value
  end
  local term, sum, k = x, x, 0
  while math.abs(term) > math.abs(sum) * 1e-18 do
    k = k + 1
    term = term * 2 * x * x / (2 * k + 1)
    sum = sum + term
  end
  return sum * math.exp(-x * x) * 2 / math.sqrt(math.pi)
end

local function erfc(x)
  return x > TAIL and erfc_tail(x) or 1 - erf(x)
end

-- Bisection: slow, and sure.
local function erfinv(y)
  if y ~= y or math.abs(y) > 1 then
    return 0 / 0
  elseif math.abs(y) == 1 then
    return y / 0
  elseif math.abs(y) < 1e-20 then
    return y * math.sqrt(math.pi) / 2
  end
  local low, high = -7.0, 7.0
  for _ = 1, 120 do
    local middle = (low + high) / 2
    if erf(middle) < y then
      low = middle
    else
      high = middle
    end
  end
  return (low + high) / 2
end

local FAR = 40

-- Stirling's series, far from 0, and the product that leads there.
local function log_gamma(x)
  if x == 0 or x == math.huge or x == -math.huge or (x < 0 and x == x // 1) then
    return math.huge
  elseif x ~= x or x < 0 and x > -1e-20 then
    return x ~= x and x or -math.log(-x)
  end
  local product = 1.0
  while x < FAR do
    product = product * x
    x = x + 1
  end
  local series = 1 / (12 * x) - 1 / (360 * x ^ 3) + 1 / (1260 * x ^ 5) - 1 / (1680 * x ^ 7)
  return x * (math.log(x) - 1) - math.log(x) / 2 + math.log(2 * math.pi) / 2 + series
    - math.log(math.abs(product))
end

-- The sum over the poles, the last of them as an integral.
local function polygamma(x, n)
  if n - n == 0 then
    local below = n // 1
    local rest = n - below
    n = (rest > 0.5 or rest == 0.5 and below % 2 == 1) and below + 1 or below
  end
  if x ~= x or x == -math.huge or not (n >= 0 and n <= 170) then
    return 0 / 0
  elseif n == 0 then
    if x <= 0 and x == x // 1 then
      return x == 0 and (has_sign(x) and math.huge or -math.huge) or 0 / 0
    end
    local sum = 0
    while x < FAR do
      sum = sum - 1 / x
      x = x + 1
    end
    local s = 1 / (x * x)
    return sum + math.log(x) - 0.5 / x - s * (1 / 12 - s * (1 / 120 - s * (1 / 252 - s / 240)))
  end
  local factorial = 1.0
  for k = 2, n // 1 | 0 do
    factorial = factorial * k
  end
  local sign = n % 2 == 0 and -1 or 1
  if x <= 0 and x == x // 1 then
    return sign * math.huge
  end
  local sum = 0
  while x < FAR do
    sum = sum + x ^ (-n - 1)
    x = x + 1
  end
  local tail = x ^ -n / n + x ^ (-n - 1) / 2 + (n + 1) * x ^ (-n - 2) / 12
    - (n + 1) * (n + 2) * (n + 3) * x ^ (-n - 4) / 720
    + (n + 1) * (n + 2) * (n + 3) * (n + 4) * (n + 5) * x ^ (-n - 6) / 30240
  return sign * factorial * (sum + tail)
end

local function softplus(x)
  return maximum(x, 0) + log1p(math.exp(-math.abs(x)))
end

-- of the distance d, the part of which within c counts by its square
local function huber(d, c)
  local near = minimum(maximum(d, -c), c)
  return near * d - near * near / 2
end

return {
  neg = function(x) return -x end,
  abs = function(x) return x < 0 and -x or x end,
  sign = function(x) return x > 0 and 1 or x < 0 and -1 or 0 end,
  square = function(x) return x * x end,
  sqrt = math.sqrt,
  rsqrt = function(x) return 1 / math.sqrt(x) end,
  reciprocal = function(x) return 1 / x end,
  exp = math.exp,
  expm1 = expm1,
  log = math.log,
  log1p = log1p,
  sin = math.sin,
  cos = math.cos,
  tan = math.tan,
  tanh = function(x)
    if math.abs(x) > 20 then
      return x > 0 and 1 or -1
    end
    local e = expm1(2 * x)
    return e / (e + 2)
  end,
  sigmoid = function(x) return 1 / (1 + math.exp(-x)) end,
  softsign = function(x)
    return math.abs(x) == math.huge and (x > 0 and 1 or -1) or x / (1 + math.abs(x))
  end,
  softplus = softplus,
  relu = function(x) return x <= 0 and 0 or x end,
  floor = function(x) return x // 1 end,
  ceil = function(x) return -(-x // 1) end,
  trunc = function(x) return x < 0 and -(-x // 1) or x // 1 end,
  round = function(x)
    local below = x // 1
    local rest = x - below
    return (rest > 0.5 or rest == 0.5 and below % 2 == 1) and below + 1 or below
  end,
  logical_not = function(x) return x == 0 end,
  isnan = function(x) return x ~= x end,
  isinf = function(x) return x == math.huge or x == -math.huge end,
  isfinite = function(x) return x - x == 0 end,
  add = function(a, b) return a + b end,
  sub = function(a, b) return a - b end,
  mul = function(a, b) return a * b end,
  div = function(a, b) return a / b end,
  pow = power,
  floor_divide = floor_divide,
  remainder = function(a, b) return a % b end,
  maximum = maximum,
  minimum = minimum,
  fmax = function(a, b) return (a >= b or b ~= b) and a or b end,
  eq = function(a, b) return a == b end,
  ne = function(a, b) return a ~= b end,
  lt = function(a, b) return a < b end,
  le = function(a, b) return a <= b end,
  gt = function(a, b) return a > b end,
  ge = function(a, b) return a >= b end,
  logical_and = function(a, b) return a ~= 0 and b ~= 0 end,
  logical_or = function(a, b) return a ~= 0 or b ~= 0 end,
  logical_xor = function(a, b) return (a ~= 0) ~= (b ~= 0) end,
  bitwise_and = function(a, b) return a & b end,
  bitwise_or = function(a, b) return a | b end,
  bitwise_xor = function(a, b) return a ~ b end,
  bitwise_left_shift = function(a, b) return b < 0 and 0 or a << b end,
  bitwise_right_shift = function(a, b)
    local places = (b < 0 or b > 63) and 63 or b
    return a // 2.0 ^ places | 0 -- Lua's >> puts in zeros
  end,
  where = function(a, b, c) return a ~= 0 and b or c end,
  clamp = function(a, b, c) return minimum(maximum(a, b), c) end,
  exp2 = function(x) return 2.0 ^ x end,
  log2 = function(x) return math.log(x) / math.log(2) end,
  log10 = function(x) return math.log(x) / math.log(10) end,
  asin = math.asin,
  acos = math.acos,
  atan = math.atan,
  sinh = sinh,
  cosh = function(x) return (math.exp(x) + math.exp(-x)) / 2 end,
  asinh = function(x)
    local size = math.abs(x)
    local value = size > 1e15 and math.log(size) + math.log(2)
      or log1p(size + size * size / (1 + math.sqrt(size * size + 1)))
    return x < 0 and -value or value
  end,
  acosh = function(x)
    return x > 1e15 and math.log(x) + math.log(2)
      or log1p(x - 1 + math.sqrt((x - 1) * (x + 1)))
  end,
  atanh = function(x) return log1p(2 * x / (1 - x)) / 2 end,
  erf = erf,
  erfc = erfc,
  erfinv = erfinv,
  lgamma = log_gamma,
  digamma = function(x) return polygamma(x, 0) end,
  polygamma = polygamma,
  logit = function(x) return math.log(x / (1 - x)) end,
  deg2rad = math.rad,
  rad2deg = math.deg,
  frac = function(x) return x - (x < 0 and -(-x // 1) or x // 1) end,
  logsigmoid = function(x) return minimum(x, 0) - log1p(math.exp(-math.abs(x))) end,
  silu = function(x) return x == -math.huge and 0 or x * (1 / (1 + math.exp(-x))) end,
  mish = function(x)
    if x == -math.huge then
      return 0
    end
    local e = 1 + math.exp(x)
    return x > 40 and x or x * ((e * e - 1) / (e * e + 1))
  end,
  gelu_erf = function(x) return x == -math.huge and 0 or x * erfc(-x * math.sqrt(0.5)) / 2 end,
  gelu_tanh = function(x)
    if x == -math.huge then
      return 0
    end
    return x / (1 + math.exp(-2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))
  end,
  selu = function(x)
    local scale, alpha = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
    return x > 0 and scale * x or scale * alpha * expm1(x)
  end,
  relu6 = function(x) return minimum(maximum(x, 0), 6) end,
  hardsigmoid = function(x) return minimum(maximum(x + 3, 0), 6) / 6 end,
  hardswish = function(x) return x == -math.huge and 0 or x * minimum(maximum(x + 3, 0), 6) / 6 end,
  tanhshrink = function(x)
    if math.abs(x) < 0.1 then -- the series, where x and its tangent cancel
      local s = x * x
      return x * s
        * (1 / 3 - s * (2 / 15 - s * (17 / 315 - s * (62 / 2835 - s * 1382 / 155925))))
    end
    local e = math.exp(-2 * math.abs(x))
    return x - (x < 0 and -1 or 1) * (1 - e) / (1 + e)
  end,
  isposinf = function(x) return x == math.huge end,
  isneginf = function(x) return x == -math.huge end,
  signbit = function(x) return x < 0 or (x == 0 and 1 / x < 0) or has_sign(x) end,
  fmod = function(a, b)
    if math.type(a) == "integer" then
      return math.fmod(a, b)
    elseif a - a ~= 0 or b == 0 or b ~= b then
      return 0 / 0
    end
    return math.fmod(a, b)
  end,
  atan2 = math.atan,
  hypot = function(a, b)
    local size = math.max(math.abs(a), math.abs(b))
    if math.abs(a) == math.huge or math.abs(b) == math.huge then
      return math.huge
    elseif a ~= a or b ~= b then
      return 0 / 0
    end
    return size == 0 and 0 or size * math.sqrt((a / size) ^ 2 + (b / size) ^ 2)
  end,
  xlogy = function(a, b) return b ~= b and b or a == 0 and 0 or a * math.log(b) end,
  logaddexp = function(a, b)
    if a == b then
      return a + math.log(2)
    end
    return maximum(a, b) + log1p(math.exp(-math.abs(a - b)))
  end,
  logaddexp2 = function(a, b)
    if a == b then
      return a + 1
    end
    return maximum(a, b) + log1p(2 ^ -math.abs(a - b)) / math.log(2)
  end,
  copysign = function(a, b)
    return has_sign(b) and -math.abs(a) or math.abs(a)
  end,
  heaviside = function(a, b) return a == 0 and b or a > 0 and 1 or 0 end,
  leaky_relu = function(a, b) return a > 0 and a or a * b end,
  elu = function(a, b) return a > 0 and a or b * expm1(a) end,
  celu = function(a, b) return a > 0 and a or b * expm1(a / b) end,
  softshrink = function(a, b) return a > b and a - b or a < -b and a + b or a * 0 end,
  hardshrink = function(a, b) return math.abs(a) <= b and 0 or a end,
  hardtanh = function(a, b, c) return minimum(maximum(a, b), c) end,
  threshold = function(a, b, c) return a <= b and c or a end,
  lerp = function(a, b, c)
    return math.abs(c) < 0.5 and a + c * (b - a) or b - (b - a) * (1 - c)
  end,
  addcmul = function(a, b, c) return a + b * c end,
  addcdiv = function(a, b, c) return a + b / c end,
  _bounded = function(a, b, c)
    return a ~= a and b or a > c and c or a < -c and -c or a
  end,
  _is_near = function(a, b, c) return math.abs(a) <= b and math.abs(a) ~= math.huge or c ~= 0 end,
  _squared_error = function(a, b) return (a - b) ^ 2 end,
  _absolute_error = function(a, b) return math.abs(a - b) end,
  _huber = function(a, b, c) return huber(a - b, c) end,
  _smooth_l1 = function(a, b, c) return huber((a - b) / c, 1) * c end,
  _bce_logits = function(a, b, c)
    local right = b == 0 and 0 or c * b * softplus(-a)
    return right + (b == 1 and 0 or (1 - b) * softplus(a))
  end,
  _kl_div = function(a, b) return b == 0 and 0 or b * (math.log(b) - a) end,
  _poisson_nll = function(a, b)
    local rate = math.exp(a)
    return (rate == math.huge or b == 0) and rate or rate - b * a
  end,
  _gaussian_nll = function(a, b, c) return math.log(c) / 2 + (a - b) ^ 2 / (2 * c) end,
  _soft_margin = function(a, b) return softplus(-a * b) end,
}
