"""Names of classes: from a list in one of its usual forms, from what a foreign file says, or plain numbers."""

from __future__ import annotations

import ast
import codecs
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from depthwise.errors import Refused
from depthwise.files import read_file
from depthwise.interop.label_markup import of_label_map, of_yaml
from depthwise.interop.label_tables import counts, of_table

# Of labels that lost their numbers at least this share must still differ; ImageNet has two cranes and two maillots.
MOSTLY = 0.9
LARGEST_LIST = 16 * 2**20
MOST_LINES = 1_000_000
# Under which other programs keep labels in an object of more: transformers, timm, COCO, and hand-written ones.
NAMES = ("id2label", "label_names", "labels", "classes", "class_names", "categories", "names")
# The same of numbers by label: PyTorch's ImageFolder, Keras's generators, transformers.
NUMBERS = ("class_to_idx", "class_indices", "label2id", "label_map")
# What an object that stands for one class calls its label and its number.
_LABEL_KEYS, _NUMBER_KEYS = ("name", "label", "className", "class_name", "class"), ("id", "index", "class_id")
# What Python prints of a list or a dictionary; its parser takes some hundred times as much memory.
LONGEST_OF_PYTHON = 2**20
_IN_FRONT = re.compile(
    r"[\[(]?\"?(?P<number>\d{1,6})\"?(?:\s*[])]?\s*[,;:\t|=]\s*|\s*[])]\s*|\.\s+|\s+-\s+|\s+)(?P<label>.*\S)"
)
_BEHIND = re.compile(r"(?P<label>.*\S)\s*[,;:\t|=]\s*\"?(?P<number>\d{1,6})\"?")


def read_labels(path: Path) -> tuple[str, ...]:
    """The labels of a file of UTF-8, or of UTF-16 with its mark: text, JSON or CSV, as `parse_labels` reads them.

    Raises: Refused, when it cannot be read, or its numbers are not those of classes.
    """
    try:
        content = read_file(path, LARGEST_LIST)
        # What Windows calls "Unicode" is UTF-16, and says so with its first two bytes.
        marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = content.decode("utf-16" if marked else "utf-8-sig")
    except OSError as problem:
        raise Refused(f"{path}: cannot be read ({problem.strerror}); give a text file with one label a line") from None
    except UnicodeDecodeError:
        raise Refused(f"{path}: not UTF-8 text; give a text file with one label a line") from None
    try:
        return parse_labels(text)
    except Refused as refusal:
        raise Refused(f"{path}: {refusal}") from None


def parse_labels(text: str) -> tuple[str, ...]:
    """The labels of a text, made distinct.

    One a line, with its number in front ("0 cat", "0. cat", "0: cat") or behind a comma ("cat,0") where every line has
    one; a table with a column of numbers; all in one line, with commas between; or JSON, or what Python prints: a list,
    an object of labels by number, or of numbers by label, alone or under a name that says so; the same in YAML, or
    TensorFlow's label_map.pbtxt.

    Raises: Refused, when it is JSON without labels, or its numbers leave one out or have one twice.
    """
    text = text.rstrip()
    if text.count("\n") >= MOST_LINES:
        raise Refused(f"has more than {MOST_LINES:,} lines; give one label a line, at most so many")
    if (numbered_map := of_label_map(text)) is not None:
        return distinct(in_order(numbered_map))
    lines = of_yaml(text.splitlines(), NAMES) or [line.strip() for line in text.splitlines()]
    try:
        found = json.loads(text) if text.lstrip()[:1] in ("{", "[") else None
    except (ValueError, RecursionError) as problem:
        found = _of_python(text)
        if found is None and text.lstrip()[0] == "{":
            raise Refused(f"begins as JSON and is none ({str(problem)[:100]}); give one label a line") from None
    return distinct(_of_lines(lines) if found is None else _of_json(found))


