--- Tensors with gradients, networks and their initialisation, optimisers and data, for Lua.
--- `local wrun = require "wrun"`. Functions of tensors are here (and most are methods of tensors);
--- nn, optim, data and the other parts are loaded when first touched.

local autograd = require "wrun.autograd"
local core = require "wrun.core"
local names = require "wrun.names"

local M = require "wrun.tensor"

M._VERSION = core.version

--- Gradients of more than a backward pass needs: of chosen inputs, and of operations of one's own.
M.autograd = names.closed("autograd", {
  grad = autograd.grad, backward = autograd.backward, detect_anomaly = autograd.detect_anomaly,
}, {
  Function = { "wrun.autograd_function" }, functional = { "wrun.autograd_functional" },
})
M.no_grad = autograd.no_grad
M.enable_grad = autograd.enable_grad
M.is_grad_enabled = autograd.is_grad_enabled

--- Sets how many threads large operations use; results do not depend on it.
--- domain  from 1 to 256; as many as the machine has processors at first
--- raises  `set_num_threads: argument 1: expected 1 to 256 threads`
---
---     wrun.set_num_threads(1)
---     print(wrun.get_num_threads())
---@type fun(n: integer)
M.set_num_threads = core.set_num_threads

--- Returns how many threads large operations use.
---     print(wrun.get_num_threads() >= 1)
---@type fun(): integer
M.get_num_threads = core.get_num_threads

return names.closed("wrun", M, {
  linalg = { "wrun.linalg" },
  nn = { "wrun.nn" },
  optim = { "wrun.optim" },
  data = { "wrun.data" },
  rbm = { "wrun.rbm" },
  dbn = { "wrun.dbn" },
  image = { "wrun.image" },
  func = { "wrun.nn.state", "func" },
  plot = { "wrun.plot" },
  help = { "wrun.help", "help" },
  progress = { "wrun.progress" },
  logbook = { "wrun.logbook" },
  mpi = { "wrun.mpi" },
  compare = { "wrun.compare", "compare" },
  experiment = { "wrun.experiment", "experiment" },
  checkpoint = { "wrun.checkpoint", "checkpoint" },
  metrics = { "wrun.metrics" },
  early_stopping = { "wrun.early_stopping", "early_stopping" },
  fingerprint = { "wrun.fingerprint", "fingerprint" },
  has_portable_bits = { "wrun.fingerprint", "has_portable_bits" },
  report = { "wrun.report", "report" },
  sweep = { "wrun.sweep" },
  tensorboard = { "wrun.tensorboard" },
  timer = { "wrun.timer", "timer" },
  timeit = { "wrun.timer", "timeit" },
  save = { "wrun.save", "save" },
  load = { "wrun.save", "load" },
  gradcheck = { "wrun.gradcheck", "gradcheck" },
  gradgradcheck = { "wrun.gradcheck", "gradgradcheck" },
  set_printoptions = { "wrun.tensor.internal.format", "set_printoptions" },
  get_printoptions = { "wrun.tensor.internal.format", "get_printoptions" },
}, getmetatable(M).load)
