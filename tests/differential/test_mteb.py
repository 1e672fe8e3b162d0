"""An encoder in MTEB's own hands: MTEB's protocol, MTEB's evaluation, tiny tasks made here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from twofold.encoders.hashed_words import HashedWords
from twofold.errors import InputError, MissingExtraError
from twofold.evaluation.evaluating import evaluate
from twofold.evaluation.sentences import evaluate_sentences
from twofold.integrations.mteb import for_mteb
from twofold.reports import EncodingReport
from twofold.scores import Vectors

PAIRS = [
    ("a cat sat on the mat", "a cat sat on the mat", 5.0),
    ("a cat sat on the mat", "a cat lay on the mat", 4.0),
    ("the tide rose at noon", "a cat lay on the mat", 1.0),
    ("the tide rose at noon", "the tide fell at noon", 3.0),
    ("rates rose again", "rates rose again today", 4.5),
]
CORPUS = {
    "d1": ("Cats", "a cat sat on the mat"),
    "d2": ("", "the tide rose at noon"),
    "d3": ("Banks", "rates rose again today"),
    "d4": ("Dogs", "a dog lay on a sofa"),
}
QUERIES = {"q1": "where did the cat sit", "q2": "rates rose", "q3": "sofa or mat"}
QRELS = {"q1": {"d1": 1}, "q2": {"d3": 1}, "q3": {"d4": 1, "d1": 1}}
DESCRIBED: dict[str, Any] = {
    "description": "A task of a few sentences, for a test.",
    "reference": "https://example.org",
    "dataset": {"path": "none", "revision": "none"},
    "category": "t2t",
    "eval_splits": ["test"],
    "eval_langs": ["eng-Latn"],
    "date": ("2024-01-01", "2024-01-02"),
    "dialect": [],
    "domains": ["Written"],
    "task_subtypes": [],
    "license": "cc-by-4.0",
    "annotations_creators": "derived",
    "modalities": ["text"],
    "sample_creation": "created",
    "bibtex_citation": "",
}


class RecordingEncoder(HashedWords):
    """Tells its sides apart, and remembers what each was asked."""

    def __init__(self) -> None:
        super().__init__(256)
        self.asked: dict[str, list[str]] = {"query": [], "document": []}

    def encode_queries(self, texts: Any, *, report: EncodingReport | None = None) -> Vectors:
        self.asked["query"] += texts
        return super().encode_queries(texts, report=report)

    def encode_documents(self, texts: Any, *, report: EncodingReport | None = None) -> Vectors:
        self.asked["document"] += texts
        return super().encode_documents(texts, report=report)


@pytest.fixture
def mteb(tmp_path: Path) -> Iterator[Any]:
    """MTEB; its own warnings are none of ours."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MTEB_CACHE", str(tmp_path / "mteb"))
        patch.setenv("HF_DATASETS_CACHE", str(tmp_path / "datasets"))
        yield pytest.importorskip("mteb", reason="mteb is not installed: pip install 'twofold[mteb]'")


def result(mteb: Any, encoder: Any, task: Any) -> dict[str, Any]:
    """The scores that MTEB's own evaluation gives the encoder on one task."""
    found = mteb.evaluate(encoder, task, cache=None, co2_tracker=False, show_progress_bar=False)
    scores: dict[str, Any] = found.task_results[0].scores["test"][0]
    return scores


def sts_task() -> Any:
    from datasets import Dataset, DatasetDict
    from mteb.abstasks.sts import AbsTaskSTS
    from mteb.abstasks.task_metadata import TaskMetadata

    class Few(AbsTaskSTS):  # type: ignore[misc]  # MTEB is not typed for us
        metadata = TaskMetadata(type="STS", name="FewSentences", main_score="cosine_spearman", **DESCRIBED)
        min_score, max_score = 0, 5

        def load_data(self, num_proc: int | None = None, **asked: Any) -> None:
            first, second, scores = zip(*PAIRS, strict=True)
            columns = {"sentence1": list(first), "sentence2": list(second), "score": list(scores)}
            self.dataset = DatasetDict({"test": Dataset.from_dict(columns)})
            self.data_loaded = True

    return Few()


