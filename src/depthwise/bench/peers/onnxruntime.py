"""ONNX Runtime on the processor: float32, and int8 as QDQ, which it fuses into integer kernels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from depthwise.bench.peers import Floats, Form, Pixels, Setting

if TYPE_CHECKING:
    from depthwise.network.model import Model
    from depthwise.network.quantized import QuantizedModel


# Its bfloat16 kernels are for other processors.
FORMS = (Form(name="onnx", precision="float32"), Form(name="onnx qdq", precision="int8"))


def write(model: Model | QuantizedModel, form: Form, folder: Path) -> Path:
    """An ONNX file that takes bytes."""
    from depthwise.bench.peers import onnx_bytes

    return onnx_bytes.write(model, folder)


def load(path: Path, setting: Setting) -> Loaded:
    """A session with all optimisations."""
    return Loaded(path, setting)


class Loaded:
    """A session whose input and output stay bound to the same memory."""

    def __init__(self, path: Path, setting: Setting) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = setting.threads
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        given, given_out = self._session.get_inputs()[0], self._session.get_outputs()[0]
        self._pixels: Pixels = np.zeros(given.shape, np.uint8)
        self._answer: Floats = np.zeros(given_out.shape, np.float32)
        self._binding = self._session.io_binding()
        self._binding.bind_cpu_input(given.name, self._pixels)
        self._binding.bind_output(given_out.name, "cpu", 0, np.float32, self._answer.shape, self._answer.ctypes.data)

    def convert(self, pixels: Pixels) -> None:
        """A copy into the bound memory; layout and normalisation are in the graph."""
        np.copyto(self._pixels[0], pixels)

    def run(self) -> None:
        """One call, without allocation."""
        self._session.run_with_iobinding(self._binding)

    def answer(self) -> Floats:
        """What lies in the bound memory."""
        found: Floats = self._answer[0].copy()
        return found
