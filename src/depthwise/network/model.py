"""A network with its weights, labels and preprocessing, to and from a model folder.

A model folder holds `model.json` (what the model is) and `weights.safetensors` (its arrays);
docs/model-folder.md describes both. Nothing is ever unpickled.
"""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
import shutil
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthwise.errors import Refused
from depthwise.network.layers import Layer, layers
from depthwise.network.preprocessing import Preprocessing
from depthwise.network.spec import Spec

FORMAT = 1
DESCRIPTION = "model.json"
WEIGHTS = "weights.safetensors"
LARGEST_DESCRIPTION = 64 * 2**20
NORM_FIELDS = ("weight", "bias", "running_mean", "running_var")
DTYPES = {"float32": np.float32, "float16": np.float16}

Array = NDArray[Any]


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
            folder: where to write; parents are made.
            dtype: "float32", or "float16" for half the size (read back as float32).
        Raises: Refused, when `folder` holds something that is not a model folder, or cannot be written.
        """
        from safetensors.numpy import save as to_bytes

        kind = DTYPES[dtype]
        arrays = {name: np.ascontiguousarray(array, dtype=kind) for name, array in sorted(self.weights.items())}
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
        _write_folder(Path(folder), {DESCRIPTION: text.encode(), WEIGHTS: to_bytes(arrays)})

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Model:
        """The model in a folder that `save` wrote.

        Raises: Refused, when a file is missing, damaged, too large for its network, or of an unknown version.
        """
        path = Path(folder)
        description = _read_description(path / DESCRIPTION)
        try:
            spec = Spec.from_dict(description["spec"])
            labels = tuple(description["labels"])
            preprocessing = Preprocessing.from_dict(description["preprocessing"])
            weights = _read_weights(path / WEIGHTS, expected_weights(spec))
            return cls(
                spec=spec,
                weights=weights,
                labels=labels,
                preprocessing=preprocessing,
                provenance=dict(description.get("provenance", {})),
                accuracy=dict(description.get("accuracy", {})),
            )
        except Refused as refusal:
            raise Refused(f"{path}: {refusal}") from None
        except (KeyError, TypeError, ValueError) as problem:
            raise Refused(f"{path / DESCRIPTION}: a field is missing or of a wrong type ({problem!r})") from None

    def replace(self, **changes: Any) -> Model:
        """A copy with some attributes changed."""
        return dataclasses.replace(self, **changes)


def expected_weights(spec: Spec) -> dict[str, tuple[int, ...]]:
    """Name and shape of every array of a network, in the order of the table.

    Convolutions are (out, in, height, width) and depthwise ones (channels, 1, height, width), as in PyTorch;
    each batch normalisation has the four arrays of `NORM_FIELDS`; the classifier a weight (classes, features) and
    a bias.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in layers(spec):
        if layer.kind == "pool":
            continue
        shapes[f"{layer.name}.weight"] = weight_shape(layer)
        if layer.kind == "classifier":
            shapes[f"{layer.name}.bias"] = (layer.output.channels,)
        if layer.norm:
            shapes |= {f"{layer.norm}.{part}": (layer.output.channels,) for part in NORM_FIELDS}
    return shapes


def weight_shape(layer: Layer) -> tuple[int, ...]:
    """Shape of a layer's weight, as in PyTorch.

    Raises: Refused, for a layer without weights.
    """
    match layer.kind:
        case "stem" | "standard" | "pointwise":
            return (layer.output.channels, layer.input.channels, layer.kernel, layer.kernel)
        case "depthwise":
            return (layer.output.channels, 1, layer.kernel, layer.kernel)
        case "classifier":
            return (layer.output.channels, layer.input.channels)
        case kind:
            raise Refused(f"layer {layer.name}: a {kind} has no weights")


