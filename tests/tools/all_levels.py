"""Artifacts that carry every level of x86, in each precision, built once for all files of a run: that takes a while."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import make_model
from depthwise.compiler import compile_model
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from depthwise.precision import Precision

SIDE, CLASSES = 37, 11


@dataclass(frozen=True)
class AllLevels:
    """A library, and the levels that `compile_model` said it has."""

    path: Path
    levels: tuple[str, ...]


def network(precision: Precision) -> Model | QuantizedModel:
    """A width and a resolution that divide by no tile."""
    if precision == "int8":
        return random_quantized(Spec(width=0.35, resolution=SIDE, classes=CLASSES, shallow=True), 1)
    return make_model(seed=3, width=0.35, resolution=SIDE, shallow=True, labels=tuple("abcdefghijk"))


def of_all_levels(precision: Precision, factory: pytest.TempPathFactory) -> AllLevels:
    """The artifact of `network(precision)` for linux-x86_64, built by whichever process asks first."""
    base = factory.getbasetemp()
    # Workers of pytest-xdist have folders side by side.
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "all-levels"
    folder.mkdir(exist_ok=True)
    library, said = folder / f"{precision}.so", folder / f"{precision}.txt"
    with (folder / f"{precision}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            built = compile_model(network(precision), target="linux-x86_64", out=library, precision=precision)
            said.write_text(" ".join(built.levels))
        return AllLevels(path=library, levels=tuple(said.read_text().split()))
