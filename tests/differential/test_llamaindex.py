"""A collection as LlamaIndex's vector store: its contract, its own indexes, its filters against its store's."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from twofold.collection.opening import create, open_collection
from twofold.encoders.given_vectors import GivenVectors
from twofold.encoders.hashed_words import HashedWords
from twofold.errors import FilterError, InputError, MissingExtraError, NotACollectionError, QueryError

if importlib.util.find_spec("llama_index") is None:
    pytest.skip("llama-index-core is not installed; `make test-frameworks` runs these tests", allow_module_level=True)

from llama_index.core import Document, MockEmbedding, StorageContext, VectorStoreIndex
from llama_index.core.schema import BaseNode, IndexNode, NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)
from llama_index.core.vector_stores.utils import build_metadata_filter_fn

from twofold.integrations.llamaindex import TwofoldEmbedding, TwofoldRetriever, TwofoldVectorStore

TEXTS = {"a": "the valve opens", "b": "the filter is changed", "c": "the pump is oiled", "d": "a gear wears"}


def _node(id_: str, text: str, source: str | None = None, **metadata: Any) -> TextNode:
    related = {} if source is None else {NodeRelationship.SOURCE: RelatedNodeInfo(node_id=source)}
    return TextNode(id_=id_, text=text, metadata=metadata, relationships=related)


def _ids(nodes: Any) -> list[str]:
    return [node.node_id for node in nodes]


@pytest.fixture
def store() -> Iterator[TwofoldVectorStore]:
    with create(None, HashedWords(64)) as collection:
        made = TwofoldVectorStore(collection)
        nodes = [_node(id_, text, f"doc {n // 2}", year=n) for n, (id_, text) in enumerate(TEXTS.items())]
        assert made.add(nodes) == list(TEXTS)
        collection.tune()
        yield made


@pytest.fixture
def own_vectors() -> Iterator[TwofoldVectorStore]:
    with create(None, GivenVectors(64)) as collection:
        yield TwofoldVectorStore(collection)


def test_a_node_comes_back_as_it_was(store: TwofoldVectorStore) -> None:
    metadata = {"title": "T", "id": 7, "doc_id": "kept", "none": None, "author": {"name": "Ada"}, "tags": ["x"]}
    node = _node("n", "text", "source", **metadata)
    node.excluded_embed_metadata_keys = ["tags"]
    index_node = IndexNode(id_="i", text="an index", index_id="other")
    assert store.add([node, index_node]) == ["n", "i"]
    assert store.get_nodes(["n", "gone", "i"]) == [node, index_node]
    assert store.collection["n"].title == "T"
    assert store.get_nodes(["n"])[0].ref_doc_id == "source"
    store.add([_node("n", "another text")])
    assert [each.get_content() for each in store.get_nodes(["n"])] == ["another text"]


def test_what_was_changed_or_added_in_another_way_is_seen(store: TwofoldVectorStore) -> None:
    store.collection.update({"id": "a", "year": 1990, "title": "Valves"})
    store.collection.add({"id": "x", "text": "of another kind", "title": "X", "year": 5})
    assert store.get_nodes(["a"])[0].metadata == {"year": 1990, "title": "Valves"}
    assert store.get_nodes(["x"]) == [TextNode(id_="x", text="of another kind", metadata={"title": "X", "year": 5})]


def test_nodes_are_deleted_by_document_by_id_by_filter_and_altogether(store: TwofoldVectorStore) -> None:
    store.delete("doc 0")
    store.delete("gone")
    assert _ids(store.get_nodes()) == ["c", "d"]
    later = MetadataFilters(filters=[MetadataFilter(key="year", value=2, operator=FilterOperator.GT)])
    store.delete_nodes(["c"], later)
    assert _ids(store.get_nodes()) == ["c", "d"]
    store.delete_nodes(filters=later)
    assert _ids(store.get_nodes()) == ["c"]
    store.delete_nodes([])
    with pytest.raises(InputError, match=r"clear\(\) deletes every node"):
        store.delete_nodes()
    store.delete_nodes(["c"])
    store.add([_node("e", "x")])
    store.clear()
    assert store.get_nodes() == []


def test_what_is_awaited_is_the_same(store: TwofoldVectorStore) -> None:
    async def everything() -> list[Any]:
        query = VectorStoreQuery(query_str="the filter", similarity_top_k=1)
        found: list[Any] = [await store.async_add([_node("e", "new", "doc 9")]), (await store.aquery(query)).ids]
        await store.adelete("doc 9")
        found.append(_ids(await store.aget_nodes()))
        await store.adelete_nodes(["a"])
        found.append(_ids(await store.aget_nodes(["a", "b"])))
        found.append(_ids(each.node for each in await TwofoldRetriever(store.collection, k=1).aretrieve("the filter")))
        await store.aclear()
        return [*found, store.get_nodes()]

    assert asyncio.run(everything()) == [["e"], ["b"], list("abcd"), ["b"], ["b"], []]


def test_modes_are_those_of_the_collection(store: TwofoldVectorStore) -> None:
    for asked, mode in [("default", "dense"), ("text_search", "lexical"), ("sparse", "lexical"), ("hybrid", "hybrid")]:
        hits = store.collection.search("the filter", k=3, mode=mode)  # type: ignore[arg-type]
        query = VectorStoreQuery(query_str="the filter", similarity_top_k=3, mode=VectorStoreQueryMode(asked))
        found = store.query(query)
        assert found.ids == [hit.id for hit in hits]
        assert found.similarities == [float(hit.score) for hit in hits]
        assert _ids(found.nodes) == found.ids
    assert store.query(VectorStoreQuery(query_str="the", mode=VectorStoreQueryMode.HYBRID, hybrid_top_k=3)).ids
    assert store.query(VectorStoreQuery(query_str="pump", similarity_top_k=9), min_score=0.5).ids == ["c"]


def test_a_query_is_restricted_to_documents_nodes_and_filters(store: TwofoldVectorStore) -> None:
    def found(**restricted: Any) -> set[str]:
        return set(store.query(VectorStoreQuery(query_str="the", similarity_top_k=9, **restricted)).ids or [])

    late = MetadataFilters(filters=[MetadataFilter(key="year", value=0, operator=FilterOperator.NE)])
    assert found(doc_ids=["doc 0"]) == {"a", "b"}
    assert found(node_ids=["a", "d"]) == {"a", "d"}
    assert found(node_ids=[]) == set(TEXTS)  # what an index passes where it keeps no nodes itself
    assert found(doc_ids=["doc 0"], node_ids=["a", "b"], filters=late) == {"b"}


def test_what_cannot_be_followed_is_refused(store: TwofoldVectorStore, own_vectors: TwofoldVectorStore) -> None:
    for asked, said in [
        ({"mode": VectorStoreQueryMode.MMR}, "mode 'mmr' is not known"),
        ({"alpha": 0.5}, "cannot follow alpha"),
        ({"mmr_threshold": 0.5}, "cannot follow mmr_threshold"),
    ]:
        with pytest.raises(QueryError, match=said):
            store.query(VectorStoreQuery(query_str="x", **asked))
    with pytest.raises(QueryError, match="needs its vector"):
        own_vectors.query(VectorStoreQuery(query_str="x"))
    with pytest.raises(QueryError, match="needs its text"):
        own_vectors.query(VectorStoreQuery(query_embedding=[0.5] * 64, mode=VectorStoreQueryMode.TEXT_SEARCH))
    with pytest.raises(InputError, match="'n' has no embedding"):
        own_vectors.add([_node("n", "x")])
    for refused in (lambda: store.add([], batch=7), lambda: store.delete("x", batch=7)):
        with pytest.raises(InputError, match="knows no 'batch'"):
            refused()


FIELDS: dict[str, list[Any]] = {
    "year": [1, 2, 3, 2.5, -4],
    "name": ["Ada", "Grace", "ada lovelace", ""],
    "tags": [["red"], ["red", "blue"], ["blue", "green"], []],
    "$price": [5, 10],
}
OF_NUMBERS = [
    each for each in FilterOperator if each.value in ("==", "!=", ">", ">=", "<", "<=", "in", "nin", "is_empty")
]
OF_NAMES = [each for each in FilterOperator if each.value not in ("any", "all")]
OF_TAGS = [FilterOperator.ANY, FilterOperator.ALL, FilterOperator.CONTAINS, FilterOperator.IS_EMPTY]
WORDS = {"name": ["Ada", "a", "LOVE", "Grace"], "tags": ["red", "blue", "green"]}


def _drawn(random_: random.Random) -> MetadataFilter:
    key = random_.choice(list(FIELDS))
    operator = random_.choice({"name": OF_NAMES, "tags": OF_TAGS}.get(key, OF_NUMBERS))
    value: Any = random_.choice(WORDS.get(key, FIELDS[key]))
    if operator.value in ("in", "nin", "any", "all"):
        words: list[Any] = WORDS.get(key) or [each for each in FIELDS[key] if isinstance(each, int)]
        value = random_.sample(words, random_.randint(1, 2))
    return MetadataFilter(key=key, value=None if operator == FilterOperator.IS_EMPTY else value, operator=operator)


def _drawn_group(random_: random.Random, depth: int = 0) -> MetadataFilters:
    parts: list[Any] = [
        _drawn_group(random_, depth + 1) if depth < 2 and random_.random() < 0.3 else _drawn(random_)
        for _ in range(random_.randint(1, 3))
    ]
    return MetadataFilters(filters=parts, condition=random_.choice(list(FilterCondition)))


def _chosen(filters: MetadataFilters, metadata: dict[str, Any]) -> bool:
    """What LlamaIndex's simple store says of each filter, and of groups, which it does not nest itself."""
    said = [
        _chosen(each, metadata)
        if isinstance(each, MetadataFilters)
        else build_metadata_filter_fn(lambda _: metadata, MetadataFilters(filters=[each]))("")
        for each in filters.filters
    ]
    if filters.condition == FilterCondition.AND:
        return all(said)
    return any(said) if filters.condition == FilterCondition.OR else not any(said)


