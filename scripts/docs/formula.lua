--- Formulas of the comments as TeX.
---
--- Comments write mathematics as a terminal shows it: `log(1 + e^(beta x)) / beta`. Pages set it. A
--- formula is found in a text by parsing: the longest expression from a word on that has an
--- operator, a power or a function in it.

local M = {}

local GREEK = {}
for name in ("alpha beta gamma delta eta lambda mu nu pi rho sigma theta"):gmatch("%a+") do
  GREEK[name] = "\\" .. name
end
GREEK.eps, GREEK.lambd, GREEK.etas = "\\varepsilon", "\\lambda", "\\eta"
GREEK.vh = "\\mathit{vh}"

-- Words beside formulas that are no part of them.
local WORDS = {}
for word in ("being else false for nil of or tensor the true when where"):gmatch("%a+") do
  WORDS[word] = true
end

local FUNCTIONS = {}
for name in ("exp log sin cos tan tanh max min arg"):gmatch("%a+") do
  FUNCTIONS[name] = "\\" .. name
end
for name in ("sign softmax sigmoid tr diag erf erfc"):gmatch("%a+") do
  FUNCTIONS[name] = "\\operatorname{" .. name .. "}"
end
FUNCTIONS.log2, FUNCTIONS.sqrt = "\\log_2", "\\sqrt"

local RELATIONS = {
  ["<="] = "\\le", [">="] = "\\ge", ["/="] = "\\ne", ["="] = "=", ["<"] = "<", [">"] = ">",
}

-- Reading --------------------------------------------------------------------
-- A reader is a text, a position `at`, in how many brackets that is, and whether anything made it
-- more than a list of letters. Each rule returns TeX, or nil and leaves the position where it was.

local expression

local function blanks(reader)
  reader.at = reader.text:find("[^ ]", reader.at) or #reader.text + 1
end

local function take(reader, pattern)
  local first, last, found = reader.text:find("^(" .. pattern .. ")", reader.at)
  if first then
    reader.at = last + 1
    return found
  end
end

--- the inside of brackets; `open` and `close` are their patterns
local function bracketed(reader, open, close)
  local start, inside = reader.at, nil
  if take(reader, open) then
    reader.depth = reader.depth + 1
    inside = expression(reader)
    while inside and take(reader, ", ?") do
      local more = expression(reader)
      inside = more and inside .. ", " .. more
    end
    inside = inside and take(reader, close) and inside
    reader.depth = reader.depth - 1
  end
  reader.at = inside and reader.at or start
  return inside
end

--- what stands below: _c, _(t + 1), _{i /= t}
local function subscript(reader)
  local start = reader.at
  if take(reader, "_") then
    local below = bracketed(reader, "%(", "%)") or bracketed(reader, "{", "}")
      or take(reader, "%w")
    if below then
      return "_{" .. below .. "}"
    end
    reader.at = start
  end
  return ""
end

--- whether the word that ends here stands where only an operand can
local function is_operand(reader)
  local after = reader.depth > 0 and "^ [+*/<>=-] ?[%w(|]" or "^ [+*/<>=] ?[%w(|]"
  return reader.wants_operand or reader.depth > 0 and reader.text:find("^[|)]", reader.at)
    or reader.text:find("^%^", reader.at) or reader.text:find(after, reader.at)
end

--- a name: a letter, a Greek one with a number, sum, and longer ones where they cannot be words
local function name(reader)
  local start = reader.at
  local letters = take(reader, "%a+")
  if not letters then
    return nil
  end
  local tex = GREEK[letters] or letters == "sum" and "\\sum" or #letters == 1 and letters
  if tex then
    local number = take(reader, "%d+") or #letters > 1 and take(reader, "%[%d%]")
    reader.has_operator = reader.has_operator or GREEK[letters] and number
    return tex .. (take(reader, "'") or "")
      .. (number and "_{" .. number:match("%d+") .. "}" or subscript(reader))
  end
  letters = letters .. (take(reader, "%d+") or "") .. (take(reader, "_[%a_]+") or "")
  if WORDS[letters] or not letters:find("[%d_]") and not is_operand(reader) then
    reader.at = start
    return nil
  end
  return "\\mathit{" .. letters:gsub("_", "\\_") .. "}"
end

--- a function and its argument: log(x), U(-b, b), log sum exp(x), trunc(a / b) after an operator
local function call(reader)
  local start = reader.at
  local word = take(reader, "%a+2?") or ""
  local is_known = FUNCTIONS[word] ~= nil
  local tex = FUNCTIONS[word] or #word == 1 and word
    or reader.wants_operand and "\\operatorname{" .. word .. "}"
  local has_operator = reader.has_operator
  local inside = tex and bracketed(reader, "%(", "%)")
  if inside then
    reader.has_operator = has_operator or is_known or #word > 1 or word:find("%u")
    return word == "sqrt" and "\\sqrt{" .. inside .. "}"
      or tex .. "(" .. inside .. ")" .. subscript(reader)
  end
  local is_applied = is_known and (reader.text:find("^ %a%f[%A]", reader.at)
    or reader.text:find("^ sum ", reader.at) or reader.text:find("^ softmax%(", reader.at))
  if is_applied then
    reader.has_operator = true
    return tex
  end
  reader.at, reader.has_operator = start, has_operator
end

