"""Colour, width, encoding and files: decided in one place."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from depthwise.cli import output
from depthwise.cli.output import print_table
from depthwise.errors import Refused
from depthwise.kinds import PAGE_MARK
from depthwise.tables import Column, Table


class Terminal(io.TextIOWrapper):
    """A terminal that keeps what is written to it."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding)

    def isatty(self) -> bool:
        return True

    def text(self) -> str:
        self.flush()
        kept = self.buffer
        assert isinstance(kept, io.BytesIO)
        return kept.getvalue().decode(self.encoding)


def terminal_for(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Standard output as a terminal; called in the test, since pytest sets its own after the fixtures."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return stream


def test_a_terminal_gets_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_for(monkeypatch)

    output.console().print("hello", style="red")

    assert "\x1b[31mhello" in terminal.text()


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_without_colour_gets_none(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    terminal = terminal_for(monkeypatch)
    monkeypatch.setenv(name, value)

    output.console().print("hello", style="bold red")

    assert terminal.text() == "hello\n"


def test_a_pipe_gets_no_colour_even_when_forced(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")

    output.console().print("hello", style="bold red")
    output.notice("by the way")

    assert capsys.readouterr() == ("hello\n", "by the way\n")


def test_text_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    output.console().print("[red]a[/] :smile: 100%")

    assert capsys.readouterr().out == "[red]a[/] :smile: 100%\n"


def test_a_text_that_the_terminal_cannot_show_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal(encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("NO_COLOR", "1")

    output.console().print("α")

    assert stream.text() == "\\u03b1\n"


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_document_comes_back_the_same_through_any_encoding(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    stream = Terminal(encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    document = {"schema": 1, "label": 'café 🐈 " \\ \n'}

    output.print_json(document)

    assert json.loads(stream.text()) == document


def test_a_document_without_a_schema_number_or_with_nan_is_a_bug() -> None:
    with pytest.raises(ValueError, match="schema"):
        output.print_json({"macs": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        output.print_json({"schema": 1, "loss": float("nan")})


def test_a_file_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()

    with pytest.raises(Refused, match=r"page: is a folder; give the name of a file"):
        output.write_page(tmp_path / "page", "text")

    assert [tmp_path / "page"] == list(tmp_path.iterdir())


def test_a_page_replaces_a_page_of_any_command_and_nothing_else(tmp_path: Path) -> None:
    for template in Path(output.__file__).parents[1].glob("*/templates/*.html.j2"):
        if "<html" in template.read_text():
            assert PAGE_MARK in template.read_text()
    place = tmp_path / "page"
    for text in (f"{PAGE_MARK}old", f"{PAGE_MARK}α\n"):
        output.write_page(place, text)
        assert place.read_bytes() == text.encode()
    place.write_text("<!doctype html>my own page")
    with pytest.raises(Refused, match="page: exists and is not a page of depthwise"):
        output.check_page(place)


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_a_table_on_a_narrow_terminal_comes_in_parts_that_name_their_rows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    headings = ("first figure", "second", "third figure", "fourth", "a long fifth", "sixth")
    table = Table(
        title="Narrow",
        columns=(Column(heading="layer", is_text=True), *(Column(heading=text) for text in headings)),
        rows=tuple((f"blocks.{row}.0.conv_dw", *(f"{row}{c}1,234,567" for c in range(6))) for row in range(3)),
    )

    print_table(table)

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    for row in range(3):
        named = [line for line in lines if f"blocks.{row}.0.conv_dw" in line]
        assert [part for line in named for part in line.split()[1:]] == [f"{row}{c}1,234,567" for c in range(6)]
