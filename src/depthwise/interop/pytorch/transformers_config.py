"""config.json and preprocessor_config.json of a folder that the package transformers wrote: MobileNetV1.

Source of the fields: transformers' MobileNetV1Config and MobileNetV1ImageProcessor, with their defaults.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from depthwise.errors import Refused
from depthwise.files import read_file
from depthwise.interop.labels import in_order
from depthwise.interop.pytorch.state_dict import Settings
from depthwise.interop.pytorch.timm_config import CONFIG, LARGEST_CONFIG
from depthwise.network.spec import ACTIVATIONS

MODEL_TYPE = "mobilenet_v1"
PROCESSOR = "preprocessor_config.json"
_FILTERS = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}


def read_json(path: Path) -> Mapping[str, Any]:
    """The object of a JSON file; {} where there is no such file, or no object in it.

    Raises: Refused, when it cannot be read.
    """
    try:
        found = json.loads(read_file(path, LARGEST_CONFIG).decode())
    except FileNotFoundError:
        return {}
    except OSError as problem:
        raise Refused(f"{path.name} cannot be read ({problem.strerror})") from None
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def is_transformers(config: Mapping[str, Any]) -> bool:
    """Whether a config.json is transformers'.

    Raises: Refused, when it is, and of another network.
    """
    kind = config.get("model_type")
    if kind is None or "architecture" in config:
        return False
    if kind != MODEL_TYPE:
        raise Refused(f"{CONFIG} is of the network {str(kind)[:60]!r} of transformers; MobileNet V1 is {MODEL_TYPE!r}")
    return True


def settings(config: Mapping[str, Any]) -> Settings:
    """What its state dict does not hold.

    Raises: Refused, when a field is damaged, or asks for what MobileNet V1 here has not.
    """
    activation = config.get("hidden_act", "relu6")
    if activation not in ACTIVATIONS:
        raise Refused(f"{CONFIG} asks for hidden_act {str(activation)[:40]!r}; MobileNet V1 has relu6 or relu")
    side, epsilon = config.get("image_size", 224), config.get("layer_norm_eps", 0.001)
    if not isinstance(side, int) or not isinstance(epsilon, int | float) or not 0 < epsilon < math.inf:
        raise Refused(f"{CONFIG} has image_size {side!r} or layer_norm_eps {epsilon!r}; it is damaged")
    padding = "same" if config.get("tf_padding", True) else "symmetric"
    return Settings(side=side, padding=padding, epsilon=float(epsilon), activation=activation)


def labels(config: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The names of its classes, None where it has none of its own."""
    found = config.get("id2label")
    if not isinstance(found, dict) or not all(str(key).isdecimal() for key in found):
        return None
    named = {int(str(key)[:9]): str(label) for key, label in found.items()}
    # What transformers calls classes that nobody named.
    if all(label == f"LABEL_{number}" for number, label in named.items()):
        return None
    return tuple(in_order(named))


def pixels(processor: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of `Source`: what preprocessor_config.json says of pixels and sizes; nothing where it is missing.

    Raises: Refused, when a field is damaged.
    """
    if not processor:
        return {}
    try:
        factor = float(processor.get("rescale_factor", 1 / 255)) if processor.get("do_rescale", True) else 1.0
        normal = processor.get("do_normalize", True)
        mean = [float(m) for m in processor.get("image_mean", [0.5] * 3)] if normal else [0.0]
        deviation = [float(s) for s in processor.get("image_std", [0.5] * 3)] if normal else [1.0]
        found: dict[str, Any] = {
            "mean": tuple(m / factor for m in mean),
            "scale": tuple(factor / s for s in deviation),
            "bgr": processor.get("do_flip_channel_order", False) or False,
            "filter": _FILTERS.get(int(processor.get("resample", 2)), "another filter"),
        }
        return found | _sizes(processor)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError) as problem:
        raise Refused(f"{PROCESSOR} has a field of a wrong type ({problem}); it is damaged") from None


def _sizes(processor: Mapping[str, Any]) -> dict[str, Any]:
    """The shorter side before the crop, or that both sides become one."""
    size = processor.get("size", {"shortest_edge": 256})
    if not processor.get("do_resize", True):
        return {}
    if isinstance(size, int):
        return {"resize": size}
    if "shortest_edge" in size:
        return {"resize": int(size["shortest_edge"])}
    cropped = processor.get("crop_size", {}) if processor.get("do_center_crop", True) else {}
    inner = cropped.get("height", size.get("height")) if isinstance(cropped, dict) else cropped
    return {"square": "squash"} if size.get("height") == size.get("width") == inner else {}
