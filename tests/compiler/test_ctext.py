"""Texts and names in emitted C come back as they were."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthwise.compiler.emit.ctext import Lines, constant, identifier, strings, words


def read_back(literals: list[str]) -> str:
    """What a C11 compiler makes of string literals side by side: escapes are read in each one for itself."""
    data = b""
    for literal in literals:
        assert literal[0] == literal[-1] == '"'
        assert "??" not in literal, "a trigraph begins"
        body = literal[1:-1]
        parts = re.findall(r'\\[0-7]{3}|\\["\\?]|[^"\\]', body)
        assert "".join(parts) == body
        for part in parts:
            data += bytes([int(part[1:], 8)]) if re.match(r"\\[0-7]", part) else part[-1:].encode("ascii")
    return data.decode()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back_from_its_literals(text: str) -> None:
    assert read_back(strings(text)) == text


@pytest.mark.parametrize(
    "text", ['"', "\\", "\n", "*/", "/*", "</script>", "%s", "??/", "??)", "🐳", "\x01", "1\x019", "é7", "a" * 500, ""]
)
def test_what_could_break_c_comes_back_from_its_literals(text: str) -> None:
    assert read_back(strings(text)) == text


def test_a_digit_behind_an_escape_does_not_lengthen_it() -> None:
    assert strings("\x017") == [r'"\0017"']


def test_each_line_of_a_text_has_a_literal_of_its_own() -> None:
    assert strings("one\ntwo") == [r'"one\012"', '"two"']


def test_words_are_the_bits_of_the_values() -> None:
    values = np.array([1.0, -0.0, 1e-45, np.float32(np.pi)], np.float32)

    assert words(values) == ["0x3f800000", "0x80000000", "0x00000001", "0x40490fdb"]


def test_names_of_layers_become_names_in_c() -> None:
    assert (identifier("blocks.0.0.conv_dw"), constant("blocks.0.0.conv_dw")) == (
        "blocks_0_0_conv_dw",
        "BLOCKS_0_0_CONV_DW",
    )


def test_lines_are_indented_and_lists_are_wrapped() -> None:
    out = Lines()
    with out.block("int f(void)"):
        out.wrap([f"{i:08}" for i in range(24)], end=";")

    lines = str(out).splitlines()
    assert lines[:2] == ["int f(void)", "{"]
    assert lines[2].startswith("    00000000, 00000001,")
    assert lines[-2].endswith("00000023;")
    assert lines[-1] == "}"
    assert max(map(len, lines)) <= 118
