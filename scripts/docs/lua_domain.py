"""The names of the library for Sphinx: their entries, and a link wherever one stands.

pages.lua writes the reference with the directives below. A name links to its entry in a text and in
code, a key such as [Hinton2012] to the bibliography, and formulas are left to KaTeX, which sets
them in the browser.
"""

import html
import re

from docutils import nodes
from sphinx import addnodes
from sphinx.directives import ObjectDescription
from sphinx.domains import Domain, ObjType
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

# The objects that the guide's variables are, for methods such as `model:eval()`.
VARIABLES = {
    "x": "x", "y": "x", "loss": "x", "tensor": "x", "weight": "x",
    "model": "nn.Module", "module": "nn.Module", "layer": "nn.Module", "parser": None,
    "optimizer": "optim.Optimizer", "scheduler": "optim.lr_scheduler.LRScheduler",
    "loader": "data.Loader", "sampler": "data.Sampler", "machine": "rbm.Model",
    "chains": "rbm.Chains", "stack": "dbn.Model", "generator": "Generator", "log": "logbook.Log",
}


# The domain ------------------------------------------------------------------

def anchor(name):
    return name.replace(":", ".")


def in_words(name):
    """"batch norm 1d" of BatchNorm1d, "log likelihood" of log_likelihood: what people search for."""
    words = re.sub(r"([a-z])([A-Z0-9])", r"\1 \2", name).replace("_", " ")
    return words.strip().lower()


class Entry(ObjectDescription):
    """A function, a class or a method, with one line for each way to call it."""

    def handle_signature(self, sig, signode):
        name, arguments = re.match(r"([^(]+)(?:\((.*)\))?$", sig).groups()
        before, last = re.match(r"(.*[.:])?([^.:]+)$", name).groups()
        if before:
            signode += addnodes.desc_addname(before, before)
        signode += addnodes.desc_name(last, last)
        if arguments is not None:
            parameters = addnodes.desc_parameterlist()
            for argument in filter(None, arguments.split(", ")):
                text = argument.rstrip("?")
                parameter = addnodes.desc_parameter(text, text)
                if argument.endswith("?"):
                    parameter = addnodes.desc_optional("", "", parameter)
                parameters += parameter
            signode += parameters
        signode["fullname"] = name
        return name

    def add_target_and_index(self, name, sig, signode):
        signode["ids"].append(anchor(name))
        self.env.get_domain("lua").note(name, self.env.docname, anchor(name), self.objtype)
        words = in_words(re.split("[.:]", name)[-1])
        if " " in words:
            self.indexnode["entries"].append(("single", words, anchor(name), "", None))

    def _object_hierarchy_parts(self, signode):
        return (signode["fullname"],)

    def _toc_entry_name(self, signode):
        is_first = signode is signode.parent.children[0]
        return re.split("[.:]", signode["fullname"])[-1] if is_first else ""


class Page(SphinxDirective):
    """Makes a name link to the page on which it stands."""

    required_arguments = 1

    def run(self):
        self.env.get_domain("lua").note(self.arguments[0], self.env.docname, "", "part")
        return []


class LuaDomain(Domain):
    name = "lua"
    label = "wrun"
    object_types = {kind: ObjType(kind) for kind in ("function", "method", "class", "part")}
    directives = {"function": Entry, "method": Entry, "class": Entry, "page": Page}
    initial_data = {"objects": {}}

    def note(self, name, docname, node_id, kind):
        self.data["objects"].setdefault(name, (docname, node_id, kind))

    def clear_doc(self, docname):
        objects = self.data["objects"]
        for name in [name for name, entry in objects.items() if entry[0] == docname]:
            del objects[name]

    def merge_domaindata(self, docnames, otherdata):
        for name, entry in otherdata["objects"].items():
            if entry[0] in docnames:
                self.data["objects"][name] = entry

    def get_objects(self):
        for name, (docname, node_id, kind) in self.data["objects"].items():
            yield name, name, kind, docname, node_id, 1

    def resolve_any_xref(self, *_):
        return []

    def find(self, text, docname):
        """The name of the library that a piece of code is, or None."""
        objects = self.data["objects"]
        code = re.sub(r"\(.*\)$|\{.*\}$", "", text).strip()
        if not re.match(r"[A-Za-z][\w.:]*$", code) or text in TYPES:
            return None
        page = docname.rpartition("/")[2]
        base = "nn.Module" if page.startswith("nn.") else "optim.Optimizer"
        candidates = [code, code[5:] if code.startswith("wrun.") else "wrun." + code]
        if code != "options":
            candidates += [f"{page}.{code}", f"{page}:{code}", f"{base}:{code}", f"x:{code}"]
        variable, colon, method = code.rpartition(":")
        if colon and variable in VARIABLES:
            candidates.append(f"{VARIABLES[variable]}:{method}")
        return next((name for name in candidates if name in objects), None)


