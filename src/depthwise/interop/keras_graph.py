"""The layers of a Keras model as a chain: whole models by their description, bare weights by Keras's own names."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from depthwise.errors import Refused
from depthwise.interop.chain import MOST_OPERATIONS as MOST_LAYERS
from depthwise.interop.chain import (
    NO_PADDING,
    Affine,
    Chain,
    Clamp,
    Convolution,
    Dense,
    Norm,
    Operation,
    Pad,
    Pool,
    Reshape,
    Softmax,
)
from depthwise.network.layers import Padding
from depthwise.network.spec import BLOCKS
from depthwise.network.weights import Array

KERAS_EPSILON = 1e-3
_NESTED = ("Functional", "Model", "Sequential")
_DEEPEST = 4
_SILENT = ("Dropout", "InputLayer", "ActivityRegularization", "GaussianNoise")
_RESHAPES = ("Reshape", "Flatten")

Arrays = Mapping[str, Array]
Layer = Mapping[str, Any]


def described(config: str, arrays: Arrays) -> Chain:
    """The chain of a whole model.

    Args:
        config: the description, JSON as Keras 2 and 3 write it.
        arrays: by `<layer>/<part>`.
    Raises: Refused, naming the first layer that no MobileNet V1 has.
    """
    try:
        model = json.loads(config)
    except (ValueError, RecursionError) as problem:
        raise Refused(f"its description is no JSON ({problem}); it is damaged") from None
    try:
        found = list(_flat(model, 0))
        size = _input_size(found)
        chain = Chain(height=size[0], width=size[1], channels=size[2])
        for layer in found:
            for operation in _operations(layer, arrays):
                chain.add(operation)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as problem:
        raise Refused(f"its description lacks a field or has a wrong one ({problem!r}); it is damaged") from None
    return chain


def published(arrays: Arrays) -> Chain:
    """The chain of bare weights, which Keras's own MobileNet names: `conv1`, `conv_dw_1`, ..., `conv_preds`.

    Raises: Refused, naming the first array that is not there.
    """
    chain = Chain(height=None, width=None, channels=3)
    names = [("conv1", "conv1", 2)]
    for number, (stride, _) in enumerate(BLOCKS, start=1):
        names += [(f"conv_dw_{number}", "depthwise", stride), (f"conv_pw_{number}", "pointwise", 1)]
    for name, kind, stride in names:
        if f"{name}/{'depthwise_kernel' if kind == 'depthwise' else 'kernel'}" not in arrays:
            raise Refused(
                f"it describes no layers and has no array {name}/kernel; save the whole model, or weights of"
                " keras.applications.MobileNet"
            )
        where = f"layer {name}"
        # As keras.applications has them: the blocks of stride 2 are padded apart, and never at their top and left.
        apart = kind == "depthwise" and stride == 2
        if apart:
            chain.add(Pad(where=where, padding=Padding(bottom=1, right=1)))
        chain.add(_convolution(where, name, arrays, kind == "depthwise", (stride, stride), same=not apart))
        chain.add(_norm(f"layer {name}_bn", f"{name}_bn", arrays, KERAS_EPSILON))
        chain.add(Clamp(where=where, low=0.0, high=6.0))
    chain.add(Pool(where="the pool"))
    if "conv_preds/kernel" in arrays:
        chain.add(_convolution("layer conv_preds", "conv_preds", arrays, False, (1, 1), same=True))
    return chain


def _flat(model: Any, depth: int) -> Iterator[Layer]:
    """The layers of a model and of models inside it, each of which reads the one before."""
    if depth > _DEEPEST:
        raise Refused(f"its models nest deeper than {_DEEPEST}; MobileNet V1 does not")
    last = ""
    layers = model["config"]["layers"] if isinstance(model["config"], dict) else model["config"]
    for place, layer in enumerate(layers):
        if place > MOST_LAYERS:
            raise Refused(f"it has more than {MOST_LAYERS} layers; MobileNet V1 has fewer")
        name = layer["config"].get("name", layer.get("name", ""))
        sources = sorted(_sources(layer.get("inbound_nodes", []), 0))
        if len(sources) > 1:
            raise Refused(f"layer {name} joins {len(sources)} branches; MobileNet V1 has none")
        if sources and last and sources[0] != last:
            raise Refused(f"layer {name} does not follow {last}; MobileNet V1 has no branches")
        last = name
        if layer["class_name"] in _NESTED:
            yield from _flat(layer, depth + 1)
        else:
            yield {**layer["config"], "name": name, "class_name": layer["class_name"]}


def _sources(node: Any, depth: int) -> set[str]:
    """Names of the layers that a layer reads, in the lists of Keras 2 or the objects of Keras 3."""
    if depth > 2 * MOST_LAYERS**0.5 or not isinstance(node, list | dict):
        return set()
    if isinstance(node, dict):
        history = node.get("keras_history")
        if isinstance(history, list) and history:
            return {str(history[0])}
        return set().union(*(_sources(value, depth + 1) for value in node.values()))
    if len(node) >= 3 and isinstance(node[0], str) and isinstance(node[1], int):
        return {node[0]}
    return set().union(*(_sources(value, depth + 1) for value in node))


def _input_size(layers: Sequence[Layer]) -> tuple[int | None, int | None, int | None]:
    for layer in layers:
        shape = layer.get("batch_input_shape", layer.get("batch_shape"))
        if shape is not None:
            if len(shape) != 4 or not all(n is None or (isinstance(n, int) and n > 0) for n in shape[1:]):
                raise Refused(f"its input is {shape}; MobileNet V1 takes (images, height, width, channels)")
            return shape[1], shape[2], shape[3]
    return None, None, None


def _operations(layer: Layer, arrays: Arrays) -> list[Operation]:
    name, kind = str(layer["name"]), str(layer["class_name"])
    where = f"layer {name} ({kind})"
    if layer.get("data_format", "channels_last") != "channels_last":
        raise Refused(f"{where} has channels first; save the model with channels last")
    match kind:
        case "Conv2D" | "DepthwiseConv2D":
            return [_described_convolution(layer, where, arrays), *_activation(layer, where)]
        case "BatchNormalization":
            return [_norm(where, name, arrays, float(layer.get("epsilon", KERAS_EPSILON)))]
        case "ReLU":
            if layer.get("negative_slope", 0) or layer.get("threshold", 0):
                raise Refused(f"{where} is leaky; MobileNet V1 has ReLU6 or ReLU")
            high = layer.get("max_value")
            return [Clamp(where=where, low=0.0, high=math.inf if high is None else float(high))]
        case "Activation" | "Softmax":
            return _activation(layer, where) if kind == "Activation" else [Softmax(where=where)]
        case "ZeroPadding2D":
            (top, bottom), (left, right) = layer["padding"]
            return [Pad(where=where, padding=Padding(top=top, bottom=bottom, left=left, right=right))]
        case "GlobalAveragePooling2D":
            return [Pool(where=where)]
        case "AveragePooling2D":
            if layer.get("padding", "valid") != "valid":
                raise Refused(f"{where} pads its image; MobileNet V1 takes the mean of the whole image once")
            return [Pool(where=where, kernel=_pair(layer["pool_size"]))]
        case "Dense":
            weight = _array(arrays, name, "kernel", where, 2)
            bias = _array(arrays, name, "bias", where, 1) if layer.get("use_bias", True) else None
            return [Dense(where=where, weight=weight.T, bias=bias), *_activation(layer, where)]
        case "Rescaling":
            scale, offset = (np.atleast_1d(np.asarray(layer[key], dtype=np.float64)) for key in ("scale", "offset"))
            return [Affine(where=where, scale=scale, shift=offset)]
        case silent if silent in _SILENT:
            return []
        case turned if turned in _RESHAPES:
            return [Reshape(where=where)]
        case _:
            raise Refused(f"{where} is not part of MobileNet V1")


def _described_convolution(layer: Layer, where: str, arrays: Arrays) -> Convolution:
    depthwise = layer["class_name"] == "DepthwiseConv2D"
    padding = layer.get("padding", "valid")
    odd = {"dilation_rate": (1, 1), "depth_multiplier": 1, "groups": 1}
    for field, usual in odd.items():
        found = layer.get(field, usual)
        # Keras writes groups of 1 for depthwise convolutions, too.
        if found not in (usual, list(usual) if isinstance(usual, tuple) else usual):
            raise Refused(f"{where} has {field} {found}; MobileNet V1 has {usual}")
    if padding not in ("same", "valid"):
        raise Refused(f"{where} has padding {padding!r}; MobileNet V1 has same or valid")
    return _convolution(
        where, str(layer["name"]), arrays, depthwise, _pair(layer.get("strides", 1)), same=padding == "same",
        biased=bool(layer.get("use_bias", True)),
    )  # fmt: skip


def _convolution(
    where: str,
    name: str,
    arrays: Arrays,
    depthwise: bool,
    stride: tuple[int, int],
    *,
    same: bool,
    biased: bool | None = None,
) -> Convolution:
    # (K, K, C, N); depthwise (K, K, C, 1).
    weight = _array(arrays, name, "depthwise_kernel" if depthwise else "kernel", where, 4)
    if depthwise and weight.shape[3] != 1:
        raise Refused(f"{where} makes {weight.shape[3]} channels of each one; MobileNet V1 makes one")
    has_bias = f"{name}/bias" in arrays if biased is None else biased
    return Convolution(
        where=where,
        weight=weight.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1)),
        bias=_array(arrays, name, "bias", where, 1) if has_bias else None,
        stride=stride,
        padding="same" if same else NO_PADDING,
        depthwise=depthwise,
    )


def _norm(where: str, name: str, arrays: Arrays, epsilon: float) -> Norm:
    mean = _array(arrays, name, "moving_mean", where, 1)
    # Without scale or centre the file has no such array.
    usual: Callable[[str, Array], Array] = lambda part, made: (  # noqa: E731
        _array(arrays, name, part, where, 1) if f"{name}/{part}" in arrays else made
    )
    return Norm(
        where=where,
        weight=usual("gamma", np.ones_like(mean)),
        bias=usual("beta", np.zeros_like(mean)),
        mean=mean,
        variance=_array(arrays, name, "moving_variance", where, 1),
        epsilon=epsilon,
    )


def _activation(layer: Layer, where: str) -> list[Operation]:
    found = layer.get("activation", "linear")
    # A function of one's own is written as an object; only its name is asked.
    name = found.get("config", found.get("registered_name", "")) if isinstance(found, dict) else found
    match name:
        case "linear" | None:
            return []
        case "relu":
            return [Clamp(where=where, low=0.0, high=math.inf)]
        case "relu6":
            return [Clamp(where=where, low=0.0, high=6.0)]
        case "softmax":
            return [Softmax(where=where)]
        case other:
            raise Refused(f"{where} has activation {str(other)[:40]!r}; MobileNet V1 has relu6 or relu")


def _pair(value: Any) -> tuple[int, int]:
    one, other = (value, value) if isinstance(value, int) else value
    return int(one), int(other)


def _array(arrays: Arrays, name: str, part: str, where: str, dimensions: int) -> Array:
    key = f"{name}/{part}"
    if key not in arrays:
        raise Refused(f"{where}: the file has no array {key}; it is damaged or not whole")
    if arrays[key].ndim != dimensions or not arrays[key].size:
        raise Refused(f"{where}: array {key} has shape {arrays[key].shape}; it is damaged")
    return arrays[key]
