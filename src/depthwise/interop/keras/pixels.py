"""Arithmetic that a Keras model does with pixels: layers made for it, and plain operations with a constant."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.chain import Affine, Operation
from depthwise.interop.keras.model import Layer
from depthwise.interop.keras.weights import Weights, key_of
from depthwise.network.weights import Array

# Functions by their names in Keras 3, TensorFlow and its operations.
_DIVIDE = ("TrueDivide", "Divide", "math.truediv", "math.divide", "__operators__.truediv", "truediv", "RealDiv", "Div")
_MULTIPLY = ("Multiply", "math.multiply", "__operators__.mul", "multiply", "Mul")
_SUBTRACT = ("Subtract", "math.subtract", "__operators__.sub", "subtract", "Sub")
_ADD = ("Add", "math.add", "__operators__.add", "add", "AddV2", "nn.bias_add", "BiasAdd")
_SAME = ("cast", "Cast", "identity", "Identity", "convert_to_tensor", "stop_gradient", "StopGradient")
# The classes of layers that `operations` understands: Keras 2 puts functions of TensorFlow into layers.
_FUNCTION, _NODE = "TFOpLambda", "TensorFlowOpLayer"
_LAYERS = ("Rescaling", "Experimental>Rescaling", "Normalization", "Experimental>Normalization")
KINDS = frozenset((*_LAYERS, _FUNCTION, _NODE, *_DIVIDE, *_MULTIPLY, *_SUBTRACT, *_ADD))
# Keras divides by the square root of the variance, but by no less than this.
_LEAST_DEVIATION = 1e-7


def operations(layer: Layer, weights: Weights) -> Iterator[Operation]:
    """What a layer does with each pixel.

    Raises: Refused, for a function that is no scale and no shift.
    """
    match layer.kind.removeprefix("Experimental>"):
        case "Rescaling":
            scale, offset = (_numbers(layer, layer.config[key]) for key in ("scale", "offset"))
            yield Affine(where=layer.where, scale=scale, shift=offset)
        case "Normalization":
            yield _normalisation(layer, weights)
        case _:
            yield from _arithmetic(layer)


def _normalisation(layer: Layer, weights: Weights) -> Affine:
    """`(x - mean) / deviation`, or its inverse; both are in the description, or in arrays of the layer."""
    config, name = layer.config, key_of(layer)
    mean, variance = config.get("mean"), config.get("variance")
    axis = config.get("axis", -1)
    if axis not in (-1, [-1], 3, [3], None, []):
        raise Refused(f"{layer.where} is over axis {axis}, not over the channels of a pixel")
    if mean is None or variance is None:
        # One number for all of a picture lies there without an axis.
        mean, variance = (
            weights.take(name, part, layer.where, 1 if axis not in (None, []) else 0) for part in ("mean", "variance")
        )
    else:
        weights.leave(name, "mean", "variance")
    means, spreads = _numbers(layer, mean), np.sqrt(_numbers(layer, variance))
    spreads = np.maximum(spreads, _LEAST_DEVIATION)
    if config.get("invert"):
        return Affine(where=layer.where, scale=spreads, shift=means)
    return Affine(where=layer.where, scale=1 / spreads, shift=-means / spreads)


def _arithmetic(layer: Layer) -> Iterator[Affine]:
    function, constant, first = _called(layer)
    if function in _SAME:
        return
    if constant is None or (first and function in _DIVIDE):
        raise Refused(
            f"{layer.where} ({function[:40]}) is no scale or shift by a constant; MobileNet V1 has no such layer"
        )
    where, one, nothing = layer.where, np.ones(()), np.zeros(())
    if function in _DIVIDE:
        yield Affine(where=where, scale=1 / constant, shift=nothing)
    elif function in _MULTIPLY:
        yield Affine(where=where, scale=constant, shift=nothing)
    elif function in _ADD:
        yield Affine(where=where, scale=one, shift=constant)
    elif function in _SUBTRACT:
        yield Affine(where=where, scale=-one if first else one, shift=constant if first else -constant)
    else:
        raise Refused(f"{where} ({function[:40]}) is not part of MobileNet V1")


def _called(layer: Layer) -> tuple[str, Array | None, bool]:
    """The function that a layer calls, the constant among its operands, and whether that is the first of them."""
    if layer.kind == _NODE:
        node = layer.config["node_def"]
        node = json.loads(node) if isinstance(node, str) else node
        constants = layer.config.get("constants") or {}
        place, value = next(iter(constants.items()), ("1", None))
        return str(node["op"]), None if value is None else _numbers(layer, value), str(place) == "0"
    function = str(layer.config["function"]) if layer.kind == _FUNCTION else layer.kind
    operands = list(_operands(layer.inbound))
    constants_at = [place for place, operand in enumerate(operands) if operand is not None]
    if not constants_at:
        return function, None, False
    return function, _numbers(layer, operands[constants_at[0]]), constants_at[0] == 0


def _operands(node: Any) -> Iterator[Any]:
    """What a function is called with, in order: None for what another layer gives, else a constant."""
    if isinstance(node, list) and len(node) == 1 and isinstance(node[0], list | dict):
        yield from _operands(node[0])
    elif isinstance(node, dict) and "args" in node:
        for operand in (*node["args"], *(value for key, value in node.get("kwargs", {}).items() if key in _KEYS)):
            yield _operand(operand)
    elif isinstance(node, list) and len(node) >= 3:
        yield node[2] if node[0] == "_CONSTANT_VALUE" else None
        for key, value in (node[3] if len(node) > 3 and isinstance(node[3], dict) else {}).items():
            if key in _KEYS:
                yield _operand(value)


# Names of operands in calls.
_KEYS = ("x", "y", "x1", "x2", "value", "bias")


def _operand(value: Any) -> Any:
    """None for a tensor of another layer, the number or numbers of a constant."""
    if isinstance(value, dict):
        config = value.get("config", {})
        return None if "keras_history" in config else config.get("value")
    of_a_layer = isinstance(value, list) and len(value) >= 3 and isinstance(value[0], str)
    return None if of_a_layer else value


def _numbers(layer: Layer, value: Any) -> Array:
    """A constant for all channels, or one a channel, whatever axes of length 1 it has before."""
    found = np.asarray(value, dtype=np.float64)
    if found.size > 1 and found.size != found.shape[-1]:
        raise Refused(f"{layer.where} has a constant of shape {found.shape}; MobileNet V1 has one number a channel")
    return found.reshape(-1)
