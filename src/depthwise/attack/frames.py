"""Attacks on whole pictures, at the size of their files: what is changed lies before the resize, not behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from depthwise.attack.budget import Floats, Images
from depthwise.attack.findings import Findings, StageFindings
from depthwise.attack.subject import FunctionSubject, Ints, Subject
from depthwise.attack.target import Target
from depthwise.attack.way import Way

Pixels = NDArray[np.uint8]


def whole_target(target: Target, way: Way, height: int, width: int) -> Target:
    """The same network for frames of one size."""
    made: dict[int, Subject] = {}

    def whole(one: Subject) -> Subject:
        return made.setdefault(id(one), _whole(one, way, height, width))

    return Target(judge=whole(target.judge), asked=whole(target.asked), sources=tuple(map(whole, target.sources)))


def _whole(one: Subject, way: Way, height: int, width: int) -> Subject:
    def scores(frames: Images) -> Floats:
        squares = [way.square(np.clip(np.rint(frame), 0, 255).astype(np.uint8)) for frame in frames]
        return one.scores(
            np.stack(squares) if squares else np.zeros((0, way.crop, way.crop, frames.shape[3]), np.uint8)
        )

    if one.network is None:
        return FunctionSubject(one.name, scores)
    from depthwise.attack.gradient.resize import through_resize

    return FunctionSubject(one.name, scores, through_resize(one.network, way, height, width))


def by_size(frames: Sequence[Pixels]) -> list[Ints]:
    """Places of the frames of each size."""
    sizes: dict[tuple[int, ...], list[int]] = {}
    for place, frame in enumerate(frames):
        sizes.setdefault(frame.shape, []).append(place)
    return [np.array(places, np.int64) for places in sizes.values()]


def joined(
    parts: Sequence[Findings], places: Sequence[Ints], squares: Pixels, square: Callable[[Pixels], Pixels]
) -> tuple[Findings, tuple[Pixels, ...]]:
    """The findings of all sizes as one, in which images are shown as the network sees them; and the changed frames.

    Args:
        places: of the images of each part among all.
        squares: (N, crop, crop, C) of the images as they were.
        square: makes one of a frame.
    """
    order = np.argsort(np.concatenate(places))

    def together(name: str) -> NDArray[np.generic]:
        return np.concatenate([getattr(part, name) for part in parts])[order]

    first = parts[0]
    frames = [frame for part in parts for frame in part.changed]
    changed = tuple(frames[place] for place in order)
    whole = Findings(
        settings=first.settings,
        judge=first.judge,
        sources=first.sources,
        images=squares,
        labels=together("labels").astype(np.int64),
        said={name: np.concatenate([part.said[name] for part in parts])[order] for name in first.said},
        sure=together("sure").astype(np.float32),
        unsteady={name: sum(part.unsteady[name] for part in parts) for name in first.unsteady},
        flat={
            name: (sum(part.flat[name][0] for part in parts), sum(part.flat[name][1] for part in parts))
            for name in first.flat
        },
        stages=[_stage([part.stages[number] for part in parts]) for number in range(len(first.stages))],
        differing=sum(part.differing for part in parts),
    )
    for part in parts:
        whole.audit = whole.audit.joined(part.audit)
    for name in ("changed_said", "changed_sure", "by", "smallest", "until"):
        setattr(whole, name, together(name))
    whole.changed = np.stack([square(frame) for frame in changed])
    return whole, changed


def _stage(parts: Sequence[StageFindings]) -> StageFindings:
    return replace(
        parts[0],
        images=sum(one.images for one in parts),
        fooled=sum(one.fooled for one in parts),
        questions=sum(one.questions for one in parts),
        seconds=sum(one.seconds for one in parts),
    )
