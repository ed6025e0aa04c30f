"""Labels in YAML, as detectors' data.yaml has them, and in TensorFlow's label_map.pbtxt; the few forms that are met."""

from __future__ import annotations

import re
from collections.abc import Sequence

# An item of a label map: a number and a name, of which display_name is the one for people.
_ITEM = re.compile(r"\bitem\s*:?\s*\{([^{}]*)\}")
_FIELD = re.compile(r"\b(id|name|display_name)\s*:\s*(?:\"([^\"\n]*)\"|'([^'\n]*)'|(\d+))")
_KEY = re.compile(r"([A-Za-z_]\w*)\s*:\s*(.*)")


def of_label_map(text: str) -> dict[int, str] | None:
    """Labels by number of a label_map.pbtxt; None where the text is none."""
    found: dict[int, str] = {}
    for item in _ITEM.findall(text):
        fields = {key: double or single or number for key, double, single, number in _FIELD.findall(item)}
        name = fields.get("display_name") or fields.get("name")
        if name is None or not fields.get("id", "").isdecimal() or int(fields["id"]) in found:
            return None
        found[int(fields["id"])] = name
    return found or None


def of_yaml(lines: Sequence[str], names: Sequence[str]) -> list[str] | None:
    """The lines of labels in a list or a mapping of YAML, alone or under one of some names; None where there is none.

    A label may still have its number in front ("0: cat").
    """
    plain = [line.rstrip() for line in lines if line.strip() and line.strip() != "---" and line.lstrip()[0] != "#"]
    for place, line in enumerate(plain):
        key = _KEY.fullmatch(line)
        if key is None or key[1] not in names:
            continue
        if key[2]:
            inner = re.fullmatch(r"\[(.*)\]", key[2])
            return None if inner is None else [_unquoted(part) for part in inner[1].split(",") if part.strip()]
        block = []
        for behind in plain[place + 1 :]:
            if behind[0] not in " \t-":
                break
            block.append(behind.strip())
        return _items(block) or [re.sub(r"^(\d+:\s*)['\"](.*)['\"]$", r"\1\2", one) for one in block] or None
    return _items(plain)


def _items(lines: Sequence[str]) -> list[str] | None:
    """What stands behind the dashes, where each line begins with one."""
    if not lines or not all(re.match(r"-\s+\S", line) for line in lines):
        return None
    return [_unquoted(line[1:]) for line in lines]


def _unquoted(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text
