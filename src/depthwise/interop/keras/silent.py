"""Layers of Keras that leave an image as it is once training is over."""

from __future__ import annotations

from collections.abc import Sequence

from depthwise.errors import Refused
from depthwise.interop.chain import Chain
from depthwise.interop.keras.model import Layer

_SILENT = frozenset(
    (
        *("InputLayer", "Identity", "ActivityRegularization", "Cast"),
        *("Dropout", "SpatialDropout2D", "AlphaDropout", "GaussianDropout", "GaussianNoise"),
        *("RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast", "RandomBrightness"),
        *("RandomHeight", "RandomWidth", "RandomShear", "RandomPerspective", "RandomElasticTransform"),
        *("RandomHue", "RandomSaturation", "RandomSharpness", "RandomGrayscale", "RandomInvert", "RandomPosterization"),
        *("RandomColorJitter", "RandomColorDegeneration", "RandomErasing", "RandomGaussianBlur"),
        *("RandAugment", "AugMix", "MixUp", "CutMix"),
    )
)
# What these do outside training, too, where the image has not the size already.
_SIZED = {"RandomCrop": "cuts", "CenterCrop": "cuts", "Resizing": "resizes"}
# Keras 2 had these among experimental ones, and says so in their class.
_EXPERIMENTAL = "Experimental>"


def own_square(layers: Sequence[Layer]) -> tuple[str, str]:
    """How a model that takes pictures of any size makes them square itself.

    Returns: the way, in the words of --resize, and the filter where it is not bilinear; "" for what it does not say.
    """
    shape = layers[0].config.get("batch_input_shape", layers[0].config.get("batch_shape")) if layers else None
    resize = next((layer.config for layer in layers if _plain_kind(layer) == "Resizing"), None)
    if resize is None or not isinstance(shape, list) or None not in shape[1:3]:
        return "", ""
    by = str(resize.get("interpolation", "bilinear")).lower()[:40]
    way = "squash"
    if resize.get("crop_to_aspect_ratio"):
        way = str(int(resize["height"]))
    elif resize.get("pad_to_aspect_ratio"):
        way = f"fit:{round(float(resize.get('fill_value', 0)))}"
    return way, "" if by == "bilinear" else by


def _plain_kind(layer: Layer) -> str:
    return layer.kind.rpartition(_EXPERIMENTAL)[2]


def is_silent(layer: Layer, chain: Chain) -> bool:
    """Whether a layer does nothing outside training.

    Raises: Refused, for one that would change the size of the image.
    """
    kind = _plain_kind(layer)
    if kind in _SIZED:
        size = (layer.config.get("height"), layer.config.get("width"))
        if size != (chain.height, chain.width):
            raise Refused(
                f"{layer.where} {_SIZED[kind]} its image to {size[0]}x{size[1]} inside the network; save the model"
                " without it, and let images have that size"
            )
        return True
    return kind in _SILENT