local function atom(reader)
  local inside = bracketed(reader, "%(", "%)")
  if inside then
    return "(" .. inside .. ")"
  end
  inside = bracketed(reader, "|", "|")
  if inside then
    return "|" .. inside .. "|"
  end
  local number = take(reader, "%d[%d.]*e%-?%d+") or take(reader, "%d+%.%d+") or take(reader, "%d+")
  if number then
    local digits, exponent = number:match("^(.-)e(.*)$")
    local tex = digits and ("%s \\cdot 10^{%s}"):format(digits, exponent) or number
    return (tex:gsub("^1 \\cdot ", ""))
  end
  return take(reader, "%.%.%.") and "\\ldots" or call(reader) or name(reader)
end

local function unbracketed(tex)
  return tex:match("^(%b())$") and tex:sub(2, -2) or tex
end

local function power(reader)
  local base = atom(reader)
  local start = reader.at
  if base and take(reader, "%^") then
    local sign, wanted = take(reader, "%-") or "", reader.wants_operand
    reader.wants_operand = true
    local exponent = atom(reader)
    reader.wants_operand = wanted
    if exponent then
      reader.has_operator = true
      return base .. "^{" .. sign .. unbracketed(exponent) .. "}"
    end
    reader.at = start
  end
  return base
end

--- a product: factors side by side, or with * and / between them
local function product(reader)
  local sign = take(reader, "%-") or ""
  local factors = { power(reader) }
  while #factors > 0 do
    local start = reader.at
    blanks(reader)
    local operator = take(reader, "%* ") or take(reader, "/ ")
      or reader.depth > 0 and reader.at == start and take(reader, "/") or nil
    local wanted = reader.wants_operand
    reader.wants_operand = operator ~= nil
    local factor = (operator or reader.at > start) and power(reader)
    reader.wants_operand = wanted
    if not factor then
      reader.at = start
      break
    elseif operator == "/ " and reader.is_display and reader.depth == 0 then
      factors[#factors] = ("\\frac{%s}{%s}"):format(unbracketed(factors[#factors]),
        unbracketed(factor))
    else
      factors[#factors + 1] = operator and (operator == "* " and "\\cdot" or "/") or nil
      factors[#factors + 1] = factor
    end
    reader.has_operator = reader.has_operator or operator
  end
  return #factors > 0 and sign .. (table.concat(factors, "\\, ")
    :gsub("\\, \\cdot\\, ", " \\cdot "):gsub("\\, /\\, ", " / ")) or nil
end

--- products with signs and relations between them
function expression(reader)
  local tex = product(reader)
  while tex do
    local start = reader.at
    blanks(reader)
    local operator = take(reader, "[<>/]?=") or take(reader, "[<>+-]")
    local is_spaced = reader.text:find("^ ", start) ~= nil
    local is_even = operator and (take(reader, " ") ~= nil) == is_spaced
      and (is_spaced or reader.depth > 0)
    local wanted = reader.wants_operand
    reader.wants_operand = true
    local next_product = is_even and product(reader)
    reader.wants_operand = wanted
    if not next_product then
      reader.at = start
      return tex
    end
    reader.has_operator = true
    tex = tex .. " " .. (RELATIONS[operator] or operator) .. " " .. next_product
  end
end

--- the expression that begins at a position, and the position after it; nil where none does
local function formula_at(text, position, is_display)
  local reader = {
    text = text, at = position, depth = 0, is_display = is_display,
  }
  local tex = expression(reader)
  local is_setting = not is_display and tex and tex:find("^\\mathit{[^}]*} = [%d.-]+$")
  if tex and not is_setting and (reader.has_operator or is_display)
    and not text:find("^[%w_(%[{|^]", reader.at) and not text:find("^ ?[/*+^<>=~]", reader.at) then
    return tex, reader.at
  end
end

-- Text -----------------------------------------------------------------------

--- Returns the pieces of a text in order: { text = } and { tex = }.
---@param text string
---@param is_display boolean? whether names alone, and fractions, are set too
---@return { text: string?, tex: string? }[]
function M.pieces(text, is_display)
  local pieces, from, position = {}, 1, 1
  while position <= #text do
    local tex, after
    local _, code = text:find(is_display and "^`[^`]*`" or "^[`{][^`}]*[`}]", position)
    if code then
      position = code + 1
    elseif position == 1 or text:find("^[^%w_.:`'\"\\/]", position - 1) then
      tex, after = formula_at(text, position, is_display)
    end
    if tex then
      if position > from then
        pieces[#pieces + 1] = { text = text:sub(from, position - 1) }
      end
      pieces[#pieces + 1] = { tex = tex }
      from, position = after, after
    elseif not code then
      position = position + 1
    end
  end
  if from <= #text then
    pieces[#pieces + 1] = { text = text:sub(from) }
  end
  return pieces
end

--- Returns lines of formulas, as comments indent them, as one displayed formula.
--- domain  a line that begins with an operator goes on with the one before it
---@param lines string[]
---@return string
function M.display(lines)
  local rows = {}
  for _, line in ipairs(lines) do
    line = line:gsub("^ +", "")
    if line:find("^[/*+-] ") and #rows > 0 then
      rows[#rows] = rows[#rows] .. " " .. line
    else
      rows[#rows + 1] = line
    end
  end
  for i, row in ipairs(rows) do
    local out = {}
    for _, piece in ipairs(M.pieces((row:gsub(",  ", ", ")), true)) do
      out[#out + 1] = piece.tex or piece.text == ", " and ",\\qquad "
        or "\\text{" .. piece.text:gsub("_", "\\_") .. "}"
    end
    rows[i] = table.concat(out):gsub("=", "&=", 1)
  end
  return "\\begin{aligned}\n" .. table.concat(rows, " \\\\\n") .. "\n\\end{aligned}"
end

return M
