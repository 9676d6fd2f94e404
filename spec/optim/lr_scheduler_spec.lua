--- The face optim.lr_scheduler: PyTorch's schedulers by name.

local optim = require("wrun").optim

describe("optim.lr_scheduler", function()
  it("has PyTorch's schedulers, each a class over LRScheduler", function()
    for name in ("ChainedScheduler ConstantLR CosineAnnealingLR CosineAnnealingWarmRestarts "
      .. "CyclicLR ExponentialLR LambdaLR LinearLR MultiStepLR MultiplicativeLR OneCycleLR "
      .. "PolynomialLR ReduceLROnPlateau SequentialLR StepLR"):gmatch("%S+") do
      local class = optim.lr_scheduler[name]
      assert.equal(name, class.__name)
      while class.super and class ~= optim.lr_scheduler.LRScheduler do
        class = class.super
      end
      assert.equal(optim.lr_scheduler.LRScheduler, class, name)
    end
  end)
end)
