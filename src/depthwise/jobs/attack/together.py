"""What is about all images together: a patch to print, and changes without an enemy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from depthwise.attack.corruptions import Corrupted, measure
from depthwise.attack.draws import Draws
from depthwise.attack.sample import Sample
from depthwise.attack.target import Target
from depthwise.errors import Refused
from depthwise.jobs.attack.ready import ready
from depthwise.progress import Reporter

if TYPE_CHECKING:
    from depthwise.attack.gradient.patch import Patched


def corrupt(subject: Path, data: Path, *, images: int, seed: int, reporter: Reporter) -> tuple[Sample, Corrupted]:
    """What noise, blur and the like do to a network's answers; arguments and refusals are those of `ready`."""
    with ready(
        subject, data, images=images, seed=seed, gradients=(), check=lambda target: None, reporter=reporter
    ) as here:
        draws = Draws(seed, here.sample.numbers)
        images_, labels = np.asarray(here.sample.images, np.uint8), here.sample.labels
        return here.sample, measure(here.target.judge, images_, labels, draws, reporter)


def patch(
    subject: Path, data: Path, *, images: int, seed: int, steps: int, gradients: tuple[Path, ...], reporter: Reporter
) -> tuple[Sample, Patched, str]:
    """A patch to print, what it does, and whose gradients made it; arguments are those of `ready`.

    Args:
        steps: of the climb; 0 for as many as usual.
    Raises: Refused, as `ready` does, and where there are no gradients.
    """

    def check(target: Target) -> None:
        if not target.sources:
            raise Refused(
                "patch goes by gradients, and an artifact has none; attack the model folder, or give the one that it"
                " was made from by --gradients"
            )

    with ready(subject, data, images=images, seed=seed, gradients=gradients, check=check, reporter=reporter) as here:
        from depthwise.attack.gradient.patch import Patch, make

        source, sample = here.target.sources[0], here.sample
        settings = Patch(steps=steps) if steps else Patch()
        draws, pixels = Draws(seed, sample.numbers), np.asarray(sample.images, np.uint8)
        found = make(settings, source, here.target.judge, pixels, sample.labels, draws, reporter)
        return sample, found, source.name
