"""`depthwise quantize`: a float model folder in, an int8 model folder out, and what that costs."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depthwise.cli.options import force_option
from depthwise.cli.places import Data

if TYPE_CHECKING:
    from depthwise.quantize.options import Options
    from depthwise.quantize.report import Report

RANGES = ("measured", "minmax", "percentile", "squared")
ROUNDINGS = ("nearest", "feedback", "learned")


@click.command("quantize")
@click.argument("model_folder", type=click.Path(path_type=Path))
@click.option(
    "--data",
    required=True,
    type=Data(),
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
    data: str,
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
    from depthwise.jobs.data import located
    from depthwise.jobs.quantize import quantize_folder
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
    reporter = make_reporter()
    int8, found = quantize_folder(
        model,
        located(data, reporter),
        name=model_folder.name,
        options=options,
        unlabelled=unlabelled,
        max_drop=max_drop,
        command="depthwise " + shlex.join(sys.argv[1:]),
        reporter=reporter,
    )
    _print(found, as_json)
    if html is not None:
        from depthwise.quantize.page import page

        write_page(html, page(found, name=model_folder.name))
    if max_drop is not None:
        check_drop(found, max_drop)
    int8.save(out)
    notice(f"wrote {out}")


def _check_torch(options: Options) -> None:
    """Refuse before the work where the work would end without PyTorch."""
    from importlib.util import find_spec

    from depthwise.errors import Refused

    if options.rounding == "learned" and find_spec("torch") is None:
        raise Refused("--rounding learned needs PyTorch, which is not installed; run: pip install 'depthwise[cloud]'")


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
