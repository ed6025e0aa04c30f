"""From a folder of images to a model folder: the steps around the training loop."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from depthwise.cloud import checkpoint, pictures
from depthwise.cloud.beginning import what_learns, with_kernels, with_precision
from depthwise.cloud.cuda.pictures import DevicePictures, fits
from depthwise.cloud.device import check_memory, keep_large_blocks
from depthwise.cloud.learner import Learner
from depthwise.cloud.loader import Loader, Maker, on_the_cpu
from depthwise.cloud.module import Network, normalise
from depthwise.cloud.outcome import Outcome, Start, versions
from depthwise.cloud.place import prepare_place
from depthwise.cloud.processes import World, world
from depthwise.cloud.quantized_start import check_recipe, to_state
from depthwise.cloud.recipe import Recipe
from depthwise.cloud.request import Request
from depthwise.cloud.resume import same_settings
from depthwise.cloud.runlog import RunLog
from depthwise.cloud.teach.lessons import Lessons, School, attend
from depthwise.cloud.train import Run
from depthwise.cloud.transfer import measure_norms
from depthwise.data.contents import content_sample
from depthwise.data.images import Images, read_images
from depthwise.data.store import Lost
from depthwise.errors import Refused
from depthwise.network.quantized import QuantizedModel
from depthwise.progress import Reporter, Silent

# Batches by which batch normalisations are measured that a file did not hold.
MEASURED_STEPS = 8


def train(request: Request, reporter: Reporter) -> Start:
    """Train as asked, write the model folder, and return the model.

    With several processes all of them call this and all get the model; the first alone writes and reports.

    Raises: Refused, when the data or a setting does not allow it, nothing that exists is lost then; KeyboardInterrupt,
        when interrupted, after a checkpoint. Processes other than the first end silently instead, unless the reason is
        theirs alone.
    """
    keep_large_blocks()
    if request.threads is not None:
        torch.set_num_threads(request.threads)
    with world() as here, contextlib.ExitStack() as held:
        try:
            return _train(request, reporter if here.first else Silent(), here, held)
        except (Refused, KeyboardInterrupt) as reason:
            if here.first or isinstance(reason, Lost):
                raise
            raise SystemExit(130 if isinstance(reason, KeyboardInterrupt) else 2) from None


def _train(request: Request, reporter: Reporter, here: World, held: contextlib.ExitStack) -> Start:
    """Train what a request asks for in a process of its world, from the beginning or from its last checkpoint."""
    if request.quantize is not None:
        check_recipe(request.recipe, request.spec)
    state, log = _open_run(request, here, held)
    images = _read_images(request, reporter, here)
    spec = replace(request.spec, classes=len(images.labels))
    check_memory(spec, min(request.recipe.batch, len(images.train)) // here.size, here.device)
    facts: dict[str, Any] = {
        "spec": spec.to_dict(),
        "preprocessing": request.preprocessing.to_dict(),
        "images": images.digest(request.data),
        "quantize": None if request.quantize is None else request.quantize.to_dict(),
    }
    lessons = _lessons(request, images, reporter, here)
    facts["lessons"] = None if lessons is None else lessons.digest
    recipe = None if state is None else same_settings(request.recipe, facts, state)
    # Not before the teachers: fitting heads draws numbers, and a run that finds their answers on disk draws none.
    torch.manual_seed(request.recipe.seed)
    network, start = what_learns(request, spec, images, state, here, reporter)
    if recipe is None:
        recipe = with_precision(with_kernels(request.recipe, network, here, reporter), network, here, reporter)
    kept = {**facts, "start": to_state(start)} if isinstance(start, QuantizedModel) else facts
    seen = content_sample([item.path for item in images.train.items], here)
    outcome = Outcome(start=start, request=request, recipe=recipe, images=images, here=here, seen=seen, lessons=lessons)
    run = _make_run(outcome, network, kept, log, reporter)
    if state is not None:
        run.restore(state)
        ends = f"ending after {run.epoch} of {recipe.epochs} epochs"
        reporter.notice(ends if request.finish else f"going on with epoch {run.epoch + 1}, step {run.step + 1}")
    _log_start(log, request, recipe, images, run)
    if lessons is not None and state is None:
        _compare_with_teachers(request, lessons, run, images, reporter)
    if isinstance(start, QuantizedModel) and state is None:
        run.keep_start({**start.provenance["quantization"]["int8"], **run.withstood()})
    if here.first and not (request.run_folder / pictures.FED).exists():
        _draw(lambda: pictures.save_fed(request.run_folder, run.loader.batch(0, 0), images.labels), reporter)
    trained = run.so_far() if request.finish else run.train()
    model = outcome.final(trained)
    here.together(lambda: model.save(request.out) if here.first else None)
    if log is not None:
        _log_end(log, request, model, trained.best["epoch"] + 1, reporter)
    return model


def _open_run(request: Request, here: World, held: contextlib.ExitStack) -> tuple[dict[str, Any] | None, RunLog | None]:
    """The checkpoint to go on from, if any, and the log, which the first process alone has.

    A run that is there and not to be resumed is refused, so that none is lost, and one that another process is at work
    on. The folder is this process's until `held` is closed.
    """
    folder = request.run_folder
    state = furthest(here.together(lambda: _read_checkpoint(folder)), here)

    def opened() -> RunLog | None:
        """The log, in the first process."""
        if not here.first:
            return None
        if state is None and request.finish:
            raise Refused(f"{folder}: holds no run that could be finished; leave --finish out to begin one")
        if state is not None and not (request.resume or request.finish):
            raise Refused(f"{folder}: holds a run already; go on with it by --resume, or remove the folder")
        replaces = request.force or state is not None
        prepare_place(request.out, folder, request.data, request.spec, held, replaces=replaces)
        return RunLog(folder, tensorboard=request.tensorboard)

    log = here.together(opened)
    return state, log


def _read_checkpoint(folder: Path) -> dict[str, Any] | None:
    content = checkpoint.read(folder)
    return None if content is None else checkpoint.decode(content, folder / checkpoint.NAME)


def furthest(own: dict[str, Any] | None, here: World) -> dict[str, Any] | None:
    """The checkpoint that is furthest of those that the processes found, in all of them.

    The first process writes it, and after a restart on several machines another one may be the first.
    """
    steps = here.gather((-1, -1) if own is None else (_whole(own.get("epoch")), _whole(own.get("step"))))
    return here.agree(own, steps.index(max(steps)))


def _whole(number: Any) -> int:
    """A number of a checkpoint that nothing has looked at yet; what is none is refused where the run is restored."""
    return number if isinstance(number, int) else 0


def _read_images(request: Request, reporter: Reporter, here: World) -> Images:
    folder = request.run_folder
    return read_images(
        request.data,
        seed=request.recipe.seed,
        preprocessing=request.preprocessing,
        reporter=reporter,
        pixels_in=folder if folder.is_dir() else None,
        crew=here,
    )


def _lessons(request: Request, images: Images, reporter: Reporter, here: World) -> Lessons | None:
    """What the teachers tell, where there are any."""
    if request.distill is None:
        return None
    # A function of torch may make its network of random weights, which are then the same whenever it is asked.
    torch.manual_seed(request.recipe.seed)
    return attend(
        School(
            teachers=request.distill,
            images=images,
            root=request.data,
            channels=request.spec.channels,
            folder=request.run_folder,
            seed=request.recipe.seed,
            here=here,
            reporter=reporter,
        )
    )


def _compare_with_teachers(request: Request, lessons: Lessons, run: Run, images: Images, reporter: Reporter) -> None:
    """Warn where the teachers are no better than the student would be without them, as far as that can be known."""
    counts = np.bincount(images.validation.labels)
    least, whose = counts.max() / counts.sum(), "one that always says the commonest class"
    if request.pretrained is not None:
        start = run.measure_start()
        if start > least:
            least, whose = start, "the network to train before its first step is for a part of them"
    taught = lessons.figures["top1"]
    if taught <= least:
        reporter.notice(
            f"warning: the teachers are right for {taught:.2%} of the validation images, which is no more than"
            f" {whose} ({least:.2%}); they can teach little, so train without --distill, or with a better teacher"
        )


def _make_run(
    outcome: Outcome, network: Network, facts: Mapping[str, Any], log: RunLog | None, reporter: Reporter
) -> Run:
    request, recipe, images, here = outcome.request, outcome.recipe, outcome.images, outcome.here
    loader = Loader(
        store=images.train,
        recipe=recipe,
        resolution=network.spec.resolution,
        rank=here.rank,
        world=here.size,
        make=_maker(images, recipe, here),
        lessons=None if outcome.lessons is None else outcome.lessons.logarithms,
    )
    if request.pretrained is not None:
        first = (loader.batch(0, step).pixels for step in range(min(loader.steps, MEASURED_STEPS)))
        device = next(network.parameters()).device
        measure_norms(network, (normalise(pixels.to(device), request.preprocessing) for pixels in first))
    counts = np.bincount(images.train.labels, minlength=len(images.labels)).tolist()
    learner = Learner(
        network, recipe, request.preprocessing, steps=loader.steps * recipe.epochs, counts=counts, world=here
    )
    return Run(
        learner,
        loader,
        images.validation,
        folder=request.run_folder,
        log=log,
        reporter=reporter,
        checkpoint_seconds=request.checkpoint_seconds,
        facts=facts,
        publish=lambda trained: outcome.so_far(trained).save(request.out),
    )


def _maker(images: Images, recipe: Recipe, here: World) -> Maker:
    """What makes the pictures: the GPU, where kernels of our own run and its memory holds the images; else the CPU."""
    if recipe.kernels != "triton" or not here.agree(fits(images.train, here.device)):
        return on_the_cpu
    return DevicePictures(images.train, here.device)


def _log_start(log: RunLog | None, request: Request, recipe: Recipe, images: Images, run: Run) -> None:
    def write() -> None:
        """What this run is, as the log's first entry of it."""
        if log is not None:
            log.write(
                "resume" if run.epoch or run.step else "start",
                epoch=run.epoch + 1,
                step=run.step,
                command=request.command,
                spec=run.learner.network.spec.to_dict(),
                recipe=recipe.to_dict(),
                images=images.counts,
                left_out=[entry.reason for entry in images.unreadable],
                processes=run.world.size,
                device=run.world.device.type,
                versions=versions(),
            )

    run.world.together(write)


def _log_end(log: RunLog, request: Request, model: Start, kept: int, reporter: Reporter) -> None:
    log.write("end", epoch=kept, accuracy=dict(model.accuracy))
    _draw(lambda: pictures.save_curves(request.run_folder, log.epochs(), kept), reporter)


def _draw(draw: Callable[[], None], reporter: Reporter) -> None:
    """Draw a picture; a training does not fail for want of one."""
    try:
        draw()
    except ModuleNotFoundError as missing:
        reporter.notice(f"warning: a picture is left out: {missing.name} is not installed; run: pip install matplotlib")
    except Refused as refusal:
        reporter.notice(f"warning: a picture is left out: {refusal}")
