--- A tensor beside its length, for what divides one by the other.

--- Returns x, in smaller units where its p-norm along the dimensions is beyond the dtype, and that
--- norm.
return function(x, p, dims)
  local length = x:norm(p, dims, true)
  local is_beyond = length:detach():isinf()
  if not is_beyond:any():item() then
    return x, length
  end
  local count = x:numel() / length:numel()
  local unit = is_beyond:to(x.dtype) * (0.5 * count ^ (-1 / math.min(p, 2)) - 1) + 1
  x = x * unit
  return x, x:norm(p, dims, true)
end
