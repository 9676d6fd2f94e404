#!/usr/bin/env wrun
--- The RBM of rbm_mnist.lua on many processes: `mpirun -n 4 wrun rbm_mpi.lua`. Batches, chains and
--- the runs of annealed importance sampling are shared out; the fingerprint does not depend on how
--- many share.
---
--- `--small` trains 20 hidden units, whose likelihood is computed exactly; otherwise log Z is
--- estimated by annealed importance sampling.

local argparse = require "argparse"
local wrun = require "wrun"
local data, image, rbm = wrun.data, wrun.image, wrun.rbm
local mpi, progress = wrun.mpi, wrun.progress

local parser = argparse("rbm_mpi.lua", "Trains an RBM on many processes, scores it, and draws it.")
parser:flag("--small", "20 hidden units, threshold binarisation, exact likelihood.")
parser:option("--hidden", "Hidden units (default: 500; 20 with --small).",
  nil, data.whole("--hidden", 1))
parser:option("--method", "Training method.", "pcd"):choices { "cd", "pcd", "fpcd", "pt" }
parser:option("-k", "Gibbs steps a gradient.", "1", data.whole("-k", 1))
parser:option("--epochs", "Passes over the training set (default: 150; 60 with --small).", nil,
  data.whole("--epochs", 0))
parser:option("--batch-size", "Images a step.", "100", data.whole("--batch-size", 1))
parser:option("--lr", "Learning rate, falling to 0 in a line (default: 0.05; 0.1 with --small).",
  nil, data.number("--lr", 0))
parser:option("--binarize", "How grey pixels become 0 and 1 (default: stochastic).")
  :choices { "threshold", "stochastic" }
parser:flag("--plain", "The plain gradient instead of the centred one.")
parser:flag("--flip", "Train on the negative images.")
data.options(parser, { out = true })
local args = parser:parse()

local hidden = args.hidden or args.small and 20 or 500
local epochs = args.epochs or args.small and 60 or 150
local lr = args.lr or args.small and 0.1 or 0.05
local binarize = args.binarize or args.small and "threshold" or "stochastic"

local run <close> = args.out and wrun.experiment {
  name = "rbm_mpi", seed = args.seed, folder = args.out, options = {
    hidden = hidden, method = args.method, k = args.k, epochs = epochs, lr = lr,
    batch_size = args.batch_size, binarize = binarize, center = not args.plain,
    flip = args.flip or false,
  },
}
local train, test = data.images(args)
local x, x_test = train.x, test.x
if args.flip then
  x, x_test = 255 - x, 255 - x_test
end

local machine = rbm.new {
  visible = 784, hidden = hidden, center = not args.plain, seed = args.seed,
}
machine:distribute(mpi)
print(("%s, %s-%d, %s binarisation, %d epochs, learning rate %g to 0"):format(machine, args.method,
  args.k, binarize, epochs, lr))

local timer = wrun.timer()
local bar <close> = not run -- which has one
  and progress.bar { label = "training", count = epochs, unit = " epochs" }
machine:fit(x, {
  run = run,
  method = args.method, k = args.k, epochs = epochs, batch_size = args.batch_size, lr = { lr, 0 },
  binarize = binarize, valid = x_test,
  callback = function(info)
    if bar then
      bar:set { error = info.reconstruction_error, gap = info.free_energy_gap }
      bar:update(info.epoch)
    end
    if info.epoch == epochs or info.epoch % math.max(epochs // 10, 1) == 0 then
      if bar then
        bar:close()
      end
      if args.out and mpi.rank() == 0 then
        wrun.save(args.out .. "/machine.safetensors", machine:state_dict())
      end
      print(("epoch %4d  reconstruction error %7.3f  free-energy gap %6.2f nats"):format(
        info.epoch, info.reconstruction_error, info.free_energy_gap))
    end
  end,
})
local trained = timer:seconds()
timer:reset()

local function likelihoods(log_z, how)
  local function mean(rows)
    return machine:log_likelihood(rows, log_z, { binarize = how }):mean():item()
  end
  print(("test log-likelihood  %9.2f nats  (train %9.2f; %s binarisation)"):format(mean(x_test),
    mean(x:narrow(1, 1, #test.y)), how))
end

if machine:is_enumerable() then
  local log_z = machine:log_z()
  print(("log Z %.4f, exact"):format(log_z))
  likelihoods(log_z, "threshold")
  likelihoods(log_z, "stochastic")
else
  local ais_bar <close> = progress.bar { label = "AIS", unit = " steps" }
  local z = machine:ais {
    progress = function(done, all)
      ais_bar:update(done, all)
    end,
  }
  ais_bar:close()
  print(("log Z %.3f by AIS, %d chains x %d steps: sd %.3f, 95 %% from %.3f to %.3f, effective "
    .. "sample size %.1f: %s"):format(z.log_z, z.chains, z.steps, z.sd, z.low, z.high, z.ess,
    z.reliable and "reliable" or "not reliable"))
  likelihoods(z, "threshold")
  likelihoods(z, "stochastic")
end
print(("training %.1f s, scoring %.1f s"):format(trained, timer:seconds()))

if args.out and mpi.rank() == 0 then
  local function save(name, pictures, options)
    image.save(args.out .. "/" .. name, pictures, options)
  end
  local chains = machine:chains(10, { temperatures = 10 })
  local rows = {}
  for _ = 1, 10 do
    chains:step(200)
    rows[#rows + 1] = chains:images(28, 28)
  end
  save("samples.png", wrun.cat(rows, 1), { columns = 10, scale = 2 })
  local count = math.min(hidden, 100)
  save("filters.png", machine.weight:narrow(1, 1, count):reshape(count, 28, 28),
    { columns = 10, range = "symmetric", scale = 2 })
  local originals = x_test:narrow(1, 1, 40):float() / 255
  local copies = machine:reconstruct(originals:reshape(40, 784)):reshape(40, 28, 28)
  save("reconstructions.png", image.beside(originals, copies), { columns = 10, scale = 2 })
  print(("samples.png, filters.png, reconstructions.png and machine.safetensors are in %s"):format(
    args.out))
end
print("fingerprint " .. wrun.fingerprint {
  machine.weight, machine.visible_bias, machine.hidden_bias,
})
