"""An address is told from a folder, names its collection, and shows no password."""

from __future__ import annotations

from pathlib import Path

import pytest

from twofold.addresses import Address, has_password, is_address, name_of, place_of
from twofold.cli.main import main
from twofold.errors import InputError


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_an_address_names_its_collection_and_everything_else_is_the_client_librarys(scheme: str) -> None:
    address = Address.of(f"{scheme}://me@db.example:5433/shop?sslmode=require&collection=wiki&connect_timeout=3")
    assert address.name == "wiki"
    assert address.url("postgresql") == "postgresql://me@db.example:5433/shop?sslmode=require&connect_timeout=3"
    assert Address.of(f"{scheme}://h/db").name == "twofold"
    assert Address.of(str(address)) == address


@pytest.mark.parametrize("text", ["postgresql://me:pa%40ss@h/db?collection=w", "postgresql://me@h/db?password=pa%40ss"])
def test_a_password_is_not_shown_and_is_sent(text: str) -> None:
    address = Address.of(text)
    assert "pa" not in str(address)
    assert "pa%40ss" in address.url("postgresql")
    assert has_password(text)
    assert not has_password(str(address))


@pytest.mark.parametrize("name", ["", "Wiki", "1", "a-b", "x" * 41, "public", "pg_x", 'a"', "wiki&collection=other"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="a collection is named once"):
        Address.of(f"postgresql://h/db?collection={name}")


def test_an_address_of_no_engine_is_refused() -> None:
    with pytest.raises(InputError, match=r"no engine is at http://.*twofold\.connect"):
        place_of("http://127.0.0.1:8080")


def test_a_path_is_a_folder_unless_it_was_an_address(tmp_path: Path) -> None:
    assert place_of(tmp_path / "a") == tmp_path / "a"
    assert not is_address("a/b")
    assert not is_address(tmp_path)
    assert name_of(str(tmp_path / "wiki.twofold")) == "wiki.twofold"
    assert name_of("postgresql://h/db?collection=wiki") == "wiki"
    with pytest.raises(InputError, match="loses one of its slashes"):
        place_of(Path("postgresql://h/db"))


@pytest.mark.parametrize("line", [["info"], ["search", "--json"], ["mcp"]])
def test_the_command_line_takes_no_password(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    given = [line[0], "postgresql://me:geheim@h/db", *line[1:], *(["red"] if line[0] == "search" else [])]
    assert main(given) == 1
    said = capsys.readouterr()
    assert "PGPASSWORD" in said.err
    assert "geheim" not in said.err + said.out
