"""`depthwise quantize`: a float model folder in, an int8 model folder out, and what that costs."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from depthwise.cli.options import force_option

if TYPE_CHECKING:
    from depthwise.data.folder import Item
    from depthwise.data.store import Store
    from depthwise.network.model import Model
    from depthwise.quantize.options import Options, Progress
    from depthwise.quantize.quantize import Quantization
    from depthwise.quantize.report import Report

RANGES = ("measured", "minmax", "percentile", "squared")
ROUNDINGS = ("nearest", "feedback", "learned")
BATCH = 64


@click.command("quantize")
@click.argument("model_folder", type=click.Path(path_type=Path))
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="Images to calibrate and to measure with, with labels or without.",
)
@click.option("--unlabelled", is_flag=True, help="Take DATA as pictures without labels, whatever their folders are.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Model folder to write.")
@click.option("--images", default=256, show_default=True, help="Calibration images, from the training images.")
@click.option("--ranges", type=click.Choice(RANGES), default="measured", show_default=True, help="Rule for ranges.")
@click.option("--per-tensor", is_flag=True, help="One scale a layer instead of one a channel, for comparison.")
@click.option("--equalise/--no-equalise", default=True, show_default=True, help="Give channels ranges of their own.")
@click.option("--correct-bias/--no-correct-bias", default=True, show_default=True, help="Take mean errors off biases.")
@click.option(
    "--rounding",
    type=click.Choice(ROUNDINGS),
    default="feedback",
    show_default=True,
    help="Of weights; `learned` needs PyTorch and takes minutes.",
)
@click.option("--max-drop", type=float, default=None, help="Points of top-1 that int8 may cost, such as 0.5.")
@click.option("--seed", default=0, show_default=True, help="Seed of the choice of images.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables.")
@click.option("--html", type=click.Path(path_type=Path), help="Also write the report as one page.")
@force_option
def command(
    *,
    model_folder: Path,
    data: Path,
    unlabelled: bool,
    out: Path,
    max_drop: float | None,
    as_json: bool,
    html: Path | None,
    force: bool,
    **settings: Any,
) -> None:
    """Turn the float model in MODEL_FOLDER into int8.

    DATA is a folder with one folder of images a class, or with `train`, `validation` and `test` in it. Calibration sees
    training images; accuracy is measured on the test images, else the validation images, else on some held out. DATA
    may be a plain folder of pictures without labels, too, or with --unlabelled any folder: then some are held out, and
    on these is counted how often int8 and float give the same label.

    Ends with 1, and writes no model, when int8 costs more than --max-drop.
    """
    from depthwise.cli.output import check_page, notice, write_page
    from depthwise.cli.progress import make_reporter
    from depthwise.network.folder import MODEL
    from depthwise.network.model import Model
    from depthwise.places import check_output
    from depthwise.quantize.options import Options
    from depthwise.quantize.report import check_drop

    options = Options(**settings)
    _check_torch(options)
    model = Model.load(model_folder)
    check_output(out, MODEL, force=force)
    check_page(html)
    files = _files(model, data, unlabelled=unlabelled, max_drop=max_drop)
    done, found = _quantize(model, files, options, make_reporter())
    _print(found, as_json)
    if html is not None:
        from depthwise.quantize.page import page

        write_page(html, page(found, name=model_folder.name))
    if max_drop is not None:
        check_drop(found, max_drop)
    _save(done, found, model, model_folder, out)
    notice(f"wrote {out}")


def _check_torch(options: Options) -> None:
    """Refuse before the work where the work would end without PyTorch."""
    from importlib.util import find_spec

    from depthwise.errors import Refused

    if options.rounding == "learned" and find_spec("torch") is None:
        raise Refused("--rounding learned needs PyTorch, which is not installed; run: pip install 'depthwise[cloud]'")


def _quantize(model: Model, files: Files, options: Options, progress: Progress) -> tuple[Quantization, Report]:
    from depthwise.quantize.evaluate import compare, layer_noise
    from depthwise.quantize.quantize import quantize, sample
    from depthwise.quantize.report import report

    chosen = [files.training[index] for index in sample(len(files.training), options.images, options.seed)]
    calibration = _store(model, chosen, progress)
    pixels = calibration.batch(range(len(calibration)))
    done = quantize(model, pixels, options, progress)
    store = _store(model, files.measured, progress)
    labels = store.labels if files.labelled else None
    batches = (
        (store.batch(range(start, min(start + BATCH, len(store)))), None if labels is None else labels[start:][:BATCH])
        for start in range(0, len(store), BATCH)
    )
    comparison = compare(model, done.model, batches, len(store), progress)
    noise = layer_noise(model, done.model, pixels, progress)
    return done, report(model, done, options, len(pixels), comparison, noise)


class Files(NamedTuple):
    """Files to calibrate and to measure with; `labelled` where their labels are known."""

    training: tuple[Item, ...]
    measured: tuple[Item, ...]
    labelled: bool


def _files(model: Model, data: Path, *, unlabelled: bool, max_drop: float | None) -> Files:
    """The files in DATA, with the model's own indices of labels.

    Raises: Refused, when a class is none of the model's, or --max-drop is to hold where there are no labels.
    """
    from depthwise.data.folder import Item, read_folder
    from depthwise.data.unlabelled import is_plain, read_plain
    from depthwise.errors import Refused

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


def _store(model: Model, items: tuple[Item, ...] | list[Item], progress: Progress) -> Store:
    from depthwise.data.store import evaluation_store
    from depthwise.errors import Refused

    wanted = model.preprocessing
    progress.begin("reading images", len(items))
    try:
        store = evaluation_store(
            items,
            channels=wanted.channels,
            resize=wanted.resize,
            crop=wanted.crop,
            tick=progress.advance,
            mode=wanted.mode,
            fill=wanted.fill,
        )
    finally:
        progress.end()
    if store.unreadable:
        progress.notice(f"warning: {len(store.unreadable):,} images cannot be used; {store.unreadable[0].reason}")
    if not len(store):
        raise Refused("no image can be read; give a folder of images that can")
    return store


def _print(found: Report, as_json: bool) -> None:
    from depthwise.cli.output import console, print_json, print_table
    from depthwise.quantize import tables
    from depthwise.quantize.report import document

    if as_json:
        print_json(document(found))
        return
    print_table(tables.layer_table(found))
    print_table(tables.accuracy_table(found))
    for line in tables.summary(found):
        console().print(line, soft_wrap=True)


def _save(done: Quantization, found: Report, model: Model, source: Path, out: Path) -> None:
    """Write the folder, with what was measured and where the model comes from."""
    from depthwise import __version__

    compared, right = found.comparison, found.comparison.accuracy
    accuracy = {}
    if right is not None:
        accuracy["measured"] = {"top1": right.int8_top1, "top5": right.int8_top5, "images": compared.images}
    provenance = {
        "command": "depthwise " + shlex.join(sys.argv[1:]),
        "quantized_from": {"name": source.name, "provenance": dict(model.provenance), "accuracy": dict(model.accuracy)},
        "quantization": {
            **found.options.to_dict(),
            "calibration_images": found.calibrated,
            "float_top1": None if right is None else right.float_top1,
            "compared_images": compared.images,
            "agreement": compared.agreement,
        },
        "versions": {"depthwise": __version__},
    }
    done.model.replace(accuracy=accuracy, provenance=provenance).save(out)
