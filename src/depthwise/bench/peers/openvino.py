"""OpenVINO on the processor: float32, bfloat16 by hint, and int8 from ONNX or TFLite, whichever is faster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from depthwise.bench.peers import Floats, Form, Pixels, Setting
from depthwise.precision import Precision

if TYPE_CHECKING:
    from depthwise.network.model import Model
    from depthwise.network.quantized import QuantizedModel


# How it computes what is not in integers.
_REAL: dict[Precision, str] = {"float32": "f32", "bf16": "bf16", "int8": "f32"}
_TFLITE = Form(name="tflite int8", precision="int8")
# bfloat16 is the float network under a hint.
FORMS = (
    Form(name="onnx", precision="float32"),
    Form(name="onnx", precision="bf16"),
    Form(name="onnx qdq", precision="int8"),
    _TFLITE,
)


def write(model: Model | QuantizedModel, form: Form, folder: Path) -> Path:
    """The file that OpenVINO reads."""
    from depthwise.bench.peers import litert, onnx_bytes

    return litert.write(model, litert.AS_IT_IS, folder) if form == _TFLITE else onnx_bytes.write(model, folder)


def load(path: Path, setting: Setting) -> Loaded:
    """A network compiled for one stream, the lowest latency."""
    return Loaded(path, setting)


class Loaded:
    """A request whose tensors stay bound to the same memory."""

    def __init__(self, path: Path, setting: Setting) -> None:
        import openvino as ov
        from openvino import properties

        core = ov.Core()
        wanted = {
            properties.inference_num_threads(): setting.threads,
            properties.hint.performance_mode(): properties.hint.PerformanceMode.LATENCY,
            properties.num_streams(): 1,
            properties.hint.inference_precision(): getattr(ov.Type, _REAL[setting.precision]),
        }
        compiled = core.compile_model(core.read_model(str(path)), "CPU", wanted)
        self._request = compiled.create_infer_request()
        self._signed = compiled.input(0).get_element_type() == ov.Type.i8
        shape = tuple(compiled.input(0).shape)
        self._pixels: Pixels = np.zeros(shape, np.uint8)
        given = self._pixels.view(np.int8) if self._signed else self._pixels
        # The tensor is kept: without it the shared memory would be gone.
        self._tensor = ov.Tensor(given, shared_memory=True)
        self._request.set_input_tensor(self._tensor)

    def convert(self, pixels: Pixels) -> None:
        """A copy into the shared memory, with the sign bit turned where the network takes signed bytes."""
        if self._signed:
            np.bitwise_xor(pixels, 0x80, out=self._pixels[0])
        else:
            np.copyto(self._pixels[0], pixels)

    def run(self) -> None:
        """One call, without copies of its results."""
        self._request.infer(share_outputs=True)

    def answer(self) -> Floats:
        """The output tensor."""
        data = np.array(self._request.get_output_tensor(0).data).reshape(-1)
        if data.dtype == np.int8:
            data = (data.astype(np.float32) + 128) / 256
        return np.asarray(data, np.float32)
