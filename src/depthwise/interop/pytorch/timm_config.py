"""config.json of a timm folder: which network, and how pixels become its input."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from depthwise.errors import Refused
from depthwise.files import read_file
from depthwise.network.layers import layers
from depthwise.network.model import Model
from depthwise.network.spec import ACTIVATIONS, Spec

CONFIG = "config.json"
LARGEST_CONFIG = 4 * 2**20
# Names of timm's networks by their width. It makes no others.
ARCHITECTURES = {1.0: "mobilenetv1_100", 1.25: "mobilenetv1_125"}
PREFIX = "mobilenetv1"
_KNOWN_ARGUMENTS = (
    "act_layer",
    "bn_eps",
    "drop_path_rate",
    "drop_rate",
    "global_pool",
    "in_chans",
    "num_classes",
    "pad_type",
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """What a config.json says; None or "" where it is silent."""

    resolution: int | None = None
    resize: int | None = None
    squash: bool = False
    interpolation: str = ""
    mean: tuple[float, ...] | None = None
    scale: tuple[float, ...] | None = None
    labels: tuple[str, ...] | None = None
    same_padding: bool = False
    epsilon: float | None = None
    activation: str = ""


def read_config(path: Path, *, required: bool) -> Config:
    """What a config.json says of a MobileNet V1.

    Args:
        required: refuse a file that is missing or of another network, instead of leaving it aside.
    Raises: Refused, when it is damaged or needs what MobileNet V1 here has not.
    """
    try:
        config = json.loads(read_file(path, LARGEST_CONFIG).decode())
        name = str(config["architecture"])
    except FileNotFoundError:
        return Config()
    except OSError as problem:
        raise Refused(f"{path.name} cannot be read ({problem.strerror})") from None
    except (ValueError, KeyError, TypeError, RecursionError) as problem:
        if not required:
            return Config()
        raise Refused(f"{path.name} does not name a network ({problem!r}); it is not timm's, or damaged") from None
    if not name.startswith(PREFIX):
        if not required:
            return Config()
        raise Refused(f"{path.name} names the network {name[:60]!r}; MobileNet V1 is {PREFIX}_100 or {PREFIX}_125")
    try:
        return _config(config)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, ZeroDivisionError) as problem:
        raise Refused(f"{path.name} has a field of a wrong type ({problem}); it is damaged") from None


def _config(config: dict[str, Any]) -> Config:
    # Older files have the fields of `pretrained_cfg` at the top.
    said = config.get("pretrained_cfg", config)
    arguments = config.get("model_args") or {}
    unknown = sorted(set(arguments) - set(_KNOWN_ARGUMENTS))
    if unknown:
        raise Refused(f"{CONFIG} asks for {unknown[0][:40]!r}, which MobileNet V1 here has not")
    if arguments.get("global_pool", "avg") != "avg":
        raise Refused(f"{CONFIG} asks for another pool than avg; MobileNet V1 takes the mean")
    activation = str(arguments.get("act_layer", "relu6"))
    if activation not in ACTIVATIONS:
        raise Refused(f"{CONFIG} asks for activation {activation[:40]!r}; MobileNet V1 has relu6 or relu")
    size = said.get("input_size")
    resolution = None if size is None else int(size[1])
    if size is not None and size[1] != size[2]:
        raise Refused(f"{CONFIG} has input_size {size[:3]}; MobileNet V1 here takes square images")
    crop, mode = said.get("crop_pct"), str(said.get("crop_mode", "center"))
    if mode not in ("center", "squash"):
        raise Refused(
            f"{CONFIG} has crop_mode {mode[:40]!r}; here are center and squash: set one of them, and say by"
            " --resize fit where the whole picture is to lie on a colour"
        )
    if mode == "squash" and crop not in (None, 1.0):
        raise Refused(
            f"{CONFIG} squashes pictures and then crops {crop} of them; here both sides are squashed to what the"
            " network takes: set crop_pct to 1.0"
        )
    mean, std = said.get("mean"), said.get("std")
    labels = config.get("label_names") or said.get("label_names")
    whole = isinstance(labels, list) and all(isinstance(label, str) for label in labels)
    return Config(
        resolution=resolution,
        # timm rounds down.
        resize=math.floor(resolution / crop) if resolution and crop and crop > 0 else None,
        squash=mode == "squash",
        interpolation=str(said.get("interpolation", ""))[:40],
        mean=None if mean is None else tuple(float(m) * 255 for m in mean),
        scale=None if std is None else tuple(1 / (255 * float(s)) for s in std),
        labels=tuple(labels) if whole else None,
        same_padding=arguments.get("pad_type", "") == "same",
        epsilon=float(arguments["bn_eps"]) if arguments.get("bn_eps") else None,
        activation=activation if "act_layer" in arguments else "",
    )


def architecture(spec: Spec) -> str:
    """timm's name of a network.

    Raises: Refused, when timm has none.
    """
    if spec.width not in ARCHITECTURES:
        raise Refused(
            f"timm makes MobileNet V1 of width {' and '.join(f'{w:g}' for w in ARCHITECTURES)} only, not"
            f" {spec.width:g}; write a file that ends with .safetensors, which is the bare weights"
        )
    return ARCHITECTURES[spec.width]


def timm_padding(spec: Spec) -> str:
    """ "symmetric" or "same", which timm knows; another padding is the latter where it gives the same zeros.

    Raises: Refused, where it does not.
    """
    if spec.padding in ("symmetric", "same"):
        return spec.padding
    if layers(spec) != layers(dataclasses.replace(spec, padding="same")):
        raise Refused(
            f"timm has no padding {spec.padding!r} at {spec.resolution} pixels, where it differs from its 'same';"
            " write .onnx or .tflite, or train with padding same"
        )
    return "same"


# How a picture becomes square, in timm's words; `border` pads what is resized to fit.
_MODES = {"crop": "center", "squash": "squash", "fit": "border"}


def config_for(model: Model, name: str) -> dict[str, Any]:
    """The config.json with which timm's `create_model` makes the same network."""
    spec, pixels = model.spec, model.preprocessing
    arguments: dict[str, Any] = {"bn_eps": spec.bn_epsilon, "act_layer": spec.activation, "in_chans": spec.channels}
    if timm_padding(spec) == "same":
        arguments["pad_type"] = "same"
    return {
        "architecture": name,
        "num_classes": spec.classes,
        "label_names": list(model.labels),
        "model_args": arguments,
        "pretrained_cfg": {
            "custom_load": False,
            "input_size": [spec.channels, spec.resolution, spec.resolution],
            "fixed_input_size": False,
            "interpolation": pixels.filter,
            "crop_pct": pixels.crop / pixels.resize,
            "crop_mode": _MODES[pixels.mode],
            "mean": [m / 255 for m in pixels.mean],
            "std": [1 / (255 * s) for s in pixels.scale],
            "num_classes": spec.classes,
            "first_conv": "conv_stem",
            "classifier": "classifier",
        },
    }