# Types, which are functions of the same names too.
TYPES = {"any", "bool", "float", "int", "long", "double"}


# Links -----------------------------------------------------------------------

DOTTED = r"(?<![\w.])(?:wrun|nn|optim|data|rbm|dbn|linalg|image|autograd|logbook|testing)\.[\w.:]*\w"
KEY = r"\[([A-Z][A-Za-z]+(?:19|20)?\d\d\d?\w*)\]"
BIBLIOGRAPHY = "bibliography"


class Links(SphinxPostTransform):
    """Makes names in texts, and keys of the bibliography, links."""

    default_priority = 5

    def run(self, **kwargs):
        self.domain = self.env.get_domain("lua")
        for literal in list(self.document.findall(nodes.literal)):
            if self.is_free(literal):
                link = self.link(literal.astext(), literal.deepcopy())
                if link:
                    literal.replace_self(link)
        for text in list(self.document.findall(nodes.Text)):
            if self.is_free(text):
                pieces = self.split(text.astext())
                if len(pieces) > 1:
                    text.parent.replace(text, pieces)

    def is_free(self, node):
        while node.parent:
            node = node.parent
            if isinstance(node, (nodes.reference, nodes.title, nodes.literal_block,
                                 addnodes.pending_xref, addnodes.desc_signature, nodes.math,
                                 nodes.math_block, addnodes.index, nodes.raw)):
                return False
        return True

    def is_inside(self, node, name):
        """Whether a node belongs to the entry of this name."""
        while node:
            if isinstance(node, addnodes.desc):
                return any(name in child.get("fullname", "") for child in node.children[:-1])
            node = node.parent
        return False

    def link(self, code, content):
        name = self.domain.find(code, self.env.docname)
        if name is None:
            return None
        docname, node_id, _ = self.domain.data["objects"][name]
        return make_refnode(self.app.builder, self.env.docname, docname, node_id, content, name)

    def split(self, text):
        pieces, end = [], 0
        for match in re.finditer(f"{DOTTED}|{KEY}", text):
            content = nodes.Text(match.group())
            if match.group(1):
                link = make_refnode(self.app.builder, self.env.docname, BIBLIOGRAPHY,
                                    match.group(1).lower(), content)
            else:
                link = self.link(match.group(), content)
            if link:
                pieces += [nodes.Text(text[end:match.start()]), link]
                end = match.end()
        return pieces + [nodes.Text(text[end:])]


TOKEN = r'<span class="\w+">(\w+)</span>'
CODE = re.compile(rf'(?:{TOKEN}<span class="p">\.</span>)+{TOKEN}')


def link_code(app, pagename, templatename, context, doctree):
    """Makes names in highlighted code links: they are known only after Pygments has been there."""
    domain = app.env.get_domain("lua")

    def linked(match):
        code = re.sub("<[^>]*>", "", match.group())
        name = domain.find(code, "")
        if name is None:
            return match.group()
        docname, node_id, _ = domain.data["objects"][name]
        target = app.builder.get_relative_uri(pagename, docname)
        return f'<a href="{html.escape(target)}#{node_id}">{match.group()}</a>'.replace('#">', '">')

    if "body" in context:
        context["body"] = re.sub(r"<pre>.*?</pre>", lambda pre: CODE.sub(linked, pre.group()),
                                 context["body"], flags=re.DOTALL)


# Formulas --------------------------------------------------------------------

def visit_inline(self, node):
    self.body.append(f'<span class="formula">{html.escape(node.astext())}</span>')
    raise nodes.SkipNode


def visit_block(self, node):
    self.body.append(f'<div class="formula display">{html.escape(node.astext())}</div>')
    raise nodes.SkipNode


def setup(app):
    app.add_domain(LuaDomain)
    app.add_post_transform(Links)
    app.add_html_math_renderer("katex", (visit_inline, None), (visit_block, None))
    app.connect("html-page-context", link_code)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
