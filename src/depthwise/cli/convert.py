"""`depthwise convert`: a foreign network in, a model folder or a file for another runtime out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from depthwise.cli.foreign import RESIZE, given_from, pixel_options, say_reading
from depthwise.cli.options import force_option
from depthwise.cli.output import notice, print_json, printable
from depthwise.network.spec import ACTIVATIONS

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
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    help="File with the names of the classes: text, one a line, with or without numbers in front; JSON; or CSV.",
)
@click.option("--resolution", type=int, help="Height and width of the input, of weights that do not say.")
@pixel_options
@click.option("--resize", help=RESIZE)
@click.option(
    "--activation",
    type=click.Choice(list(ACTIVATIONS)),
    help="Activation of a PyTorch state dict, which does not say  [default: relu6]",
)
@click.option("--unit-strides", help="Its layers that run at stride 1 instead of 2, as `train` has them, such as 0,2.")
@click.option("--bn-epsilon", "epsilon", type=float, help="Epsilon of its batch normalisations  [default: 1e-5]")
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
    bgr: bool,
    resize: str | None,
    activation: str | None,
    epsilon: float | None,
    unit_strides: str | None,
    keep_int8: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Convert SOURCE, a MobileNet V1 of any known format, to DEST.

    SOURCE is a model folder, a folder of timm, transformers, Keras or TensorFlow.js, a .h5 or .keras (Keras), .onnx,
    .safetensors, .pt or .pth (PyTorch) or .tflite file, or a name of published weights: keras/0.25-128,
    timm/mobilenetv1_100.ra4_e3600_r224_in1k.

    DEST is a folder, or a file that ends with .onnx, .tflite or .safetensors.
    """
    from depthwise.interop.formats import kind_of, read, read_int8, write
    from depthwise.places import check_output

    asked = cast("Format | None", to)
    check_output(dest, kind_of(dest, asked), force=force)
    given = given_from(
        labels=labels,
        resolution=resolution,
        mean=mean,
        scale=scale,
        bgr=bgr,
        resize=resize,
        activation=activation,
        epsilon=epsilon,
        unit_strides=unit_strides,
    )
    model = read_int8(source, given) if keep_int8 else read(source, given)
    record = _record(source, dest, write(model, dest, asked), model)
    say_reading(source, model)
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
        "precision": model.precision,
        "spec": model.spec.to_dict(),
        "preprocessing": model.preprocessing.to_dict(),
        "labels": list(model.labels),
        "provenance": dict(model.provenance),
    }
