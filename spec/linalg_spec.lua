--- The face wrun.linalg: PyTorch's names, and which of them wrun has too.

local names = require "wrun.names"
local wrun = require "wrun"

describe("wrun.linalg", function()
  it("has what PyTorch's has, as far as it goes", function()
    for name in ("cholesky cond cross det eigh eigvalsh inv lstsq matmul matrix_norm matrix_power "
      .. "matrix_rank multi_dot norm pinv qr slogdet solve solve_triangular svd svdvals vecdot "
      .. "vector_norm"):gmatch("%S+") do
      assert.is_function(wrun.linalg[name], name)
    end
  end)

  it("shares its functions with wrun, but for the norms", function()
    local own = {}
    for name, f in pairs(wrun.linalg) do
      own[#own + 1] = names.find(wrun, name) ~= f and name or nil
    end
    table.sort(own)
    assert.same({ "cond", "matrix_norm", "norm", "vector_norm" }, own)
  end)
end)
