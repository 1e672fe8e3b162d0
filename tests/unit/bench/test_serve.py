"""The bench of the server: what counts as an error, what is asked, and a row for every server; no time is asserted."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytest.importorskip("fastapi", reason='the server is an extra: pip install "twofold[serve]"')

from served import served

import twofold
from twofold.bench.serve import Given, Loads, bench_serve
from twofold.bench.serve_contenders import (
    BY_VECTOR,
    DENSE,
    EMBEDDING,
    HYBRID,
    OURS,
    TUTORIAL,
    UNBATCHED,
    Contender,
    Prepared,
    ours,
    prepared,
)
from twofold.bench.serve_load import Address, Answers, Load, asked, due, put
from twofold.bench.serve_questions import Questions, questions_for
from twofold.bench.serve_servers import Running, tutorial_server
from twofold.bench.serve_sustained import sustained
from twofold.bench.serve_tutorial import texts_of
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError, ServiceError
from twofold.serving.settings import Limits

COUNT = 60
QUESTIONS = [f"word{number} other{number % 7}" for number in range(COUNT)]


class Answering(BaseHTTPRequestHandler):
    """Answers with the status that the path names; /0 ends the connection without an answer."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        status = int(self.path[1:])
        if not status:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def answering() -> Iterator[Address]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Address("127.0.0.1", server.server_address[1])
        server.shutdown()
        thread.join(60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("serve") / "words.twofold"
    with twofold.create(path, HashedWords(16)) as words:
        words.add((f"d{number}", f"{question} again") for number, question in enumerate(QUESTIONS))
        words.tune()
    return path


@pytest.fixture
def data(folder: Path, tmp_path: Path) -> Prepared:
    with twofold.open(folder) as words:
        return prepared(words, tmp_path, QUESTIONS, 5)


def requests(address: Address, *statuses: int) -> list[bytes]:
    return [address.request("GET", f"/{status}") for status in statuses]


@pytest.mark.parametrize("clients", [1, 4])
def test_every_status_but_200_is_an_error_and_answers_alone_are_timed(answering: Address, clients: int) -> None:
    statuses = [200, 429, 200, 500, 200, 429, 200]
    answers = put(Load(answering, requests(answering, *statuses), clients, 60))
    assert answers.statuses == {200: 4, 429: 2, 500: 1}
    assert (answers.errors, len(answers.taken)) == (3, 4)
    assert (answers.taken > 0).all()
    assert answers.taken.max() <= answers.lasted


def test_a_connection_that_ends_without_an_answer_is_an_error_and_the_next_request_opens_another(
    answering: Address,
) -> None:
    answers = put(Load(answering, requests(answering, 200, 0, 200), 1, 60))
    assert answers.statuses == {200: 2, 0: 1}


def test_nobody_listening_is_an_error_for_every_request() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        nobody = Address("127.0.0.1", server.server_address[1])
    assert put(Load(nobody, requests(nobody, 200, 200), 2, 60)).statuses == {0: 2}
    with pytest.raises(ServiceError, match="answers nothing"):
        asked(nobody, "GET", "/200")


def test_no_request_is_begun_after_the_time(answering: Address) -> None:
    answers = put(Load(answering, requests(answering, *[200] * 50_000), 2, 0.2))
    assert 0 < len(answers.taken) < 50_000


def test_with_a_rate_requests_are_due_at_equal_intervals_and_begin_again_after_the_last(answering: Address) -> None:
    load = Load(answering, [b"a", b"b", b"c"], 9, 0.5, rate=10)
    assert list(due(load)) == [(0.0, b"a"), (0.1, b"b"), (0.2, b"c"), (0.3, b"a"), (0.4, b"b")]


def test_no_question_comes_twice_until_there_are_no_more() -> None:
    questions = Questions(["red tea", "green tea", "blue milk"])
    taken = questions.take(7)
    assert taken[:3] == ["red tea", "green tea", "blue milk"]
    assert len(set(taken)) == len(taken) - questions.repeated
    assert set(taken[3:]) >= {"red tea milk", "blue milk tea"}
    assert len(questions.take(100)) == 100
    assert questions.repeated >= 90


def test_questions_without_a_file_are_words_of_the_documents(folder: Path, tmp_path: Path) -> None:
    with twofold.open(folder) as words:
        assert questions_for(words, None)[0] == "other0 again"
        file = tmp_path / "q.tsv"
        file.write_text("a\tone\nb\ttwo\nc\tone\n")
        assert questions_for(words, file) == ["one", "two"]
    with twofold.create(None, HashedWords(8)) as empty, pytest.raises(InputError, match="--queries"):
        questions_for(empty, None)


def test_a_row_for_every_server_and_number_of_clients_without_an_error(folder: Path, tmp_path: Path) -> None:
    report = bench_serve(Given(data=folder, to=tmp_path / "kept"), Loads(clients=(1, 2), seconds=0.2, rounds=1))
    *tables, memory = report.tables
    assert [table.title.lower() for table in tables] == [HYBRID, DENSE, BY_VECTOR, EMBEDDING]
    for table in tables:
        mine = [row for row in table.rows if str(row[0]).startswith("twofold")]
        assert [row[:2] for row in mine] == [(name, clients) for clients in (1, 2) for name in (OURS, UNBATCHED)]
        assert [row[6] for row in mine] == [0] * len(mine)
        assert any(note.startswith(f"left out: {TUTORIAL} (") and "hashed-words" in note for note in table.notes)
        assert f"{COUNT} documents, {COUNT} vectors of 16 numbers, exact" in table.notes[1]
    assert {row[0] for row in memory.rows} >= {OURS, UNBATCHED}
    with twofold.open(folder) as words:  # what it kept serves again
        assert prepared(words, tmp_path / "kept", QUESTIONS, 1).export == tmp_path / "kept" / "export"


def test_a_folder_with_the_export_of_another_collection_is_refused(data: Prepared, tmp_path: Path) -> None:
    with twofold.create(None, HashedWords(16)) as other:
        other.add([("a", "another")])
        with pytest.raises(InputError, match="another collection"):
            prepared(other, tmp_path, QUESTIONS, 1)


def test_a_server_that_does_not_start_says_why(data: Prepared, tmp_path: Path) -> None:
    lacking = Prepared(tmp_path / "no.twofold", data.export, data.peers, data.encoder, data.modes, QUESTIONS, [])
    with ExitStack() as stack, pytest.raises(ServiceError, match="did not start: twofold: error: "):
        ours(stack, lacking, OURS)


def test_beyond_what_is_sustained_every_status_is_counted(folder: Path) -> None:
    with served(folder, limits=Limits(waiting=1)) as url:
        address = Address("127.0.0.1", urlsplit(url).port or 0)
        path = "/v1/collections/words/search"
        ways = {HYBRID: lambda text: ("POST", path, {"query": text, "k": 3, "mode": "hybrid"})}
        server = Contender(Running(OURS, address, os.getpid()), ways, Questions(QUESTIONS), [])
        server.check()
        loads: list[Load] = []
        answered: list[Answers] = []

        def putting(load: Load) -> Answers:
            loads.append(load)
            answered.append(put(load))
            return answered[-1]

        table = sustained(server, putting, 0.2, 0.3, "few")
    before, over, after = table.rows
    assert [load.rate is None for load in loads] == [True, True, False, True]
    assert loads[2].rate == pytest.approx(2 * answered[1].rate)
    counted = [(each.statuses.get(200, 0), each.statuses.get(429, 0), 0) for each in answered[1:]]
    assert [row[5:8] for row in (before, over, after)] == counted
    assert all(row[8] is not None for row in table.rows)


@pytest.mark.long
def test_the_tutorials_server_answers_over_what_a_collection_exported(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers")
    with twofold.create(tmp_path / "c.twofold") as tea:
        tea.add([("tea", "Green tea is steeped at eighty degrees."), ("milk", "Milk of cows is white.")])
        data = prepared(tea, tmp_path, ["colour of milk"], 1)
    with tutorial_server(data.export, data.encoder, TUTORIAL) as running:
        found = asked(running.address, "GET", "/search?query=colour%20of%20milk&k=1")["results"]
        assert [(each["id"], each["text"]) for each in found] == [("milk", "Milk of cows is white.")]
        assert len(asked(running.address, "GET", "/embed?text=milk")["embedding"]) == 384


def test_texts_of_an_export_are_those_of_its_vectors(tmp_path: Path) -> None:
    text = "Green tea is steeped at eighty degrees, and never longer. " * 4
    with twofold.create(None, HashedWords(16), passages={"tokens": 16, "overlap": 0}) as tea:
        tea.add([("tea", text), ("none", ""), ("milk", "Milk.")])
        tea.export(tmp_path / "export")
    texts = texts_of(tmp_path / "export")
    assert [each["id"] for each in texts] == ["tea"] * (len(texts) - 1) + ["milk"]
    assert "".join(each["text"] for each in texts[:-1]).split() == text.split()
