"""Processes that read the same images, each of them a part."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import chain, zip_longest
from typing import Protocol, TypeVar

from depthwise.errors import Refused

T = TypeVar("T")
U = TypeVar("U")


class Crew(Protocol):
    """This process among all of them: `rank` of `size`."""

    @property
    def rank(self) -> int:
        """Its number, from 0 on."""

    @property
    def size(self) -> int:
        """How many there are."""

    def together(self, work: Callable[[], T]) -> T:
        """What `work` returns here, once it is done in all; a refusal in one is a refusal in all."""

    def gather(self, value: T) -> list[T]:
        """The values of all processes, in the order of their ranks, in all of them."""


class Alone:
    """A process that has no others."""

    rank, size = 0, 1

    def together(self, work: Callable[[], T]) -> T:
        """What `work` returns."""
        return work()

    def gather(self, value: T) -> list[T]:
        """Its own value."""
        return [value]


ALONE = Alone()


def own(crew: Crew, items: Sequence[T]) -> Sequence[T]:
    """The part of this process."""
    return items[crew.rank :: crew.size]


def shared(crew: Crew, items: Sequence[T], work: Callable[[Sequence[T]], Sequence[U]]) -> list[U]:
    """What `work` finds of each of some items, in their order; each process works on its part.

    All processes call this with the same items.
    Raises: Refused, in all of them, where `work` does in one.
    """
    parts = crew.gather(list(crew.together(lambda: work(own(crew, items)))))
    if crew.size == 1:
        return parts[0]
    return list(chain.from_iterable(zip_longest(*parts)))[: len(items)]


def check_same(crew: Crew, digest: str, place: str | os.PathLike[str]) -> None:
    """See that all processes have the same images before them.

    Args:
        digest: a text that differs where the images do.
        place: where they lie, for the message.
    Raises: Refused, in all of them, where they have not.
    """
    if len(set(crew.gather(digest))) > 1:
        raise Refused(f"{place}: does not hold the same images on all machines; copy it again")
