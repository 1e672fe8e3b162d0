"""The files of a tokenizer, read as transformers reads them: tokenizer.json or vocab.txt, and the files beside them.

tokenizer_config.json says how a BERT tokenizer normalises texts, whatever tokenizer.json says; tokens are added by it,
by special_tokens_map.json and by added_tokens.json. Where two files say different things that different versions of
transformers decide differently, the folder is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from tokenizers import AddedToken, Tokenizer
from tokenizers.implementations import BertWordPieceTokenizer

from twofold.errors import ModelError
from twofold.models.architectures import ARCHITECTURES, is_known, text_part
from twofold.models.configuration import Configuration
from twofold.models.tokenizer_classes import (
    AS_THEY_ARE,
    BERT,
    CLASSES,
    MODELS,
    OWN_ENDS,
    WORDPIECE,
    differing_piece,
    special_tokens_of,
)

FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")

CutSide = Literal["left", "right"]


@dataclass(frozen=True, slots=True)
class TokenizerFiles:
    """A tokenizer as JSON with all of its tokens, and the side on which a text that is too long is cut.

    kind: the class without its endings; "" for one that takes tokenizer.json as it is.
    """

    json: str
    cut_side: CutSide
    kind: str = ""


def read_tokenizer(folder: Path) -> TokenizerFiles:
    """What the files of a folder say together. Raises ModelError naming the file and field that cannot be followed."""
    said = Configuration.read_if_there(folder / "tokenizer_config.json")
    configuration = text_part(Configuration.read_if_there(folder / "config.json"))
    kind = _class_of(said, configuration)
    _refuse_unsupported(said, configuration, kind)
    whole = folder / "tokenizer.json"
    stored = dict(Configuration.read(whole).values) if whole.is_file() else _from_vocabulary(folder, kind, said)
    named = {**special_tokens_of(kind, said), **dict(_special(folder, said))}
    if kind in MODELS:
        _normalise_as_said(stored, kind, said, whole)
        _check_model(stored, kind, named, whole)
    side = said.text("truncation_side", (stored.get("truncation") or {}).get("direction", "right").lower())
    if side not in ("left", "right"):
        raise ModelError(f"{said.path}: truncation_side must be left or right, not {side!r}")
    try:
        tokenizer = Tokenizer.from_str(json.dumps(stored))
    except Exception as error:
        raise ModelError(f"{whole} cannot be read as a tokenizer: {error}") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    before = tokenizer.to_str()
    _add_tokens(tokenizer, stored, _listed(folder, said), said)
    _add_special(tokenizer, said, named)
    if kind in OWN_ENDS:
        _check_own_ends(tokenizer, said, named, kind)
    else:
        _check_ends(tokenizer, named, whole)
    # Written anew only where tokens were added: another writing of the same tokenizer would be another contract.
    after = tokenizer.to_str()
    return TokenizerFiles(json.dumps(stored) if after == before else after, cast(CutSide, side), kind)


def tokenizer_alone(folder: Path) -> TokenizerFiles:
    """What tokenizer.json says by itself. Raises ModelError where it cannot be read."""
    path = folder / "tokenizer.json"
    stored = json.dumps(dict(Configuration.read(path).values))
    try:
        Tokenizer.from_str(stored)
    except Exception as error:
        raise ModelError(f"{path} cannot be read as a tokenizer: {error}") from error
    return TokenizerFiles(stored, "right")


def _refuse_unsupported(said: Configuration, configuration: Configuration, kind: str) -> None:
    said.refuse("split_special_tokens", False)
    for field in ("auto_map",) if kind in OWN_ENDS else ("add_bos_token", "add_eos_token", "auto_map"):
        said.refuse(field)
    # Padding before a text moves BERT's positions, by as much as the longest text of its batch asks for.
    architecture = ARCHITECTURES.get(configuration.values.get("model_type", ""))
    if architecture is None or not architecture.rotary(configuration):
        said.refuse("padding_side", "right")
    for name in ("input_ids", "attention_mask"):
        if name not in said.values.get("model_input_names", (name,)):
            raise ModelError(f"{said.path}: model_input_names without {name!r} is not supported")


def _class_of(said: Configuration, configuration: Configuration) -> str:
    """The class without its endings; "" for one that takes tokenizer.json as it is."""
    stated = said.text("tokenizer_class", configuration.text("tokenizer_class", ""))
    if stated in AS_THEY_ARE:
        return ""
    kind = stated.removesuffix("Fast").removesuffix("Tokenizer")
    if not stated:
        return CLASSES.get(configuration.text("model_type", ""), "")
    if kind not in MODELS and not is_known(configuration):
        return ""  # what its class would change is as unknown as its architecture
    if kind not in MODELS:
        raise ModelError(f"{said.path}: tokenizer_class {stated!r} is not known; known are {', '.join(MODELS)}")
    return kind


def _normalise_as_said(stored: dict[str, Any], kind: str, said: Configuration, path: Path) -> None:
    """Sets what transformers sets in a BERT tokenizer from tokenizer_config.json."""
    if MODELS[kind] != "WordPiece":
        return
    normalizer = stored.get("normalizer") or {}
    if normalizer.get("type") != "BertNormalizer" or not normalizer.get("clean_text", True):
        raise ModelError(f"{path}: the normalizer of a {kind} tokenizer must be a BertNormalizer that cleans texts")
    stored["normalizer"] = {
        **normalizer,
        "lowercase": said.truth("do_lower_case", True),
        "strip_accents": said.truth("strip_accents") if said.has("strip_accents") else None,
        "handle_chinese_chars": said.truth("tokenize_chinese_chars", True),
    }


def _check_model(stored: Mapping[str, Any], kind: str, named: Mapping[str, Any], path: Path) -> None:
    model = Configuration(path, stored.get("model") or {})
    # The first versions of tokenizer.json leave the model's type out.
    model.refuse("type", MODELS[kind])
    if piece := differing_piece(stored, kind):
        raise ModelError(
            f"{path}: the field {piece!r} is another than that of {kind}Tokenizer, which tokenizer_config.json names; "
            "if tokenizer.json is right, set tokenizer_class to 'PreTrainedTokenizerFast' there"
        )
    if kind == "Roberta":
        before = Configuration(path, stored.get("pre_tokenizer") or {})
        before.refuse("type", "ByteLevel")
        before.refuse("add_prefix_space", False)
        if stored.get("normalizer"):
            raise ModelError(f"{path}: a normalizer in a RoBERTa tokenizer is not supported")
    if MODELS[kind] == "WordPiece":
        Configuration(path, stored.get("pre_tokenizer") or {"type": None}).refuse("type", "BertPreTokenizer")
        model.refuse("unk_token", _content(named["unk_token"]))
        for field, value in WORDPIECE.items():
            model.refuse(field, value)


def _check_ends(tokenizer: Tokenizer, named: Mapping[str, Any], path: Path) -> None:
    """Raises ModelError where an input is not begun and ended by the tokens that are named for it."""
    ends = [tokenizer.token_to_id(_content(named[field])) for field in ("cls_token", "sep_token")]
    bare, whole = (tokenizer.encode("a", add_special_tokens=special).ids for special in (False, True))
    if None in ends or whole != [ends[0], *bare, ends[1]]:
        raise ModelError(
            f"{path}: an input must be begun by cls_token and ended by sep_token "
            f"({_content(named['cls_token'])!r} and {_content(named['sep_token'])!r} in tokenizer_config.json)"
        )


def _check_own_ends(tokenizer: Tokenizer, said: Configuration, named: Mapping[str, Any], kind: str) -> None:
    """Raises ModelError where add_bos_token or add_eos_token says what tokenizer.json does not do.

    Versions of transformers differ in which of the two they follow. Only for Gemma did any follow a false one.
    """
    whole = tokenizer.encode("a").ids
    for field, found in {"bos_token": whole[:1], "eos_token": whole[-1:]}.items():
        asked = said.truth(f"add_{field}", False)
        token = tokenizer.token_to_id(_content(named[field])) if field in named else None
        there = found == [token]
        if (asked and not there) or (kind == "Gemma" and said.has(f"add_{field}") and asked != there):
            raise ModelError(
                f"{said.path}: add_{field} is {asked}, and the post_processor of tokenizer.json says otherwise; "
                "save the tokenizer again with both alike"
            )


def _special(folder: Path, said: Configuration) -> Iterator[tuple[str, Any]]:
    """(field, token) of the special tokens that the files name."""
    sources = [said]
    if not said.has("added_tokens_decoder"):
        sources.append(Configuration.read_if_there(folder / "special_tokens_map.json"))
    for source in sources:
        for field, value in source.values.items():
            if field.endswith("_token") and isinstance(value, str | Mapping):
                yield field, value
        for field in ("extra_special_tokens", "additional_special_tokens"):
            more = source.values.get(field) or []
            for number, value in enumerate(more.values() if isinstance(more, Mapping) else more):
                yield f"{field} {number}", value


def _content(token: Any) -> str:
    return str(token["content"] if isinstance(token, Mapping) else token)


def _listed(folder: Path, said: Configuration) -> dict[int, dict[str, Any]]:
    """Number → added token, as tokenizer_config.json lists them, or else added_tokens.json."""
    try:
        if said.has("added_tokens_decoder"):
            return {int(number): _flags(token) for number, token in said.mapping("added_tokens_decoder").items()}
        older = Configuration.read_if_there(folder / "added_tokens.json")
        special = {_content(token) for _, token in _special(folder, said)}
        return {
            int(number): _flags({"content": content, "special": content in special})
            for content, number in older.values.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{said.path}: the added tokens cannot be read: {error!r}") from error


def _flags(token: Mapping[str, Any]) -> dict[str, Any]:
    special = bool(token.get("special", False))
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": not special, "special": special}
    return {"content": str(token["content"]), **{name: bool(token.get(name, flags[name])) for name in FLAGS}}


def _add_tokens(
    tokenizer: Tokenizer, stored: Mapping[str, Any], listed: Mapping[int, dict[str, Any]], said: Configuration
) -> None:
    """Adds the listed tokens in the order of their numbers, and sees that each gets its own number."""
    there = {token["id"]: _flags(token) for token in stored.get("added_tokens", ())}
    for number, token in sorted(listed.items()):
        if number in there and there[number] != token:
            raise ModelError(
                f"{said.path}: added token {number} is {token}, and in tokenizer.json it is {there[number]}"
            )
        if number not in there:
            tokenizer.add_tokens([AddedToken(**token)])
        if tokenizer.token_to_id(token["content"]) != number:
            raise ModelError(f"{said.path}: the added token {token['content']!r} cannot have the number {number}")
    if said.has("added_tokens_decoder"):
        special = {_content(token) for _, token in _special(said.path.parent, said)}
        for number, token in there.items():
            if number not in listed and token["content"] not in special:
                raise ModelError(
                    f"{said.path}: added_tokens_decoder lacks {token['content']!r}, which tokenizer.json adds"
                )


def _add_special(tokenizer: Tokenizer, said: Configuration, named: Mapping[str, Any]) -> None:
    """Makes special the named tokens that are not: each is found in a text before the text is normalised."""
    added = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
    for field, token in named.items():
        content = _content(token)
        if content in added:
            continue
        if tokenizer.token_to_id(content) is None:
            if field in BERT and field not in said.values:
                continue  # the class's own name for a token that this vocabulary has no use for
            raise ModelError(f"{said.path}: {field} is {content!r}, which is not in the vocabulary")
        flags = _flags(
            {**token, "special": True} if isinstance(token, Mapping) else {"content": token, "special": True}
        )
        tokenizer.add_special_tokens([AddedToken(**flags)])


def _from_vocabulary(folder: Path, kind: str, said: Configuration) -> dict[str, Any]:
    path = folder / "vocab.txt"
    if not path.is_file():
        raise ModelError(
            f"{folder} has no tokenizer (neither tokenizer.json nor vocab.txt). Save the model's fast tokenizer beside "
            "it: AutoTokenizer.from_pretrained(…).save_pretrained(folder)"
        )
    if kind not in ("Bert", "DistilBert"):
        raise ModelError(
            f"{path} alone is read for BERT only; save the model's fast tokenizer, tokenizer.json, beside it"
        )
    named = {**BERT, **dict(_special(folder, said))}
    tokens = {field: _content(named[field]) for field in BERT}
    try:
        with path.open(encoding="utf-8") as file:
            vocabulary = {line.rstrip("\n"): number for number, line in enumerate(file)}
        whole: dict[str, Any] = json.loads(BertWordPieceTokenizer(vocabulary, **tokens).to_str())
    except Exception as error:
        raise ModelError(f"{path} cannot be read as a vocabulary: {error}") from error
    return whole