def _of_python(text: str) -> Any:
    """What Python prints of a list or a dictionary of labels, None where the text is something else; no code is run."""
    if len(text) > LONGEST_OF_PYTHON:
        return None
    try:
        found = ast.literal_eval(text.lstrip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    if isinstance(found, dict):
        return {str(key): label for key, label in found.items()}
    return found if isinstance(found, list) and all(isinstance(label, str) for label in found) else None


def _of_json(found: Any) -> list[str]:
    kinds = dict.fromkeys(NAMES, list | dict) | dict.fromkeys(NUMBERS, dict)
    inner = [found[name] for name in kinds if isinstance(found, dict) and isinstance(found.get(name), kinds[name])]
    found = inner[0] if inner else found
    if isinstance(found, list) and all(isinstance(label, str) for label in found):
        return found
    if isinstance(found, list) and all(isinstance(one, dict) for one in found):
        return _of_objects(found)
    if isinstance(found, dict) and found and all(_whole(value) for value in found.values()):
        return in_order({value: str(name) for name, value in found.items()})
    if isinstance(found, dict) and found and all(key.strip().isdecimal() for key in found):
        # Keras's imagenet_class_index.json has a synset beside each label.
        labels = {key: value[-1] if isinstance(value, list) and value else value for key, value in found.items()}
        if all(isinstance(label, str) for label in labels.values()):
            return in_order({int(key[:9]): str(label) for key, label in labels.items()})
    raise _neither()


def _of_objects(found: list[dict[str, Any]]) -> list[str]:
    """The labels of a list of objects, each with the name and perhaps the number of a class."""
    labels: dict[Any, str] = {}
    for place, one in enumerate(found):
        label = next((one[key] for key in _LABEL_KEYS if isinstance(one.get(key), str)), None)
        if label is None:
            raise _neither()
        labels[next((one[key] for key in _NUMBER_KEYS if key in one), place)] = label
    return in_order(labels)


def _neither() -> Refused:
    return Refused("is JSON, but neither a list of labels nor an object of labels and numbers; give one label a line")


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _of_lines(lines: list[str]) -> list[str]:
    """Labels without their numbers, where every line has one and together they are the classes."""
    if len(lines) == 1 and "," in lines[0]:
        # A network has two classes or more.
        lines = [part.strip() for part in lines[0].rstrip(",").split(",")]
    table = of_table(lines)
    if table is not None and _tell_apart(list(table.values())):
        return in_order(table)
    for form in (_IN_FRONT, _BEHIND):
        found = [form.fullmatch(line) for line in lines]
        pairs = [(int(match["number"]), _unquoted(match["label"])) for match in found if match is not None]
        if pairs and len(pairs) == len(found) and counts([number for number, _ in pairs]):
            labels = [label for _, label in sorted(pairs, key=lambda pair: pair[0])]
            if _tell_apart(labels):
                return labels
    return _bare(lines)


def _tell_apart(labels: list[str]) -> bool:
    """Whether labels still differ without their numbers: "1 star", "2 stars", "3 stars" are labels as they stand."""
    return len(set(labels)) > MOSTLY * len(labels)


def _bare(lines: list[str]) -> list[str]:
    """Lines without the commas and quotes of a list that was copied from a program."""
    if len(lines) > 1 and all(line.endswith(",") for line in lines[:-1]):
        lines = [line.rstrip(",").rstrip() for line in lines]
    for quote in ('"', "'"):
        if all(len(line) > 1 and line[0] == line[-1] == quote for line in lines):
            return [line[1:-1] for line in lines]
    return lines


def in_order(labels: dict[Any, str]) -> list[str]:
    """Labels by number as a list.

    Raises: Refused, when the numbers are not those of classes.
    """
    if not all(_whole(number) for number in labels) or not counts(list(labels)):
        raise Refused(
            f"numbers its {len(labels):,} labels other than from 0, or leaves one out; number each class once"
        )
    return [labels[number] for number in sorted(labels)]


def _unquoted(label: str) -> str:
    quoted = len(label) > 1 and label[0] == label[-1] == '"'
    return label[1:-1].replace('""', '"') if quoted else label


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
