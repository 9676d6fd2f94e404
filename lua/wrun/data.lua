--- Data sets: the images that networks learn from, and loaders that hand them out in batches.

local Loader = require "wrun.data.loader"
local arrays = require "wrun.data.npy"
local catalog = require "wrun.data.catalog"
local check = require "wrun.check"
local csv = require "wrun.data.csv"
local images = require "wrun.data.images"
local names = require "wrun.names"
local publish = require "wrun.publish"
local samplers = require "wrun.data.sampler"
local sets = require "wrun.data.sets"
local wrun = require "wrun"

local M = {
  idx = require "wrun.data.idx",
  collate = require("wrun.data.source").collate,
  transforms = require "wrun.data.transforms",
  SequentialSampler = samplers.SequentialSampler,
  RandomSampler = samplers.RandomSampler,
  SubsetRandomSampler = samplers.SubsetRandomSampler,
  WeightedRandomSampler = samplers.WeightedRandomSampler,
  BatchSampler = samplers.BatchSampler,
  TensorDataset = sets.TensorDataset,
  Subset = sets.Subset,
  ConcatDataset = sets.ConcatDataset,
  random_split = sets.random_split,
}

publish.into(publish.into(M, arrays), csv)

--- Returns MNIST: 60000 (train) or 10000 (test) handwritten digits.
--- The four files are looked for in the folder that WRUN_DATA names (right there or in its
--- sub-folder mnist), then in $XDG_CACHE_HOME/wrun/mnist (default ~/.cache/wrun/mnist). If they are
--- in neither and WRUN_DATA is not set, they are downloaded to the latter. Their SHA-256 is always
--- checked. Options:
---   split      "train" or "test" (default: both are returned, train first)
---   folder     a data folder, used in place of all others
---   mirror     where to download from (default WRUN_MNIST_MIRROR, or else public mirrors)
---   otherwise  "fashion_mnist": return that set, and say so on standard error, where MNIST is
---              not on the machine and cannot be downloaded
--- shapes  x uint8 [n, 28, 28], y int64 [n]; also classes ("0" to "9"), name and folder
--- domain  pixels 0 (white paper) to 255 (ink); y counts from 1, so classes[y] is the digit
--- raises  `mnist: option folder: expected the files of`;
---   `mnist: WRUN_DATA: expected the files of`; `mnist: PATH: ...` for a bad file;
---   `mnist: MNIST is not on this machine and cannot be downloaded`
--- cost    53 MB and about 0.4 s for the training set, compressed on disk
--- source  [LeCun1998]
---     local test = data.mnist { split = "test" }
---     print(#test.x, test.classes[test.y[1]:item()])
---@param options { split: string?, folder: string?, mirror: string?, otherwise: string? }?
---@return wrun.data.Dataset
---@return wrun.data.Dataset? test
function M.mnist(options)
  return images.load(catalog.mnist, options)
end

--- Returns Fashion-MNIST: as MNIST, but photographs of clothes.
--- The sub-folder is fashion-mnist, the variable WRUN_FASHION_MNIST_MIRROR. Before downloading, it
--- also looks where Debian's package dataset-fashion-mnist puts the files.
--- as      mnist
--- domain  pixels 0 to 255; y counts from 1, classes[y] is "T-shirt/top" ...
--- raises  as mnist, beginning `fashion_mnist:`
--- cost    53 MB and about 0.5 s for the training set, compressed on disk
--- source  [Xiao2017]
function M.fashion_mnist(options)
  return images.load(catalog.fashion_mnist, options)
end

--- Returns CIFAR-10: 50000 (train) or 10000 (test) small photographs in colour.
--- The files of its binary version, data_batch_1.bin to data_batch_5.bin and test_batch.bin, plain
--- or as .gz, are looked for in the folder that WRUN_DATA names (right there or in its sub-folder
--- cifar-10-batches-bin), then in $XDG_CACHE_HOME/wrun/cifar-10-batches-bin (default
--- ~/.cache/wrun/cifar-10-batches-bin). They are never downloaded. Options:
---   split   "train" or "test" (default: both are returned, train first)
---   folder  a data folder, used in place of all others
--- shapes  x uint8 [n, 3, 32, 32], y int64 [n]; also classes ("airplane" ...), name and folder
--- domain  red, green and blue planes, 0 to 255; y counts from 1. A file may hold fewer than the
---   10000 records it should; sizes and labels are checked
--- raises  `cifar10: option folder: expected the files of`;
---   `cifar10: PATH: expected 1 to 10000 records of 3073 bytes`;
---   `cifar10: PATH: record N: expected a label from 0 to 9`; `cifar10: PATH: ...` for a file that
---   is bad otherwise; `cifar10: CIFAR-10 is not on this machine, and it is not downloaded`
--- cost    154 MB for the training set, twice that while it is read
--- source  [Krizhevsky2009]
---     local test = data.cifar10 { split = "test" }
---     print(test.x, test.classes[test.y[1]:item()])
---@param options { split: string?, folder: string? }?
---@return wrun.data.Dataset
---@return wrun.data.Dataset? test
function M.cifar10(options)
  return images.load(catalog.cifar10, options)
end

-- Refuses a folder that cannot be written to before a script's work, and not at its end.
local function writable_folder(folder)
  local probe = folder .. "/.wrun"
  local file = io.open(probe, "ab")
  if not file then
    local message = "option '--out': expected a folder that can be written to, got '%s'"
    return nil, message:format(folder)
  end
  file:close()
  os.remove(probe)
  return folder
end

--- what makes a number of an option's text, or says which option is wrong
local function converter(fname, option, least, kind, convert)
  return function(text)
    local value = convert(check.argument(fname, 1, text, check.string()))
    if value and value >= (least or -math.huge) then
      return value
    end
    local bound = least and (" >= %s"):format(least) or ""
    return nil, ("option '%s': expected %s%s, got '%s'"):format(option, kind, bound,
      check.escape(text))
  end
end

--- Returns a function that makes a whole number of an option's text, else nil and a message that
--- names the option. Made for argparse's `convert`.
--- domain  least, the smallest number that is good, or none
---     print(data.whole("--epochs", 1)("0"))
---@return function
function M.whole(option, least)
  check.argument("whole", 1, option, check.string())
  check.argument("whole", 2, least, check.optional(check.integer()))
  return converter("whole", option, least, "a whole number", math.tointeger)
end

--- Returns a function that makes a number of an option's text, as `whole` does.
--- domain  least, the smallest number that is good, or none; NaN is not good
---     print(data.number("--lr", 0)("0.1"))
---@return function
function M.number(option, least)
  check.argument("number", 1, option, check.string())
  check.argument("number", 2, least, check.optional(check.number()))
  return converter("number", option, least, "a number", tonumber)
end

local PARSER = check.rule(nil, "a parser of argparse", function(value)
  return check.has_methods(value, "option") and value or nil
end)

local RUN = { seed = check.integer(1), out = check.boolean(false) }
local BEGUN = {
  seed = check.integer(),
  data = check.optional(check.string()),
  dataset = check.optional(check.choice(nil, { "mnist", "fashion_mnist" })),
  threads = check.optional(check.integer()),
}

--- Adds to a parser of argparse the options that scripts on MNIST share: --seed, --data, --dataset
--- and --threads.
--- Options: seed, the default of --seed (1); out, whether there is --out too, a folder that can be
--- written to (false).
--- domain  a parser that has none of them; `images` does what they say
---     local parser = require("argparse")("mine.lua", "Trains a network of my own.")
---     data.options(parser, { seed = 7 })
---     print(parser:parse({ "--threads", "1" }).seed)
---@param parser table
function M.options(parser, options)
  local o = check.options("options", options, RUN)
  check.argument("options", 1, parser, PARSER)
  parser:option("--seed", "Seed of every random draw.", tostring(o.seed),
    M.whole("--seed"))
  parser:option("--data", "Folder that holds the data set (default: the usual places).")
  parser:option("--dataset",
    "Data set (default: mnist, or fashion_mnist where that cannot be had).")
    :choices { "mnist", "fashion_mnist" }
  parser:option("--threads", "Threads to compute with.", nil, M.whole("--threads", 1))
  if o.out then
    parser:option("--out",
      "Folder for the pictures, which must be there (default: none are drawn).")
      :convert(writable_folder)
  end
end

--- Begins a run as a script's `options` say: seeds the default generator, sets the number of
--- threads, and returns the training set and the test set.
--- shapes  as mnist
--- domain  what the parser of `options` returned; without `dataset`, Fashion-MNIST stands in for an
---   MNIST that cannot be had
--- raises  `images: option NAME: expected`; as mnist, fashion_mnist and set_num_threads
---     local train, test = data.images { seed = 1, dataset = "fashion_mnist" }
---     print(#train.x, #test.x)
---@param args { seed: integer, data: string?, dataset: string?, threads: integer? }
---@return wrun.data.Dataset train
---@return wrun.data.Dataset test
function M.images(args)
  check.argument("images", 1, args, check.table())
  local given = {}
  for name in pairs(BEGUN) do -- among the script's own
    given[name] = args[name]
  end
  local o = check.options("images", given, BEGUN)
  wrun.manual_seed(o.seed)
  if o.threads then
    wrun.set_num_threads(o.threads)
  end
  if o.dataset then
    return M[o.dataset]({ folder = o.data })
  end
  return M.mnist({ folder = o.data, otherwise = "fashion_mnist" })
end

--- Returns a loader over a data set: a table { x = tensor, y = tensor } (y may be missing), a
--- TensorDataset and its kin, or any object with `#dataset` and `dataset[i]`.
--- Options:
---   batch_size        how many samples a batch (1)
---   shuffle           a new order every pass (false)
---   drop_last         leave out a last batch that is smaller (false)
---   generator         what to shuffle with (the default generator)
---   order             whose shuffles: "pytorch", as it draws since 1.9, or "pytorch-0.4", as it drew
---                     from 0.4.1 to about 1.6
---   sampler           the order instead: a sampler, or a list of indices
---   batch_sampler     the batches instead: an object with # and iterate(), as BatchSampler
---   collate           what makes a batch, or several values, of a list of samples
---   flatten           make rows of the samples of a table { x = } (true)
---   transform         what each batch's first value goes through, after all else: data.transforms
---   target_transform  the same for its second value
--- shapes  x [n, ...], y [n, ...] -> #loader batches of x [batch, features], y [batch, ...]
--- domain  uint8 x of a table { x = } becomes float32 between 0 and 1, a batch at a time; other
---   types, and other data sets, stay as they are. Samples of objects are put together by
---   `collate`: a list such as { x, y } gives a batch x, y
--- raises  `loader: argument 1: expected`; `loader: option NAME: expected`;
---   `loader: option NAME: unknown`; `loader: option NAME: cannot go together with`
---     local set = { x = wrun.randn(5, 3), y = wrun.arange(1, 6) }
---     local loader = data.loader(set, { batch_size = 2, shuffle = true })
---     for x, y in loader:batches() do print(x.shape[1], y.shape[1]) end
---@return wrun.data.Loader
function M.loader(dataset, options)
  return Loader(dataset, options)
end

return names.closed("data", M)
