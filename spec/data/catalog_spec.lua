--- The real image sets, where they are at hand, beside what is known of them.

local catalog = require "wrun.data.catalog"
local files = require "spec.support.files"
local folders = require "wrun.data.folders"
local wrun = require "wrun"

-- A folder that holds the set: what WRUN_DATA names, or one beside the project, or the package's.
local function folder_of(set)
  for _, folder in ipairs({ folders.given() or "../shared/data", set.installed }) do
    if folders.find(set, folder) then
      return folder
    end
  end
  pending(("needs %s: set WRUN_DATA to the folder that holds it"):format(set.name))
end

local function class_counts(y)
  local counts = {}
  for class = 1, 10 do
    counts[class] = y:eq(class):sum():item()
  end
  return counts
end

-- In whole numbers, a thousand images at a time: exact, and small.
local function mean_and_deviation(x)
  local sum, squares = 0, 0
  for first = 1, #x, 1000 do
    local pixels = x:narrow(1, first, 1000):long()
    sum = sum + pixels:sum():item()
    squares = squares + pixels:mul(pixels):sum():item()
  end
  local mean = sum / x:numel()
  return mean, math.sqrt(squares / x:numel() - mean ^ 2)
end

describe("MNIST", function()
  it("has the digits and the pixels that it is known for", function()
    local train, test = wrun.data.mnist({ folder = folder_of(catalog.mnist) })
    assert.same({ 60000, 28, 28 }, train.x.shape)
    assert.same({ 10000, 28, 28 }, test.x.shape)
    assert.same({ 5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949 },
      class_counts(train.y))
    assert.same({ 980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009 },
      class_counts(test.y))
    -- 0.1307 and 0.3081 of 255, the usual constants of normalisation, in full
    local mean, deviation = mean_and_deviation(train.x)
    assert.near(33.318421, mean, 1e-6)
    assert.near(78.567490, deviation, 1e-6)
    -- the first images of both splits, as every tutorial shows them
    assert.equal("5", train.classes[train.y[1]:item()])
    assert.equal("7", test.classes[test.y[1]:item()])
  end)
end)

describe("Fashion-MNIST", function()
  it("has the clothes and the pixels that it is known for", function()
    local train, test = wrun.data.fashion_mnist({ folder = folder_of(catalog.fashion_mnist) })
    local all = { 6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000 }
    assert.same(all, class_counts(train.y))
    assert.same({ 10000, 28, 28 }, test.x.shape)
    -- 0.2860 and 0.3530 of 255
    local mean, deviation = mean_and_deviation(train.x)
    assert.near(72.940352, mean, 1e-6)
    assert.near(90.021182, deviation, 1e-6)
    assert.equal("Ankle boot", train.classes[train.y[1]:item()])
    assert.equal("T-shirt/top Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag Ankle boot",
      table.concat(train.classes, " "))
  end)

  it("stands in for MNIST, and says so, where MNIST cannot be had", function()
    if not folders.find(catalog.fashion_mnist, catalog.fashion_mnist.installed) then
      pending("needs the Debian package dataset-fashion-mnist")
    end
    local home = files.folder()
    local environment = "env -u WRUN_DATA -u XDG_CACHE_HOME WRUN_MNIST_MIRROR=http://127.0.0.1:1/"
      .. (" HOME='%s'"):format(home)
    local output, errors = files.run(environment, [[
      local train, test = require("wrun").data.mnist({ otherwise = "fashion_mnist" })
      print(train.name, #train.x, test.name, #test.x, train.folder)
    ]])
    files.remove(home)
    local names = "Fashion-MNIST\t60000\tFashion-MNIST\t10000\t"
    assert.equal(names .. catalog.fashion_mnist.installed, output)
    assert.equal("MNIST cannot be reached: this is Fashion-MNIST instead\n", errors)
  end)
end)
