--- Losses and similarities as functions of tensors and a table of options, without a module around
--- them.
--- Elementwise functions (relu, softmax ...) are functions of tensors in `wrun` itself.

local losses = require "wrun.nn.losses"
local names = require "wrun.names"
local publish = require "wrun.publish"
local similarity = require "wrun.nn.similarity"

local M = { normalize = similarity.normalize }

-- Adds the functional form of a class: it takes what forward takes, and then the options.
local function add_form(class)
  local count = #class.tensors
  local function form(...)
    local arguments = table.pack(...)
    return (class.call(arguments[count + 1], table.unpack(arguments, 1, count)))
  end
  publish.into(M, { [class.function_name] = form })
end

for _, loss in pairs(losses) do
  add_form(loss)
end
add_form(similarity.CosineSimilarity)
add_form(similarity.PairwiseDistance)

return names.closed("nn.functional", M)
