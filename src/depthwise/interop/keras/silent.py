"""Layers of Keras that leave an image as it is once training is over."""

from __future__ import annotations

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


def is_silent(layer: Layer, chain: Chain) -> bool:
    """Whether a layer does nothing outside training.

    Raises: Refused, for one that would change the size of the image.
    """
    kind = layer.kind.rpartition(_EXPERIMENTAL)[2]
    if kind in _SIZED:
        size = (layer.config.get("height"), layer.config.get("width"))
        if size != (chain.height, chain.width):
            raise Refused(
                f"{layer.where} {_SIZED[kind]} its image to {size[0]}x{size[1]} inside the network; save the model"
                " without it, and let images have that size"
            )
        return True
    return kind in _SILENT