def test_filters_choose_what_llamaindexs_own_store_would_choose(own_vectors: TwofoldVectorStore) -> None:
    random_ = random.Random(3)
    nodes: list[BaseNode] = []
    for number in range(40):
        drawn = {key: random_.choice([None, *values]) for key, values in FIELDS.items()}
        metadata = {key: value for key, value in drawn.items() if value is not None}
        nodes.append(TextNode(id_=f"{number}", text="x", metadata=metadata, embedding=[1.0] * 64))
    own_vectors.add(nodes)
    chosen = set()
    for _ in range(300):
        filters = _drawn_group(random_)
        expected = [node.node_id for node in nodes if _chosen(filters, node.metadata)]
        assert _ids(own_vectors.get_nodes(filters=filters)) == expected, filters
        chosen.add(len(expected))
    assert len(chosen) > 15  # not everything, and not nothing
    assert len(own_vectors.get_nodes(filters=MetadataFilters(filters=[]))) == 40


def test_filters_without_a_meaning_are_refused(store: TwofoldVectorStore) -> None:
    for operator, value, said in [
        ("==", None, "'==' on 'year' needs a value"),
        ("in", 7, "takes a list, not 7"),
        (">", [7], r"takes one value, not \[7\]"),
        ("text_match", 7, "takes a text, not 7"),
    ]:
        filters = MetadataFilters(filters=[MetadataFilter(key="year", value=value, operator=FilterOperator(operator))])
        with pytest.raises(FilterError, match=said):
            store.get_nodes(filters=filters)
    with pytest.raises(FilterError, match="empty, which says nothing"):
        store.get_nodes(filters=MetadataFilters(filters=[MetadataFilters(filters=[])]))


