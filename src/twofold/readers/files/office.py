"""Office Open XML: Word documents and PowerPoint slides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from twofold.readers.files.archive import Archive, archive
from twofold.readers.files.extracted import PAGE, Extracted, first_heading

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_DC = "{http://purl.org/dc/elements/1.1/}"
_DELETED = {f"{_W}{name}" for name in ("del", "moveFrom", "instrText", "delText")} | {_FALLBACK}
_heading_style = re.compile(r"heading ?([1-9])", re.IGNORECASE)
_PLACES = {"sldNum", "hdr", "ftr", "dt"}
"""Placeholders that hold no text of a slide: its number, header, footer and date."""


def of_word(path: Path) -> Iterator[Extracted]:
    """A .docx: paragraphs, lists, tables, footnotes and endnotes; styles of headings become `#`."""
    with archive(path) as parts:
        levels = _heading_levels(parts)
        body = parts.xml("word/document.xml").find(f"{_W}body")
        blocks = [] if body is None else list(_blocks(body, levels))
        for notes in ("word/footnotes.xml", "word/endnotes.xml"):
            if notes in parts:
                blocks += [text for note in parts.xml(notes) for text in _blocks(note, {})]
        title, metadata = _properties(parts)
    text = "\n\n".join(blocks)
    yield Extracted(text, title or first_heading(text), metadata, empty="no text in this document")


def of_slides(path: Path) -> Iterator[Extracted]:
    """A .pptx: slides in their order, each a page; their titles become headings, their notes follow their text."""
    with archive(path) as parts:
        name = "ppt/presentation.xml"
        relations = parts.related(name)
        order = [each.get(f"{_R}id", "") for each in parts.xml(name).iter(f"{_P}sldId")]
        slides = [_slide(parts, relations[each][1]) for each in order if each in relations]
        title, metadata = _properties(parts)
    text = PAGE.join(slides)
    yield Extracted(
        text if text.strip(f"\n {PAGE}") else "",
        title if title and title != "PowerPoint Presentation" else first_heading(text),
        {**metadata, "pages": len(slides)},
        empty="no text on these slides",
    )


def _properties(parts: Archive) -> tuple[str, dict[str, Any]]:
    """The title and the author of an Office file."""
    if "docProps/core.xml" not in parts:
        return "", {}
    core = parts.xml("docProps/core.xml")
    title, author = ((core.findtext(f"{_DC}{name}") or "").strip() for name in ("title", "creator"))
    return title, {"author": author} if author else {}


def _heading_levels(parts: Archive) -> dict[str, int]:
    """The styles that are headings, with their levels: by what Word calls them, also in other languages."""
    levels = {}
    styles = parts.xml("word/styles.xml") if "word/styles.xml" in parts else ()
    for style in styles:
        name = style.find(f"{_W}name")
        called = "" if name is None else name.get(f"{_W}val", "")
        found = _heading_style.fullmatch(called)
        outline = style.find(f"{_W}pPr/{_W}outlineLvl")
        if called.lower() == "title":
            levels[style.get(f"{_W}styleId", "")] = 1
        elif found is not None:
            levels[style.get(f"{_W}styleId", "")] = min(int(found[1]), 6)
        elif outline is not None and outline.get(f"{_W}val", "9") in "012345":
            levels[style.get(f"{_W}styleId", "")] = int(outline.get(f"{_W}val", "0")) + 1
    return levels


def _blocks(parent: Element, levels: dict[str, int]) -> Iterator[str]:
    """The paragraphs and tables below an element, in order."""
    waiting = [parent]
    while waiting:
        element = waiting.pop()
        if element.tag == f"{_W}p":
            text = _text(element)
            if text.strip():
                yield _mark(element, levels) + text.strip("\n")
        elif element.tag == f"{_W}tbl":
            if table := "\n".join(filter(None, map(_row, element.iter(f"{_W}tr")))):
                yield table
        elif element.tag not in _DELETED:
            waiting.extend(reversed(element))


def _mark(paragraph: Element, levels: dict[str, int]) -> str:
    style = paragraph.find(f"{_W}pPr/{_W}pStyle")
    named = "" if style is None else style.get(f"{_W}val", "")
    level = levels.get(named, 0)
    if level:
        return "#" * level + " "
    return "- " if paragraph.find(f"{_W}pPr/{_W}numPr") is not None else ""


def _row(row: Element) -> str:
    cells = (
        " ".join(text for each in cell.iter(f"{_W}p") if (text := " ".join(_text(each).split())))
        for cell in row
        if cell.tag == f"{_W}tc"
    )
    joined = " | ".join(cells)
    return joined if joined.strip(" |") else ""


def _text(paragraph: Element) -> str:
    """The text of a paragraph of Word; what was deleted with changes tracked is left out."""
    pieces, waiting = [], [paragraph]
    while waiting:
        element = waiting.pop()
        match element.tag.removeprefix(_W):
            case "t":
                pieces.append(element.text or "")
            case "tab":
                pieces.append("\t")
            case "br" | "cr":
                pieces.append("\n")
            case "pPr" | "rPr":
                pass
            case _ if element.tag not in _DELETED:
                waiting.extend(reversed(element))
    return "".join(pieces)


def _slide(parts: Archive, name: str) -> str:
    blocks = list(_shapes(parts.xml(name)))
    for kind, other in parts.related(name).values():
        if kind == "notesSlide" and other in parts:
            blocks += _shapes(parts.xml(other))
    return "\n\n".join(blocks)


def _shapes(slide: Element) -> Iterator[str]:
    for shape in slide.iter():
        if shape.tag == f"{_P}sp":
            place = shape.find(f"{_P}nvSpPr/{_P}nvPr/{_P}ph")
            kind = "" if place is None else place.get("type", "")
            paragraphs = [text for each in shape.iter(f"{_A}p") if (text := _slide_text(each))]
            if kind in ("title", "ctrTitle") and paragraphs:
                yield "# " + " ".join(paragraphs)
            elif kind not in _PLACES and paragraphs:
                yield "\n".join(paragraphs)
        elif shape.tag == f"{_A}tbl":
            rows = (" | ".join(_cell(cell) for cell in row.iter(f"{_A}tc")) for row in shape.iter(f"{_A}tr"))
            if table := "\n".join(row for row in rows if row.strip(" |")):
                yield table


def _cell(cell: Element) -> str:
    return " ".join(text for each in cell.iter(f"{_A}p") if (text := _slide_text(each)))


def _slide_text(paragraph: Element) -> str:
    joined = "".join(each.text or "" if each.tag == f"{_A}t" else " " for each in paragraph.iter() if each.tag in _SAID)
    return " ".join(joined.split())


_SAID = {f"{_A}t", f"{_A}br"}
