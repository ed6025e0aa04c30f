"""What ships with the package: a trained model, and a photo to try it on."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def model_folder() -> Path:
    """The model folder of the shipped network; its README.md is the model card."""
    return Path(str(files(__package__) / "everyday-200"))


def int8_folder() -> Path:
    """The model folder of the same network in int8."""
    return Path(str(files(__package__) / "everyday-200-int8"))


def photo() -> Path:
    """The photo that `depthwise demo` labels when none is given."""
    return Path(str(files(__package__) / "photo.jpg"))
