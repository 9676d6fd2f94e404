--- Comparison as specs need it: by bits, by units in the last place, or by relative error.

local M = {}

-- The bits of x as an integer that grows with x, so that a difference counts representable values.
local function ordinal(x, dtype)
  local bits = dtype == "float32" and string.unpack("<i4", string.pack("<f", x))
    or string.unpack("<i8", string.pack("<d", x))
  local lowest = dtype == "float32" and -0x80000000 or math.mininteger
  return bits < 0 and lowest - bits or bits
end

--- Returns how many steps of `dtype`, from value to neighbouring value, lie between a and b.
function M.ulps(a, b, dtype)
  if a == b or (a ~= a and b ~= b) then
    return 0
  elseif a ~= a or b ~= b or math.abs(a) == math.huge or math.abs(b) == math.huge then
    return math.huge
  end
  return math.abs(ordinal(a, dtype) - ordinal(b, dtype))
end

--- Returns whether two values are the same kind and bits (all NaNs are one; -0.0 is not 0.0).
function M.same_bits(a, b)
  if math.type(a) ~= "float" or math.type(b) ~= "float" then
    return math.type(a) == math.type(b) and a == b
  end
  return (a ~= a and b ~= b) or string.pack("<d", a) == string.pack("<d", b)
end

-- The distance from |x| to the next value of `dtype`.
local function spacing(x, dtype)
  local digits, least = 52, -1074
  if dtype == "float32" then
    digits, least = 23, -149
  end
  if x == 0 then
    return 2.0 ^ least
  end
  local exponent = math.floor(math.log(math.abs(x), 2))
  return 2.0 ^ math.max(exponent - digits, least)
end

--- Returns whether `got` is close enough to `want`.
---
--- rule  { limits = true, ... }: where 0 times infinity is NaN in PyTorch, a number is right too;
---       nil or {}: same bits; { ulp = n }: within n steps; { ulp = n, scale = s }: within n steps
---       of the size they have at s; { rtol = r, atol = a }: within r |want| + a
function M.close(want, got, rule, dtype)
  if rule == nil or next(rule) == nil or math.type(want) ~= "float" then
    return M.same_bits(want, got)
  elseif math.type(got) ~= "float" then
    return false
  elseif want == got or (want ~= want and got ~= got) then
    return true
  elseif rule.limits and want ~= want then
    return true
  elseif rule.scale then
    local size = math.max(math.abs(want), rule.scale)
    return math.abs(want - got) <= rule.ulp * spacing(size, dtype)
  elseif rule.ulp then
    return M.ulps(want, got, dtype) <= rule.ulp
  end
  return math.abs(want - got) <= (rule.rtol or 0) * math.abs(want) + (rule.atol or 0)
    and math.abs(want) < math.huge
end

--- Asserts that the list `got` is close to the list `want`, element by element.
function M.lists(want, got, rule, dtype)
  assert(#want == #got, ("expected %d values, got %d"):format(#want, #got))
  for i, value in ipairs(want) do
    if not M.close(value, got[i], rule, dtype) then
      error(("value %d: expected %s, got %s"):format(i, M.text(value), M.text(got[i])), 2)
    end
  end
end

--- Returns a value as text, a float with all its bits.
function M.text(value)
  if math.type(value) == "float" then
    return ("%.17g (%a)"):format(value, value)
  end
  return tostring(value)
end

--- Returns the elements of a tensor in order, as a flat list.
function M.flat(tensor)
  local list = {}
  local function append(x)
    if type(x) ~= "table" then
      list[#list + 1] = x
      return
    end
    for _, inner in ipairs(x) do
      append(inner)
    end
  end
  append(tensor:tolist())
  return list
end

--- Returns one integer for a list of numbers: FNV-1a over 64-bit words, floats by their bits.
function M.hash(list)
  local h = -3750763034362895579
  for _, x in ipairs(list) do
    local bits = math.type(x) == "float" and string.unpack("<i8", string.pack("<d", x)) or x
    h = (h ~ bits) * 1099511628211
  end
  return h
end

return M
