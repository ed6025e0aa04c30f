"""A model or an artifact, and a folder of labelled images, to what attacks make of them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import multiprocessing
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from depthwise import __version__
from depthwise.attack.corruptions import Corrupted, measure
from depthwise.attack.draws import Draws
from depthwise.attack.engine import Engine
from depthwise.attack.findings import Findings
from depthwise.attack.frames import by_size, joined, whole_target
from depthwise.attack.kept import Kept
from depthwise.attack.plan import Settings, stages
from depthwise.attack.sample import Sample, draw
from depthwise.attack.subject import ArtifactSubject, FunctionSubject, Ints
from depthwise.attack.target import Target
from depthwise.attack.way import Way
from depthwise.attack.work import Arrays, Here, Part, Workers, perform
from depthwise.beside import recover
from depthwise.data.store import square
from depthwise.edge.artifact import Artifact
from depthwise.edge.pixels import Floats, Pixels
from depthwise.errors import Refused
from depthwise.evaluate.predictor import at_a_time
from depthwise.interop.names import cache_folder
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel, load_model
from depthwise.places import place
from depthwise.progress import Reporter

if TYPE_CHECKING:
    from depthwise.attack.gradient.patch import Patched
    from depthwise.network.preprocessing import Preprocessing

NO_TORCH = (
    "attacks by gradients need PyTorch, which is not installed; run: pip install 'depthwise[cloud]', or compile the"
    " model and attack the artifact, which needs none"
)


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What is attacked, as paths, so that every process can open it for itself.

    Attributes:
        model: the model folder that is attacked; None for an artifact.
        artifact: the artifact that is attacked, or the one that the model was compiled into.
        gradients: further model folders whose gradients are tried.
    """

    model: Path | None
    artifact: Path
    gradients: tuple[Path, ...]


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


