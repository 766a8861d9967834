"""What HTML reports are made of: a document that needs nothing but itself, tables, colours, and text that stays text.

A page asks for nothing: no font, no image, no request; its policy names by digest the one style (and the one script)
that may act, so that nothing which slipped in would. Names and messages come from strangers: `text` is the only way
for them into a page. Documents are ASCII, so that no server's idea of a charset can change them.
"""

import base64
import hashlib
from collections.abc import Sequence
from html import escape

from hubdata.report.terminal import plain

PALETTE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--page:#fff;--line:#d0d7de;--bar:#0a5dc2;
--changed:#8f5f00;--gained:#116329;--lost:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa5b1;--page:#0d1117;--line:#3d444d;--bar:#6cb0ff;
--changed:#e0aa2b;--gained:#56d364;--lost:#ff8a80}}
"""
"""The colours of every page, light and dark: each word-bearing one has a contrast of 4.5 or more with `--page`."""


def document(title: str, body: str, *, style: str, script: str = "") -> str:
    """Return a whole document in ASCII; `title` is plain text, `body` HTML, `style` and `script` are our own ASCII."""
    acts = f"<script>{script}</script>\n" if script else ""
    page = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(style, script)}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f'<link rel="icon" href="data:,">\n<title>{text(title)}</title>\n<style>{style}</style>\n'
        f"</head>\n<body>\n{body}{acts}</body>\n</html>\n"
    )
    return ascii_only(page)


def policy(style: str, script: str = "") -> str:
    """Return the policy (CSP) under which `style` and `script`, and nothing else, may act."""
    said = f"default-src 'none'; style-src '{_digest(style)}'; base-uri 'none'; form-action 'none'; img-src data:"
    return f"{said}; script-src '{_digest(script)}'" if script else said


def ascii_only(html: str) -> str:
    """Return the same HTML with everything beyond ASCII as character references."""
    return html.encode("ascii", "xmlcharrefreplace").decode("ascii")


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int = 0) -> str:
    """Return a table whose cells are HTML already, each row named by its first; the last `numbers` are numbers."""
    first = len(head) - numbers
    kinds = ["" if index < first else ' class="n"' for index in range(len(head))]
    titles = "".join(f'<th scope="col"{kind}>{text(each)}</th>' for each, kind in zip(head, kinds, strict=True))
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>'
        + "".join(f"<td{kind}>{each}</td>" for each, kind in zip(row[1:], kinds[1:], strict=True))
        + "</tr>\n"
        for row in rows
    )
    head_row = f"<caption>{text(caption)}</caption>\n<thead><tr>{titles}</tr></thead>"
    return f"<table>\n{head_row}\n<tbody>\n{body}</tbody>\n</table>\n"


def text(foreign: str) -> str:
    """Return foreign text as text: nothing unprintable, nothing that HTML would obey."""
    return escape(plain(foreign))


def _digest(inline: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(inline.encode("ascii")).digest()).decode("ascii")
