"""A network with its weights, labels and preprocessing, to and from a model folder.

A model folder holds `model.json` (what the model is) and `weights.safetensors` (its arrays);
docs/model-folder.md describes both. Nothing is ever unpickled.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from depthwise.errors import Refused
from depthwise.network.folder import DESCRIPTION, DTYPES, FORMAT, WEIGHTS, read_description, read_weights, write_folder
from depthwise.network.preprocessing import Preprocessing
from depthwise.network.spec import Spec, shown
from depthwise.network.weights import Array, expected_weights, random_weights, weight_shape

__all__ = [
    "DESCRIPTION",
    "FORMAT",
    "WEIGHTS",
    "Array",
    "Model",
    "check_labels",
    "expected_weights",
    "random_weights",
    "weight_shape",
]


@dataclass(frozen=True, kw_only=True)
class Model:
    """One trained network.

    Attributes:
        spec: the network.
        weights: arrays by name, as `expected_weights` lists them; float32.
        labels: one name a class, in the order of the classifier's outputs.
        preprocessing: how an image becomes the network's input.
        provenance: how the model came about (data, command, versions, seed); JSON values.
        accuracy: what was measured of it; JSON values.

    Raises: Refused, when an array is missing, unknown, of a wrong shape or not finite, or labels do not fit.
    """

    spec: Spec
    weights: Mapping[str, Array]
    labels: tuple[str, ...]
    preprocessing: Preprocessing
    provenance: Mapping[str, Any] = field(default_factory=dict)
    accuracy: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_labels(self.labels, self.spec.classes)
        if self.preprocessing.channels != self.spec.channels:
            raise Refused(
                f"preprocessing has {self.preprocessing.channels} channels and the network {self.spec.channels};"
                " give one mean and one scale a channel"
            )
        if self.preprocessing.crop != self.spec.resolution:
            raise Refused(
                f"preprocessing crops to {self.preprocessing.crop} pixels and the network takes {self.spec.resolution};"
                " make them equal"
            )
        wanted = expected_weights(self.spec)
        _same_names(wanted, self.weights)
        for name, shape in wanted.items():
            array = self.weights[name]
            if array.shape != shape:
                raise Refused(f"weight {name} has shape {array.shape}; this network needs {shape}")
            if array.dtype != np.float32:
                raise Refused(f"weight {name} is {array.dtype}; a model in memory holds float32")
            if not np.isfinite(array).all():
                raise Refused(
                    f"weight {name} holds a value that is not finite; the training diverged or the file is damaged"
                )
            if name.endswith(".running_var") and (array < 0).any():
                raise Refused(f"weight {name} holds a negative variance; the file is damaged")

    def save(self, folder: str | os.PathLike[str], *, dtype: str = "float32") -> None:
        """Write the model folder, whole or not at all; one that exists is replaced.

        Args:
            folder: where to write; parents are made, and a README.md that lies there is kept.
            dtype: "float32", or "float16" for half the size (read back as float32).
        Raises: Refused, when `folder` holds something that is not a model folder, cannot be written, or a weight
            does not fit into `dtype`.
        """
        from safetensors.numpy import save as to_bytes

        if dtype not in DTYPES:
            raise Refused(f"dtype is {dtype!r}; it must be one of {', '.join(DTYPES)}")
        with np.errstate(over="ignore"):
            arrays = {name: array.astype(DTYPES[dtype], order="C") for name, array in sorted(self.weights.items())}
        for name, array in arrays.items():
            if not np.isfinite(array).all():
                raise Refused(f"weight {name} does not fit into {dtype}; write float32")
        description = {
            "format": FORMAT,
            "spec": self.spec.to_dict(),
            "labels": list(self.labels),
            "preprocessing": self.preprocessing.to_dict(),
            "provenance": dict(self.provenance),
            "accuracy": dict(self.accuracy),
        }
        text = json.dumps(description, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        # A path that is not UTF-8 reaches the provenance as lone surrogates; their escapes are JSON's own.
        write_folder(Path(folder), {DESCRIPTION: text.encode(errors="backslashreplace"), WEIGHTS: to_bytes(arrays)})

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Model:
        """The model in a folder that `save` wrote.

        Raises: Refused, when a file is missing, damaged, too large for its network, or of an unknown version.
        """
        path = Path(folder)
        description = read_description(path / DESCRIPTION)
        try:
            spec = Spec.from_dict(_part(description, "spec", dict))
            labels = tuple(_part(description, "labels", list))
            preprocessing = Preprocessing.from_dict(_part(description, "preprocessing", dict))
            # Before the weights: a label that is not text is found without reading them.
            check_labels(labels, spec.classes)
            return cls(
                spec=spec,
                weights=read_weights(path / WEIGHTS, expected_weights(spec)),
                labels=labels,
                preprocessing=preprocessing,
                provenance=_part(description, "provenance", dict),
                accuracy=_part(description, "accuracy", dict),
            )
        except Refused as refusal:
            raise Refused(f"{path}: {refusal}") from None
        except (TypeError, RecursionError) as problem:
            raise Refused(f"{path / DESCRIPTION}: a field is missing or of a wrong type ({problem})") from None

    def replace(self, **changes: Any) -> Model:
        """A copy with some attributes changed."""
        return dataclasses.replace(self, **changes)


def check_labels(labels: tuple[str, ...], classes: int) -> None:
    """Refuse labels that a device could not print or tell apart.

    Raises: Refused, naming the label, for a wrong count, an empty or repeated label, a null byte,
        or text that is not valid Unicode.
    """
    if len(labels) != classes:
        raise Refused(f"there are {len(labels)} labels for {classes} classes; give one a class")
    seen: dict[str, int] = {}
    for index, label in enumerate(labels):
        if not isinstance(label, str) or not label:
            raise Refused(f"label {index} is {shown(label)}; it must be text of at least one character")
        if "\0" in label:
            raise Refused(f"label {index} is {shown(label)}; a null byte ends a text in C, so remove it")
        try:
            label.encode()
        except UnicodeEncodeError:
            raise Refused(f"label {index} is {shown(label)}, which is not valid Unicode; rename the class") from None
        if label in seen:
            raise Refused(f"labels {seen[label]} and {index} are both {shown(label)}; rename one class")
        seen[label] = index


def _same_names(wanted: Mapping[str, object], found: Mapping[str, object]) -> None:
    missing = [name for name in wanted if name not in found]
    if missing:
        raise Refused(
            f"{len(missing)} weights are missing, the first is {missing[0]}; these are the weights of another network"
        )
    unknown = sorted(set(found) - set(wanted))
    if unknown:
        raise Refused(f"{len(unknown)} weights are not of this network, the first is {unknown[0]}")


def _part(description: Mapping[str, Any], name: str, kind: type) -> Any:
    """One field of model.json."""
    wanted = "an object" if kind is dict else "a list"
    if name not in description:
        raise Refused(f"{DESCRIPTION} has no {name!r}, {wanted}; the file is damaged")
    if not isinstance(description[name], kind):
        raise Refused(f"{name!r} in {DESCRIPTION} is not {wanted}; the file is damaged")
    return description[name]
