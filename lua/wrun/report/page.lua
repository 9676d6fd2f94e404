--- Parts of a page: text made harmless, tables that sort, pictures inside the page.

local check = require "wrun.check"

local M = {}

local ENTITIES = {
  ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;",
}

--- A text as HTML shows it, wherever it comes from.
function M.text(text)
  return (check.escape(tostring(text)):gsub("[&<>\"']", ENTITIES))
end

--- A table whose columns sort at a click. A cell is a text, or { html =, sort = }.
function M.table(heads, rows)
  local out = { '<div class="scroll"><table><thead><tr>' }
  for _, head in ipairs(heads) do
    out[#out + 1] = "<th>" .. M.text(head) .. "</th>"
  end
  out[#out + 1] = "</tr></thead><tbody>"
  for _, row in ipairs(rows) do
    out[#out + 1] = "<tr>"
    for i = 1, #heads do
      local cell = row[i]
      local is_made = type(cell) == "table"
      local sort = is_made and cell.sort or cell
      out[#out + 1] = ('<td data-sort="%s">%s</td>'):format(M.text(sort == nil and "" or sort),
        is_made and cell.html or cell == nil and "" or M.text(cell))
    end
    out[#out + 1] = "</tr>"
  end
  out[#out + 1] = "</tbody></table></div>"
  return table.concat(out, "\n")
end

local STYLE = [[
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 1240px;
  padding: 0 1.2em; }
h1 { font-size: 1.5em; }
h2 { font-size: 1.15em; margin: 2em 0 .6em; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25em .7em; text-align: left; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th { cursor: pointer; user-select: none; }
th[aria-sort=ascending]::after { content: " \25B2"; }
th[aria-sort=descending]::after { content: " \25BC"; }
.dot { display: inline-block; width: .75em; height: .75em; border-radius: 50%;
  margin-right: .5em; }
label { cursor: pointer; }
label input { margin: 0 .4em 0 0; vertical-align: middle; }
.curves, .pictures { display: grid; gap: 1em;
  grid-template-columns: repeat(auto-fill, minmax(360px, 1fr)); }
figure { margin: 0; padding: .6em; border: 1px solid var(--line); border-radius: 6px;
  min-width: 0; }
figcaption { font-weight: 600; margin-bottom: .3em; overflow-wrap: anywhere; }
figure img { min-width: min(100%, 12em); max-width: 100%; max-height: 480px; background: white;
  image-rendering: pixelated; }
svg { width: 100%; height: auto; display: block; }
svg text { font-size: 11px; fill: currentColor; }
svg path { fill: none; stroke-width: 1.6; }
svg circle { stroke: none; }
svg .grid { stroke: var(--soft); }
svg .axis { stroke: var(--line); }
.failed { color: #c0392b; font-weight: 600; }
.note { opacity: .7; }
details { margin: .3em 0; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
]]

-- Clicks sort a table, and a box hides the curves of its run. The page works without.
local SCRIPT = [[
document.querySelectorAll("th").forEach(function (head) {
  head.addEventListener("click", function () {
    var table = head.closest("table"), body = table.tBodies[0];
    var at = head.cellIndex, up = head.getAttribute("aria-sort") !== "ascending";
    table.querySelectorAll("th").forEach(function (one) { one.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    Array.from(body.rows).map(function (row) {
      var text = row.cells[at].dataset.sort, number = parseFloat(text);
      return { row: row, text: text, number: text !== "" && isFinite(text) ? number : null };
    }).sort(function (a, b) {
      var order = a.number !== null && b.number !== null ? a.number - b.number
        : a.number !== null ? -1 : b.number !== null ? 1 : a.text.localeCompare(b.text);
      return up ? order : -order;
    }).forEach(function (one) { body.appendChild(one.row); });
  });
});
document.querySelectorAll("input[data-run]").forEach(function (box) {
  box.addEventListener("change", function () {
    document.querySelectorAll("." + box.dataset.run).forEach(function (line) {
      line.style.display = box.checked ? "" : "none";
    });
  });
});
]]

--- A whole page of these parts, which needs nothing else and may reach nothing else.
function M.page(title, parts)
  return ([[<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline';
  script-src 'unsafe-inline'">
<title>%s</title>
<style>
%s</style>
</head>
<body>
<h1>%s</h1>
%s
<script>
%s</script>
</body>
</html>
]]):format(M.text(title), STYLE, M.text(title), table.concat(parts, "\n"), SCRIPT)
end

return M
