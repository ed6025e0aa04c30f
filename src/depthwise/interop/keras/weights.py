"""Which arrays of a Keras file belong to which layer; what belongs to none is named in the end.

Older files name arrays after layers and variables: `conv1/conv1/kernel`, or `base/conv1/kernel` in a model inside.
Newer ones count classes in each model: `layers/functional/layers/conv2d_3/vars/0`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from depthwise.errors import Refused
from depthwise.interop.keras.file import LAYERS, Contents
from depthwise.interop.keras.model import Layer
from depthwise.network.weights import Array

# A second variable of the same name in one session of TensorFlow 1 is kernel_1.
_PART = re.compile(r"(depthwise_kernel|kernel|bias|gamma|beta|moving_mean|moving_variance|mean|variance)(?:_\d+)?")
_NUMBERS = re.compile(r"((?:_\d+)*)$")
# What is counted while a layer is trained, and what tfmot keeps beside a pruned weight.
_COUNTED = ("count",)
_PRUNING = ("mask", "threshold", "pruning_step")
_PARTS: dict[str, tuple[str, ...]] = {
    "conv2d": ("kernel", "bias"),
    "depthwise_conv2d": ("kernel", "bias"),
    "dense": ("kernel", "bias"),
    "normalization": ("mean", "variance", "count"),
}
# Batch normalisation, as TensorFlow 1 and training on several devices call it, too.
NORMS = ("BatchNormalization", "BatchNormalizationV1", "SyncBatchNormalization", "Experimental>SyncBatchNormalization")
_NORM = ("gamma", "beta", "moving_mean", "moving_variance")
# Of one array: its path in the file and itself.
_Parts = dict[str, tuple[str, Array]]


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Arrays by layer and part, each of which is taken once."""

    layers: dict[str, _Parts]

    def has(self, layer: str, part: str) -> bool:
        """Whether an array is there that nothing took."""
        return part in self.layers.get(layer, {})

    def take(self, layer: str, part: str, where: str, dimensions: int) -> Array:
        """One array.

        Raises: Refused, when it is not there, or has another number of dimensions.
        """
        found = self.layers.get(layer, {})
        if part not in found:
            raise Refused(f"{where}: the file has no array {layer}/{part}; it is damaged or not whole")
        key, array = found.pop(part)
        if array.ndim != dimensions or not array.size:
            raise Refused(f"{where}: array {key} has shape {array.shape}; it is damaged")
        return array

    def leave(self, layer: str, *parts: str) -> None:
        """Take arrays that no network computes with."""
        for part in parts:
            self.layers.get(layer, {}).pop(part, None)

    def unread(self) -> list[str]:
        """Paths of what nothing took."""
        return sorted(key for parts in self.layers.values() for key, _ in parts.values())


def key_of(layer: Layer) -> str:
    """What the arrays of a layer are filed under."""
    return "/".join(layer.path)


def weights_of(contents: Contents, layers: Sequence[Layer]) -> Weights:
    """The arrays of a described model.

    Raises: Refused, when two arrays are the same part of a layer.
    """
    stored = _is_stored(contents)
    found = Weights(layers=_stored(contents, layers) if stored else _named(contents.arrays, layers))
    for layer in layers:
        found.leave(key_of(layer), *_COUNTED, *(_PRUNING if layer.pruned else ()))
    return found


def bare_weights(contents: Contents) -> Weights:
    """The arrays of a file without description, by the names of their layers.

    Where a file names no layers, the k-th convolution, depthwise convolution and normalisation have the names of those
    of keras.applications.MobileNet.
    Raises: Refused, when two arrays are the same part of a layer.
    """
    filed: dict[str, _Parts] = {}
    if not _is_stored(contents):
        scopes = _scopes(contents.arrays.items())
        together = Counter(scope.partition("/")[0] for scope in scopes)
        for scope, parts in scopes.items():
            top = scope.partition("/")[0]
            _file(filed, top if together[top] == 1 else scope.rpartition("/")[2], parts)
        return Weights(layers=filed)
    for group in contents.groups:
        kind, number = _counted(group)
        parts = _variables(contents, group, _PARTS.get(kind, _NORM if kind == "batch_normalization" else ()))
        if parts:
            rank = sum(_counted(other)[0] == kind and _counted(other)[1] < number for other in _with_arrays(contents))
            _file(filed, contents.groups.get(f"{group}/vars") or _published_name(kind, rank), parts)
    return Weights(layers=filed)


def _file(filed: dict[str, _Parts], layer: str, parts: _Parts) -> None:
    double = next((key for part, (key, _) in parts.items() if part in filed.get(layer, {})), None)
    if double is not None:
        raise Refused(f"it holds two arrays {double}; it is not one network")
    filed.setdefault(layer, {}).update(parts)


def _is_stored(contents: Contents) -> bool:
    return LAYERS in contents.groups and any("/vars/" in path for path in contents.arrays)


def _scopes(arrays: Iterable[tuple[str, Array]]) -> dict[str, _Parts]:
    """Arrays by all of their path but the last name, which is the part."""
    found: dict[str, _Parts] = {}
    for path, array in arrays:
        scope, _, last = path.rpartition("/")
        named = _PART.fullmatch(last)
        _file(found, scope, {named[1] if named else last: (path, array)})
    return found


