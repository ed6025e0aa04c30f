"""How much memory walking a network takes, by formula and before anything is computed."""

from __future__ import annotations

from depthwise.errors import Refused
from depthwise.network.layers import layers
from depthwise.network.spec import Spec

# Taken at most for what goes from layer to layer, so that a command stays within a gigabyte.
MOST_BYTES = 800_000_000


def images_at_once(spec: Spec, what: str, *, copies: int, value_bytes: int) -> int:
    """How many images may be walked through a network together.

    Args:
        what: is computed, for the refusal.
        copies: how many times the input and the output of one layer are in memory.
        value_bytes: of one number.
    Raises: Refused, when not even one may.
    """
    values = max(layer.input.size + layer.output.size for layer in layers(spec))
    each = values * copies * value_bytes
    if each > MOST_BYTES:
        raise Refused(
            f"{what} at {spec.resolution} pixels and width {spec.width:g} would take {each / 1e9:.1f} GB of memory, and"
            f" {MOST_BYTES / 1e9:g} are taken at most; give a lower resolution"
        )
    return MOST_BYTES // each


def training_bytes(spec: Spec, images: int, value_bytes: int) -> int:
    """What training takes at the least, with so many images a step: what must be kept of each layer to go back.

    That is what a convolution computes and, where it is normalised and activated, what comes of that.
    """
    kept = sum(layer.output.size * (2 if layer.norm else 1) for layer in layers(spec))
    return images * kept * value_bytes
