"""Damaged and hostile files: only refusals, each soon. `fuzz.py` beside this reads many more, by hand."""

from __future__ import annotations

import random
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depthwise.errors import Refused
from depthwise.interop.pytorch import format as timm
from depthwise.network.model import Model
from tools.keras_files import write_keras
from tools.mutation import SECONDS, mutated, outcome

SmallModel = Callable[..., Model]
CASES = 150


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small file of each format whose package is installed."""
    from conftest import make_model

    folder = tmp_path_factory.mktemp("files")
    model = make_model(width=0.03, padding="same", bn_epsilon=1e-3)
    found = {}
    for name, suffix in (("timm", ".safetensors"), ("tflite", ".tflite"), ("onnx", ".onnx"), ("keras", ".h5")):
        path = folder / f"network{suffix}"
        try:
            if name == "keras":
                write_keras(model, path)
            else:
                reader(name, "write")(model, path)
        except (ImportError, Refused):
            continue
        found[name] = path
    return found


def reader(name: str, what: str = "read") -> Callable[..., object]:
    import importlib

    folder = {"timm": "pytorch"}.get(name, name)
    found: Callable[..., object] = getattr(importlib.import_module(f"depthwise.interop.{folder}.format"), what)
    return found


def processor() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


@pytest.mark.parametrize("name", ["timm", "tflite", "onnx"])
def test_wounded_files_are_read_or_refused_soon(files: dict[str, Path], tmp_path: Path, name: str) -> None:
    if name not in files:
        pytest.skip(f"the package for {name} is not installed; its wounded files are not read")
    data, read, rng = files[name].read_bytes(), reader(name), random.Random(7)
    path = tmp_path / files[name].name
    for case in range(CASES):
        path.write_bytes(mutated(data, rng))
        start = processor()
        answer, _ = outcome(read, path)
        # A refusal is one line that names the file.
        assert answer == "read" or (str(path) in answer and "\n" not in answer), f"case {case}: {answer}"
        assert processor() - start < SECONDS, f"case {case} took {processor() - start:.1f} s"


def test_wounded_keras_files_are_read_or_refused_whatever_hdf5_does(files: dict[str, Path], tmp_path: Path) -> None:
    if "keras" not in files:
        pytest.skip("h5py is not installed; wounded Keras files are not read")
    data, rng = files["keras"].read_bytes(), random.Random(3)
    path = tmp_path / "network.h5"
    for _ in range(6):
        path.write_bytes(mutated(data, rng))
        outcome(reader("keras"), path)


def cuts(size: int) -> Iterator[int]:
    yield from (0, 1, 7, 8, 9, 100, size // 2, size - 100)


@pytest.mark.parametrize("name", ["timm", "tflite", "onnx"])
def test_files_that_are_cut_off_are_refused(files: dict[str, Path], tmp_path: Path, name: str) -> None:
    if name not in files:
        pytest.skip(f"the package for {name} is not installed; its cut files are not read")
    data, path = files[name].read_bytes(), tmp_path / files[name].name
    # What stands behind a TFLite file's graph is its list of labels, without which it is whole.
    end = data.rindex(b"labels.txt", 0, data.rindex(b"labels.txt")) - 30 if name == "tflite" else len(data)
    for length in cuts(end):
        path.write_bytes(data[:length])
        with pytest.raises(Refused):
            reader(name)(path)


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_no_network(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.getbasetemp()
    for name, mark in (("timm", b""), ("tflite", b"\x1c\0\0\0TFL3"), ("onnx", b"\x08\x08")):
        if name != "timm":
            pytest.importorskip(name)
        path = folder / f"any.{name}"
        path.write_bytes(mark + data)
        answer, _ = outcome(reader(name), path)
        assert answer != "read"


def test_a_header_that_asks_for_more_memory_than_there_is_costs_none(tmp_path: Path) -> None:
    header = b'{"conv_stem.weight":{"dtype":"F32","shape":[1099511627776,1,1,1],"data_offsets":[0,4398046511104]}}'
    (tmp_path / "x.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(Refused, match="not a safetensors file, damaged"):
        timm.read(tmp_path / "x.safetensors")
