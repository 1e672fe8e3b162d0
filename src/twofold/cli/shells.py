"""The completion scripts of three shells, each from the same commands. No script starts Twofold to complete a word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from shlex import quote


@dataclass(frozen=True, slots=True)
class Value:
    """What completes an argument. kind: "words", "files", "folders", "collections", or "" for nothing."""

    kind: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its names, what it does, and its value; None where it takes none."""

    names: tuple[str, ...]
    says: str
    value: Value | None


@dataclass(frozen=True, slots=True)
class Command:
    """One command. at: the words that lead to it, each behind a slash. commands: those below it, with their help."""

    at: str
    options: tuple[Option, ...]
    values: tuple[Value, ...]
    commands: dict[str, str]


BASH = r"""# Completes twofold in bash; made by: twofold completion bash
_twofold_lines() {
    local each
    while IFS= read -r each; do COMPREPLY+=("$each"); done
}
_twofold_words() { _twofold_lines < <(compgen -W "$1" -- "$word"); }
_twofold_files() {
    compopt -o filenames 2> /dev/null
    _twofold_lines < <(compgen -f -- "$word")
}
_twofold_folders() {
    compopt -o filenames 2> /dev/null
    _twofold_lines < <(compgen -d -- "$word")
}
_twofold_collections() {
    compopt -o filenames 2> /dev/null
    _twofold_lines < <(compgen -d -- "$word" | grep '\.twofold$')
    # Without one, the way to where some may be.
    [ "${#COMPREPLY[@]}" -gt 0 ] || _twofold_lines < <(compgen -d -- "$word")
}
_twofold() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} at= each
    COMPREPLY=()
    if [ "$word" = "=" ]; then word=; elif [ "$before" = "=" ]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi
    for each in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$at/$each" in
            COMMANDS) at=$at/$each ;;
        esac
    done
    case "$at:$before" in
VALUES
    esac
    case "$at:$word" in
OPTIONS
    esac
    case "$at" in
ARGUMENTS
    esac
}
complete -F _twofold twofold"""

ZSH = r"""#compdef twofold
# Completes twofold in zsh; made by: twofold completion zsh
_twofold_words() { compadd -- ${=1} }
_twofold_files() { _files }
_twofold_folders() { _files -/ }
_twofold_collections() { _files -g '*.twofold(-/)' }
_twofold() {
    local word=${words[CURRENT]} before=${words[CURRENT-1]} at= each
    local -a known
    for each in ${words[2,CURRENT-1]}; do
        case "$at/$each" in
            (COMMANDS) at=$at/$each ;;
        esac
    done
    case "$at:$before" in
VALUES
    esac
    case "$at:$word" in
OPTIONS
    esac
    case "$at" in
ARGUMENTS
    esac
}
if [ "$funcstack[1]" = "_twofold" ]; then _twofold "$@"; else compdef _twofold twofold; fi"""

FISH = r"""# Completes twofold in fish; made by: twofold completion fish
function __twofold_at
    set -l at
    for each in (commandline -opc)[2..-1]
        switch "$at/$each"
            case COMMANDS
                set at "$at/$each"
        end
    end
    test "$at" = "$argv[1]"
end
function __twofold_collections
    __fish_complete_directories (commandline -ct) | string match -r '^\S.*\.twofold/?(?:\t.*)?$'
    or __fish_complete_directories (commandline -ct)
end
complete -c twofold -f
"""

FISH_VALUES = {
    "files": "-F",
    "folders": "-x -a '(__fish_complete_directories (commandline -ct))'",
    "collections": "-x -a '(__twofold_collections)'",
    "": "-x",
}


def bash(commands: Sequence[Command]) -> str:
    """The script for bash."""
    options, arguments = [], []
    for each in commands:
        names = " ".join(name for option in each.options for name in option.names)
        options.append(f"        {quote(each.at + ':')}-*) _twofold_words {quote(names)}; return ;;")
        lines = [_called(value) for value in each.values if value.kind]
        below = [f"_twofold_words {quote(' '.join(each.commands))}"] if each.commands else []
        arguments.append(f"        {quote(each.at)}) {'; '.join([*below, *dict.fromkeys(lines)]) or ':'} ;;")
    return _filled(BASH, commands, _cases(commands, ""), options, arguments)


def zsh(commands: Sequence[Command]) -> str:
    """The script for zsh, to be sourced or put in a folder of fpath as _twofold."""
    options, arguments = [], []
    for each in commands:
        names = ((name, option.says) for option in each.options for name in option.names)
        options.append(f"        ({quote(each.at + ':')}-*) {_described('option', names)}; return ;;")
        lines = [_called(value) for value in each.values if value.kind]
        below = [_described("command", each.commands.items())] if each.commands else []
        arguments.append(f"        ({quote(each.at)}) {'; '.join([*below, *dict.fromkeys(lines)]) or ':'} ;;")
    return _filled(ZSH, commands, _cases(commands, "("), options, arguments)


def fish(commands: Sequence[Command]) -> str:
    """The script for fish."""
    lines = []
    for each in commands:
        line = f"complete -c twofold -n {quote(f'__twofold_at {quote(each.at)}')}"
        lines += [f"{line} -a {name} -d {_in_fish(says)}" for name, says in each.commands.items()]
        lines += dict.fromkeys(f"{line} {_valued(value)}" for value in each.values if value.kind)
        for option in each.options:
            names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
            taken = "" if option.value is None else f" -r {_valued(option.value)}"
            lines.append(f"{line} {names}{taken} -d {_in_fish(option.says)}")
    script = FISH.replace("COMMANDS", " ".join(each.at for each in commands if each.at))
    return script + "\n".join(lines)


def _filled(script: str, commands: Sequence[Command], *parts: Iterable[str]) -> str:
    names = "|".join(each.at for each in commands if each.at)
    for word, lines in zip(("VALUES", "OPTIONS", "ARGUMENTS"), parts, strict=True):
        script = script.replace(word, "\n".join(lines), 1)
    return script.replace("COMMANDS", names, 1)


def _cases(commands: Iterable[Command], opening: str) -> Iterator[str]:
    """For each option that takes a value: how it is completed; a value that cannot be known is left to the user."""
    for each in commands:
        for option in each.options:
            if option.value is not None:
                names = "|".join(quote(f"{each.at}:{name}") for name in option.names)
                yield f"        {opening}{names}) {_called(option.value)}; return ;;"


def _called(value: Value) -> str:
    if value.kind == "words":
        return f"_twofold_words {quote(' '.join(value.words))}"
    return f"_twofold_{value.kind}" if value.kind else ":"


def _described(what: str, names: Iterable[tuple[str, str]]) -> str:
    return f"known=({' '.join(quote(f'{name}:{says}') for name, says in names)}); _describe {what} known"


def _valued(value: Value) -> str:
    return f"-x -a {_in_fish(' '.join(value.words))}" if value.kind == "words" else FISH_VALUES[value.kind]


def _in_fish(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
