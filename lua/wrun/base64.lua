--- Bytes as text of 64 digits [RFC4648].

local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local PAIRS = {} -- twelve bits -> two digits
for i = 0, 4095 do
  local high, low = (i >> 6) + 1, (i & 63) + 1
  PAIRS[i] = DIGITS:sub(high, high) .. DIGITS:sub(low, low)
end

--- Returns bytes in base 64.
---@param bytes string
---@return string
return function(bytes)
  local parts = {}
  for i = 1, #bytes - 2, 3 do
    local a, b, c = bytes:byte(i, i + 2)
    local bits = a << 16 | b << 8 | c
    parts[#parts + 1] = PAIRS[bits >> 12]
    parts[#parts + 1] = PAIRS[bits & 4095]
  end
  local rest = #bytes % 3
  if rest > 0 then
    local a, b = bytes:byte(#bytes - rest + 1, #bytes)
    local bits = a << 16 | (b or 0) << 8
    parts[#parts + 1] = PAIRS[bits >> 12] .. (b and PAIRS[bits & 4095]:sub(1, 1) .. "=" or "==")
  end
  return table.concat(parts)
end
