"""Known models: prompts where their own files do not state them, and facts by which to choose one.

A model that was trained with a prompt before its queries loses quality without it, and older model folders do
not state it. The prompts are used only if config_sentence_transformers.json states no prompt at all. Models
that want none (GTE, all-MiniLM, BGE-M3, …) need no line among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from twofold.contract import Side
from twofold.models.folder import ModelFolder, Prompts

SEARCHING = "Represent this sentence for searching relevant passages: "
SEARCHING_CHINESE = "为这个句子生成表示以用于检索相关文章："

BGE_ENGLISH = Prompts(SEARCHING, "")  # model card of BAAI/bge-large-en-v1.5, "Model List"; Xiao et al. 2023, C-Pack
BGE_CHINESE = Prompts(SEARCHING_CHINESE, "")  # model card of BAAI/bge-large-zh-v1.5, "Model List"
E5 = Prompts("query: ", "passage: ")  # model card of intfloat/e5-base-v2, "Usage"; Wang et al. 2022, E5
ARCTIC = Prompts(SEARCHING, "")  # model card of Snowflake/snowflake-arctic-embed-m, "Usage"
ARCTIC_2 = Prompts("query: ", "")  # model card of Snowflake/snowflake-arctic-embed-l-v2.0, "Usage"
MXBAI = Prompts(SEARCHING, "")  # model card of mixedbread-ai/mxbai-embed-large-v1, "Quickstart"
UAE = Prompts(SEARCHING, "")  # model card of WhereIsAI/UAE-Large-V1, "Retrieval"; Li & Li 2023, AnglE
NOMIC = Prompts("search_query: ", "search_document: ")  # model card of nomic-ai/nomic-embed-text-v1.5, "Usage"
WEB_SEARCH = "Instruct: Given a web search query, retrieve relevant passages that answer the query\n"
E5_INSTRUCT = Prompts(f"{WEB_SEARCH}Query: ", "")  # model card of intfloat/multilingual-e5-large-instruct, "Usage"
QWEN_3 = Prompts(f"{WEB_SEARCH}Query:", "")  # config_sentence_transformers.json of Qwen/Qwen3-Embedding-0.6B
GEMMA = Prompts(
    "task: search result | query: ", "title: none | text: "
)  # card of EmbeddingGemma, "Prompt Instructions"

KNOWN: dict[str, Prompts] = {
    **{f"baai/bge-{size}-en{version}": BGE_ENGLISH for size in ("small", "base", "large") for version in ("", "-v1.5")},
    **{f"baai/bge-{size}-zh{version}": BGE_CHINESE for size in ("small", "base", "large") for version in ("", "-v1.5")},
    **{f"intfloat/e5-{size}{version}": E5 for size in ("small", "base", "large") for version in ("", "-v2")},
    **{f"intfloat/multilingual-e5-{size}": E5 for size in ("small", "base", "large")},
    **{f"snowflake/snowflake-arctic-embed-{size}": ARCTIC for size in ("xs", "s", "m", "m-long", "m-v1.5", "l")},
    **{f"snowflake/snowflake-arctic-embed-{size}-v2.0": ARCTIC_2 for size in ("m", "l")},
    "intfloat/multilingual-e5-large-instruct": E5_INSTRUCT,
    **{f"qwen/qwen3-embedding-{size}": QWEN_3 for size in ("0.6b", "4b", "8b")},
    "google/embeddinggemma-300m": GEMMA,
    "mixedbread-ai/mxbai-embed-large-v1": MXBAI,
    "whereisai/uae-large-v1": UAE,
    "nomic-ai/nomic-embed-text-v1": NOMIC,
    "nomic-ai/nomic-embed-text-v1.5": NOMIC,
}
"""Hub name in small letters → prompts."""

SHORT = {name.rsplit("/", 1)[-1]: prompts for name, prompts in KNOWN.items()}

ENGLISH, A_HUNDRED = "English", "about 100 languages"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """What the model card of a well-known model says.

    name: on the hub. dimension: numbers a vector. max_tokens: the longest input. languages, licence: as the card states
    them; "" where it does not. good_for: for what one would choose it. shortest: the fewest first numbers of a vector
    for which it was trained (Matryoshka); None where it was not.
    """

    name: str
    dimension: int
    max_tokens: int
    languages: str
    licence: str
    good_for: str
    shortest: int | None = None

    @property
    def prompts(self) -> Prompts:
        """The prompts with which it was trained."""
        return KNOWN.get(self.name.lower(), Prompts("", ""))

    @property
    def source(self) -> str:
        """The page that states the facts."""
        return f"https://huggingface.co/{self.name}"


def _model(
    name: str, numbers: tuple[int, int], languages: str, licence: str, good_for: str, shortest: int | None = None
) -> KnownModel:
    """numbers: those of a vector, and the tokens of the longest input."""
    dimension, max_tokens = numbers
    return KnownModel(
        name=name,
        dimension=dimension,
        max_tokens=max_tokens,
        languages=languages,
        licence=licence,
        good_for=good_for,
        shortest=shortest,
    )


APACHE, MIT = "Apache-2.0", "MIT"
MODELS: tuple[KnownModel, ...] = (
    _model(
        "sentence-transformers/all-MiniLM-L6-v2",
        (384, 256),
        ENGLISH,
        APACHE,
        "a fast start in English, on any processor",
    ),
    _model(
        "sentence-transformers/multi-qa-MiniLM-L6-cos-v1",
        (384, 512),
        ENGLISH,
        "",
        "questions and the passages that answer them, as fast as all-MiniLM",
    ),
    _model(
        "sentence-transformers/all-mpnet-base-v2",
        (768, 384),
        ENGLISH,
        APACHE,
        "similarity of English sentences and paragraphs",
    ),
    _model("intfloat/e5-small-v2", (384, 512), ENGLISH, MIT, "English search with a small model"),
    _model("BAAI/bge-small-en-v1.5", (384, 512), ENGLISH, MIT, "English search with a small model"),
    _model("BAAI/bge-base-en-v1.5", (768, 512), ENGLISH, MIT, "English search with a model of middle size"),
    _model(
        "Alibaba-NLP/gte-modernbert-base",
        (768, 8192),
        ENGLISH,
        APACHE,
        "English search over long documents and code",
    ),
    _model(
        "ibm-granite/granite-embedding-small-english-r2",
        (384, 8192),
        ENGLISH,
        APACHE,
        "English search over long documents, code and tables with a small model",
    ),
    _model(
        "ibm-granite/granite-embedding-english-r2",
        (768, 8192),
        ENGLISH,
        APACHE,
        "English search over long documents, code and tables",
    ),
    _model(
        "nomic-ai/nomic-embed-text-v1.5",
        (768, 8192),
        ENGLISH,
        APACHE,
        "English search over long documents; shorter vectors",
        64,
    ),
    _model(
        "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
        (384, 128),
        "over 50 languages",
        APACHE,
        "similarity of short sentences, also across languages",
    ),
    _model("intfloat/multilingual-e5-small", (384, 512), A_HUNDRED, MIT, "search in many languages, small model"),
    _model("intfloat/multilingual-e5-base", (768, 512), A_HUNDRED, MIT, "search in many languages, middle size"),
    _model("BAAI/bge-m3", (1024, 8192), "over 100 languages", MIT, "search over long documents in many languages"),
    _model(
        "Snowflake/snowflake-arctic-embed-m-v2.0",
        (768, 8192),
        "over 70 languages",
        APACHE,
        "search over long documents in many languages; shorter vectors",
        256,
    ),
    _model(
        "google/embeddinggemma-300m",
        (768, 2048),
        "over 100 languages",
        "Gemma terms of use",
        "search in many languages; shorter vectors; the hub asks for consent to its terms",
        128,
    ),
    _model(
        "Qwen/Qwen3-Embedding-0.6B",
        (1024, 32768),
        "over 100 languages",
        APACHE,
        "search in many languages and code with a large model; shorter vectors",
        32,
    ),
)
"""English ones first, then those of many languages, small before large; the source of each is its model card."""


MULTILINGUAL = tuple(model.name for model in MODELS if model.languages not in (ENGLISH, "over 50 languages"))
"""Those that were trained for search in most written languages."""


def known_model(name: str) -> KnownModel | None:
    """The known model of a hub name, in whatever case; None where there is none."""
    return next((model for model in MODELS if model.name.lower() == name.lower()), None)


def prompts_of(folder: ModelFolder, source: str | None) -> dict[Side, str]:
    """The prompt of each side: that of the folder, else that of the table, else none.

    source: the hub name or the path by which the model was found.
    """
    stated = folder.prompts
    if not stated.query and not stated.document:
        stated = _known(names_of(folder, source)) or stated
    return {"query": stated.query or "", "document": stated.document or ""}


def lacking_prompts(folder: ModelFolder, source: str | None) -> str:
    """What to check of a model that has no prompts although its parent asks for some, in words; else empty.

    A model that was trained further may have kept the parent's prompts or not; only its author knows.
    """
    stated = folder.prompts
    if stated.query is not None or stated.document is not None or _known(names_of(folder, source)) is not None:
        return ""
    parent = str(folder.configuration.values.get("_name_or_path") or "").rstrip("/")
    if (prompts := KNOWN.get(parent.lower())) is None:
        return ""
    return (
        f"{folder.path} states no prompts, and {parent}, from which it was trained, asks for {prompts.query!r} before "
        f"queries and {prompts.document!r} before documents; if it was trained with them, state them as `prompts` in "
        "config_sentence_transformers.json"
    )


def untrained_length(folder: ModelFolder, source: str | None, dim: int) -> str:
    """What to check where vectors are cut to their first `dim` numbers, in words; empty where it was trained so."""
    if dim in folder.shorter:
        return ""
    known = next(filter(None, map(known_model, names_of(folder, source))), None)
    if known is not None and known.shortest is not None and known.shortest <= dim:
        return ""
    trained = known.shortest if known is not None else None
    said = ", ".join(map(str, folder.shorter)) or (f"{trained} and more" if trained else "")
    return (
        f"vectors are cut to their first {dim} numbers, and {source or 'the embedded encoder'} "
        f"{f'was trained for {said}' if said else 'does not say that it was trained for shorter vectors'}; "
        "measure what that costs on your own queries (`twofold evaluate`)"
    )


def names_of(folder: ModelFolder, source: str | None) -> list[str]:
    """Possible names of the model: the hub's name, its folder's name in the hub's cache or outside.

    Not the name in config.json: a model that was trained further carries its parent's.
    """
    cached = [part.removeprefix("models--").replace("--", "/") for part in folder.path.parts if part[:8] == "models--"]
    found = [Path(source).name if source and Path(source).is_absolute() else source or ""]
    return [*found, *cached]


def _known(names: list[str]) -> Prompts | None:
    for name in names:
        lowered = name.lower().rstrip("/")
        prompts = KNOWN.get(lowered) or (SHORT.get(lowered) if "/" not in lowered else None)
        if prompts is not None:
            return prompts
    return None