def _named(arrays: Mapping[str, Array], layers: Sequence[Layer]) -> dict[str, _Parts]:
    """By names: the first of a path is that of a layer of the whole model, the last but one its own or its scope's."""
    tops: dict[str, dict[str, _Parts]] = defaultdict(dict)
    for scope, parts in _scopes(arrays.items()).items():
        top, _, rest = scope.partition("/")
        tops[top][rest] = parts
    filed: dict[str, _Parts] = {}
    loose: dict[str, _Parts] = {}
    for top, scopes in tops.items():
        inside = [layer for layer in layers if layer.path[0] == top]
        if len(inside) == 1:
            for parts in scopes.values():
                _file(filed, key_of(inside[0]), parts)
        elif inside:
            _nested(filed, scopes, inside)
        else:
            # TensorFlow.js does not name the model that a layer lies in.
            loose |= {f"{top}/{scope}".rstrip("/"): parts for scope, parts in scopes.items()}
    _nested(filed, loose, [layer for layer in layers if key_of(layer) not in filed])
    return filed


def _nested(filed: dict[str, _Parts], scopes: Mapping[str, _Parts], layers: Sequence[Layer]) -> None:
    """Of a model inside another: scopes have the names of its layers, or those with other numbers behind them."""
    last = {scope.rpartition("/")[2]: scope for scope in scopes}
    if len(last) != len(scopes):
        raise Refused(f"it holds two layers {min(last)}; it is not one network")
    by_name = {layer.name: layer for layer in layers}
    strangers = defaultdict(list)
    for name in last:
        if name in by_name:
            _file(filed, key_of(by_name.pop(name)), scopes[last[name]])
        else:
            strangers[_base(name)].append(name)
    for base, names in strangers.items():
        wanted = sorted((name for name in by_name if _base(name) == base), key=_order)
        paired = zip(wanted, sorted(names, key=_order), strict=False) if len(wanted) == len(names) else ()
        for name, scope in paired:
            _file(filed, key_of(by_name[name]), scopes[last[scope]])
        if not wanted or len(wanted) != len(names):
            _file(filed, base, {f"{name}/{part}": one for name in names for part, one in scopes[last[name]].items()})


def _base(name: str) -> str:
    return _NUMBERS.sub("", name)


def _order(name: str) -> tuple[int, ...]:
    found = _NUMBERS.search(name)
    return tuple(int(number) for number in (found[1] if found else "").split("_") if number)


def _stored(contents: Contents, layers: Sequence[Layer]) -> dict[str, _Parts]:
    """By classes: each model counts its layers of a class, and may say their names beside."""
    filed: dict[str, _Parts] = {}
    used: set[str] = set()
    for layer in layers:
        group = ""
        for name, (kind, rank) in zip(layer.path, layer.places, strict=True):
            group = _child(contents, f"{group}{LAYERS}/", name, kind, rank)
        group = group.removesuffix("/")
        parts = _variables(contents, group, _parts_of(layer))
        used.update(key for key, _ in parts.values())
        _file(filed, key_of(layer), parts)
    left = {path: (path, array) for path, array in contents.arrays.items() if path not in used and "/vars/" in path}
    _file(filed, "", left)
    return filed


def _child(contents: Contents, inside: str, name: str, kind: str, rank: int) -> str:
    """The group of one layer, with a slash behind it."""
    groups = [group for group in contents.groups if group.startswith(inside) and "/" not in group[len(inside) :]]
    own = [group for group in groups if contents.groups.get(f"{group}/vars") == name]
    if len(own) == 1:
        return f"{own[0]}/"
    alike = sorted((group for group in groups if _counted(group)[0] == _snake(kind)), key=_order)
    return f"{alike[rank]}/" if rank < len(alike) else f"{inside}{_snake(kind)}/"


def _variables(contents: Contents, group: str, names: Sequence[str]) -> _Parts:
    """The numbered arrays of one layer; what has no name keeps its number."""
    parts: _Parts = {}
    for number in range(len(contents.arrays)):
        path = f"{group}/vars/{number}"
        if path in contents.arrays:
            parts[names[number] if number < len(names) else str(number)] = (path, contents.arrays[path])
        elif number >= len(names):
            break
    return parts


def _parts_of(layer: Layer) -> tuple[str, ...]:
    """The arrays of a layer in the order in which Keras makes them."""
    if layer.kind in NORMS:
        without = {"gamma": not layer.config.get("scale", True), "beta": not layer.config.get("center", True)}
        return tuple(part for part in _NORM if not without.get(part, False))
    return _PARTS.get(_snake(layer.kind), ())


def _with_arrays(contents: Contents) -> list[str]:
    return [group for group in contents.groups if any(path.startswith(f"{group}/vars/") for path in contents.arrays)]


def _counted(group: str) -> tuple[str, tuple[int, ...]]:
    """Class and number of a group: conv2d_3 is (conv2d, (3,))."""
    last = group.rpartition("/")[2]
    return _base(last), _order(last)


def _snake(kind: Any) -> str:
    """A class as Keras spells it in its files: BatchNormalization is batch_normalization, Conv2D conv2d."""
    spaced = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W", "", str(kind)))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", spaced).lower()


def _published_name(kind: str, rank: int) -> str:
    """The name that keras.applications.MobileNet gives to the layer of a class with so many before it."""
    match kind:
        case "conv2d":
            return "conv1" if rank == 0 else f"conv_pw_{rank}" if rank <= 13 else "conv_preds"
        case "depthwise_conv2d":
            return f"conv_dw_{rank + 1}"
        case "batch_normalization":
            return "conv1_bn" if rank == 0 else f"conv_{'dw' if rank % 2 else 'pw'}_{(rank + 1) // 2}_bn"
        case _:
            return kind if rank == 0 else f"{kind}_{rank}"
