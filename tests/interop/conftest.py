"""Fixtures of foreign formats: real files, and the runtimes that own the formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from depthwise.interop.keras.file import contents


@pytest.fixture(scope="session")
def real_file(data_pack: Callable[[str], Path]) -> Callable[[str], Path]:
    """`real_file("vww_96.h5")` is a published network; skips where there are none."""
    folder = data_pack("models")

    def find(name: str) -> Path:
        if not (folder / name).is_file():
            pytest.skip(f"{name} is not in {folder}; the figures of that file are not checked")
        return folder / name

    return find


@pytest.fixture(scope="session")
def litert() -> Callable[..., np.ndarray]:
    """`litert(path, inputs)` is what TFLite's own runtime answers for (B, H, W, C) inputs, one by one."""
    interpreter = pytest.importorskip("ai_edge_litert.interpreter", reason="ai-edge-litert is not installed")

    def run(path: Path, inputs: np.ndarray, *, kernels: str = "BUILTIN") -> np.ndarray:
        resolver = getattr(interpreter.OpResolverType, kernels)
        made = interpreter.Interpreter(str(path), num_threads=1, experimental_op_resolver_type=resolver)
        made.allocate_tensors()
        entry, result = made.get_input_details()[0], made.get_output_details()[0]
        answers = []
        for one in inputs:
            made.set_tensor(entry["index"], one[None].astype(entry["dtype"]))
            made.invoke()
            answers.append(made.get_tensor(result["index"])[0])
        return np.array(answers)

    return run


@pytest.fixture(scope="session")
def onnxruntime() -> Callable[..., np.ndarray]:
    """`onnxruntime(path, inputs)` is what ONNX's own runtime answers for (B, H, W, C) inputs, one by one."""
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

    def run(path: Path, inputs: np.ndarray) -> np.ndarray:
        settings = runtime.SessionOptions()
        # Exact sums of bytes: without VNNI its kernels for AVX2 add pairs of products in 16 bits, which saturate.
        settings.add_session_config_entry("session.x64quantprecision", "1")
        settings.intra_op_num_threads = 1
        session = runtime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        channels_first = inputs.astype(np.float32).transpose(0, 3, 1, 2)
        return np.concatenate([session.run(None, {name: one[None]})[0] for one in channels_first])

    return run


@pytest.fixture
def keras_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """For files that a test makes and that are sound: a process for each would take half a minute of all the tests."""
    for reader in ("format", "folder"):
        monkeypatch.setattr(f"depthwise.interop.keras.{reader}.extract", contents)
