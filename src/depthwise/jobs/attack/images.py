"""An attack on each image for itself, and what it found."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from depthwise import __version__
from depthwise.attack.engine import Engine
from depthwise.attack.findings import Findings
from depthwise.attack.frames import by_size, joined, whole_target
from depthwise.attack.kept import Kept
from depthwise.attack.plan import Settings, stages
from depthwise.attack.sample import Sample
from depthwise.attack.subject import GROUP, Ints
from depthwise.attack.target import Target
from depthwise.attack.work import Here, Workers
from depthwise.cache import cache_folder
from depthwise.edge.pixels import Pixels
from depthwise.jobs.attack.processes import workers
from depthwise.jobs.attack.ready import Ready, ready
from depthwise.jobs.attack.target import Opening
from depthwise.progress import Reporter


@dataclass(frozen=True, kw_only=True, eq=False)
class Attacked:
    """What was attacked, with which images, and what was found.

    Attributes:
        subject: the model folder or artifact, as it was given.
        kind: "model" or "artifact".
        resize: length of an image's shorter side before the network crops it.
        threshold: the probability below which an answer is "unknown", None where the network has none.
        frames: the changed pictures at the size of their files, where those were attacked.
    """

    subject: str
    kind: str
    labels: tuple[str, ...]
    resize: int
    threshold: float | None
    sample: Sample
    findings: Findings
    frames: tuple[Pixels, ...] = ()


def attack(
    subject: Path,
    data: Path,
    *,
    settings: Settings,
    images: int,
    gradients: tuple[Path, ...],
    processes: int,
    reporter: Reporter,
    frames: bool = False,
) -> Attacked:
    """Attack a network with some images of a folder; arguments are those of `ready`.

    Args:
        processes: that work on it at the same time.
        frames: attack pictures at the size of their files, through the resize; in one process.
    Raises: Refused, when one of them is not what it should be, or a method needs what there is not.
    """

    def check(target: Target) -> None:
        stages(settings, tuple(one.name for one in target.sources), target.asked.name)

    with ready(
        subject,
        data,
        images=images,
        seed=settings.seed,
        gradients=gradients,
        check=check,
        reporter=reporter,
        frames=frames,
    ) as here:
        kept = Kept(_folder_of(here.opening, settings, here.sample))
        if len(kept):
            reporter.notice("an attack like this one was stopped before; going on where it was")
        changed: tuple[Pixels, ...] = ()
        if frames:
            found, changed = _attack_frames(here, settings, kept, reporter)
        else:
            found = _attack_squares(here, settings, processes, kept, reporter)
        kept.clear()
        return Attacked(
            subject=str(subject),
            kind="model" if here.opening.model is not None else "artifact",
            labels=here.pixels.labels,
            resize=here.pixels.way.resize,
            threshold=here.pixels.threshold,
            sample=here.sample,
            findings=found,
            frames=changed,
        )


def _attack_squares(here: Ready, settings: Settings, processes: int, kept: Kept, reporter: Reporter) -> Findings:
    """Attack pictures as the network takes them, in several processes."""
    places = np.arange(len(here.sample.items))
    with workers(here.opening, here.target, min(processes, -(-len(places) // GROUP))) as several:
        return _engine(here.target, here.sample, places, settings, several, kept, reporter).run()


def _attack_frames(
    here: Ready, settings: Settings, kept: Kept, reporter: Reporter
) -> tuple[Findings, tuple[Pixels, ...]]:
    """Attack pictures of each size for themselves, in this process."""
    way, sample, found = here.pixels.way, here.sample, []
    groups = by_size(sample.frames)
    for number, places in enumerate(groups):
        height, width = sample.frames[places[0]].shape[:2]
        target = whole_target(here.target, way, height, width)
        engine = _engine(target, sample, places, settings, Here(target), kept.within(f"size-{number}"), reporter)
        found.append(engine.run())
    return joined(found, groups, np.asarray(sample.images, np.uint8), way.square)


def _engine(
    target: Target,
    sample: Sample,
    places: Ints,
    settings: Settings,
    workers: Workers,
    kept: Kept,
    reporter: Reporter,
) -> Engine:
    """The engine for the images at some places."""
    images = sample.images[places] if not sample.frames else np.stack([sample.frames[place] for place in places])
    return Engine(
        settings=settings,
        judge=target.judge.name,
        asked=target.asked.name,
        sources=tuple(one.name for one in target.sources),
        images=images,
        labels=sample.labels[places],
        numbers=tuple(sample.numbers[place] for place in places),
        workers=workers,
        kept=kept,
        reporter=reporter,
    )


def _folder_of(opening: Opening, settings: Settings, sample: Sample) -> Path:
    """Where results are kept until the attack is over: its name says all that they depend on."""
    found = hashlib.sha256(sample.digest().encode())
    found.update(json.dumps([__version__, asdict(settings)], sort_keys=True).encode())
    for path in (opening.model or opening.artifact, *opening.gradients):
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            if file.is_file():
                found.update(file.name.encode(errors="surrogateescape") + b"\0" + file.read_bytes())
    return cache_folder() / "attack" / found.hexdigest()[:32]
