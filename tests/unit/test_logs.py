"""What is logged under `twofold`: what changed a collection, what was left out, and never a text."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from twofold.collection.collection import Collection
from twofold.collection.opening import create, open_collection
from twofold.encoders.hashed_words import HashedWords
from twofold.engines.local.derived.lexical.known import AREA

SECRET = "unspeakable"
DOCUMENTS = [(str(number), f"{SECRET} number {number}") for number in range(40)]


class Seen(logging.Handler):
    """Sets an event when somebody waits."""

    def __init__(self, event: threading.Event) -> None:
        super().__init__()
        self._event = event

    def emit(self, record: logging.LogRecord) -> None:
        if "waiting" in record.getMessage():
            self._event.set()


@pytest.fixture
def collection(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Collection:
    caplog.set_level(logging.DEBUG, "twofold")
    return create(tmp_path / "some.twofold", HashedWords(16))


def said(caplog: pytest.LogCaptureFixture, level: int) -> str:
    return "\n".join(record.getMessage() for record in caplog.records if record.levelno == level)


def test_what_changes_a_collection_is_logged_and_no_text_of_it(
    collection: Collection, caplog: pytest.LogCaptureFixture
) -> None:
    with collection:
        collection.add(DOCUMENTS)
        collection.delete(["3"])
        collection.tune(analyser="plain")
        collection.optimize(index="scan")
        collection.migrate(HashedWords(32), switch=True)
        collection.search(SECRET)
    informed, detailed = said(caplog, logging.INFO), said(caplog, logging.DEBUG)
    assert f"created {collection.path}" in [record.getMessage() for record in caplog.get_records("setup")]
    assert f"{collection.path}: 40 documents added, 0 replaced, 0 unchanged" in informed
    assert "built for 39 documents, analyser plain" in informed
    assert "built scan over 39 passages" in informed
    assert "published scan in 1 pieces, recall 1.0" in informed
    assert "encoded 39 documents into the space space-2" in informed
    assert "the space space-2 is searched now" in informed
    assert "commit 1 added 40 documents" in detailed
    assert "deleted 1 documents" in detailed
    assert SECRET not in caplog.text
    assert {record.name.split(".")[0] for record in caplog.records} == {"twofold"}


def test_truncated_documents_are_a_warning_once_a_call(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with create(tmp_path / "some.twofold", HashedWords(16, max_words=4), passages="none") as collection:
        collection.add([(str(number), "more words than there are tokens for them") for number in range(600)])
    assert said(caplog, logging.WARNING).count("600 documents truncated, ") == 1


def test_waiting_for_another_writer_is_logged_with_who_it_is(
    collection: Collection, caplog: pytest.LogCaptureFixture
) -> None:
    with collection, open_collection(collection.path) as other:
        entered, leave = threading.Event(), threading.Event()

        def write() -> None:
            with other.writing():
                entered.set()
                leave.wait(60)

        thread = threading.Thread(target=write)
        thread.start()
        entered.wait(60)
        seen = Seen(leave)
        logging.getLogger("twofold").addHandler(seen)
        collection.add(DOCUMENTS[:1])
        logging.getLogger("twofold").removeHandler(seen)
        thread.join()
    assert said(caplog, logging.INFO).count(f"{collection.path}: waiting for another thread of this process") == 1


def test_a_damaged_lexical_index_that_is_rebuilt_is_a_warning(
    collection: Collection, caplog: pytest.LogCaptureFixture
) -> None:
    with collection:
        collection.add(DOCUMENTS)
        collection.tune(analyser="plain")
        for file in (collection.path / AREA).rglob("*"):
            if file.is_file():
                file.write_bytes(b"damaged")
        collection.tune()
    assert "rebuilt, since it is damaged: " in said(caplog, logging.WARNING)


def test_a_program_that_sets_up_no_logging_sees_nothing(tmp_path: Path) -> None:
    script = (
        "import twofold\n"
        f"with twofold.create({str(tmp_path / 'a.twofold')!r}, twofold.HashedWords(16, max_words=2), passages='none')"
        " as collection:\n"
        "    report = collection.add([('1', 'more words than two of them')])\n"
        "    assert report.truncated\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
