"""Sphinx's configuration: how `make docs` makes pages of the guide and of the reference."""

import os
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, FOLDER)

project = "wrun"
author = "the authors of wrun"
extensions = ["myst_parser", "lua_domain"]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
exclude_patterns = ["**.mjs", "**.ttf", "**.woff", "contrib/**", "katex.css", "katex.js"]  # of KaTeX
nitpicky = True
smartquotes = False
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
highlight_language = "lua"
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = "wrun"
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_use_index = False
html_search_scorer = os.path.join(FOLDER, "scorer.js")
html_static_path = ["static", "/usr/share/javascript/katex"]
html_css_files = ["katex.min.css", "wrun.css"]
html_js_files = [("katex.min.js", {"defer": ""}), ("formulas.js", {"defer": ""})]
html_math_renderer = "katex"
html_theme_options = {
    "light_css_variables": {
        "font-stack": "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif",
    },
}