@dataclass(frozen=True, kw_only=True, eq=False)
class Ready:
    """What is attacked, opened, and the images for it."""

    opening: Opening
    target: Target
    pixels: _Pixels
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
    recover(place(subject))
    if not subject.exists():
        raise Refused(f"{subject}: there is no such model folder or artifact; give one that `depthwise` wrote")
    with contextlib.ExitStack() as held:
        opening = _opening(subject, gradients, held, reporter)
        target = held.enter_context(opened(opening))
        check(target)
        pixels = _Pixels(opening, held)
        sample = draw(data, pixels, count=images, seed=seed, reporter=reporter, whole=frames)
        yield Ready(opening=opening, target=target, pixels=pixels, sample=sample)


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

    with contextlib.ExitStack() as held:
        seed = settings.seed
        here = held.enter_context(
            ready(
                subject,
                data,
                images=images,
                seed=seed,
                gradients=gradients,
                check=check,
                reporter=reporter,
                frames=frames,
            )
        )
        opening, target, sample = here.opening, here.target, here.sample
        kept = Kept(_folder_of(opening, settings, sample))
        if len(kept):
            reporter.notice("an attack like this one was stopped before; going on where it was")
        changed: tuple[Pixels, ...] = ()
        if frames:
            found, changed = _attack_frames(here, settings, kept, reporter)
        else:
            workers = _workers(opening, target, min(processes, -(-len(sample.items) // 8)), held)
            found = _engine(target, sample, np.arange(len(sample.items)), settings, workers, kept, reporter).run()
        kept.clear()
        return Attacked(
            subject=str(subject),
            kind="model" if opening.model is not None else "artifact",
            labels=here.pixels.labels,
            resize=here.pixels.resize,
            threshold=here.pixels.threshold,
            sample=sample,
            findings=found,
            frames=changed,
        )


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


def _attack_frames(
    here: Ready, settings: Settings, kept: Kept, reporter: Reporter
) -> tuple[Findings, tuple[Pixels, ...]]:
    """Attack pictures of each size for themselves."""
    way, sample, found = here.pixels.way, here.sample, []
    groups = by_size(sample.frames)
    for number, places in enumerate(groups):
        height, width = sample.frames[places[0]].shape[:2]
        target = whole_target(here.target, way, height, width)
        engine = _engine(target, sample, places, settings, Here(target), kept.within(f"size-{number}"), reporter)
        found.append(engine.run())
    return joined(found, groups, np.asarray(sample.images, np.uint8), way.square)


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


@contextlib.contextmanager
def opened(opening: Opening) -> Iterator[Target]:
    """What is attacked, in this process.

    Raises: Refused, when a model is to be asked for gradients and PyTorch is not installed.
    """
    with Artifact.open(opening.artifact) as artifact:
        asked = ArtifactSubject(artifact)
        models = [load_model(folder) for folder in (opening.model, *opening.gradients) if folder is not None]
        if not models:
            yield Target(judge=asked, asked=asked)
            return
        try:
            from depthwise.cloud.attacked import subject
        except ModuleNotFoundError as missing:
            if missing.name != "torch":
                raise
            raise Refused(NO_TORCH) from None
        import torch

        # Parts are shared among processes; threads within one would only change in which order sums are taken.
        torch.set_num_threads(1)
        sources = [subject(model) for model in models]
        sources += [subject(model, rounding="smooth") for model in models if isinstance(model, QuantizedModel)]
        _name_apart(sources)
        is_float = opening.model is not None and isinstance(models[0], Model)
        yield Target(judge=sources[0] if is_float else asked, asked=asked, sources=tuple(sources))


def _name_apart(sources: list[FunctionSubject]) -> None:
    """Number the forms that have one name."""
    seen: dict[str, int] = {}
    for one in sources:
        seen[one.name] = seen.get(one.name, 0) + 1
        if seen[one.name] > 1:
            one.name = f"{one.name} {seen[one.name]}"


class _Pixels:
    """Prepares images as the subject does."""

    def __init__(self, opening: Opening, held: contextlib.ExitStack) -> None:
        self._artifact = held.enter_context(Artifact.open(opening.artifact))
        self._wanted: Preprocessing | None = None
        if opening.model is not None:
            self._wanted = load_model(opening.model).preprocessing
        self.labels = self._artifact.labels
        self.channels = self._artifact.input_shape[2]
        self.together = at_a_time(self._artifact.input_shape[0], self.channels)
        record = self._artifact.record
        self.way = _way(record, self._artifact.input_shape[0], self._wanted)
        self.resize = self.way.resize
        self.threshold = _threshold(record.get("accuracy"))

    def prepare(self, frame: Pixels) -> Pixels:
        """(crop, crop, channels) of a decoded image."""
        return self._artifact.prepare(frame) if self._wanted is None else square(frame, self._wanted)

    def predict(self, pixels: Pixels) -> Floats:
        """Probabilities, as a predictor has them."""
        return self._artifact.run_all(pixels)


def _way(record: dict[str, Any], side: int, wanted: Preprocessing | None) -> Way:
    """How pictures become squares: as a model says, else as an artifact's record does; else by the shorter side."""
    if wanted is not None:
        return Way(resize=wanted.resize, crop=wanted.crop, mode=wanted.mode, fill=wanted.fill)
    said = record.get("preprocessing")
    said = said if isinstance(said, dict) else {}
    resize, fill = said.get("resize"), said.get("fill")
    return Way(
        resize=resize if isinstance(resize, int) and resize >= side else side,
        crop=side,
        mode=str(said.get("mode", "crop")),
        fill=tuple(fill) if isinstance(fill, list) else (),
    )


def _threshold(accuracy: Any) -> float | None:
    """The probability below which answers are unknown, as a description says it."""
    found = accuracy.get("unknown") if isinstance(accuracy, dict) else None
    value = found.get("threshold") if isinstance(found, dict) else None
    return float(value) if isinstance(value, int | float) and 0 <= value <= 1 else None


def _folder_of(opening: Opening, settings: Settings, sample: Sample) -> Path:
    """Where results are kept until the attack is over: its name says all that they depend on."""
    found = hashlib.sha256(sample.digest().encode())
    found.update(json.dumps([__version__, asdict(settings)], sort_keys=True).encode())
    for path in (opening.model or opening.artifact, *opening.gradients):
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            if file.is_file():
                found.update(file.name.encode(errors="surrogateescape") + b"\0" + file.read_bytes())
    return cache_folder() / "attack" / found.hexdigest()[:32]


class _Pool:
    """Several processes, each of which has opened the target for itself."""

    def __init__(self, opening: Opening, processes: int) -> None:
        # Not by fork: a forked process would have PyTorch's locks without its threads.
        context = multiprocessing.get_context("spawn")
        self._pool = context.Pool(processes, initializer=_open_here, initargs=(opening,))

    def results(self, parts: Iterable[Part]) -> Iterator[Arrays]:
        """In the order of the parts."""
        return self._pool.imap(_perform_here, parts)

    def close(self) -> None:
        """End the processes."""
        self._pool.terminate()
        self._pool.join()


_HELD = contextlib.ExitStack()
_TARGET: list[Target] = []


def _open_here(opening: Opening) -> None:
    import signal

    # Ctrl+C is for the first process, which ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _TARGET[:] = [_HELD.enter_context(opened(opening))]


def _perform_here(part: Part) -> Arrays:
    return perform(_TARGET[0], part)


def _workers(opening: Opening, target: Target, processes: int, held: contextlib.ExitStack) -> Here | _Pool:
    if processes <= 1:
        return Here(target)
    pool = _Pool(opening, processes)
    held.callback(pool.close)
    return pool
