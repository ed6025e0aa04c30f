"""From a folder of images to a model folder: the steps around the training loop."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

import depthwise
from depthwise.cloud import checkpoint
from depthwise.cloud.device import faster_precision, keep_large_blocks
from depthwise.cloud.folder import Dataset, read_folder, shared_files
from depthwise.cloud.module import Network
from depthwise.cloud.processes import World, world
from depthwise.cloud.recipe import Recipe
from depthwise.cloud.reporter import Reporter
from depthwise.cloud.store import Store, evaluation_store, training_store
from depthwise.cloud.train import Run, Trained, validate
from depthwise.cloud.transfer import start_from
from depthwise.errors import Refused
from depthwise.network.model import Model
from depthwise.network.preprocessing import Preprocessing
from depthwise.network.spec import Spec

# Training images are kept at this multiple of the resolution, to be cropped from at random.
SPARE = 1.25
NAMED = 5  # How many files a notice names.


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be trained.

    Attributes:
        data: the folder of images.
        out: the model folder to write; the run's own files lie in `out` + ".run" beside it.
        spec: the network, whose classes are replaced by those of the folder.
        recipe: how.
        preprocessing: of the images, for this spec.
        pretrained: a model to start from, or None.
        resume: go on with the run in `out` + ".run" where there is one.
        command: the command line, for the record.
    """

    data: Path
    out: Path
    spec: Spec
    recipe: Recipe
    preprocessing: Preprocessing
    pretrained: Model | None = None
    resume: bool = False
    command: str = ""

    @property
    def run_folder(self) -> Path:
        """Where the checkpoint, the log and the pictures of the run lie."""
        return self.out.with_name(self.out.name + ".run")


def train(request: Request, reporter: Reporter) -> Model:
    """Train as asked, write the model folder, and return the model.

    Raises: Refused, when the data or a setting does not allow it; nothing that exists is lost then.
    """
    keep_large_blocks()
    dataset = read_folder(request.data, seed=request.recipe.seed)
    spec = replace(request.spec, classes=len(dataset.labels))
    with world() as here:
        state = _earlier_state(request, here)
        _report_dataset(dataset, reporter)
        train_store, validation, test = _stores(dataset, request, spec, reporter)
        torch.manual_seed(request.recipe.seed)
        network = Network(spec)
        if request.pretrained is not None and state is None:
            reporter.notice(start_from(network, request.pretrained))
        recipe = _settled(request.recipe, network, state, here, reporter)
        run = Run(
            network,
            recipe,
            request.preprocessing,
            train=train_store,
            validation=validation,
            folder=request.run_folder,
            world=here,
            reporter=reporter,
        )
        if state is not None:
            run.restore(state)
            reporter.notice(f"going on with epoch {run.epoch + 1}, step {run.step + 1}")
        trained = run.train()
        model = _model(request, spec, recipe, dataset, trained, here)
        model = _with_test(model, test, here)
        if here.first:
            model.save(request.out)
        return model


def _earlier_state(request: Request, here: World) -> dict[str, Any] | None:
    """The checkpoint to go on from; a run that is there and not to be resumed is refused, so that none is lost."""
    folder = request.run_folder
    if here.first:
        folder.mkdir(parents=True, exist_ok=True)
    state = checkpoint.load(folder)
    if state is not None and not request.resume:
        raise Refused(f"{folder}: holds a run already; go on with it by --resume, or remove the folder")
    return state


def _report_dataset(dataset: Dataset, reporter: Reporter) -> None:
    splits = {"training": dataset.train, "validation": dataset.validation, "test": dataset.test}
    sizes = ", ".join(f"{len(split):,} {name}" for name, split in splits.items() if split)
    reporter.notice(f"{len(dataset.labels)} classes; {sizes} images")
    for name in ("validation", "test"):
        pairs = shared_files(dataset.train, splits[name])
        if pairs:
            first, second = pairs[0]
            reporter.notice(
                f"warning: {len(pairs)} images are in both training and {name}, which makes the {name} accuracy too"
                f" high; the first is {first} = {second}"
            )


