"""Which class of one network is which of another, by their names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_SYNSET = re.compile(r"(n\d{8})(?:[\s_:-]+(.*))?")


def same_names(wanted: Sequence[str], known: Sequence[str]) -> dict[int, int]:
    """For each class of `wanted` that is one of `known`, by index: which.

    The names themselves are compared first; then the first of several that a label gives with commas between, without
    case and marks, so that a folder "king_penguin" is "King penguin, Aptenodytes patagonica"; then all that it gives,
    WordNet's number among them; then these without blanks. A name that could mean several, such as "crane", is none of
    them; one that is compared later never takes the class of one that was compared before.
    """
    rules: tuple[Callable[[str], set[str]], ...] = (
        lambda label: {label},
        lambda label: set(_given(label)[:1]),
        lambda label: {_plain(label), *_given(label)},
        lambda label: {name.replace(" ", "") for name in (_plain(label), *_given(label))},
    )
    found: dict[int, int] = {}
    gone: set[int] = set()
    for rule in rules:
        places: dict[str, set[int]] = {}
        for place in set(range(len(known))) - gone:
            for name in rule(known[place]):
                places.setdefault(name, set()).add(place)
        meant = {
            index: set[int]().union(*(places.get(name, set()) for name in rule(label)))
            for index, label in enumerate(wanted)
            if index not in found
        }
        by_rule = {index: next(iter(those)) for index, those in meant.items() if len(those) == 1}
        found |= _without_twins(by_rule)
        # What two mean by one rule is neither's by a later one.
        gone |= set(by_rule.values())
    return dict(sorted(found.items()))


def _given(label: str) -> list[str]:
    """The names that a label gives: those with commas between, and at the end WordNet's number, which may stand in
    front of them, as in "n02123045 tabby, tabby cat"."""
    found = _SYNSET.fullmatch(label.strip())
    number, rest = ("", label) if found is None else (found[1], found[2] or "")
    return [name for name in map(_plain, (*rest.split(","), number)) if name]


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
    return {index: place for index, place in found.items() if taken.count(place) == 1}
