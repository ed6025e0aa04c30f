"""Where training in int8 begins: a float model, quantised as `depthwise quantize` does it, and measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from depthwise.cloud.module import normalise, to_network
from depthwise.cloud.processes import World
from depthwise.cloud.quantized_module import QuantizedNetwork
from depthwise.cloud.recipe import Recipe
from depthwise.cloud.validate import validate
from depthwise.data.images import Images
from depthwise.data.store import Pixels, read_prepared
from depthwise.errors import Refused
from depthwise.network import reference_int8
from depthwise.network.model import Model
from depthwise.network.preprocessing import Preprocessing
from depthwise.network.quantized import ARRAYS, NUMBERS, QuantizedLayer, QuantizedModel
from depthwise.network.spec import Spec
from depthwise.progress import Reporter
from depthwise.quantize.options import Options
from depthwise.quantize.quantize import quantize, sample

# Images on which the network that trains is held to the oracle.
COMPARED = 4
# What of a start a checkpoint holds beside its layers.
PARTS = ("border", "provenance")


def check_recipe(recipe: Recipe, spec: Spec) -> None:
    """Refuse settings of a training that int8 has no place for."""
    if recipe.precision == "bfloat16":
        raise Refused("--precision bfloat16 does not go with --quantize, whose sums are exact; leave it out")
    sides = {recipe.resolution(epoch, spec.resolution) for epoch in range(recipe.epochs)}
    if sides != {spec.resolution}:
        raise Refused(
            f"--small and --side do not go with --quantize: an int8 network takes pictures of one size, here"
            f" {spec.resolution} pixels; leave them out"
        )


def float_source(pretrained: Model | None, spec: Spec, labels: tuple[str, ...], preprocessing: Preprocessing) -> Model:
    """The float model to quantise.

    Args:
        spec, labels, preprocessing: those of the training.
    Raises: Refused, when there is none, or it is not of this network and these classes.
    """
    if pretrained is None:
        raise Refused("--quantize goes on from a float model; give one by --pretrained, such as one that `train` wrote")
    if labels != pretrained.labels:
        strange = sorted(set(labels) ^ set(pretrained.labels))
        reason = f"{strange[0]!r} is a class of only one of them" if strange else "their order differs"
        raise Refused(
            f"the classes of the images are not the labels of the float model ({reason}), and --quantize keeps the"
            " classifier; train on these images without --quantize first"
        )
    if spec != pretrained.spec:
        raise Refused("--quantize keeps the network of the float model; leave the options of the network out")
    return pretrained.replace(preprocessing=preprocessing)


def quantized_start(source: Model, images: Images, options: Options, reporter: Reporter, here: World) -> QuantizedModel:
    """The int8 model to train on, the same in all processes; the first one makes it.

    Its provenance tells from what, how, and how good both are on the validation images.
    """

    def made() -> QuantizedModel | None:
        if not here.first:
            return None
        pixels = _calibration(source, images, options, reporter)
        return quantize(source, pixels, options, reporter).model

    start = here.agree(here.together(made))
    assert start is not None
    network = QuantizedNetwork(start).to(here.device)
    compare_with_oracle(network, start, images)
    figures = {
        name: validate(one, images.validation, source.preprocessing, here)
        for name, one in (("float", to_network(source).to(here.device)), ("int8", network))
    }
    before, after = (figures[name]["top1"] for name in ("float", "int8"))
    reporter.notice(f"quantised: validation top-1 {after:.2%}, in float {before:.2%}; goes on from there in int8")
    quantization = {**options.to_dict(), "calibration_images": min(options.images, len(images.train)), **figures}
    quantized_from = {"provenance": dict(source.provenance), "accuracy": dict(source.accuracy)}
    return start.replace(provenance={"quantized_from": quantized_from, "quantization": quantization})


def compare_with_oracle(network: QuantizedNetwork, model: QuantizedModel, images: Images) -> None:
    """See that this device computes the bytes of docs/int8.md.

    Raises: Refused, when a logit of a few validation images differs from the oracle's.
    """
    pixels = images.validation.batch(range(min(COMPARED, len(images.validation))))
    device = next(network.parameters()).device
    with torch.no_grad():
        found = network(normalise(torch.from_numpy(pixels).to(device), model.preprocessing)).cpu().numpy()
    if not np.array_equal(found, reference_int8.run(model, pixels).logits):
        raise Refused(
            f"PyTorch {torch.__version__} on {device.type} adds whole numbers inexactly, so that training would not"
            " compute what a device does; train on the CPU, or with another version of PyTorch"
        )


def to_state(start: QuantizedModel) -> dict[str, Any]:
    """What a checkpoint keeps of a start."""
    kept: dict[str, Any] = {name: getattr(start, name) for name in PARTS}
    kept["layers"] = {
        name: {
            **{kind: torch.from_numpy(np.array(getattr(layer, kind))) for kind in ARRAYS},
            **{kind: getattr(layer, kind) for kind in NUMBERS},
        }
        for name, layer in start.layers.items()
    }
    return kept


def from_state(state: Mapping[str, Any], source: Model) -> QuantizedModel:
    """The start of a run that goes on.

    Args:
        state: the checkpoint's.
        source: the float model that the run began with.
    Raises: Refused, when it is not in the checkpoint or does not fit the network.
    """
    try:
        kept = state["start"]
        made = {
            name: QuantizedLayer(
                **{kind: fields[kind].numpy() for kind in ARRAYS}, **{kind: fields[kind] for kind in NUMBERS}
            )
            for name, fields in kept["layers"].items()
        }
        border, provenance = (kept[name] for name in PARTS)
        return QuantizedModel(
            spec=source.spec,
            layers=made,
            border=tuple(border),
            labels=source.labels,
            preprocessing=source.preprocessing,
            provenance=provenance,
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise Refused(
            "the checkpoint has no int8 network to go on from; remove it to start the training anew"
        ) from None


def _calibration(source: Model, images: Images, options: Options, reporter: Reporter) -> Pixels:
    """Training images as the device sees them."""
    chosen = [images.train.items[index] for index in sample(len(images.train), options.images, options.seed)]
    store = read_prepared(chosen, source.preprocessing, reporter, "reading images to calibrate with")
    return store.batch(range(len(store)))