def _stores(dataset: Dataset, request: Request, spec: Spec, reporter: Reporter) -> tuple[Store, Store, Store]:
    side, shape = round(SPARE * spec.resolution), request.preprocessing
    reporter.begin("reading images", len(dataset.train) + len(dataset.validation) + len(dataset.test))
    train_store = training_store(dataset.train, channels=spec.channels, side=side, tick=reporter.advance)
    validation, test = (
        evaluation_store(split, channels=spec.channels, resize=shape.resize, crop=shape.crop, tick=reporter.advance)
        for split in (dataset.validation, dataset.test)
    )
    reporter.end()
    _report_unreadable((train_store, validation, test), reporter)
    for label, name in enumerate(dataset.labels):
        if not (train_store.labels == label).any():
            files = [item.path.name for item in dataset.train if item.label == label]
            raise Refused(
                f"{request.data}: class {name!r} has no readable image ({len(files)} files, the first is {files[0]});"
                " add images or remove the folder"
            )
    if not len(validation):
        raise Refused(f"{request.data}: no validation image can be read; add images")
    return train_store, validation, test


def _report_unreadable(stores: Sequence[Store], reporter: Reporter) -> None:
    unreadable = [entry for store in stores for entry in store.unreadable]
    if unreadable:
        reporter.notice(f"warning: {len(unreadable)} images are left out, since they cannot be used:")
        for entry in unreadable[:NAMED]:
            reporter.notice(f"  {entry.reason}")
        if len(unreadable) > NAMED:
            reporter.notice(f"  and {len(unreadable) - NAMED} more")


def _settled(
    recipe: Recipe, network: Network, state: dict[str, Any] | None, here: World, reporter: Reporter
) -> Recipe:
    """The recipe with its precision decided; a resumed run keeps what it began with."""
    if state is not None:
        began = Recipe.from_dict(state["recipe"])
        if replace(recipe, precision=began.precision) != began or network.spec.to_dict() != state["spec"]:
            raise Refused("--resume goes on with the settings of before, and these differ; repeat the same command")
        return began
    if recipe.precision != "auto":
        return recipe
    network.to(here.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    batch = max(2, min(recipe.batch, 128) // here.size)
    found = faster_precision(network, network.spec.resolution, network.spec.channels, batch, here.device)
    precision = here.agree(found)
    reporter.notice(f"training in {precision}, measured to be the faster here")
    return replace(recipe, precision=precision)


def _model(
    request: Request, spec: Spec, recipe: Recipe, dataset: Dataset, trained: Trained, here: World
) -> Model:
    best = trained.best
    return Model(
        spec=spec,
        weights=trained.weights,
        labels=dataset.labels,
        preprocessing=request.preprocessing,
        provenance={
            "data": request.data.resolve().name,
            "images": {"train": len(dataset.train), "validation": len(dataset.validation), "test": len(dataset.test)},
            "command": request.command,
            "recipe": recipe.to_dict(),
            "started_from": "random weights" if request.pretrained is None else "another model's weights",
            "epochs": best["epoch"] + 1,
            "seconds": round(trained.seconds),
            "processes": here.size,
            "device": here.device.type,
            "versions": {
                "depthwise": depthwise.__version__,
                "torch": torch.__version__,
                "python": platform.python_version(),
            },
        },
        accuracy={"validation": {"top1": best["top1"], "top5": best["top5"], "images": len(dataset.validation)}},
    )


def _with_test(model: Model, test: Store, here: World) -> Model:
    """The model with its accuracy on the test split, where there is one."""
    from depthwise.cloud.module import to_network

    if not len(test):
        return model
    figures = validate(to_network(model).to(here.device), test, model.preprocessing, here)
    entry = {"top1": figures["top1"], "top5": figures["top5"], "images": len(test)}
    return model.replace(accuracy={**model.accuracy, "test": entry})
