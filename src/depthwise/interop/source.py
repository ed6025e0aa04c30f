"""What a reader knows besides the chain: what the user says, and what the file says of labels and pixels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from depthwise.errors import Refused
from depthwise.files import TooLarge, read_file
from depthwise.network.description import Described

# What a clone without Git LFS leaves where a large file belongs.
LFS_POINTER = b"version https://git-lfs"
# The standard-convolution twin at width 1 has 117 MB; with its copies in memory such a file stays under a gigabyte.
LARGEST_FILE = 128 * 2**20


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the user says where a file is silent or wrong; None leaves it to the file.

    Attributes:
        labels: one a class.
        resolution: of a file that holds weights only or takes any size.
        mean, scale: one number a channel (red, green, blue), or one for all; what the file is fed is
            `(pixel - mean) * scale`.
        bgr: the file takes blue first and red last.
        activation: "relu6" or "relu", of a file that does not say.
        epsilon, unit_strides: likewise, of its normalisations and of layers that run at stride 1 instead of 2.
        resize: how a picture becomes square, as `network.preprocessing.squared` reads it.
    """

    labels: tuple[str, ...] | None = None
    resolution: int | None = None
    mean: tuple[float, ...] | None = None
    scale: tuple[float, ...] | None = None
    bgr: bool = False
    activation: str | None = None
    epsilon: float | None = None
    unit_strides: tuple[int, ...] = ()
    resize: str | None = None


NOTHING = Given()


@dataclass(frozen=True, kw_only=True)
class Source:
    """One file and what it says of itself.

    Attributes:
        name: what the user called it, for messages and the model's provenance.
        format: "keras", "onnx", "pytorch", "tflite", "timm" or "transformers".
        sha256: of the file's bytes.
        given: what the user says.
        labels: what the file calls its classes.
        mean, scale: what the file says of pixels, by red, green and blue.
        bgr: whether the file says that blue comes first; None where it says no order.
        resize: what the file says of the length of the shorter side.
        square: another way to a square that it says, in the words of `squared`, "" where it says none.
        filter: the interpolation with which the file says that pictures are resized, "" where it says none.
        assumes: what is assumed of its layers, which it does not say, "" where it says all.
        own: what this project wrote into the file (`description`), or {}.
        padding: of `Spec.padding`, what such a file means where its zeros are those of several rules.
    """

    name: str
    format: str
    sha256: str
    given: Given = NOTHING
    labels: tuple[str, ...] | None = None
    mean: tuple[float, ...] | None = None
    scale: tuple[float, ...] | None = None
    bgr: bool | None = None
    resize: int | None = None
    square: str = ""
    filter: str = ""
    assumes: str = ""
    own: Mapping[str, Any] = field(default_factory=dict)
    padding: str = "symmetric"


def description(model: Described, **more: Any) -> dict[str, Any]:
    """What this project writes into the files it makes, beside what the format has places for."""
    return {"format": 1, "spec": model.spec.to_dict(), "preprocessing": model.preprocessing.to_dict(), **more}


def parse_own(text: str | bytes) -> dict[str, Any]:
    """What `description` became in a file; {} where it is not there or not whole."""
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and found.get("format") == 1 else {}


def content(path: Path) -> bytes:
    """The bytes of a file.

    Raises: Refused, when it cannot be read or is larger than any MobileNet V1.
    """
    try:
        data = read_file(path, LARGEST_FILE)
    except TooLarge:
        raise Refused(f"{path}: is larger than any MobileNet V1, which has at most {LARGEST_FILE:,} bytes") from None
    except FileNotFoundError:
        raise Refused(f"{path}: there is no such file") from None
    except OSError as problem:
        raise Refused(f"{path}: cannot be read ({problem.strerror})") from None
    if data.startswith(LFS_POINTER):
        raise Refused(f"{path}: is a Git LFS pointer, not the file itself; run: git lfs pull")
    return data


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
