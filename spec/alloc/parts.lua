--- Every part of the library, as it is loaded when first touched; returns what they show.

return function(path)
  local wrun = require "wrun"
  local names, shown = {}, {}
  for name, value in pairs(wrun) do
    names[#names + 1] = type(value) == "table" and name or nil
  end
  table.sort(names)
  for _, name in ipairs(names) do
    shown[#shown + 1] = name .. " " .. type(wrun[name])
  end
  wrun.manual_seed(1)
  local x = wrun.randn(3, 3, { dtype = "float64", requires_grad = true })
  wrun.gradcheck(function(t) return t:tanh():sum() end, { x })
  shown[#shown + 1] = tostring(wrun.linalg.inv(x:detach()))
  shown[#shown + 1] = tostring(wrun.einsum("ij,jk->ik", x, x))
  wrun.data.save_csv(path, x:detach())
  shown[#shown + 1] = tostring(wrun.data.csv(path))
  wrun.data.save_npz(path, { a = x:detach(), b = wrun.arange(5) }, { compress = true })
  shown[#shown + 1] = tostring(wrun.data.npz(path).b)
  local generator = wrun.Generator { engine = "philox", seed = 3 }
  shown[#shown + 1] = tostring(wrun.rand(2, { generator = generator }))
  local resumed = coroutine.wrap(function()
    local _ <close> = wrun.no_grad()
    coroutine.yield(tostring(x * 2))
  end)
  shown[#shown + 1] = resumed()
  resumed()
  shown[#shown + 1] = tostring(wrun.is_grad_enabled())
  return table.concat(shown, "\n")
end
