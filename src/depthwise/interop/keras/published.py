"""Bare weights of Keras: what keras.applications publishes, and what networks with a classifier of their own save."""

from __future__ import annotations

import re

from depthwise.errors import Refused
from depthwise.interop.chain import Chain, Clamp, Dense, Pad, Pool
from depthwise.interop.keras.file import Contents
from depthwise.interop.keras.graph import KERAS_EPSILON, convolution, norm
from depthwise.interop.keras.weights import Weights, bare_weights
from depthwise.network.layers import Padding
from depthwise.network.spec import ACTIVATIONS, BLOCKS

_TOP = "conv_preds"
# Classes of layers that scale or shift pixels and have no arrays, as Keras names them, and how it counts them.
_PREPARES = ("rescaling", "true_divide", "subtract", "tf.math.truediv", "tf.math.subtract")
_COUNT = re.compile(r"_\d+$")


def published(contents: Contents) -> Chain:
    """The chain of bare weights, by the names of keras.applications.MobileNet: `conv1`, `conv_dw_1`, ..., `conv_preds`.

    One Dense layer that is left over is the classifier.
    Raises: Refused, naming the first array that is not there, or that is left over.
    """
    weights = bare_weights(contents)
    chain = Chain(height=None, width=None, channels=3)
    names = [("conv1", False, 2)]
    for number, (stride, _) in enumerate(BLOCKS, start=1):
        names += [(f"conv_dw_{number}", True, stride), (f"conv_pw_{number}", False, 1)]
    for name, depthwise, stride in names:
        _add(chain, weights, name, depthwise, stride)
    chain.add(Pool(where="the pool"))
    if weights.has(_TOP, "kernel"):
        biased = weights.has(_TOP, "bias")
        chain.add(convolution(f"layer {_TOP}", _TOP, weights, False, (1, 1), same=True, biased=biased))
    else:
        _own_classifier(chain, weights)
    left = weights.unread()
    if left:
        raise Refused(
            f"it has array {left[0]} besides those of MobileNet V1, and weights alone do not say what it is for; save"
            " the whole model"
        )
    return chain


def preparing(contents: Contents) -> str:
    """The name of a layer that computes on pixels by numbers that weights alone do not hold, "" where there is none."""
    names = (group.removesuffix("/vars").rpartition("/")[2] for group in contents.groups)
    return next((name for name in names if _COUNT.sub("", name) in _PREPARES), "")


def _add(chain: Chain, weights: Weights, name: str, depthwise: bool, stride: int) -> None:
    """One convolution with what belongs to it, padded as keras.applications does it."""
    where = f"layer {name}"
    if not (weights.has(name, "kernel") or (depthwise and weights.has(name, "depthwise_kernel"))):
        raise Refused(
            f"it describes no layers and has no array {name}/kernel; save the whole model, or weights of"
            " keras.applications.MobileNet"
        )
    apart = depthwise and stride == 2
    if apart:
        chain.add(Pad(where=where, padding=Padding(bottom=1, right=1)))
    chain.add(convolution(where, name, weights, depthwise, (stride, stride), same=not apart, biased=False))
    chain.add(norm(f"layer {name}_bn", f"{name}_bn", weights, KERAS_EPSILON))
    chain.add(Clamp(where=where, low=0.0, high=ACTIVATIONS["relu6"]))


def _own_classifier(chain: Chain, weights: Weights) -> None:
    found = [layer for layer, parts in weights.layers.items() if "kernel" in parts and parts["kernel"][1].ndim == 2]
    if len(found) == 1:
        where = f"layer {found[0]}"
        weight = weights.take(found[0], "kernel", where, 2)
        bias = weights.take(found[0], "bias", where, 1) if weights.has(found[0], "bias") else None
        chain.add(Dense(where=where, weight=weight.T, bias=bias))