def test_an_index_over_a_collection_finds_what_the_collection_finds(store: TwofoldVectorStore) -> None:
    index = VectorStoreIndex.from_vector_store(store, embed_model=MockEmbedding(1))
    index.insert(Document(text="the bearing is greased", id_="doc 7", metadata={"year": 7}))
    found = index.as_retriever(similarity_top_k=2).retrieve("the bearing")
    hits = store.collection.search("the bearing", k=2, mode="dense")
    assert [(each.node_id, each.score) for each in found] == [(hit.id, float(hit.score)) for hit in hits]
    assert found[0].node.ref_doc_id == "doc 7"
    assert found[0].node.metadata == {"year": 7}
    late = MetadataFilters(filters=[MetadataFilter(key="year", value=7)])
    lexical = index.as_retriever(vector_store_query_mode="text_search", filters=late)
    assert _ids(asyncio.run(lexical.aretrieve("bearing"))) == [found[0].node_id]
    index.delete_ref_doc("doc 7")
    index.delete_nodes(["a"])
    assert _ids(store.get_nodes()) == ["b", "c", "d"]


def test_an_index_of_own_vectors_uses_the_embedding_that_it_is_given(tmp_path: Path) -> None:
    place, embedding = tmp_path / "nodes.twofold", TwofoldEmbedding(encoder=HashedWords(64))
    with create(place, GivenVectors(64)) as collection:
        context = StorageContext.from_defaults(vector_store=TwofoldVectorStore(collection))
        documents = [Document(text=text, id_=id_) for id_, text in TEXTS.items()]
        index = VectorStoreIndex.from_documents(documents, storage_context=context, embed_model=embedding)
        found = index.as_retriever(similarity_top_k=1).retrieve("the pump")
        context.persist(str(tmp_path / "storage"))
    assert found[0].node.ref_doc_id == "c"
    with open_collection(place) as collection:
        index = VectorStoreIndex.from_vector_store(TwofoldVectorStore(collection), embed_model=embedding)
        assert index.as_retriever(similarity_top_k=1).retrieve("the pump") == found
        hybrid = index.as_retriever(vector_store_query_mode="hybrid", similarity_top_k=1)
        assert [each.node.ref_doc_id for each in hybrid.retrieve("gear")] == ["d"]


