"""A float model and a folder of images to an int8 model, with what that costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from depthwise import __version__
from depthwise.data.folder import Item, read_folder
from depthwise.data.store import Store, read_prepared, tell_unreadable
from depthwise.data.unlabelled import is_plain, read_plain
from depthwise.errors import Refused
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel
from depthwise.progress import Reporter
from depthwise.quantize.evaluate import compare, layer_noise
from depthwise.quantize.options import Options
from depthwise.quantize.quantize import quantize, sample
from depthwise.quantize.report import Report, report

BATCH = 64


def quantize_folder(
    model: Model,
    data: Path,
    *,
    name: str,
    options: Options,
    unlabelled: bool,
    max_drop: float | None,
    command: str,
    reporter: Reporter,
) -> tuple[QuantizedModel, Report]:
    """The int8 model, which says how it came about, and what was decided and measured.

    Args:
        data: images with labels, or a plain folder of pictures.
        name: of the float model.
        unlabelled: whether folders in it are no classes; a plain folder of pictures is known as one.
        max_drop: points of top-1 that int8 may cost; it is for the caller to hold it, and needs labels.
        command: the command line, or the call, for the record.
    Raises: Refused, when the images do not fit the model, cannot be read or are too few.
    """
    files = _files(model, data, unlabelled=unlabelled, max_drop=max_drop)
    chosen = [files.training[index] for index in sample(len(files.training), options.images, options.seed)]
    calibration = _store(model, chosen, reporter)
    pixels = calibration.batch(range(len(calibration)))
    done = quantize(model, pixels, options, reporter)
    store = _store(model, files.measured, reporter)
    labels = store.labels if files.labelled else None
    batches = (
        (store.batch(range(start, min(start + BATCH, len(store)))), None if labels is None else labels[start:][:BATCH])
        for start in range(0, len(store), BATCH)
    )
    comparison = compare(model, done.model, batches, len(store), reporter)
    noise = layer_noise(model, done.model, pixels, reporter)
    found = report(model, done, options, len(pixels), comparison, noise)
    return done.model.replace(accuracy=_accuracy(found), provenance=_provenance(model, name, command, found)), found


def _accuracy(found: Report) -> dict[str, Any]:
    right = found.comparison.accuracy
    if right is None:
        return {}
    return {"measured": {"top1": right.int8_top1, "top5": right.int8_top5, "images": found.comparison.images}}


def _provenance(model: Model, name: str, command: str, found: Report) -> dict[str, Any]:
    right = found.comparison.accuracy
    return {
        "command": command,
        "quantized_from": {"name": name, "provenance": dict(model.provenance), "accuracy": dict(model.accuracy)},
        "quantization": {
            **found.options.to_dict(),
            "calibration_images": found.calibrated,
            "float_top1": None if right is None else right.float_top1,
            "compared_images": found.comparison.images,
            "agreement": found.comparison.agreement,
        },
        "versions": {"depthwise": __version__},
    }


class Files(NamedTuple):
    """Files to calibrate and to measure with; `labelled` where their labels are known."""

    training: tuple[Item, ...]
    measured: tuple[Item, ...]
    labelled: bool


def _files(model: Model, data: Path, *, unlabelled: bool, max_drop: float | None) -> Files:
    """The files in DATA, with the model's own indices of labels.

    Raises: Refused, when a class is none of the model's, or --max-drop is to hold where there are no labels.
    """
    if unlabelled or is_plain(data, model.labels):
        if max_drop is not None:
            raise Refused(
                f"{data}: has pictures without labels, and --max-drop needs labels; put the pictures of each class into"
                " a folder named after it, or leave --max-drop away"
            )
        return Files(*read_plain(data), labelled=False)
    dataset = read_folder(data)
    known = {label: index for index, label in enumerate(model.labels)}
    unknown = [label for label in dataset.labels if label not in known]
    if unknown:
        raise Refused(
            f"{data}: class {unknown[0]!r} is not a label of the model ({', '.join(model.labels[:3])}, ...);"
            " rename or remove the folder, or give --unlabelled where folders are no classes"
        )
    own = [known[label] for label in dataset.labels]
    splits = (dataset.train, dataset.test or dataset.validation)
    training, measured = (tuple(Item(item.path, own[item.label]) for item in split) for split in splits)
    return Files(training, measured, labelled=True)


def _store(model: Model, items: tuple[Item, ...] | list[Item], reporter: Reporter) -> Store:
    store = read_prepared(items, model.preprocessing, reporter, "reading images")
    tell_unreadable(store.unreadable, reporter, so="cannot be used", others="which are left out too")
    if not len(store):
        raise Refused("no image can be read; give a folder of images that can")
    return store
