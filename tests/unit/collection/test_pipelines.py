"""A stored pipeline: chosen by judged questions, followed by searches, overruled by what a search names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from random_cross_encoders import classifier

import twofold
from twofold.collection.collection import Collection
from twofold.encoders.hashed_words import HashedWords
from twofold.engine import LEXICAL
from twofold.errors import InputError, ModelError, QueryError
from twofold.rankers.cross_encoder import load_cross_encoder
from twofold.searching.pipeline import Pipeline
from twofold.tuning.pipelines import Choice

PAIRS = {
    "how do I mend a punctured tyre": "Patching the inner tube of a bicycle wheel takes rubber solution.",
    "medicine against pain in the head": "Aspirin and ibuprofen relieve migraine.",
    "what do cows eat": "Cattle graze on grass and hay.",
    "who governs a town": "The mayor and the council run a municipality.",
    "fast train in Japan": "The Shinkansen travels at 300 kilometres an hour.",
    "beverage made of grapes": "Wine is fermented fruit juice from the vineyard.",
    "frozen water falling from the sky": "Snow and hail come down in winter storms.",
    "money for retired people": "A pension is paid to the elderly each month.",
    "the biggest planet": "Jupiter has more mass than all other worlds of the solar system.",
    "young dog": "Puppies are born blind and stay with the bitch.",
    "tool for looking at stars": "Through a telescope astronomers observe galaxies.",
    "how to wake up early": "An alarm clock rings at dawn.",
}
MODEL, PART = "all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"
QUERIES = {f"q{number}": question for number, question in enumerate(PAIRS)}
QRELS = {f"q{number}": {f"a{number}": 1} for number in range(len(PAIRS))}
ASKED = "what do cows eat"


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collection]:
    """A collection whose dense scores are words too, so that a model of meaning finds what neither side does."""
    with twofold.create(tmp_path_factory.mktemp("pipelines") / "c", HashedWords(32)) as made:
        made.add([{"id": f"a{number}", "text": text} for number, text in enumerate(PAIRS.values())])
        made.add([{"id": f"w{n}", "text": " ".join(q.split()[:2]) + " nothing"} for n, q in enumerate(PAIRS)])
        made.tune(queries=QUERIES, qrels=QRELS, rankers=MODEL, budget=60_000)
        yield made


def stored(collection: Collection) -> Choice | None:
    lexical = collection.info().lexical
    assert lexical is not None
    return lexical.pipeline


def put(collection: Collection, pipeline: Pipeline) -> None:
    """Stores a pipeline without measuring anything."""
    report = collection.info().lexical
    assert report is not None
    choice = Choice(pipeline=pipeline, budget=1, questions=10, base="hybrid", confidence=0.95, ways=())
    with collection.writing() as writer, collection.searcher() as searcher:
        state = replace(report, pipeline=choice).state(searcher.snapshot, searcher.snapshot.space)
        writer.put_state(LEXICAL, state)


def test_a_stage_that_helps_is_stored_and_followed(tuned: Collection) -> None:
    choice = stored(tuned)
    assert choice is not None
    assert choice.pipeline.ranker == MODEL
    assert choice.questions == len(PAIRS)
    hits = tuned.search(ASKED)
    assert PART in hits[0].parts
    assert hits[0].id == "a2"
    assert tuned.search_many([ASKED, "young dog"])[0] == hits
    assert list(tuned.run({"q": ASKED})["q"])[:10] == [hit.id for hit in hits]
    with twofold.open(tuned.path) as again:
        assert again.search(ASKED) == hits
    assert str(choice.pipeline) in tuned.info().facts()["pipeline"]


def test_scores_are_the_same_whatever_page_and_depth(tuned: Collection) -> None:
    whole = {hit.id: hit.score for hit in tuned.search(ASKED, k=24)}
    assert len(whole) == 24, "a page that is longer than the stored depth reads more"
    for k, offset, depth in ((3, 0, None), (5, 4, None), (2, 1, 20)):
        page = tuned.search(ASKED, k=k, offset=offset, rerank_depth=depth)
        assert {hit.id: hit.score for hit in page}.items() <= whole.items()


def test_what_a_search_names_overrules_it(tuned: Collection) -> None:
    for options in ({"mode": "hybrid"}, {"ranker": False}):
        hits = tuned.search(ASKED, **options)
        assert PART not in hits[0].parts
        assert "lexical evidence" in hits[0].parts
    assert "lexical" not in tuned.search(ASKED, mode="dense")[0].parts
    assert tuned.search(ASKED, rerank_weight=0.5)[0].parts["rerank weight"] == 0.5
    vector = np.ones(32, np.float32)
    assert set(tuned.search(vector)[0].parts) == {"dense"}
    assert tuned.like("a2")


def test_stored_token_vectors_are_a_stage_too(tmp_path: Path) -> None:
    with twofold.create(tmp_path / "c", HashedWords(32)) as made:
        made.add([{"id": f"a{number}", "text": text} for number, text in enumerate(PAIRS.values())])
        with pytest.raises(QueryError, match="keeps no token vectors"):
            made.tune(queries=QUERIES, qrels=QRELS, rankers="token-vectors", budget=60_000)
        made.add_token_vectors(MODEL)
        report = made.tune(queries=QUERIES, qrels=QRELS, rankers="token-vectors", budget=60_000)
        assert report.pipeline is not None
        assert report.pipeline.pipeline.ranker == "token-vectors"
        assert "token-vectors" in made.search(ASKED)[0].parts


def test_a_stored_mode_is_the_default_of_texts(tmp_path: Path) -> None:
    with twofold.create(tmp_path / "c", HashedWords(32)) as made:
        made.add([("a", "cattle graze"), ("b", "cows eat")])
        made.tune()
        put(made, Pipeline(mode="lexical"))
        assert set(made.search("cows")[0].parts) == {"lexical"}
        assert "dense" in made.search("cows", mode="hybrid")[0].parts
        made.tune()
        assert stored(made) is None
        assert "dense" in made.search("cows")[0].parts


def test_a_ranker_that_is_gone_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with twofold.create(tmp_path / "c", HashedWords(32)) as made:
        made.add([("a", "cattle graze"), ("b", "cows eat")])
        made.tune()
        put(made, Pipeline(mode="hybrid", ranker=str(tmp_path / "gone"), depth=10))
        with pytest.raises(ModelError, match=r"(?s)`tune` chose the ranker .*gone.*--no-rerank"):
            made.search("cows")
        assert made.search("cows", ranker=False)
        assert made.search("cows", mode="dense")


def test_a_cross_encoder_is_calibrated_to_the_judgements(tmp_path: Path) -> None:
    folder = classifier("bert", tmp_path / "small-bert")
    with twofold.create(tmp_path / "c", HashedWords(32)) as made:
        made.add([{"id": f"a{number}", "text": text} for number, text in enumerate(PAIRS.values())])
        report = made.tune(queries=QUERIES, qrels=QRELS, rankers=folder)
        calibration = report.calibrations["small-bert"]
        assert report.pipeline is None
        hit = made.search(ASKED, ranker=folder)[0]
        said = float(load_cross_encoder(folder).probabilities(np.array([hit.score], np.float32))[0])
        assert hit.relevance == pytest.approx(calibration.probability(np.log(said / (1 - said))))
        assert hit.relevance is not None
        assert hit.relevance < said, "one of twelve is right, and a random model says about a half"
        with twofold.open(made.path) as again:
            assert again.search(ASKED, ranker=folder)[0].relevance == hit.relevance


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"budget": 50}, "measured on judged questions"),
        ({"rankers": MODEL}, "measured on judged questions"),
        ({"queries": QUERIES, "qrels": QRELS, "budget": 0}, "more than 0"),
        ({"queries": QUERIES, "qrels": QRELS, "budget": "50ms"}, "milliseconds"),
        ({"queries": QUERIES, "qrels": QRELS, "rankers": [3], "budget": 50}, "by its name"),
        ({"queries": QUERIES, "qrels": QRELS, "rankers": MODEL}, "give a budget"),
        ({"queries": QUERIES, "qrels": QRELS, "budget": 1e-6}, "give a larger budget"),
    ],
)
def test_what_cannot_be_measured_is_refused_and_nothing_changes(
    tuned: Collection, options: dict[str, object], said: str
) -> None:
    before = tuned.info().lexical
    with pytest.raises(InputError, match=said):
        tuned.tune(**options)  # type: ignore[arg-type]  # wrong on purpose
    assert tuned.info().lexical == before
