"""LiteRT's interpreter (TensorFlow Lite) with XNNPACK: float32 and int8 per channel."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from depthwise.bench.peers import Floats, Form, Pixels, Setting

if TYPE_CHECKING:
    from depthwise.network.model import Model
    from depthwise.network.quantized import QuantizedModel

# Whether the labels' sums stay real numbers, which makes the last layer one of floats, or become bytes as well.
AS_IT_IS, ROUNDED = Form(name="as it is", precision="int8"), Form(name="labels in int8", precision="int8")
# Its processor kernels have no bfloat16.
FORMS = (Form(name="as it is", precision="float32"), AS_IT_IS, ROUNDED)


def write(model: Model | QuantizedModel, form: Form, folder: Path) -> Path:
    """A TFLite file."""
    from depthwise.interop.tflite import writer as tflite_writer
    from depthwise.interop.tflite import writer_int8 as tflite_writer_int8
    from depthwise.network.model import Model

    if isinstance(model, Model):
        path = folder / "float.tflite"
        path.write_bytes(tflite_writer.build(model, "bench"))
        return path
    path = folder / ("rounded.tflite" if form == ROUNDED else "int8.tflite")
    path.write_bytes(tflite_writer_int8.build(rounded(model) if form == ROUNDED else model, "bench"))
    return path


def rounded(model: QuantizedModel) -> QuantizedModel:
    """The model with its labels' sums as bytes, over the range that they have on the golden images."""
    from depthwise.compiler.lower import golden
    from depthwise.network import reference_int8

    last = model.layers["classifier"]
    if last.rounded:
        return model
    most = float(np.abs(reference_int8.run(model, golden.images(model.spec)).logits).max())
    scale = np.float32(max(most, 1e-6) / 127)
    changed = dataclasses.replace(
        last,
        rounded=True,
        multiplier=(last.multiplier / scale).astype(np.float32),
        scale=np.full_like(last.scale, scale),
        zero_point=128,
        low=0,
        high=255,
    )
    return model.replace(layers={**model.layers, "classifier": changed})


def load(path: Path, setting: Setting) -> Loaded:
    """An interpreter with XNNPACK, which is its default."""
    return Loaded(path, setting)


class Loaded:
    """An interpreter, and its buffers seen as arrays."""

    def __init__(self, path: Path, setting: Setting) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter: Any = Interpreter(model_path=str(path), num_threads=setting.threads)
        self._interpreter.allocate_tensors()
        given = self._interpreter.get_input_details()[0]
        result = self._interpreter.get_output_details()[0]
        self._in, self._out, self._is_int8 = given["index"], result["index"], result["dtype"] == np.int8
        self._ready: np.ndarray[Any, Any] = np.zeros(given["shape"], given["dtype"])
        # One number where it is the same for all channels: broadcasting along pixels is slow.
        self._mean = np.array(setting.mean if len(set(setting.mean)) > 1 else setting.mean[0], np.float32)

    def convert(self, pixels: Pixels) -> None:
        """One pass for floats, into a buffer; for signed bytes the turn of a bit."""
        if self._ready.dtype == np.int8:
            np.bitwise_xor(pixels, 0x80, out=self._ready.view(np.uint8)[0])
        else:
            np.subtract(pixels, self._mean, out=self._ready[0])
        self._interpreter.set_tensor(self._in, self._ready)

    def run(self) -> None:
        """One call."""
        self._interpreter.invoke()

    def answer(self) -> Floats:
        """The output, made real."""
        found: Floats = np.asarray(self._interpreter.get_tensor(self._out)[0], np.float32)
        return (found + 128) / np.float32(256) if self._is_int8 else found
