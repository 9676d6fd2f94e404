--- Embedding: a table of rows, looked up by index.

local check = require "wrun.check"
local init = require "wrun.nn.init"
local Module = require "wrun.nn.module"
local Parameter = require "wrun.nn.parameter"
local repr = require "wrun.repr"
local weights = require "wrun.nn.weights"
local wrun = require "wrun"

local fail = check.fail

local COUNT = check.integer(nil, 0)
local INDEX_DTYPES = { int64 = true, uint8 = true }
local OPTIONS = {
  padding_idx = check.optional(check.integer()),
  max_norm = check.optional(check.positive()),
  norm_type = check.positive(2),
  dtype = check.float_dtype("float32"),
  generator = check.generator(),
}

---@class wrun.nn.Embedding: wrun.nn.Module
---@field weight wrun.Tensor [count, width]
---@field padding_idx integer?
local Embedding = Module:extend("Embedding")

--- Makes a layer that returns rows of its weight, which start as draws from N(0, 1).
--- shapes  weight [num_embeddings, embedding_dim]
--- domain  Options: padding_idx, from 1 or from the end, a row that starts at 0 and has no
---   gradient; max_norm, to which rows that are looked up are shortened in the weight itself, by
---   their norm_type-norm (2); dtype "float32"; generator
---     local layer = nn.Embedding(10, 3, { padding_idx = 1 })
---     print(layer(wrun.tensor { { 1, 7 } }))
function Embedding:init(num_embeddings, embedding_dim, options)
  local o = check.options("Embedding", options, OPTIONS)
  self.num_embeddings = check.argument("Embedding", 1, num_embeddings, COUNT)
  self.embedding_dim = check.argument("Embedding", 2, embedding_dim, COUNT)
  local index = o.padding_idx
  if index ~= nil and (index == 0 or math.abs(index) > num_embeddings) then
    fail("Embedding: option padding_idx: expected a row from 1 to %d or from -%d to -1, got %d",
      num_embeddings, num_embeddings, index)
  end
  self.padding_idx = index and (index < 0 and num_embeddings + index + 1 or index)
  self.max_norm, self.norm_type = o.max_norm, o.norm_type
  weights.make(self, o, self.num_embeddings, self.embedding_dim)
end

local PRETRAINED = {
  freeze = check.boolean(true),
  padding_idx = OPTIONS.padding_idx,
  max_norm = OPTIONS.max_norm,
  norm_type = OPTIONS.norm_type,
}

--- Makes a layer whose weight is a copy of a table of rows.
--- shapes  table [num_embeddings, embedding_dim]
--- domain  Options: freeze = true, the weight is not trained; padding_idx, max_norm and norm_type
---   as for the layer, which leave the rows as they are
---     local layer = nn.Embedding.from_pretrained(wrun.eye(3))
---     print(layer(wrun.tensor { 3, 1 }))
---@param rows wrun.Tensor
---@return wrun.nn.Embedding
function Embedding.from_pretrained(rows, options)
  local fname = "Embedding.from_pretrained"
  if not (check.is_float_tensor(rows) and rows.ndim == 2) then
    fail("%s: argument 1: expected a float table of rows, got %s", fname, check.describe(rows))
  end
  local o = check.options(fname, options, PRETRAINED)
  local freeze = o.freeze
  o.freeze, o.dtype, o.generator = nil, rows.dtype, wrun.Generator({ seed = 0 })
  local layer = Embedding(rows:size(1), rows:size(2), o)
  layer.weight = Parameter(rows:detach():clone(), not freeze)
  return layer
end

--- Draws the weight from N(0, 1); the row padding_idx is 0.
--- domain  draws from the default generator unless one is given
--- raises  what the generator raises
function Embedding:reset_parameters(generator)
  init.normal_(self.weight, 0, 1, { generator = generator })
  if self.padding_idx ~= nil then
    local _ <close> = wrun.no_grad()
    self.weight[self.padding_idx] = 0
  end
end

-- Shortens the rows that are looked up and longer than max_norm.
local function shorten(self, indices)
  local _ <close> = wrun.no_grad()
  local norms = self.weight:norm(self.norm_type, 2, true)
  local used = wrun.zeros(self.num_embeddings, { dtype = "int64" })
  used:index_add_(1, indices, wrun.ones_like(indices))
  local is_long = norms:gt(self.max_norm):logical_and(used:gt(0):unsqueeze(2))
  self.weight:mul_(wrun.where(is_long, self.max_norm / (norms + 1e-7), 1))
end

--- shapes  indices [...] -> [..., embedding_dim]
--- domain  indices int64 or uint8, from 1
function Embedding:forward(indices)
  if not (check.is_tensor(indices) and INDEX_DTYPES[indices.dtype]) then
    fail("Embedding: argument 1: expected int64 or uint8 indices, got %s", check.describe(indices))
  end
  local shape, row = indices.shape, indices:long():reshape(-1)
  local is_outside = row:lt(1):logical_or(row:gt(self.num_embeddings))
  if is_outside:any():item() then
    local wrong = row[is_outside:long():argmax(1):item()]:item()
    fail("Embedding: argument 1: expected indices from 1 to %d, got %d%s", self.num_embeddings,
      wrong, wrong == 0 and "; indices that count from 0 need +1" or "")
  end
  if self.max_norm ~= nil then
    shorten(self, row)
  end
  local rows = self.weight:index_select(1, row)
  if self.padding_idx ~= nil then
    rows = wrun.where(row:eq(self.padding_idx):unsqueeze(2), rows:detach(), rows)
  end
  shape[#shape + 1] = self.embedding_dim
  return rows:reshape(shape)
end

function Embedding:label()
  return ("Embedding(%d, %d)"):format(self.num_embeddings, self.embedding_dim)
end

function Embedding:extra_repr()
  local texts = { ("%d, %d"):format(self.num_embeddings, self.embedding_dim) }
  for _, name in ipairs { "padding_idx", "max_norm", "norm_type" } do
    local value = self[name]
    if value ~= OPTIONS[name].default then
      texts[#texts + 1] = repr.settings(name, value)
    end
  end
  return table.concat(texts, ", ")
end

return Embedding
