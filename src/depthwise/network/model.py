"""A network with its weights, labels and preprocessing, to and from a model folder.

A model folder holds `model.json` (what the model is) and `weights.safetensors` (its arrays);
docs/model-folder.md describes both. Nothing is ever unpickled.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from depthwise.errors import Refused
from depthwise.network.description import (
    check_fit,
    check_labels,
    check_precision,
    common_fields,
    same_names,
    write_model,
)
from depthwise.network.folder import DESCRIPTION, DTYPES, FORMAT, WEIGHTS, read_description, read_weights
from depthwise.network.preprocessing import Preprocessing
from depthwise.network.spec import Spec
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

    @property
    def precision(self) -> Literal["float32"]:
        """What its numbers are."""
        return "float32"

    def __post_init__(self) -> None:
        check_fit(self)
        wanted = expected_weights(self.spec)
        same_names(wanted, self.weights)
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
        if dtype not in DTYPES:
            raise Refused(f"dtype is {dtype!r}; it must be one of {', '.join(DTYPES)}")
        with np.errstate(over="ignore"):
            arrays = {name: array.astype(DTYPES[dtype], order="C") for name, array in sorted(self.weights.items())}
        for name, array in arrays.items():
            if not np.isfinite(array).all():
                raise Refused(f"weight {name} does not fit into {dtype}; write float32")
        write_model(Path(folder), self, dtype, arrays)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Model:
        """The model in a folder that `save` wrote.

        Raises: Refused, when a file is missing, damaged, too large for its network, or of an unknown version.
        """
        path = Path(folder)
        description = read_description(path / DESCRIPTION)
        try:
            check_precision(description, "float32", "float weights are needed; give the model that it was made from")
            fields = common_fields(description)
            weights = read_weights(path / WEIGHTS, expected_weights(fields["spec"]))
            return cls(weights=weights, **fields)
        except Refused as refusal:
            raise Refused(f"{path}: {refusal}") from None
        except (TypeError, RecursionError) as problem:
            raise Refused(f"{path / DESCRIPTION}: a field is missing or of a wrong type ({problem})") from None

    def replace(self, **changes: Any) -> Model:
        """A copy with some attributes changed."""
        return dataclasses.replace(self, **changes)
