"""One line on what a model of a foreign file takes its pictures for, and who says so."""

from __future__ import annotations

from collections.abc import Sequence

from depthwise.network.description import Described
from depthwise.network.preprocessing import Preprocessing

ASSUMED = "assumed"
# Parts of the line, by their names in the provenance.
PARTS = ("pixels", "order", "resize")
MOST_NAMED = 5


def how(model: Described) -> dict[str, str]:
    """Whether pixels, order of channels and resize are read, given or assumed; {} of a model that was never foreign."""
    found = model.provenance.get("preprocessing")
    known = isinstance(found, dict) and all(isinstance(found.get(part), str) for part in PARTS)
    return {part: str(found[part])[:20] for part in PARTS} if isinstance(found, dict) and known else {}


def assumed(model: Described) -> bool:
    """Whether anything of it is assumed."""
    return ASSUMED in how(model).values()


def unread(model: Described) -> str:
    """What the file holds and nothing reads, as one line; "" where it is read to the last array."""
    found = model.provenance.get("unread")
    return f"read by no operation and left out: {found[:400]}" if isinstance(found, str) and found else ""


def initial(model: Described) -> str:
    """That normalisations have the statistics which they are made with, as one line; "" where none has."""
    found = model.provenance.get("norms")
    if not isinstance(found, str) or not found:
        return ""
    return (
        f"running mean exactly 0 and variance exactly 1 in every channel at {found[:200]}: never trained, saved without"
        " its statistics, or folded into the convolution before; in the first two cases the answers mean little"
    )


def single(model: Described) -> str:
    """That a file has one score where a model has two classes, as one line; "" of any other."""
    if not isinstance(model.provenance.get("score"), str):
        return ""
    first, second = model.labels[:2]
    return f"one score in the file: its sigmoid is the probability of {second!r}, and what that leaves of {first!r}"


def listed(names: Sequence[str]) -> str:
    """The first few of many things, and how many there are."""
    shown = ", ".join(names[:MOST_NAMED])
    return shown if len(names) <= MOST_NAMED else f"{shown} and {len(names) - MOST_NAMED:,} more"


def said(model: Described, square: Preprocessing | None = None) -> str:
    """What the network is fed, as one line; "" of a model that was never foreign.

    Args:
        square: whose way to a square is told, where it is not the model's own.
    """
    found = how(model)
    if not found:
        return ""
    pixels, order = (
        model.preprocessing,
        "grey" if model.spec.channels == 1 else _ORDERS[model.provenance["preprocessing"].get("bgr") is True],
    )
    resize = found["resize"] if square is None else "as training has it"
    line = (
        f"pixels (0 to 255) with mean {_numbers(pixels.mean)} and scale {_numbers(pixels.scale)} ({found['pixels']}),"
        f" {order} ({found['order']}), {(square or pixels).sizes} ({resize})"
    )
    asked = model.provenance["preprocessing"].get("filter")
    if isinstance(asked, str):
        line += f", by a {(square or pixels).filter} filter where the file says {asked[:40]}"
    if isinstance(layers := model.provenance["preprocessing"].get("layers"), str):
        line += (
            f", {layers[:100]} (assumed, as a state dict has none of them: --activation, --bn-epsilon, --unit-strides)"
        )
    return f"{line}; --mean, --scale, --bgr and --resize say otherwise" if assumed(model) else line


_ORDERS = {False: "red first", True: "blue first in the file, turned"}


def _numbers(values: tuple[float, ...]) -> str:
    one = values[:1] if len(set(values)) == 1 else values
    return ",".join(f"{value:.7g}" for value in one)
