"""Which class of one network is which of another, by their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def same_names(wanted: Sequence[str], known: Sequence[str]) -> dict[int, int]:
    """For each class of `wanted` that is one of `known`, by index: which.

    The names themselves are compared first; then the first of several that a label gives with commas between, without
    case and marks, so that a folder "king_penguin" is "King penguin, Aptenodytes patagonica"; then all that it gives.
    A name that could mean several, such as "crane", is none of them.
    """
    rules: tuple[Callable[[str], set[str]], ...] = (
        lambda label: {label},
        lambda label: {_plain(label.split(",")[0])},
        lambda label: {_plain(part) for part in label.split(",")},
    )
    found: dict[int, int] = {}
    for rule in rules:
        places: dict[str, set[int]] = {}
        for place, label in enumerate(known):
            for name in rule(label):
                places.setdefault(name, set()).add(place)
        for index, label in enumerate(wanted):
            meant = places.get(label, set()) | places.get(_plain(label), set())
            if index not in found and len(meant) == 1:
                found[index] = next(iter(meant))
    return _without_twins(found)


def _plain(name: str) -> str:
    """Its letters and digits, in lower case, each run of other marks as one blank; a number in brackets at the end,
    which only keeps equal names apart, is left out."""
    name = name.strip()
    if name.endswith(")") and "(" in name and name[name.rindex("(") + 1 : -1].isdigit():
        name = name[: name.rindex("(")]
    return " ".join("".join(mark if mark.isalnum() else " " for mark in name.casefold()).split())


def _without_twins(found: dict[int, int]) -> dict[int, int]:
    """Without classes that are taken for the same one."""
    taken = list(found.values())
    return {index: place for index, place in sorted(found.items()) if taken.count(place) == 1}
