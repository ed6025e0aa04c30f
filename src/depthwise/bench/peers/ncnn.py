"""ncnn: float32, and bfloat16 by its options.

Its int8 has signed activations, half the levels after ReLU6: another network, so there is none here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from depthwise.bench.peers import Floats, Form, Pixels, Setting
from depthwise.errors import Refused
from depthwise.precision import Precision

if TYPE_CHECKING:
    from depthwise.network.model import Model
    from depthwise.network.quantized import QuantizedModel


# Float32, and bfloat16 between the layers.
FORMS = (Form(name="ncnn", precision="float32"), Form(name="ncnn, bf16 storage", precision="bf16"))
# Whether values between layers are bfloat16.
_IS_SHORT: dict[Precision, bool] = {"float32": False, "bf16": True}


def write(model: Model | QuantizedModel, form: Form, folder: Path) -> Path:
    """The two files of ncnn, .param and .bin; returns the first."""
    from depthwise.bench.peers import ncnn_writer
    from depthwise.network.model import Model

    if not isinstance(model, Model):
        raise Refused("ncnn's int8 has signed activations, which would be another network")
    return ncnn_writer.write(model, folder)


def load(path: Path, setting: Setting) -> Loaded:
    """A net with ncnn's defaults."""
    return Loaded(path, setting)


class Loaded:
    """A net; an extractor is made for each call, as ncnn wants it."""

    def __init__(self, path: Path, setting: Setting) -> None:
        import ncnn

        self._ncnn = ncnn
        self._net = ncnn.Net()
        options = self._net.opt
        options.num_threads = setting.threads
        # Halves and bytes between layers are on by default where the processor has them: other numbers.
        is_short = _IS_SHORT[setting.precision]
        options.use_fp16_packed = options.use_fp16_storage = options.use_fp16_arithmetic = False
        options.use_bf16_packed = options.use_bf16_storage = is_short
        if self._net.load_param(str(path)) != 0 or self._net.load_model(str(path.with_suffix(".bin"))) != 0:
            raise Refused(f"{path}: ncnn cannot read it")
        self._mean = list(setting.mean)
        kind = ncnn.Mat.PixelType
        self._kind = kind.PIXEL_RGB if len(setting.mean) == 3 else kind.PIXEL_GRAY
        self._ready = ncnn.Mat()
        self._answer = ncnn.Mat()

    def convert(self, pixels: Pixels) -> None:
        """ncnn's own functions: bytes to planes of floats, less their mean."""
        height, width = pixels.shape[:2]
        self._ready = self._ncnn.Mat.from_pixels(pixels, self._kind, width, height)
        self._ready.substract_mean_normalize(self._mean, [])

    def run(self) -> None:
        """One extraction."""
        extractor = self._net.create_extractor()
        extractor.input("image", self._ready)
        status, self._answer = extractor.extract("probabilities")
        if status != 0:
            raise Refused(f"ncnn ends with {status}")

    def answer(self) -> Floats:
        """The extracted numbers."""
        return np.array(self._answer, np.float32).reshape(-1)
