"""C as text: indented lines, names, numbers and strings that come back as they were."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np

WIDTH = 118
# Characters of a string literal on one line, quotes and indent not counted.
_LITERAL = 100
_NEWLINE = r"\012"


class Lines:
    """Lines of C with an indent level."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._level = 0

    def add(self, *lines: str) -> None:
        """Append lines at the level of the moment; an empty text is an empty line."""
        self._lines += [("    " * self._level + line) if line else "" for line in lines]

    @contextmanager
    def block(self, head: str, tail: str = "}") -> Iterator[None]:
        """`head {`, what is added inside one level deeper, and `tail`. A function's brace has a line of its own."""
        if head.endswith("{"):
            self.add(head)
        else:
            self.add(head, "{")
        self._level += 1
        yield
        self._level -= 1
        self.add(tail)

    def wrap(self, items: Iterable[str], *, separator: str = ", ", end: str = "") -> None:
        """Append items, as many on a line as fit, with the separator after each but the last, which gets `end`."""
        line = ""
        pending = list(items)
        for index, item in enumerate(pending):
            text = item + (separator.rstrip() if index + 1 < len(pending) else end)
            if line and len(line) + 1 + len(text) + 4 * self._level > WIDTH:
                self.add(line)
                line = ""
            line = f"{line} {text}" if line else text
        if line:
            self.add(line)

    def table(self, head: str, items: Iterable[str]) -> None:
        """`head = {`, the items, as many on a line as fit, and `};` behind the last."""
        self.add(f"{head} = {{")
        self._level += 1
        self.wrap(items, end="};")
        self._level -= 1

    def __str__(self) -> str:
        return "\n".join(self._lines) + "\n"


def identifier(name: str) -> str:
    """A layer's name as part of a C name: `blocks.0.0` is `blocks_0_0`."""
    return re.sub(r"[^A-Za-z0-9]", "_", name)


def constant(name: str) -> str:
    """A layer's name as part of a C constant: `blocks.0.0` is `BLOCKS_0_0`."""
    return identifier(name).upper()


def strings(text: str) -> list[str]:
    """String literals that, side by side, are the text in UTF-8; one for each line of it, or more where it is long.

    Only plain ASCII stays as it is. Every other byte is an octal escape of three digits, which no digit behind it can
    lengthen; a question mark is escaped too, since `??/` and the like mean something else to a C11 compiler.
    """
    pieces = [""]
    for byte in text.encode():
        if len(pieces[-1]) >= _LITERAL or pieces[-1].endswith(_NEWLINE):
            pieces.append("")
        pieces[-1] += _escaped(byte)
    return [f'"{piece}"' for piece in pieces]


def words(values: np.ndarray) -> list[str]:
    """32-bit words, or the bits of float32 values, in hexadecimal, whichever byte order this machine has."""
    digits = values.view(np.uint32).astype(">u4").tobytes().hex()
    return [f"0x{digits[at : at + 8]}" for at in range(0, len(digits), 8)]


def _escaped(byte: int) -> str:
    character = chr(byte)
    if character in '"\\?':
        return "\\" + character
    return character if 32 <= byte < 127 else f"\\{byte:03o}"