def test_an_embedding_has_the_sides_of_its_encoder() -> None:
    encoder = HashedWords(16)
    embedding = TwofoldEmbedding(encoder=encoder)
    both = encoder.encode_documents(["one", "two"]).tolist()
    assert embedding.get_text_embedding("one") == both[0]
    assert embedding.get_text_embedding_batch(["one", "two"]) == both
    assert embedding.get_query_embedding("one") == encoder.encode_queries(["one"])[0].tolist()
    assert asyncio.run(embedding.aget_query_embedding("one")) == embedding.get_query_embedding("one")
    assert asyncio.run(embedding.aget_text_embedding_batch(["one", "two"])) == both


def test_a_retriever_searches_as_the_collection_does(store: TwofoldVectorStore) -> None:
    hits = store.collection.search("the filter", k=2, where={"year": {"$gt": 0}})
    found = TwofoldRetriever(store.collection, k=2, options={"where": {"year": {"$gt": 0}}}).retrieve("the filter")
    assert [(each.node_id, each.score) for each in found] == [(hit.id, float(hit.score)) for hit in hits]


def test_a_store_is_serialised_by_the_folder_of_its_collection(tmp_path: Path) -> None:
    with create(tmp_path / "nodes", HashedWords(8)) as collection:
        told = TwofoldVectorStore(collection).to_dict()
    assert told["class_name"] == "TwofoldVectorStore"
    again = TwofoldVectorStore.from_dict(told)
    assert again.add([_node("a", "x")]) == ["a"]
    again.collection.close()
    with pytest.raises(NotACollectionError):
        TwofoldVectorStore.from_dict(told, path=str(tmp_path / "gone"))


def test_without_llamaindex_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llama_index.core.schema", None)
    monkeypatch.setitem(sys.modules, "llama_index.core.vector_stores.types", None)
    for name in ("llamaindex", "llamaindex_filters"):
        monkeypatch.delitem(sys.modules, f"twofold.integrations.{name}")
    with pytest.raises(MissingExtraError, match=r'pip install "twofold\[llamaindex\]"'):
        importlib.import_module("twofold.integrations.llamaindex")
