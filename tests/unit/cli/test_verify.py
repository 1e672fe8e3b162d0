"""What `verify` says in words: everything that was read, every damage, the documents that it hits."""

from __future__ import annotations

from dataclasses import replace

from twofold.cli.verify import NAMED, damage_as_text, verified_as_text
from twofold.reports import Damage, VerifyReport


def test_a_damaged_index_is_no_loss_and_the_last_line_says_so() -> None:
    report = VerifyReport(documents=1, rows=1, bytes=10**6, damage=[Damage("indexes/000001", "changed", derived=True)])
    assert verified_as_text(report, 1.0, "c") == [
        "indexes/000001: changed (an index: nothing is lost)",
        "c is intact except for indexes: 1 document (deleted ones too) and 1 vector read, 1.0 MB in 1.0 s",
        "An index can be rebuilt, and searches work without it; --repair rebuilds it",
    ]
    report.damage[:] = [replace(report.damage[0], repaired=True)]
    assert verified_as_text(report, 1.0, "c")[0] == "indexes/000001: changed (an index: rebuilt)"
    assert verified_as_text(report, 1.0, "c")[1].startswith("c is as it was written")


def test_a_clean_collection_is_one_line_with_what_was_read() -> None:
    report = VerifyReport(documents=1, rows=1_200, bytes=3_400_000)
    assert verified_as_text(report, 2.0, "c") == [
        "c is as it was written: 1 document (deleted ones too) and 1,200 vectors read, 3.4 MB in 2.0 s"
    ]


def test_every_damage_is_a_line_and_a_document_hit_twice_counts_once() -> None:
    report = VerifyReport(damage=[Damage("vectors", "rows changed", ("a", "b")), Damage("catalogue", "lost", ("a",))])
    lines = verified_as_text(report, 1.0, "c")
    assert lines[:2] == ["vectors: rows changed (documents a, b)", "catalogue: lost (documents a)"]
    assert lines[2].startswith("c is damaged in 2 places, 2 documents hit: ")
    assert "Restore a backup" in lines[3]


def test_a_line_names_so_many_documents_and_counts_the_others() -> None:
    ids = tuple(f"d{number}" for number in range(NAMED + 1_000))
    line = damage_as_text(Damage("vectors", "changed", ids))
    assert f"d{NAMED - 1} and 1,000 more (--json names all)" in line
    assert f"d{NAMED}," not in line
    assert "more" not in damage_as_text(Damage("vectors", "changed", ids[:NAMED]))


def test_an_id_that_would_move_the_cursor_is_escaped() -> None:
    assert damage_as_text(Damage("vectors", "x", ("a\x1b[2Jb",))) == "vectors: x (documents a\\x1b[2Jb)"