def retrieval_task() -> Any:
    from datasets import Dataset
    from mteb.abstasks.retrieval import AbsTaskRetrieval
    from mteb.abstasks.task_metadata import TaskMetadata

    class Few(AbsTaskRetrieval):  # type: ignore[misc]  # MTEB is not typed for us
        metadata = TaskMetadata(type="Retrieval", name="FewDocuments", main_score="ndcg_at_10", **DESCRIBED)

        def load_data(self, num_proc: int | None = None, **asked: Any) -> None:
            titles, texts = zip(*CORPUS.values(), strict=True)
            split = {
                "corpus": Dataset.from_dict({"id": list(CORPUS), "title": list(titles), "text": list(texts)}),
                "queries": Dataset.from_dict({"id": list(QUERIES), "text": list(QUERIES.values())}),
                "relevant_docs": QRELS,
                "top_ranked": None,
            }
            self.dataset = {"default": {"test": split}}
            self.data_loaded = True

    return Few()


pytestmark = pytest.mark.filterwarnings("ignore")


def test_it_is_what_mteb_calls_an_encoder(mteb: Any) -> None:
    from mteb.models import EncoderProtocol

    encoder = for_mteb(HashedWords(256))
    assert isinstance(encoder, EncoderProtocol)
    assert encoder.mteb_model_meta.name == "twofold/hashed-words"
    assert encoder.mteb_model_meta.embed_dim == 256
    assert encoder.mteb_model_meta.revision


def test_mteb_finds_the_correlation_that_we_find(mteb: Any) -> None:
    encoder = RecordingEncoder()
    scores = result(mteb, for_mteb(encoder), sts_task())
    ours = evaluate_sentences(HashedWords(256), PAIRS)
    assert scores["cosine_spearman"] == pytest.approx(ours.spearman.value / 100, abs=1e-6)
    assert scores["cosine_pearson"] == pytest.approx(ours.pearson.value / 100, abs=1e-6)
    assert scores["spearman"] == pytest.approx(scores["cosine_spearman"], abs=1e-6)
    assert encoder.asked["document"] == []


def test_mteb_finds_the_ranking_quality_that_we_find(mteb: Any) -> None:
    from twofold.collection.opening import create

    encoder = RecordingEncoder()
    scores = result(mteb, for_mteb(encoder), retrieval_task())
    assert sorted(encoder.asked["query"]) == sorted(QUERIES.values())
    # MTEB joins title and text as a collection does.
    joined = [f"{title} {text}" if title else text for title, text in CORPUS.values()]
    assert sorted(map(str.strip, encoder.asked["document"])) == sorted(joined)
    with create(None, HashedWords(256), passages="none") as collection:
        collection.add([{"id": key, "title": title, "text": text} for key, (title, text) in CORPUS.items()])
        ours = evaluate(collection, QUERIES, QRELS, measures=["nDCG@10"])["nDCG@10"]
    assert scores["ndcg_at_10"] == pytest.approx(ours.mean, abs=1e-5)


def test_vectors_and_scores_are_the_encoders_own(mteb: Any) -> None:
    encoder = for_mteb(HashedWords(64), name="ours/hashed")
    batches = [{"text": ["a cat", "a dog"]}, {"text": ["the tide"]}]
    vectors = encoder.encode(iter(batches), prompt_type="document", task_metadata=None, hf_split="test")
    assert np.array_equal(vectors, HashedWords(64).encode_documents(["a cat", "a dog", "the tide"]))
    assert encoder.encode([]).shape == (0, 64)
    scores = encoder.similarity(3 * vectors, vectors).numpy()  # a cosine, as the contract says
    assert scores == pytest.approx(vectors @ vectors.T, abs=1e-6)
    assert encoder.similarity_pairwise(3 * vectors, vectors).numpy() == pytest.approx(np.diag(scores), abs=1e-6)
    assert stats.spearmanr(scores[0], (vectors @ vectors.T)[0])[0] == pytest.approx(1)


def test_what_mteb_could_not_use_is_refused(mteb: Any) -> None:
    with pytest.raises(InputError, match="organisation/model, not 'nameless'"):
        for_mteb(HashedWords(8), name="nameless")
    with pytest.raises(InputError, match="this one holds image"):
        for_mteb(HashedWords(8)).encode([{"image": [None]}])


def test_without_mteb_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mteb.models.model_meta", None)
    with pytest.raises(MissingExtraError, match=r'pip install "twofold\[mteb\]"'):
        for_mteb(HashedWords(8))
