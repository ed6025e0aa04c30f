"""A Keras model's description as layers in the order in which data flows, whatever models they lie in."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from depthwise.errors import Refused
from depthwise.interop.chain import MOST_OPERATIONS as MOST_LAYERS
from depthwise.interop.keras.cuts import merged

# Classes whose description holds layers. Their older versions are called Model.
NESTED = ("Functional", "Model", "Sequential", "Pipeline")
# tfmot's wrapper of a layer that is pruned: what it computes is the layer, whose weights hold zeros already.
PRUNED = "PruneLowMagnitude"
_DEEPEST = 4
# What Keras 2 writes in the place of a layer's name where an operand is a number.
_NUMBER = "_CONSTANT_VALUE"


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer of a Keras model.

    Attributes:
        name, kind: its own, and its class.
        config: what it is described by.
        inbound: what it is called with, as the description has it.
        path: the names of the models that it lies in, outermost first and without the whole, and its own.
        places: for each name of `path` its class, and how many of that class are before it in the same model.
        pruned: whether it lies in tfmot's wrapper.
        built: the shape that it was built for, where the description has it.
    """

    name: str
    kind: str
    config: Mapping[str, Any]
    inbound: Any
    path: tuple[str, ...]
    places: tuple[tuple[str, int], ...]
    pruned: bool = False
    built: Any = None

    @property
    def where(self) -> str:
        """Its place, as messages have it."""
        return f"layer {self.name} ({self.kind})"


def model_layers(config: str) -> list[Layer]:
    """The layers of a whole model.

    Args:
        config: the description, JSON as Keras 2 and 3 write it.
    Raises: Refused, when it is damaged or no chain.
    """
    try:
        model = json.loads(config)
    except (ValueError, RecursionError) as problem:
        raise Refused(f"its description is no JSON ({problem}); it is damaged") from None
    kind = model.get("class_name") if isinstance(model, dict) else None
    if isinstance(kind, str) and kind not in NESTED:
        raise Refused(
            f"it is a model of a class of its own ({kind[:40]}), which only its Python code describes; save a"
            " Functional or Sequential model"
        )
    return list(_flat(model, (), (), 0))


def _flat(model: Any, path: tuple[str, ...], places: tuple[tuple[str, int], ...], depth: int) -> Iterator[Layer]:
    """The layers of a model and of models inside it, each of which reads the one before."""
    if depth > _DEEPEST:
        raise Refused(f"its models nest deeper than {_DEEPEST}; MobileNet V1 does not")
    last, counted = "", Counter[str]()
    for place, entry in enumerate(merged(_listed(model))):
        if place > MOST_LAYERS:
            raise Refused(f"it has more than {MOST_LAYERS} layers; MobileNet V1 has fewer")
        kind, name = str(entry["class_name"]), str(entry["config"].get("name", entry.get("name", "")))
        inbound = entry.get("inbound_nodes", [])
        _check_order(name, sorted(_sources(inbound, 0)), last)
        last = name
        deeper = (*path, name), (*places, (kind, counted[kind]))
        counted[kind] += 1
        if kind in NESTED:
            yield from _flat(entry, *deeper, depth + 1)
        elif kind == PRUNED:
            inner = entry["config"]["layer"]
            own = str(inner["config"].get("name", name))
            yield Layer(
                name=own, kind=str(inner["class_name"]), config=inner["config"], inbound=inbound, path=deeper[0],
                places=deeper[1], pruned=True,
            )  # fmt: skip
        else:
            yield Layer(
                name=name,
                kind=kind,
                config=entry["config"],
                inbound=inbound,
                path=deeper[0],
                places=deeper[1],
                built=(entry.get("build_config") or {}).get("input_shape"),
            )


def _listed(model: Any) -> Sequence[Any]:
    config = model["config"]
    # The oldest Sequential models are the list itself.
    listed = config["layers"] if isinstance(config, dict) else config
    if not isinstance(listed, list):
        raise TypeError("layers")
    return listed


def _check_order(name: str, sources: Sequence[str], last: str) -> None:
    if len(sources) > 1:
        raise Refused(f"layer {name} joins {len(sources)} branches; MobileNet V1 has none")
    if sources and last and sources[0] != last:
        raise Refused(f"layer {name} does not follow {last}; MobileNet V1 has no branches")


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
        named = set() if node[0] == _NUMBER else {node[0]}
        return named.union(*(_sources(value, depth + 1) for value in node[2:]))
    return set().union(*(_sources(value, depth + 1) for value in node))


def input_size(layers: Sequence[Layer], *, channels_first: bool = False) -> tuple[int | None, int | None, int | None]:
    """Height, width and channels of the images that a model takes; None where it leaves them open.

    A model around another may leave open what the inner one says.
    Args:
        channels_first: whether the outermost takes its channels first.
    Raises: Refused, when it takes no images.
    """
    size: tuple[int | None, ...] = (None, None, None)
    # Models behind the first convolution take what comes of images.
    entry = list(itertools.takewhile(lambda layer: layer.kind != "Conv2D", layers))
    inputs = [layer.config.get("batch_input_shape", layer.config.get("batch_shape")) for layer in entry or layers[:1]]
    outermost = [*(layer.built for layer in layers[:1])]
    if channels_first:
        inputs, outermost = [shape and [shape[0], *shape[2:], shape[1]] for shape in inputs[:1]], []
    for shape in (*inputs, *outermost):
        if shape is None:
            continue
        if len(shape) != 4 or not all(n is None or (isinstance(n, int) and n > 0) for n in shape[1:]):
            raise Refused(f"its input is {shape}; MobileNet V1 takes (images, height, width, channels)")
        size = tuple(known if known is not None else n for known, n in zip(size, shape[1:], strict=True))
    return size[0], size[1], size[2]
