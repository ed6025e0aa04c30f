"""`depthwise convert`: a foreign network in, a model folder or a file for another runtime out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from depthwise.cli.options import force_option
from depthwise.cli.output import notice, print_json, printable
from depthwise.errors import Refused

if TYPE_CHECKING:
    from depthwise.interop.formats import Format
    from depthwise.network.model import Model
    from depthwise.network.quantized import QuantizedModel


@click.command("convert")
@click.argument("source")
@click.argument("dest", type=click.Path(path_type=Path))
@click.option(
    "--to",
    type=click.Choice(["model", "onnx", "tflite", "timm"]),
    help="What to write; by the suffix of DEST where it has one, and else a model folder.",
)
@click.option("--labels", type=click.Path(path_type=Path), help="Text file with the names of the classes, one a line.")
@click.option("--resolution", type=int, help="Height and width of the input, of weights that do not say.")
@click.option("--mean", help="What is taken off each pixel (0 to 255): a number, or three with commas between.")
@click.option("--scale", help="What it is then multiplied by: a number, or three with commas between.")
@click.option("--keep-int8", is_flag=True, help="Keep an int8 network's own integers, instead of reading it as float.")
@force_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")
def command(
    source: str,
    dest: Path,
    to: str | None,
    labels: Path | None,
    resolution: int | None,
    mean: str | None,
    scale: str | None,
    keep_int8: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Convert SOURCE, a MobileNet V1 of any known format, to DEST.

    SOURCE is a model folder, a timm folder, a .h5 (Keras), .onnx, .safetensors (timm) or .tflite file, or a name of
    published weights: keras/0.25-128, timm/mobilenetv1_100.ra4_e3600_r224_in1k.

    DEST is a folder, or a file that ends with .onnx, .tflite or .safetensors.
    """
    from depthwise.interop.formats import kind_of, read, read_int8, write
    from depthwise.interop.labels import read_labels
    from depthwise.interop.source import Given
    from depthwise.places import check_output

    asked = cast("Format | None", to)
    check_output(dest, kind_of(dest, asked), force=force)
    given = Given(
        labels=None if labels is None else read_labels(labels),
        resolution=resolution,
        mean=_numbers("--mean", mean),
        scale=_numbers("--scale", scale),
    )
    model = read_int8(source, given) if keep_int8 else read(source, given)
    record = _record(source, dest, write(model, dest, asked), model)
    if "classifier" in model.provenance:
        notice(f"{source}: the classifier is {model.provenance['classifier']}")
    if as_json:
        print_json(record)
        return
    spec = model.spec
    click.echo(
        f"MobileNet V1 of width {spec.width:g} at {spec.resolution}x{spec.resolution}x{spec.channels},"
        f" {spec.classes:,} classes, {spec.activation}, {spec.padding} padding, {record['precision']}"
    )
    click.echo(f"{record['format']}: {printable(str(dest))}")


def _record(source: str, dest: Path, written: str, model: Model | QuantizedModel) -> Mapping[str, Any]:
    return {
        "schema": 1,
        "source": source,
        "dest": str(dest),
        "format": written,
        "precision": _precision(model),
        "spec": model.spec.to_dict(),
        "preprocessing": model.preprocessing.to_dict(),
        "labels": list(model.labels),
        "provenance": dict(model.provenance),
    }


def _precision(model: Model | QuantizedModel) -> str:
    return "int8" if hasattr(model, "layers") else "float32"


def _numbers(option: str, text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) not in (1, 3):
        raise Refused(f"{option} is {text!r}; give one number, or three with commas between")
    return values
