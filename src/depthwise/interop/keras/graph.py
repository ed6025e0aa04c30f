"""The layers of a Keras model as a chain of plain operations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.chain import (
    NO_PADDING,
    Chain,
    Clamp,
    Convolution,
    Dense,
    Norm,
    Operation,
    Pad,
    Pool,
    Reshape,
    Sigmoid,
    Softmax,
)
from depthwise.interop.keras import grey, order, pixels
from depthwise.interop.keras.file import Contents
from depthwise.interop.keras.model import Layer, input_size, model_layers
from depthwise.interop.keras.silent import is_silent, own_square
from depthwise.interop.keras.weights import NORMS, Weights, key_of, weights_of
from depthwise.network.layers import Padding
from depthwise.network.spec import ACTIVATIONS

KERAS_EPSILON = 1e-3
_RESHAPES = ("Reshape", "Flatten")
# Layers that are something else, and what to do about it.
_ADVICE = {
    "Lambda": "is Python code, which is never run; put a Rescaling or another named layer in its place, and save again",
    "QuantizeWrapper": "was trained for int8 by tfmot; convert the model to TFLite, and read that file",
    "QuantizeWrapperV2": "was trained for int8 by tfmot; convert the model to TFLite, and read that file",
    "QuantizeLayer": "was trained for int8 by tfmot; convert the model to TFLite, and read that file",
    "ClusterWeights": "is tfmot's wrapper of clustered weights; call strip_clustering, and save again",
    "TFSMLayer": "is a TensorFlow SavedModel; convert that to TFLite or ONNX",
}


def described(contents: Contents) -> Chain:
    """The chain of a whole model.

    Raises: Refused, naming the first layer that no MobileNet V1 has, or the first array that no layer takes.
    """
    try:
        layers = model_layers(contents.config)
        height, width, channels = input_size(layers, channels_first=order.channels_first(layers))
        weights = weights_of(contents, layers)
        square, by = own_square(layers)
        chain = Chain(height=height, width=width, channels=channels, square=square, filter=by)
        for layer in layers:
            for operation in _operations(layer, weights, chain):
                chain.add(operation)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as problem:
        raise Refused(f"its description lacks a field or has a wrong one ({problem!r}); it is damaged") from None
    left = weights.unread()
    if left and chain.operations:
        raise Refused(f"array {left[0]} belongs to no layer that it describes; it is not one network, or damaged")
    return chain


def _operations(layer: Layer, weights: Weights, chain: Chain) -> list[Operation]:
    name, config, where = key_of(layer), layer.config, layer.where
    if config.get("data_format", "channels_last") != "channels_last":
        raise Refused(f"{where} has channels first; save the model with channels last")
    _refuse_integers(layer)
    match layer.kind:
        case "Conv2D" | "DepthwiseConv2D":
            return [_convolution(layer, weights), *_activation(layer)]
        case kind if kind in NORMS:
            return [_norm(layer, weights)]
        case "ReLU":
            if config.get("negative_slope", 0) or config.get("threshold", 0):
                raise Refused(f"{where} is leaky; MobileNet V1 has ReLU6 or ReLU")
            high = config.get("max_value")
            return [Clamp(where=where, low=0.0, high=math.inf if high is None else float(high))]
        case "Activation":
            return _activation(layer)
        case "Softmax":
            if config.get("axis", -1) not in (-1, [-1], 1, 3, [3]):
                raise Refused(f"{where} is over axis {config['axis']}; MobileNet V1 has its softmax over the classes")
            return [Softmax(where=where)]
        case "ZeroPadding2D":
            (top, bottom), (left, right) = config["padding"]
            return [Pad(where=where, padding=Padding(top=top, bottom=bottom, left=left, right=right))]
        case "GlobalAveragePooling2D":
            return [Pool(where=where)]
        case "GlobalMaxPooling2D":
            # Of one pixel the largest value is the mean; `match` refuses it where there are more.
            return [Pool(where=where, kernel=(1, 1))]
        case "AveragePooling2D":
            if config.get("padding", "valid") != "valid":
                raise Refused(f"{where} pads its image; MobileNet V1 takes the mean of the whole image once")
            return [Pool(where=where, kernel=_pair(config["pool_size"]))]
        case "Dense":
            weight = weights.take(name, "kernel", where, 2)
            bias = weights.take(name, "bias", where, 1) if config.get("use_bias", True) else None
            return [Dense(where=where, weight=weight.T, bias=bias), *_activation(layer)]
        case _ if (copied := grey.copies(layer)) is not None:
            return [copied]
        case pixel if pixel in pixels.KINDS:
            return list(pixels.operations(layer, weights))
        case "Permute" if not chain.operations and list(config.get("dims", ())) == order.CHANNELS_LAST:
            return []
        case turned if turned in order.KINDS:
            return [order.reorder(layer)]
        case flat if flat in _RESHAPES:
            return [Reshape(where=where)]
        case _ if is_silent(layer, chain):
            return []
        case other:
            raise Refused(f"{where} {_ADVICE.get(other, 'is not part of MobileNet V1')}")


def _refuse_integers(layer: Layer) -> None:
    """Keras 3 can make the weights of a layer int8; every other policy leaves them floats."""
    policy = layer.config.get("dtype")
    quantised = isinstance(policy, dict) and str(policy.get("class_name", "")).startswith("Quantized")
    if quantised or (isinstance(policy, str) and "_from_" in policy):
        raise Refused(f"{layer.where} was quantised by Keras, which is not read; save the float model")


def _convolution(layer: Layer, weights: Weights) -> Convolution:
    where, config = layer.where, layer.config
    padding = config.get("padding", "valid")
    odd = {"dilation_rate": (1, 1), "depth_multiplier": 1, "groups": 1}
    for field, usual in odd.items():
        found = config.get(field, usual)
        # Keras writes groups of 1 for depthwise convolutions, too.
        if found not in (usual, list(usual) if isinstance(usual, tuple) else usual):
            raise Refused(f"{where} has {field} {found}; MobileNet V1 has {usual}")
    if padding not in ("same", "valid"):
        raise Refused(f"{where} has padding {padding!r}; MobileNet V1 has same or valid")
    return convolution(
        where, key_of(layer), weights, layer.kind == "DepthwiseConv2D", _pair(config.get("strides", 1)),
        same=padding == "same", biased=bool(config.get("use_bias", True)),
    )  # fmt: skip


def convolution(
    where: str,
    name: str,
    weights: Weights,
    depthwise: bool,
    stride: tuple[int, int],
    *,
    same: bool,
    biased: bool,
) -> Convolution:
    """A convolution of Keras, whose weight is (K, K, C, N), or (K, K, C, 1) where `depthwise`."""
    older = depthwise and not weights.has(name, "kernel")
    weight = weights.take(name, "depthwise_kernel" if older else "kernel", where, 4)
    if depthwise and weight.shape[3] != 1:
        raise Refused(f"{where} makes {weight.shape[3]} channels of each one; MobileNet V1 makes one")
    return Convolution(
        where=where,
        weight=weight.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1)),
        bias=weights.take(name, "bias", where, 1) if biased else None,
        stride=stride,
        padding="same" if same else NO_PADDING,
        depthwise=depthwise,
    )


def _norm(layer: Layer, weights: Weights) -> Operation:
    config = layer.config
    axis = config.get("axis", -1)
    if (axis if isinstance(axis, list) else [axis]) not in ([-1], [3], [1]) or config.get("renorm"):
        raise Refused(f"{layer.where} is not over channels or renormalises; MobileNet V1 has plain normalisation")
    return norm(layer.where, key_of(layer), weights, float(config.get("epsilon", KERAS_EPSILON)))


def norm(where: str, name: str, weights: Weights, epsilon: float) -> Norm:
    """A batch normalisation of Keras; without scale or centre it has no such array."""
    mean = weights.take(name, "moving_mean", where, 1)
    gamma = weights.take(name, "gamma", where, 1) if weights.has(name, "gamma") else np.ones_like(mean)
    beta = weights.take(name, "beta", where, 1) if weights.has(name, "beta") else np.zeros_like(mean)
    variance = weights.take(name, "moving_variance", where, 1)
    return Norm(where=where, weight=gamma, bias=beta, mean=mean, variance=variance, epsilon=epsilon)


def _activation(layer: Layer) -> list[Operation]:
    found, where = layer.config.get("activation", "linear"), layer.where
    # A function of one's own is written as an object; only its name is asked.
    name = found.get("config", found.get("registered_name", "")) if isinstance(found, dict) else found
    # A layer as an activation has its name in its own description.
    if isinstance(name, dict):
        raise Refused(f"{where} has a layer as its activation; save the model with the layer behind it")
    match name:
        case "linear" | None:
            return []
        case "relu" | "relu6":
            return [Clamp(where=where, low=0.0, high=ACTIVATIONS[name])]
        case "softmax":
            return [Softmax(where=where)]
        case "sigmoid":
            return [Sigmoid(where=where)]
        case other if layer.kind == "Dense":
            raise Refused(
                f"{where} has activation {str(other)[:40]!r}; MobileNet V1 here ends with a softmax over classes"
            )
        case other:
            raise Refused(f"{where} has activation {str(other)[:40]!r}; MobileNet V1 has relu6 or relu")


def _pair(value: Any) -> tuple[int, int]:
    one, other = (value, value) if isinstance(value, int) else value
    return int(one), int(other)
