#!/usr/bin/env wrun
--- An RBM that fills in a hidden half of each test image: sampled, and scored by cross-entropy.
---
--- The known half is clamped; the missing one is sampled by Gibbs steps, and what is scored is the
--- mean of its probabilities over many samples. Beside it: the base rate of each pixel, and mean
--- field, which iterates probabilities instead of samples.

local argparse = require "argparse"
local wrun = require "wrun"
local data, image, rbm = wrun.data, wrun.image, wrun.rbm
local progress = wrun.progress

local parser = argparse("rbm_inpaint.lua", "Fills in the missing half of test images.")
parser:option("--hidden", "Hidden units.", "500", data.whole("--hidden", 1))
parser:option("--epochs", "Passes over the training set.", "100", data.whole("--epochs", 0))
parser:option("--images", "Test images.", "1000", data.whole("--images", 1))
parser:option("--missing", "The half that is missing.", "upper"):choices { "upper", "lower" }
parser:option("--steps", "Gibbs steps before the first sample.", "500", data.whole("--steps", 0))
parser:option("--samples", "Samples, 10 steps apart.", "50", data.whole("--samples", 1))
data.options(parser, { out = true })
local args = parser:parse()

local train, test = data.images(args)

local machine = rbm.new { visible = 784, hidden = args.hidden, seed = args.seed }
print(("%s, %d epochs, stochastic binarisation"):format(machine, args.epochs))
do
  local bar <close> = progress.bar { label = "training", count = args.epochs, unit = " epochs" }
  machine:fit(train.x, {
    epochs = args.epochs, lr = { 0.05, 0 }, binarize = "stochastic",
    callback = function(info)
      bar:set { error = info.reconstruction_error }
      bar:update(info.epoch)
    end,
  })
end

-- images of 0 and 1, drawn with the grey values as probabilities
local generator = wrun.Generator({ seed = args.seed })
local grey = test.x:narrow(1, 1, math.min(args.images, #test.y)):flatten(2):float() / 255
local original = wrun.rand(grey.shape, { generator = generator }):lt(grey):float()
local count = original:size(1)

local mask = wrun.zeros(784) -- 1 where the pixel is known
mask:narrow(1, args.missing == "upper" and 393 or 1, 392):fill_(1)
local base = machine.base:sigmoid()
local start = wrun.where(mask:ne(0), original, wrun.rand(grey.shape, { generator = generator })
  :lt(base):float())

local function cross_entropy(p)
  p = p:clamp(0.001, 0.999)
  local nats = -(original * p:log() + (1 - original) * (1 - p):log())
  return ((nats * (1 - mask)):sum() / (count * 392)):item()
end

local function mean_field()
  local v = wrun.where(mask:ne(0), original, base:unsqueeze(1))
  for _ = 1, 100 do
    v = wrun.where(mask:ne(0), original, machine:reconstruct(v))
  end
  return v
end

local function sampled()
  local total = wrun.zeros_like(original)
  local v = machine:gibbs(start, args.steps, mask)
  local steps = wrun.arange(1, args.samples + 1):tolist()
  for _ in progress(ipairs(steps), args.samples, "sampling", steps, 0) do
    v = machine:gibbs(v, 10, mask)
    total = total + machine:visible(machine:sample_h(v))
  end
  return total / args.samples, v
end

local p, last = sampled()
local field = mean_field()
print(("cross-entropy of a missing pixel, nats (%s half of %d test images):"):format(args.missing,
  count))
print(("  base rate      %.4f"):format(cross_entropy(base:expand(count, 784))))
print(("  mean field     %.4f"):format(cross_entropy(field)))
print(("  sampled        %.4f  (mean of %d samples after %d steps)"):format(cross_entropy(p),
  args.samples, args.steps))

if args.out then
  local function pictures(x)
    return x:narrow(1, 1, 20):reshape(20, 28, 28)
  end
  local hidden = wrun.where(mask:ne(0), original, wrun.full({ 1 }, 0.5))
  local filled = wrun.where(mask:ne(0), original, p)
  image.save(args.out .. "/inpainting.png",
    image.beside(pictures(hidden), pictures(filled), pictures(last), pictures(original)),
    { columns = 16, scale = 2 })
  print("inpainting.png (missing, mean, one sample, original) is in " .. args.out)
end
