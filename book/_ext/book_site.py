"""A Sphinx extension: maths and search without a network, a shared link's preview, page scripts.

It copies one MathJax file from the installed package `sphinx-mathjax-offline` into the
built site (the scripts it loads stay out of git), adds icon and preview tags to every
page, its scripts to a page with something to play with, a chapter's code as a script to
download, and mends names and roles for screen readers. It changes nothing in the text.
"""

import json
import re
from html import escape, unescape
from importlib.util import find_spec
from pathlib import Path
from shutil import copyfile

import nbformat
from nbconvert import PythonExporter
from sphinx.errors import ExtensionError

MATHJAX = "tex-svg-full.js"
DESCRIPTION = (
    "Deep learning by practice, from back-propagation in NumPy onwards: the code, the recorded "
    "runs, and a verdict on every claim."
)

# Markup of myst-nb and docutils that a screen reader takes amiss, and what to write instead.
MENDED = {
    # The name hides what is shown: "Show the source" becomes "Hide the source".
    '<summary aria-label="Toggle hidden content">': "<summary>",
    # A role that is deprecated for that of any member of a list, and is not one itself.
    'role="doc-biblioentry"': 'role="listitem"',
}

# What of a page is no text.
NO_TEXT = re.compile(
    r'<(script|style|svg)\b.*?</\1>|<a class="headerlink".*?</a>|<[^>]+>', re.DOTALL
)

# A link that a cell has computed, which MyST does not resolve.
COMPUTED_LINK = re.compile(r'href="([\w./]+)\.(?:ipynb|md)(?=[#"])')

# The files of `book/_static` that draw what a page marks by `data-widget="..."`.
DIGIT = ("digit.css", "networks.js", "pixels.js", "weights.js", "digit.js")
WIDGETS = {
    "playground": ("play.css", "mlp.js", "plane.js", "playground.js"),
    "gradient-descent": ("play.css", "gradient_descent.js"),
    "digit": ("play.css", *(f"digit/{file}" for file in DIGIT)),
}


def copy_mathjax(app):
    """Put MathJax where `mathjax_path` says, below the site's `_static` folder."""
    package = find_spec("sphinx-mathjax-offline")
    if package is None:
        raise ExtensionError(
            "The package sphinx-mathjax-offline is missing: pip install -r requirements.txt"
        )
    target = Path(app.outdir) / "_static" / "mathjax" / MATHJAX
    target.parent.mkdir(parents=True, exist_ok=True)
    copyfile(Path(package.origin).parent / "static" / "mathjax" / MATHJAX, target)


def add_page_tags(app, pagename, templatename, context, doctree):
    """Add icons for browsers without SVG icons, and the preview of a shared link."""
    base = app.config.html_baseurl.rstrip("/") + "/" if app.config.html_baseurl else ""

    def static(name):
        path = f"_static/{name}"
        return base + path if base else context["pathto"](path, resource=True)

    title = escape(f"{context.get('title', '')} - {app.config.html_title}", quote=True)
    context["metatags"] = context.get("metatags", "") + "\n".join(
        [
            f'<link rel="alternate icon" type="image/png" href="{static("favicon.png")}">',
            f'<link rel="apple-touch-icon" href="{static("icon-180.png")}">',
            f'<meta name="description" content="{escape(DESCRIPTION)}">',
            '<meta property="og:type" content="book">',
            f'<meta property="og:title" content="{title}">',
            f'<meta property="og:description" content="{escape(DESCRIPTION)}">',
            f'<meta property="og:image" content="{static("social-preview.png")}">',
            '<meta property="og:image:alt" content="Two interlocking half-moons of points'
            ' and the curve that separates them">',
            '<meta name="twitter:card" content="summary_large_image">',
        ]
    )


def add_widgets(app, pagename, templatename, context, doctree):
    """Give a page the files of what it lets the reader play with, in their order."""
    names = set(re.findall(r'data-widget="([^"]+)"', context.get("body", "")))
    for file in dict.fromkeys(file for name in sorted(names) for file in WIDGETS[name]):
        if file.endswith(".css"):
            app.add_css_file(file)
        else:
            app.add_js_file(file, loading_method="defer")


def mend_markup(app, pagename, templatename, context, doctree):
    """Replace what is in `MENDED`, and let links in a cell's output lead to pages, in a body."""
    if "body" in context:
        for amiss, instead in MENDED.items():
            context["body"] = context["body"].replace(amiss, instead)
        context["body"] = COMPUTED_LINK.sub(r'href="\1.html', context["body"])


def offer_script(app, pagename, templatename, context, doctree):
    """Add a notebook as a plain Python script to what a page offers to download."""
    source = Path(app.srcdir) / f"{pagename}.ipynb"
    downloads = [
        b for b in context.get("header_buttons", ()) if b.get("label") == "download-buttons"
    ]
    if not (source.is_file() and downloads):
        return
    script = f"_sources/{pagename}.py"
    target = Path(app.outdir) / script
    target.parent.mkdir(parents=True, exist_ok=True)
    code, _ = PythonExporter(exclude_input_prompt=True).from_notebook_node(
        nbformat.read(source, as_version=4)
    )
    target.write_text(code, encoding="utf-8")
    downloads[0]["buttons"].insert(1, {
        "type": "link", "url": context["pathto"](script, resource=True), "text": ".py",
        "tooltip": "Download the code as a script", "icon": "fas fa-file-code",
        "label": "download-script-button",
    })  # fmt: skip


def write_search_texts(app, exception):
    """Put the text of every page into a script, for the search in a book opened from its folder."""
    if exception or app.builder.name != "html":
        return
    texts = {}
    for page in (f"{name}.html" for name in sorted(app.env.found_docs)):
        html = (Path(app.outdir) / page).read_text(encoding="utf-8")
        article = re.search('<article class="bd-article.*?</article>', html, re.DOTALL)[0]
        texts[page] = " ".join(unescape(NO_TEXT.sub(" ", article)).split())
    script = f"const SEARCH_TEXTS = {json.dumps(texts, ensure_ascii=False)};\n"
    (Path(app.outdir) / "_static" / "search_texts.js").write_text(script, encoding="utf-8")


def setup(app):
    """Register the steps with Sphinx."""
    app.connect("builder-inited", copy_mathjax)
    app.connect("html-page-context", add_page_tags)
    app.connect("html-page-context", add_widgets)
    app.connect("html-page-context", mend_markup)
    app.connect("html-page-context", offer_script, priority=900)  # after the theme's own buttons
    app.connect("build-finished", write_search_texts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
