"""Options that several commands share, and what they become: an encoder, a filter, a reader's settings.

Imports nothing heavy at its top: `twofold --help` passes through here.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

from twofold.cli.named_encoders import API, HASHED_WORDS, named_encoder
from twofold.cli.output import note, results
from twofold.errors import MESSAGE, FilterError, InputError, ModelError, NotACollectionError, brief
from twofold.strict_json import parse_json

if TYPE_CHECKING:
    from twofold.collection.collection import Collection
    from twofold.protocols import Encoder

Subparsers = Any
"""What argparse's add_subparsers gives (a private class of argparse)."""
Run = Callable[[argparse.Namespace], int]


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Help that keeps a command or option and what it does on one line where it can."""

    def __init__(self, prog: str, column: int = 26) -> None:
        super().__init__(prog, max_help_position=column)


class Parser(argparse.ArgumentParser):
    """argparse's parser, which also says how to give a text that begins with a dash, such as a query.

    An option that may not come again is given once: argparse would take the last one in silence.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._given: list[str] = []
        self._taken: set[str] = set()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """What is known, and nothing else: what is left over is an error of this parser, whose usage helps."""
        self._given = list(sys.argv[1:] if args is None else args)
        self._taken = set()
        known, others = super().parse_known_args(args, namespace)
        if others:
            self.error(f"unrecognized arguments: {' '.join(others)}")
        return known, others

    def _match_arguments_partial(self, actions: Any, arg_strings_pattern: str) -> list[int]:
        """How many words each positional takes: one that may stay empty waits for the words behind the options.

        Older argparse (all of Python 3.11) leaves it empty at the first option, and refuses COLLECTION --json QUERY.
        """
        counts = super()._match_arguments_partial(actions, arg_strings_pattern)
        if "A" in arg_strings_pattern[sum(counts) :]:
            while counts and not counts[-1]:
                counts.pop()
        return counts

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        """The values that an argument is given; argparse calls this once for each time that an option stands there."""
        if action.option_strings and not isinstance(action, argparse._AppendAction | argparse._CountAction):
            if action.dest in self._taken:
                self.error(f"{action.option_strings[-1]} is given twice; give it once")
            self._taken.add(action.dest)
        return super()._get_values(action, arg_strings)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Raises ArgumentError for a value that is no choice, with the one that may have been meant."""
        if action.choices is not None and value not in action.choices:
            listed = [str(choice) for choice in action.choices]
            choices = ", ".join(map(repr, listed))
            meant = _meant(str(value), listed)
            raise argparse.ArgumentError(action, f"invalid choice: {value!r}{meant} (choose from {choices})")

    def _print_message(self, message: str, file: Any = None) -> None:
        """Help and version: argparse does not say where standard output refused them."""
        if file is not sys.stdout:
            super()._print_message(message, file)
            return
        with results() as output:
            output.write(message)

    def error(self, message: str) -> NoReturn:
        """Ends with status 2 and the way out."""
        options = self._given[: self._given.index("--")] if "--" in self._given else self._given
        # argparse has no public name for the options that it knows.
        known = self._option_string_actions
        dashed = [word for word in options if word[:1] == "-" and word != "-" and not _is_known(word, known)]
        if dashed and self.prog.count(" "):
            meant = _meant(dashed[0].partition("=")[0], known) if dashed[0].startswith("--") else ""
            message += (
                f"; {dashed[0]} is no option{meant}; a text that begins with - "
                f"goes behind the options and --, as in: {self.prog} [options] … -- {dashed[0]}"
            )
        super().error(brief(message, MESSAGE))


def _is_known(word: str, options: Mapping[str, argparse.Action]) -> bool:
    """Whether a word is one of these options; --k=5, -k5 and -vv are some as well."""
    if word.partition("=")[0] in options:
        return True
    takes_value = word[:2] in options and options[word[:2]].nargs != 0
    return not word.startswith("--") and (takes_value or all(f"-{letter}" in options for letter in word[1:]))


def _meant(given: str, known: Iterable[str]) -> str:
    """The name that may have been meant, as a question; empty where none is near."""
    near = get_close_matches(given, sorted(known), 1)
    return f"; did you mean {near[0]}?" if near else ""


def text(value: str) -> str:
    """A text of the command line, for argparse; paths stay without it, since a file's name may be any bytes.

    Python hides bytes that the locale's encoding lacks in lone surrogates, which no document and no query holds. They
    are read as UTF-8. Raises ArgumentTypeError where they are none.
    """
    try:
        value.encode()
    except UnicodeEncodeError:
        try:
            return os.fsencode(value).decode()
        except ValueError:
            raise argparse.ArgumentTypeError(f"{brief(value)!r} is not UTF-8: a text is given in UTF-8") from None
    return value


def at_least_one(value: str) -> int:
    """A count of one or more, for argparse."""
    return _at_least(1, value)


def device(value: str) -> str:
    """The name of a device, there or not, for argparse."""
    from twofold.models.devices import WORDS, is_device

    if not is_device(value):
        raise argparse.ArgumentTypeError(f"must be one of {WORDS}, not {value!r}")
    return value


def count(value: str) -> int:
    """A count of none or more, for argparse."""
    return _at_least(0, value)


def _at_least(least: int, value: str) -> int:
    try:
        number = int(value)
    except ValueError:
        number = least - 1
    if number < least:
        raise argparse.ArgumentTypeError(f"{brief(value)!r} is no whole number of at least {least}")
    return number


def command(subparsers: Subparsers, name: str, run: Run, *, does: str, examples: tuple[str, ...]) -> Any:
    """A new command with its one-line help, two examples and --json; `run` gets the parsed arguments."""
    parser = subparsers.add_parser(
        name,
        help=does,
        description=f"{does[0].upper()}{does[1:]}.",
        epilog="examples:\n" + "\n".join(f"  {example}" for example in examples),
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    add_output_options(parser)
    parser.set_defaults(run=run)
    return parser


def add_output_options(parser: argparse.ArgumentParser, **otherwise: Any) -> None:
    """--json, --quiet and --verbose. otherwise: `default=argparse.SUPPRESS` leaves what a command above was given."""
    parser.add_argument("--json", action="store_true", help="print one JSON object for machines", **otherwise)
    told = parser.add_mutually_exclusive_group()
    told.add_argument("-q", "--quiet", action="store_true", help="print no progress and no notes", **otherwise)
    told.add_argument(
        "-v",
        "--verbose",
        action="count",
        help="print to standard error what is changed and built; may be repeated: -vv prints every commit too",
        **{"default": 0, **otherwise},
    )


PRECISIONS = ("auto", "f32", "bf16", "int8")


def add_encoder_options(
    parser: argparse.ArgumentParser, *, otherwise: str = "the embedded all-MiniLM-L6-v2", several: bool = False
) -> None:
    """--encoder and how it is loaded, from --precision to --threads; `otherwise` is the encoder where none is named.

    several: --encoder may be repeated, and --query-tower, which belongs to one encoder, is not there.
    """
    group = parser.add_argument_group("encoder")
    group.add_argument(
        "--encoder",
        metavar="NAME",
        action="append" if several else "store",
        help=f"a model folder or a hub name (`twofold models` lists some); without this {otherwise}. "
        f"{HASHED_WORDS}N needs no weights: it hashes words into N numbers. {API}URL#MODEL asks a service of OpenAI's "
        "shape (key: OPENAI_API_KEY)",
    )
    group.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="auto uses bf16 if the processor supports it; int8 rounds the weights, so its vectors fit no others",
    )
    group.add_argument(
        "--device",
        type=device,
        default="cpu",
        metavar="NAME",
        help="where a model runs: cpu; cuda, cuda:1 or mps for a GPU (pip install 'twofold[gpu]'); auto for a GPU if "
        "there is one; default: cpu",
    )
    if several:
        parser.set_defaults(query_tower=None)
    else:
        group.add_argument(
            "--query-tower",
            metavar="NAME",
            help="another encoder for queries: static (microseconds a query, for the embedded default), or what "
            "`twofold train --query-tower` wrote",
        )
    group.add_argument(
        "--dim",
        type=at_least_one,
        metavar="N",
        help="keep the first N numbers of each vector, for a model that was trained so (`twofold models` says which)",
    )
    group.add_argument("--threads", type=at_least_one, metavar="N", help="threads for encoding; default: all cores")
    group.add_argument("--workers", type=at_least_one, metavar="N", help="processes that share the threads; default: 1")


def add_mode_option(parser: Any, otherwise: str, *, several: bool = False) -> None:
    """--mode, a list where there may be several; `otherwise` says what is done without it."""
    parser.add_argument(
        "--mode",
        choices=["dense", "lexical", "hybrid"],
        action="append" if several else "store",
        help=f"dense search, lexical search (needs no encoder), or both mixed ({otherwise})",
    )


def add_query_vectors_option(parser: argparse.ArgumentParser) -> None:
    """--vectors X.npy, those of queries."""
    parser.add_argument(
        "--vectors", metavar="X.npy", help="one vector for each query of --queries, in their order; none is encoded"
    )


def add_truncation_option(parser: argparse.ArgumentParser) -> None:
    """--on-truncation."""
    parser.add_argument(
        "--on-truncation",
        choices=["count", "error"],
        default="count",
        help="a text that is too long for the encoder is truncated and counted, or is an error",
    )


def names_encoder(arguments: argparse.Namespace) -> bool:
    """Whether anything was said about the encoder."""
    named = (arguments.encoder, arguments.query_tower, arguments.dim, arguments.threads, arguments.workers)
    return arguments.precision != "auto" or arguments.device != "cpu" or any(each is not None for each in named)


def encoder_of(arguments: argparse.Namespace) -> Encoder:
    """The encoder that the options name. Raises ModelError."""
    from twofold.encoders.loading import load_encoder

    if (named := named_encoder(arguments)) is not None:
        return named
    encoder = load_encoder(
        arguments.encoder,
        precision=arguments.precision,
        threads=arguments.threads,
        on_truncation=getattr(arguments, "on_truncation", "count"),
        query_tower=arguments.query_tower,
        dim=arguments.dim,
        device=arguments.device,
        workers=arguments.workers or 1,
    )
    for each in encoder.notes:
        note(each)
    return encoder


def encoder_for(collection: str, arguments: argparse.Namespace) -> Encoder | None:
    """The encoder for a collection that is there: what the options name, else what the collection names (None).

    The options beside --encoder alone mean the collection's own model, loaded in that way; with its own query tower and
    dimension, unless others are named. Raises ModelError for a tower, a dimension or a device where the collection has
    no model.
    """
    from twofold.collection.opening import open_collection

    if not names_encoder(arguments):
        return None
    if arguments.encoder is None:
        with open_collection(collection) as there:
            source = there.encoder.source
        only_models = (arguments.query_tower, arguments.dim, None if arguments.device == "cpu" else arguments.device)
        if "name" not in source and not any(only_models):
            return None  # no model that could be loaded in another way
        if "name" not in source:
            raise ModelError(
                f"{collection} was made without a model, so none of --query-tower, --dim and --device applies to it"
            )
        arguments.encoder = source["name"]
        arguments.query_tower = arguments.query_tower or source.get("query_tower")
        arguments.dim = arguments.dim or source.get("dim")
        arguments.precision = source.get("precision", "auto") if arguments.precision == "auto" else arguments.precision
    return encoder_of(arguments)


def is_there(collection: str) -> bool:
    """Whether there is a collection in this folder."""
    from twofold.collection.opening import open_collection

    try:
        open_collection(collection).close()
    except NotACollectionError:
        return False
    return True


def open_given(arguments: argparse.Namespace) -> Collection:
    """The collection that the command line names, with the encoder that it names."""
    from twofold.collection.opening import open_collection

    return open_collection(arguments.collection, encoder_for(arguments.collection, arguments))


def open_to_read(arguments: argparse.Namespace) -> Collection:
    """`open_given` for a command that writes nothing: says how to store the place of a model that has moved."""
    from twofold.collection.placing import lost

    collection = open_given(arguments)
    source = collection.encoder.source
    gone = lost(source)
    if arguments.encoder is not None and gone:
        where = source[gone[0]]
        place, model = shlex.quote(arguments.collection), shlex.quote(arguments.encoder)
        note(
            f"the collection names {where}, which is not there, and --encoder is used; to store its place: "
            f"`twofold migrate {place} --encoder {model}`"
        )
    return collection


def add_where_option(parser: argparse.ArgumentParser, what: str) -> None:
    """--where JSON."""
    parser.add_argument(
        "--where",
        type=text,
        metavar="JSON",
        help=f'{what} whose metadata match, for example \'{{"year": {{"$lt": 1990}}}}\'; one object holds several '
        "conditions",
    )


def add_strict_option(parser: argparse.ArgumentParser) -> None:
    """--strict."""
    parser.add_argument(
        "--strict",
        action="store_true",
        help="refuse a field of --where that no document has; by default it matches nothing",
    )


def where_of(arguments: argparse.Namespace) -> dict[str, Any] | None:
    """The filter that --where holds, None without one. Raises FilterError where it is no JSON object."""
    if arguments.where is None:
        return None
    try:
        where = parse_json(arguments.where, hint="Write an object such as '{\"year\": 1990}'")
    except InputError as error:
        raise FilterError(f"--where {brief(arguments.where)}: {error}") from None
    if not isinstance(where, dict):
        raise FilterError(f"--where takes a JSON object such as '{{\"year\": 1990}}', not {brief(arguments.where)}")
    return where
