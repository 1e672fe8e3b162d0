"""Web pages: HTML → text with Markdown's headings, lists, tables and code."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twofold.errors import InputError, MissingExtraError
from twofold.readers.files.extracted import Extracted, content, first_heading

DEEPEST = 2_000
"""Elements in one another; the parser's time grows with the square of this number, and pages have a few dozen."""
UNSEEN = frozenset({"script", "style", "template", "head", "svg", "iframe", "object", "noscript", "-comment"})
AROUND = frozenset({"nav", "footer"})
"""What stands around a page's content; read only where nothing else has a text."""
BLOCKS = frozenset(
    (
        *(
            "address",
            "article",
            "aside",
            "blockquote",
            "body",
            "caption",
            "center",
            "dd",
            "details",
            "dialog",
            "div",
            "dl",
        ),
        *("dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "html", "main", "menu"),
        *("nav", "ol", "p", "section", "summary", "table", "ul"),
    )
)
HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
CELLS = frozenset({"td", "th"})

_opening = re.compile(rb"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_nesting_none = frozenset(
    b"area base br col embed hr img input link meta param source track wbr p li dt dd option optgroup tr td th "
    b"thead tbody tfoot colgroup rt rp html head body".split()
)
_declared = re.compile(
    rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]+)|<\?xml[^>]{0,200}?encoding=["']([\w.:-]+)""", re.IGNORECASE
)
_marks = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def of_page(path: Path) -> Iterator[Extracted]:
    """A web page: its text, its title, and metadata: author, description and language."""
    yield of_html(content(path))


def of_html(raw: bytes) -> Extracted:
    """A page. The text is that of its <main> or only <article>, else of the body without navigation and footer; of the
    whole body where these have none. Raises InputError where elements are nested too deeply, MissingExtraError."""
    try:
        from selectolax.lexbor import LexborHTMLParser
    except ImportError:
        raise MissingExtraError("selectolax", "files") from None
    _check_depth(raw)
    page = LexborHTMLParser(in_unicode(raw))
    body = page.body if page.body is not None else page.root
    text = next((text for each, left_out in _choices(page, body) if (text := _Writer(left_out).of(each))), "")
    title = page.css_first("title")
    named = " ".join(title.text().split()) if title is not None else ""
    return Extracted(text, named or first_heading(text), _metadata(page), empty="no text in this page")


def in_unicode(raw: bytes) -> str:
    """The page's characters: by its byte order mark, by what it declares, as UTF-8, else as Windows-1252.

    That is the order of the HTML standard; what cannot be decoded becomes U+FFFD, as in a browser.
    """
    for mark, name in _marks.items():
        if raw.startswith(mark):
            return raw[len(mark) :].decode(name, "replace")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode(_declared_encoding(raw[:4096]) or "cp1252", "replace")


def _declared_encoding(head: bytes) -> str:
    found = _declared.search(head)
    if found is None:
        return ""
    try:
        name = codecs.lookup((found[1] or found[2]).decode("ascii")).name
    except (LookupError, UnicodeDecodeError):
        return ""
    return {"iso8859-1": "cp1252", "ascii": "cp1252", "utf-8": "utf-8"}.get(name, name)


def _check_depth(raw: bytes) -> None:
    depth = 0
    for closing, name in _opening.findall(raw):
        if name.lower() in _nesting_none:
            continue
        depth = max(0, depth - 1) if closing else depth + 1
        if depth > DEEPEST:
            raise InputError(f"more than {DEEPEST:,} elements in one another; no page needs so many")


def _choices(page: Any, body: Any) -> Iterator[tuple[Any, frozenset[str]]]:
    """What may be the content, best first, with the elements that are left out of it."""
    mains = page.css("main") or page.css("article")
    if len(mains) == 1:
        yield mains[0], UNSEEN | AROUND
    yield body, UNSEEN | AROUND
    yield body, UNSEEN
    yield body, UNSEEN - {"noscript"}


def _metadata(page: Any) -> dict[str, Any]:
    metadata = {}
    for name in ("author", "description"):
        named = page.css_first(f'meta[name="{name}" i]')
        if named is not None and (said := (named.attributes.get("content") or "").strip()):
            metadata[name] = said
    root = page.css_first("html")
    language = (root.attributes.get("lang") or "").strip() if root is not None else ""
    return {**metadata, **({"language": language} if language else {})}


class _Writer:
    """Writes the text below one element, in the order of the page."""

    def __init__(self, left_out: frozenset[str]) -> None:
        self._left_out = left_out
        self._out: list[str] = []
        self._line: list[str] = []
        self._prefix = ""
        self._code = 0
        self._tight = False

    def of(self, root: Any) -> str:
        """The text, stripped. No recursion: pages may be nested deeper than Python's stack."""
        node, entered = root, True
        while True:
            if entered and self._enter(node) and (child := node.first_child) is not None:
                node = child
                continue
            self._leave(node)
            if node.mem_id == root.mem_id:
                break
            following = node.next
            node, entered = (following, True) if following is not None else (node.parent, False)
        self._flush()
        return "".join(self._out).strip()

    def _enter(self, node: Any) -> bool:
        """Whether what is below the element is looked at."""
        tag = node.tag
        if tag == "-text":
            self._line.append(node.text_content or "")
        elif tag in self._left_out:
            return False
        elif tag == "br":
            if self._code:
                self._line.append("\n")
            else:
                self._flush(tight=True)
        elif tag == "pre":
            self._flush()
            self._code += 1
        elif tag in HEADINGS:
            self._flush()
            self._prefix = HEADINGS[tag]
        elif tag in CELLS:
            if any(map(str.strip, self._line)):
                self._line.append(" | ")
        elif tag in ("li", "tr"):
            self._flush(tight=True)
            self._prefix = "- " if tag == "li" else ""
        elif tag in BLOCKS:
            self._flush()
        return True

    def _leave(self, node: Any) -> None:
        tag = node.tag
        if tag in self._left_out:
            return
        if tag == "pre":
            self._flush(code=True)
            self._code -= 1
        elif tag in HEADINGS:
            self._flush()
            self._prefix = ""
        elif tag in ("li", "tr"):
            self._flush(tight=True)
            self._prefix = ""
        elif tag in BLOCKS:
            self._flush()

    def _flush(self, *, tight: bool = False, code: bool = False) -> None:
        """Ends the line at hand; the next follows after an empty one, unless both belong to one list or table."""
        joined = "".join(self._line)
        self._line.clear()
        text = joined.strip("\n") if self._code else " ".join(joined.split())
        if not text.strip():
            self._tight = self._tight and tight
            return
        text = f"```\n{text}\n```" if code and self._code == 1 else text
        self._out.append(("\n" if self._tight else "\n\n") + self._prefix + text)
        self._prefix = self._prefix if self._prefix.startswith("#") else ""
        self._tight = tight
