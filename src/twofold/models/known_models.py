"""Prompts of known models whose own files do not state them.

A model that was trained with a prompt before its queries loses quality without it, and older model folders do
not state it. This table is used only if config_sentence_transformers.json states no prompt at all. Models
that want none (GTE, all-MiniLM, BGE-M3, …) need no line.
"""

from __future__ import annotations

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

KNOWN: dict[str, Prompts] = {
    **{f"baai/bge-{size}-en{version}": BGE_ENGLISH for size in ("small", "base", "large") for version in ("", "-v1.5")},
    **{f"baai/bge-{size}-zh{version}": BGE_CHINESE for size in ("small", "base", "large") for version in ("", "-v1.5")},
    **{f"intfloat/e5-{size}{version}": E5 for size in ("small", "base", "large") for version in ("", "-v2")},
    **{f"intfloat/multilingual-e5-{size}": E5 for size in ("small", "base", "large")},
    **{f"snowflake/snowflake-arctic-embed-{size}": ARCTIC for size in ("xs", "s", "m", "m-long", "m-v1.5", "l")},
    **{f"snowflake/snowflake-arctic-embed-{size}-v2.0": ARCTIC_2 for size in ("m", "l")},
    "mixedbread-ai/mxbai-embed-large-v1": MXBAI,
    "whereisai/uae-large-v1": UAE,
    "nomic-ai/nomic-embed-text-v1": NOMIC,
    "nomic-ai/nomic-embed-text-v1.5": NOMIC,
}
"""Hub name in small letters → prompts."""

SHORT = {name.rsplit("/", 1)[-1]: prompts for name, prompts in KNOWN.items()}


def prompts_of(folder: ModelFolder, source: str | None) -> dict[Side, str]:
    """The prompt of each side: that of the folder, else that of the table, else none.

    source: the hub name or the path by which the model was found.
    """
    stated = folder.prompts
    if not stated.query and not stated.document:
        stated = _known(_names(folder, source)) or stated
    return {"query": stated.query or "", "document": stated.document or ""}


def _names(folder: ModelFolder, source: str | None) -> list[str]:
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
