"""Packed folders (.docx, .pptx, .epub) and the XML in them, with limits on what they may become."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from twofold.errors import InputError
from twofold.readers.files.extracted import MOST_BYTES, content, too_large
from twofold.readers.opening import COMPRESSED

AT_ONCE = 1 << 20

_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError, KeyError)


class Archive:
    """The parts of a packed folder. All that is read from it has MOST_BYTES together, whatever its headers claim."""

    def __init__(self, packed: zipfile.ZipFile) -> None:
        self._packed = packed
        self._names = set(packed.namelist())
        self._left = MOST_BYTES

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def part(self, name: str) -> bytes:
        """The bytes of a part. Raises InputError where it is not there, damaged, encrypted or too large."""
        if name not in self._names:
            raise InputError(f"damaged: it has no part {name!r}")
        read = bytearray()
        try:
            with self._packed.open(name) as file:
                while block := file.read(AT_ONCE):
                    read += block
                    self._left -= len(block)
                    if self._left < 0:
                        raise too_large()
        except InputError:
            raise
        except _ERRORS as error:
            raise InputError(f"damaged: its part {name!r} cannot be read ({error})") from None
        return bytes(read)

    def count(self) -> None:
        """Reads everything once. Raises InputError where it is too large or damaged."""
        for name in sorted(self._names):
            self.part(name)

    def xml(self, name: str) -> Element:
        """A part as XML. Raises InputError."""
        return parsed(self.part(name), name)

    def related(self, name: str) -> dict[str, tuple[str, str]]:
        """The relationships of a part of an Office file: id → (kind, name of the other part)."""
        folder, file = posixpath.split(name)
        relations = f"{folder}/_rels/{file}.rels"
        if relations not in self:
            return {}
        return {
            each.get("Id", ""): (each.get("Type", "").rsplit("/", 1)[-1], beside(name, each.get("Target", "")))
            for each in self.xml(relations)
            if each.get("TargetMode") != "External"
        }


@contextmanager
def archive(path: Path) -> Iterator[Archive]:
    """The parts of a file. Raises InputError where it is no packed folder."""
    source = io.BytesIO(content(path)) if path.suffix.lower() in COMPRESSED else path
    try:
        packed = zipfile.ZipFile(source)
    except _ERRORS as error:
        raise InputError(f"damaged: no packed folder ({error})") from None
    with packed:
        yield Archive(packed)


def beside(name: str, target: str) -> str:
    """The name of the part that another part refers to."""
    if target.startswith("/"):
        return posixpath.normpath(target).lstrip("/")
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), target))


def linked(name: str, target: str) -> str:
    """The name of the part that an address in a book refers to."""
    return beside(name, unquote(target.partition("#")[0]))


def parsed(raw: bytes, name: str) -> Element:
    """XML as elements, whose names are "{namespace}name". Raises InputError, also where it defines entities.

    An entity may stand for others, so that a kilobyte becomes gigabytes; no file of these kinds has any.
    """
    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.ordered_attributes = False

    def refuse(*_: object) -> None:
        raise InputError(f"its part {name!r} defines entities, which may grow without limit")

    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = lambda tag, values: builder.start(
        _qualified(tag), {_qualified(each): value for each, value in values.items()}
    )
    parser.EndElementHandler = lambda tag: builder.end(_qualified(tag))
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(raw, True)
        return builder.close()
    except (expat.ExpatError, ElementTree.ParseError, AssertionError, ValueError, LookupError) as error:
        raise InputError(f"damaged: its part {name!r} is no XML ({error})") from None


def _qualified(name: str) -> str:
    return "{" + name if "}" in name else name
