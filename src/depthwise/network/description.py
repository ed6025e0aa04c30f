"""What float and int8 models have in common: network, labels, preprocessing, provenance, accuracy; to and from JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from depthwise.errors import Refused
from depthwise.files import write_folder
from depthwise.network.folder import DESCRIPTION, FORMAT, KEPT, MODEL, WEIGHTS, read_description
from depthwise.network.preprocessing import Preprocessing
from depthwise.network.spec import Spec, shown
from depthwise.network.weights import Array, expected_weights
from depthwise.precision import USUAL, Precision

# Four bytes each; the twin of standard convolutions at width 1 has 29 million.
MOST_WEIGHTS = 2**25


class Described(Protocol):
    """A model of either precision."""

    @property
    def spec(self) -> Spec:
        """The network."""

    @property
    def labels(self) -> tuple[str, ...]:
        """One name a class."""

    @property
    def preprocessing(self) -> Preprocessing:
        """How an image becomes the network's input."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """How the model came about."""

    @property
    def accuracy(self) -> Mapping[str, Any]:
        """What was measured of it."""


def check_fit(model: Described) -> None:
    """Refuse labels or preprocessing that are not those of the network.

    Raises: Refused, saying what does not fit.
    """
    spec, preprocessing = model.spec, model.preprocessing
    check_weights(spec)
    check_labels(model.labels, spec.classes)
    if preprocessing.channels != spec.channels:
        raise Refused(
            f"preprocessing has {preprocessing.channels} channels and the network {spec.channels};"
            " give one mean and one scale a channel"
        )
    if preprocessing.crop != spec.resolution:
        raise Refused(
            f"preprocessing crops to {preprocessing.crop} pixels and the network takes {spec.resolution};"
            " make them equal"
        )


IMAGENET_AND_BACKGROUND = (1000, 1001)


def check_weights(spec: Spec) -> None:
    """Refuse a network with more weights than can be worked on in a gigabyte of memory.

    Raises: Refused, saying how many it has.
    """
    count = sum(math.prod(shape) for shape in expected_weights(spec).values())
    if count > MOST_WEIGHTS:
        raise Refused(
            f"this network has {count:,} weights, and at most {MOST_WEIGHTS:,} are worked on; take less width"
        )


def check_labels(labels: tuple[str, ...], classes: int) -> None:
    """Refuse labels that a device could not print or tell apart.

    Raises: Refused, naming the label, for a wrong count, an empty or repeated label, a null byte,
        or text that is not valid Unicode.
    """
    if len(labels) != classes:
        first = ""
        if (len(labels), classes) == IMAGENET_AND_BACKGROUND:
            first = " (TensorFlow's ImageNet networks have one more, background, in front of the others)"
        raise Refused(f"there are {len(labels)} labels for {classes} classes{first}; give one a class")
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


def write_model(
    folder: Path,
    model: Described,
    precision: str,
    arrays: Mapping[str, Array],
    *,
    written_as: int = FORMAT,
    **more: Any,
) -> None:
    """Write a model folder, whole or not at all; one that exists is replaced.

    Args:
        precision: "float32", "float16" or "int8".
        arrays: what goes into weights.safetensors.
        written_as: the number of the format.
        more: further fields of model.json.
    Raises: Refused, when `folder` holds something that is not a model folder, or cannot be written.
    """
    from safetensors.numpy import save as to_bytes

    description = {
        "format": written_as,
        "precision": precision,
        "spec": model.spec.to_dict(),
        "labels": list(model.labels),
        "preprocessing": model.preprocessing.to_dict(),
        "provenance": dict(model.provenance),
        "accuracy": dict(model.accuracy),
        **more,
    }
    text = json.dumps(description, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    weights = to_bytes(dict(sorted(arrays.items())))
    # A path that is not UTF-8 reaches the provenance as lone surrogates; their escapes are JSON's own.
    files = {DESCRIPTION: text.encode(errors="backslashreplace"), WEIGHTS: weights}
    write_folder(folder, files, MODEL, kept=KEPT)


def keep_measured(folder: Path, name: str, value: object) -> None:
    """Put a figure under `accuracy` into the description of a model folder, which else stays as it is.

    Args:
        value: JSON values.
    Raises: Refused, when it is no model folder, or cannot be written.
    """
    description = read_description(folder / DESCRIPTION)
    description["accuracy"] = {**part(description, "accuracy", dict), name: value}
    text = json.dumps(description, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    weights = (folder / WEIGHTS).read_bytes()
    files = {DESCRIPTION: text.encode(errors="backslashreplace"), WEIGHTS: weights}
    write_folder(folder, files, MODEL, kept=KEPT)


def common_fields(description: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that both kinds of model have, from model.json.

    Raises: Refused, for one that is missing, of a wrong type or not allowed.
    """
    spec = Spec.from_dict(part(description, "spec", dict))
    labels = tuple(part(description, "labels", list))
    preprocessing = Preprocessing.from_dict(part(description, "preprocessing", dict))
    # Before the weights: what is wrong here is found without reading them.
    check_weights(spec)
    check_labels(labels, spec.classes)
    return {
        "spec": spec,
        "labels": labels,
        "preprocessing": preprocessing,
        "provenance": part(description, "provenance", dict),
        "accuracy": part(description, "accuracy", dict),
    }


# How model.json says that weights are stored, and the precision of the model that they make.
STORED: dict[str, Precision] = {"float32": "float32", "float16": "float32", "int8": "int8"}


def precision_of(description: Mapping[str, Any]) -> Precision:
    """The precision of a described model: "float32" or "int8"; the usual one where model.json does not say.

    Raises: Refused, for another value.
    """
    found = description.get("precision", USUAL)
    if not isinstance(found, str) or found not in STORED:
        *first, last = STORED
        raise Refused(f"precision is {shown(found)}; this version of depthwise knows {', '.join(first)} and {last}")
    return STORED[found]


def check_precision(description: Mapping[str, Any], wanted: Precision, instead: str) -> None:
    """Refuse a model of another precision than is wanted.

    Args:
        instead: what is needed and what to do, for the message.
    Raises: Refused.
    """
    if precision_of(description) != wanted:
        found = description.get("precision", USUAL)
        raise Refused(f"holds {'an' if found.startswith('i') else 'a'} {found} model, and {instead}")


def part(description: Mapping[str, Any], name: str, kind: type) -> Any:
    """One field of model.json.

    Raises: Refused, when it is missing or of another type.
    """
    wanted = "an object" if kind is dict else "a list"
    if name not in description:
        raise Refused(f"{DESCRIPTION} has no {name!r}, {wanted}; the file is damaged")
    if not isinstance(description[name], kind):
        raise Refused(f"{name!r} in {DESCRIPTION} is not {wanted}; the file is damaged")
    return description[name]


def same_names(wanted: Mapping[str, object], found: Mapping[str, object]) -> None:
    """Refuse a set of weights that is not the wanted one, by the first that is missing or unknown."""
    missing = [name for name in wanted if name not in found]
    if missing:
        raise Refused(
            f"{len(missing)} weights are missing, the first is {missing[0]}; these are the weights of another network"
        )
    unknown = sorted(set(found) - set(wanted))
    if unknown:
        raise Refused(f"{len(unknown)} weights are not of this network, the first is {unknown[0]}")
