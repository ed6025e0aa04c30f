"""Names of classes: from a text file, from what a foreign file says, or plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from depthwise.errors import Refused
from depthwise.files import read_file

LARGEST_LIST = 16 * 2**20


def read_labels(path: Path) -> tuple[str, ...]:
    """The labels of a text file, one a line, UTF-8; empty lines at the end do not count.

    Raises: Refused, when it cannot be read.
    """
    try:
        text = read_file(path, LARGEST_LIST).decode("utf-8-sig")
    except OSError as problem:
        raise Refused(f"{path}: cannot be read ({problem.strerror}); give a text file with one label a line") from None
    except UnicodeDecodeError:
        raise Refused(f"{path}: not UTF-8 text; give a text file with one label a line") from None
    return parse_labels(text)


def parse_labels(text: str) -> tuple[str, ...]:
    """One label a line, made distinct."""
    return distinct([line.strip() for line in text.rstrip().splitlines()])


def distinct(labels: Sequence[str]) -> tuple[str, ...]:
    """Labels that a device can print and tell apart: of those that are not, all get their number behind.

    ImageNet has two cranes and two maillots: "crane" becomes "crane (135)" and "crane (518)".
    """
    clean = [label.replace("\0", "").encode(errors="replace").decode() for label in labels]
    named = [label or f"class {index}" for index, label in enumerate(clean)]
    counts: dict[str, int] = {}
    for label in named:
        counts[label] = counts.get(label, 0) + 1
    taken = {label for label, count in counts.items() if count == 1}
    result = []
    for index, label in enumerate(named):
        unique = label
        while counts[label] > 1 and (unique == label or unique in taken):
            unique = f"{unique} ({index})"
        taken.add(unique)
        result.append(unique)
    return tuple(result)


def numbered(classes: int) -> tuple[str, ...]:
    """ "class 0", "class 1" and so on."""
    return tuple(f"class {index}" for index in range(classes))
