"""What is attacked and the images for it, ready for any attack."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from depthwise.attack.sample import Sample, draw
from depthwise.attack.target import Target
from depthwise.edge.artifact import Artifact
from depthwise.errors import Refused
from depthwise.jobs.attack.pixels import Preparing
from depthwise.jobs.attack.target import Opening, opened
from depthwise.jobs.subject import find
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel, load_model
from depthwise.progress import Reporter


@dataclass(frozen=True, kw_only=True, eq=False)
class Ready:
    """What is attacked, opened, and the images for it."""

    opening: Opening
    target: Target
    pixels: Preparing
    sample: Sample


@contextlib.contextmanager
def ready(
    subject: Path,
    data: Path,
    *,
    images: int,
    seed: int,
    gradients: tuple[Path, ...],
    check: Callable[[Target], object],
    reporter: Reporter,
    frames: bool = False,
) -> Iterator[Ready]:
    """Open what is attacked and read the images.

    Args:
        subject: a model folder, or an artifact of this machine.
        images: how many at most; 0 for all.
        gradients: model folders whose gradients are tried on the subject as well.
        check: called before images are read, to refuse what cannot be.
        frames: whether the decoded files are needed too.
    Raises: Refused, when one of them is not what it should be.
    """
    find(subject)
    with contextlib.ExitStack() as held:
        opening = _opening(subject, gradients, held, reporter)
        target = held.enter_context(opened(opening))
        check(target)
        pixels = Preparing(opening, held)
        sample = draw(data, pixels, count=images, seed=seed, reporter=reporter, whole=frames)
        yield Ready(opening=opening, target=target, pixels=pixels, sample=sample)


def _opening(subject: Path, gradients: tuple[Path, ...], held: contextlib.ExitStack, reporter: Reporter) -> Opening:
    """The paths, with a model compiled for this machine."""
    if not subject.is_dir():
        with Artifact.open(subject) as artifact:
            labels, shape = artifact.labels, artifact.input_shape
        for folder in gradients:
            _check_like(folder, load_model(folder), labels, shape)
        return Opening(model=None, artifact=subject, gradients=gradients)
    from depthwise.compiler import compile_model

    model = load_model(subject)
    shape = (model.spec.resolution, model.spec.resolution, model.spec.channels)
    for folder in gradients:
        _check_like(folder, load_model(folder), model.labels, shape)
    reporter.notice(f"compiling {subject}, which answers faster so, and as a device does")
    folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="depthwise-attack-")))
    compile_model(model, target="host", out=folder / "model.so")
    return Opening(model=subject, artifact=folder / "model.so", gradients=gradients)


def _check_like(
    folder: Path, model: Model | QuantizedModel, labels: tuple[str, ...], shape: tuple[int, int, int]
) -> None:
    found = (model.spec.resolution, model.spec.resolution, model.spec.channels)
    if model.labels != labels or found != shape:
        raise Refused(
            f"{folder}: is no form of what is attacked: it has {len(model.labels)} labels and takes {found}, where"
            f" {len(labels)} labels and {shape} are wanted; give the model that it was made from"
        )
