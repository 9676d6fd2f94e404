--- The image sets that wrun knows: their files, where they come from, and how a good copy is told.
--- SHA-256 is of the uncompressed file, so that it holds for every compression of it.

local M = {}

-- Both MNISTs have the same files: split -> part -> file.
local function files(hashes)
  return {
    train = {
      x = { name = "train-images-idx3-ubyte", shape = { 60000, 28, 28 }, sha256 = hashes.train_x },
      y = { name = "train-labels-idx1-ubyte", shape = { 60000 }, sha256 = hashes.train_y },
    },
    test = {
      x = { name = "t10k-images-idx3-ubyte", shape = { 10000, 28, 28 }, sha256 = hashes.test_x },
      y = { name = "t10k-labels-idx1-ubyte", shape = { 10000 }, sha256 = hashes.test_y },
    },
  }
end

---@class wrun.data.catalog.Set
---@field name string what people call it
---@field key string its name in wrun.data
---@field folder string its folder below a data folder
---@field mirrors string[]? addresses of folders that serve NAME.gz, the first one preferred; a set
--- without them is never downloaded
---@field mirror_variable string? the environment variable that replaces them
---@field package string? the Debian package that holds it
---@field installed string? the folder where that package puts it
---@field classes string[]
---@field files table split -> { x = file, y = file }, or a list of files of records
---@field picture integer[]? the sizes of the picture that follows the label byte of a record
---@field most integer? the records that one file holds at most

-- Adds a set under the name that it has in wrun.data.
local function add(key, set)
  set.key = key
  set.mirror_variable = set.mirrors and ("WRUN_%s_MIRROR"):format(key:upper())
  M[key] = set
end

add("mnist", {
  name = "MNIST",
  folder = "mnist",
  mirrors = {
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
  },
  classes = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" },
  files = files({
    train_x = "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    train_y = "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    test_x = "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    test_y = "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
  }),
})

add("fashion_mnist", {
  name = "Fashion-MNIST",
  folder = "fashion-mnist",
  mirrors = { "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/" },
  package = "dataset-fashion-mnist",
  installed = "/usr/share/datasets/fashion-mnist",
  classes = {
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
    "Ankle boot",
  },
  files = files({
    train_x = "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    train_y = "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    test_x = "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    test_y = "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
  }),
})

add("cifar10", {
  name = "CIFAR-10",
  folder = "cifar-10-batches-bin",
  classes = {
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  },
  files = {
    train = {
      { name = "data_batch_1.bin" },
      { name = "data_batch_2.bin" },
      { name = "data_batch_3.bin" },
      { name = "data_batch_4.bin" },
      { name = "data_batch_5.bin" },
    },
    test = { { name = "test_batch.bin" } },
  },
  picture = { 3, 32, 32 }, -- red, green and blue planes
  most = 10000,
})

return M
