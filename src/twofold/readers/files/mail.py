"""E-mail: single messages (.eml) and mailboxes (mbox)."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage, MIMEPart
from pathlib import Path
from typing import Any

from twofold.errors import InputError
from twofold.readers.files.extracted import MOST_BYTES, Extracted, content, too_large
from twofold.readers.files.pages import of_html
from twofold.readers.opening import numbered_lines

HEADERS = {"from": "From", "to": "To", "cc": "Cc", "date": "Date", "message_id": "Message-ID"}
LONGEST_ID = 200
"""Characters of a message's own id that become part of a document's id."""
_quoted_from = re.compile(rb"^>(>*From )", re.MULTILINE)
_control = re.compile("[\0-\x1f\x7f]")


def of_message(path: Path) -> Iterator[Extracted]:
    """One message: subject, text, and as metadata who wrote it to whom and when, and the names of what is attached."""
    yield _extracted(content(path), "")


def of_mailbox(path: Path) -> Iterator[Extracted]:
    """The messages of a mailbox, one at a time; each is known by its Message-ID, else by its number."""
    for number, raw in enumerate(_messages(path), start=1):
        try:
            extracted = _extracted(raw, str(number))
        except InputError as error:
            extracted = Extracted("", empty=f"message {number}: {error}")  # The others are read all the same.
        yield extracted


def _messages(path: Path) -> Iterator[bytes]:
    lines: list[bytes] = []
    size, blank = 0, True
    for number, line in numbered_lines(path):
        if blank and line.startswith(b"From "):
            if lines:
                yield _quoted_from.sub(rb"\1", b"".join(lines))
            lines, size = [], 0
        elif number == 1:
            raise InputError("no mailbox: it does not begin with a line `From `")
        else:
            lines.append(line)
            size += len(line)
            if size > MOST_BYTES:
                raise too_large()
        blank = not line.strip()
    if lines:
        yield _quoted_from.sub(rb"\1", b"".join(lines))


def _extracted(raw: bytes, number: str) -> Extracted:
    try:
        message = email.message_from_bytes(raw, policy=policy.default)
        said = {field: value for field, name in HEADERS.items() if (value := _header(message, name))}
        subject = _header(message, "Subject")
        text = _text(message)
        attached = [name for each in message.walk() if (name := each.get_filename())]
    except (ValueError, LookupError, AttributeError, TypeError, AssertionError, RecursionError) as error:
        # The standard library's parser is lenient, but for headers that it trips over.
        if isinstance(error, InputError):
            raise
        raise InputError(f"a message that cannot be read ({error})") from None
    if not said and not subject:
        raise InputError("no message: it has no header")
    metadata: dict[str, Any] = {**said, **({"attachments": attached} if attached else {})}
    part = _control.sub("", said.get("message_id", "").strip("<> "))[:LONGEST_ID] or number if number else ""
    return Extracted(text, subject, metadata, part, empty="a message without a text")


def _header(message: Any, name: str) -> str:
    return " ".join(str(message.get(name) or "").split())


def _text(message: Any) -> str:
    body = message.get_body(preferencelist=("plain", "html")) if isinstance(message, EmailMessage) else None
    if body is None:
        return ""
    if body.get_content_subtype() == "html":
        return of_html(_raw(body)).text
    try:
        return str(body.get_content()).replace("\r\n", "\n").strip("\n")
    except LookupError:  # an encoding that nobody knows
        return _raw(body).decode("utf-8", "replace").strip("\n")


def _raw(body: MIMEPart) -> bytes:
    payload = body.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""
