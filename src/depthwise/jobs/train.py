"""A folder of images to a model folder, with the defaults of the command."""

from __future__ import annotations

from pathlib import Path

from depthwise.errors import Refused
from depthwise.interop.pixels import with_own_pixels
from depthwise.network.model import Model
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.quantized import QuantizedModel
from depthwise.network.spec import Spec
from depthwise.progress import Reporter
from depthwise.quantize.options import Options

try:
    from depthwise.cloud.recipe import Recipe, usual_settings
    from depthwise.cloud.request import Request
    from depthwise.cloud.session import train
except ModuleNotFoundError as missing:
    if missing.name != "torch":
        raise
    raise Refused("'train' needs PyTorch, which is not installed; run: pip install 'depthwise[cloud]'") from None


def train_folder(
    data: Path,
    out: Path,
    *,
    spec: Spec | None,
    recipe: Recipe | None,
    pretrained: Model | QuantizedModel | None,
    quantize: Options | None,
    distill: str | None,
    resume: bool,
    finish: bool,
    threads: int | None,
    force: bool,
    reporter: Reporter,
) -> Model | QuantizedModel:
    """Train, and write the model folder; `depthwise.api.train` says what each argument is.

    Raises: Refused, when the data or a setting does not allow it.
    """
    if isinstance(pretrained, QuantizedModel):
        raise Refused("training starts from float weights, and the model that was given is of int8")
    if quantize is not None and pretrained is None:
        raise Refused("training in int8 goes on from a float model; give one as `pretrained`")
    network = spec or (Spec() if pretrained is None else pretrained.spec)
    usual = usual_settings(fine_tuning=pretrained is not None, int8=quantize is not None, epochs=None)
    prepared = default_preprocessing(network.resolution, network.channels)
    if pretrained is not None and quantize is not None:
        prepared = pretrained.preprocessing
    elif pretrained is not None:
        pretrained = with_own_pixels(pretrained)
    request = Request(
        data=data,
        out=out,
        spec=network,
        recipe=recipe or Recipe(**usual),
        preprocessing=prepared,
        pretrained=pretrained,
        quantize=quantize,
        distill=distill,
        resume=resume,
        finish=finish,
        threads=threads,
        force=force,
        command="depthwise.train",
    )
    return train(request, reporter)