def random_weights(spec: Spec, seed: int = 0) -> dict[str, Array]:
    """He-normal weights and batch statistics as after a little training, for tests and benchmarks.

    Running statistics are random too, so that a mistake in folding them shows.
    """
    rng = np.random.default_rng(seed)
    arrays: dict[str, Array] = {}
    for name, shape in expected_weights(spec).items():
        part = name.rsplit(".", 1)[1]
        if len(shape) > 1:
            fan_in = int(np.prod(shape[1:]))
            array = rng.normal(0, np.sqrt(2 / fan_in), shape)
        elif part == "running_var" or (part == "weight" and name != "classifier.weight"):
            array = rng.uniform(0.5, 1.5, shape)
        else:
            array = rng.normal(0, 0.1, shape)
        arrays[name] = array.astype(np.float32)
    return arrays


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
            raise Refused(f"label {index} is {label!r}; it must be text of at least one character")
        if "\0" in label:
            raise Refused(f"label {index} is {label!r}; a null byte ends a text in C, so remove it")
        try:
            label.encode()
        except UnicodeEncodeError:
            raise Refused(f"label {index} is {label!r}, which is not valid Unicode; rename the class") from None
        if label in seen:
            raise Refused(f"labels {seen[label]} and {index} are both {label!r}; rename one class")
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


def _read_description(path: Path) -> dict[str, Any]:
    try:
        size = path.stat().st_size
        if size > LARGEST_DESCRIPTION:
            raise Refused(f"{path}: {size:,} bytes; a description has at most {LARGEST_DESCRIPTION:,}")
        description = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Refused(
            f"{path.parent}: not a model folder, it has no {path.name}; give a folder that `depthwise train` wrote"
        ) from None
    except OSError as problem:
        raise Refused(f"{path}: cannot be read ({problem.strerror})") from None
    except (ValueError, RecursionError) as problem:
        raise Refused(f"{path}: not valid JSON ({problem}); the file is damaged") from None
    if not isinstance(description, dict):
        raise Refused(f"{path}: holds no JSON object; the file is damaged")
    if description.get("format") != FORMAT:
        found = description.get("format")
        raise Refused(f"{path}: format {found!r}; this version of depthwise reads format {FORMAT}, update depthwise")
    return description


def _read_weights(path: Path, wanted: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """The arrays as float32; sizes are checked before anything is allocated."""
    from safetensors import SafetensorError
    from safetensors.numpy import load as from_bytes

    largest = sum(int(np.prod(shape)) for shape in wanted.values()) * 4 + 2**20
    try:
        size = path.stat().st_size
        if size > largest:
            raise Refused(f"{WEIGHTS} has {size:,} bytes; this network needs at most {largest:,}")
        found = from_bytes(path.read_bytes())
    except FileNotFoundError:
        raise Refused(f"it has no {WEIGHTS}; copy the whole folder") from None
    except OSError as problem:
        raise Refused(f"{WEIGHTS} cannot be read ({problem.strerror})") from None
    except (SafetensorError, struct.error, ValueError, KeyError, AttributeError) as problem:
        raise Refused(f"{WEIGHTS} is damaged ({problem})") from None
    for name, array in found.items():
        if array.dtype not in DTYPES.values():
            raise Refused(f"weight {name} is {array.dtype}; known are {', '.join(DTYPES)}")
    return {name: array.astype(np.float32) for name, array in found.items()}


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files under a temporary name beside `folder`, then put it in its place."""
    if folder.exists() and (
        not folder.is_dir() or not {p.name for p in folder.iterdir()} <= set(files) | {"README.md"}
    ):
        raise Refused(f"{folder}: exists and is not a model folder; choose another name or remove it")
    mark = secrets.token_hex(4)
    fresh = folder.with_name(f".{folder.name}.{mark}.new")
    old = folder.with_name(f".{folder.name}.{mark}.old")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh.mkdir()
        for name, content in files.items():
            with (fresh / name).open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        if folder.exists():
            if (folder / "README.md").is_file():
                shutil.copy2(folder / "README.md", fresh / "README.md")
            folder.rename(old)
        fresh.rename(folder)
    except OSError as problem:
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise Refused(f"{folder}: cannot be written ({problem.strerror})") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
