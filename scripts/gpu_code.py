#!/usr/bin/env python3
"""Build machine code of every kernel without a GPU: python scripts/gpu_code.py [CAPABILITY...]

What Triton's interpreter allows its compiler may refuse, so this is the check that a machine without a GPU can make.
Prints the shared memory of each kernel of training, for compute capabilities 8.0 and 9.0 or those given (80, 90). Then
the kernels of artifacts (target cuda), of the largest of the sixteen networks, for the capabilities of JETSON_TO_SERVER
by NVIDIA's assembler, which comes with Triton. Ends with 1 where one cannot be built, or keeps sums in memory.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["TRITON_INTERPRET"] = "0"

import numpy as np
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from depthwise.cloud.cuda import tiles
from depthwise.cloud.cuda.kernels import depthwise, pointwise, separable
from depthwise.cloud.cuda.tiles import Tile
from depthwise.compiler.choices import Choices
from depthwise.compiler.gpu.emit import emit_kernels
from depthwise.compiler.gpu.plan import plan_for_gpu
from depthwise.compiler.lower.compilation import AnyModel, Compilation, lowered_for
from depthwise.compiler.outputs.ptx import ptx
from depthwise.kernels.cuda.rows import ARCHITECTURE
from depthwise.network.model import Model, random_weights
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from depthwise.precision import PRECISIONS, Precision

import triton.language as tl  # isort: skip

CAPABILITIES = (80, 90)
# Kernels of artifacts: the least that they need, Xavier, Turing, Orin, Hopper, Blackwell.
JETSON_TO_SERVER = (61, 72, 75, 87, 90, 100)
# A layer in the middle of the network, as it is trained: 256 images of 28 x 28 pixels.
PIXELS, CHANNELS, OUTPUTS = 256 * 28 * 28, 256, 256
# Pointers to activations; all others are to float32.
NARROW = ("x_ptr", "y_ptr", "dx_ptr", "dy_ptr", "z_ptr")
SHARED_MEMORY = {80: 163 * 1024, 90: 227 * 1024}


def cases() -> Iterator[tuple[Any, dict[str, Any]]]:
    """Each kernel with its constants."""
    products = {"product": tl.bfloat16, "exact": "ieee"}
    along = tiles.depthwise_tile(PIXELS, CHANNELS)
    for stride in (1, 2):
        for kernel in (depthwise.forward, depthwise.backward):
            yield kernel, {"stride": stride, "normed": True, "block_p": along.pixels, "block_c": along.channels}
    for kernel, tile in (
        (pointwise.forward, tiles.pointwise_tile(PIXELS, CHANNELS, OUTPUTS)),
        (pointwise.backward_input, tiles.input_tile(PIXELS, CHANNELS, OUTPUTS)),
        (pointwise.backward_weight, tiles.weight_tile(PIXELS, CHANNELS, OUTPUTS)),
    ):
        yield kernel, {**products, "normed": True, **blocks(tile)}
    yield separable.forward, {**products, "stride": 2, **blocks(tiles.separable_tile(PIXELS, CHANNELS, OUTPUTS))}


def blocks(tile: Tile) -> dict[str, int]:
    """A tile's sizes as the kernels name them."""
    return {"block_p": tile.pixels, "block_n": tile.outputs, "block_c": tile.channels}


def build(kernel: Any, constants: dict[str, Any], capability: int) -> Any:
    """A compiled kernel for bfloat16."""
    constants = {"wide": tl.float32, **constants}
    signature = {name: kind_of(name, constants) for name in kernel.arg_names}
    places = {(kernel.arg_names.index(name),): value for name, value in constants.items()}
    return triton.compile(ASTSource(kernel, signature, places), target=GPUTarget("cuda", capability, 32))


def kind_of(name: str, constants: dict[str, Any]) -> str:
    """The type of an argument, as Triton writes it."""
    if name in constants:
        return "constexpr"
    if name.endswith("_ptr"):
        return "*bf16" if name in NARROW else "*fp32"
    return "fp32" if name == "ceiling" else "i32"


def of_artifacts() -> Iterator[tuple[Precision, str]]:
    """PTX of the kernels of the largest of the sixteen networks, in each precision."""
    spec = Spec(classes=1000)
    labels, preprocessing = tuple(map(str, range(spec.classes))), default_preprocessing(spec.resolution, spec.channels)
    plain = Model(spec=spec, weights=random_weights(spec), labels=labels, preprocessing=preprocessing)
    models: dict[Precision, AnyModel] = {"int8": random_quantized(spec), "float16": plain}
    for precision, model in models.items():
        lowered = lowered_for(model, None, precision)
        # What the oracle answers is of no interest to an assembler.
        job = Compilation(model=model, lowered=lowered, answers=np.zeros((0, 0), np.float32), target="cuda")
        text = emit_kernels(job, plan_for_gpu(job, Choices(precision=precision)))
        yield precision, ptx(text, ARCHITECTURE, PRECISIONS[precision].contract)


def assembled(text: str, capability: int) -> tuple[int, int, int]:
    """Bytes of machine code, of the most that a block shares, and of what did not fit into registers.

    Raises: CalledProcessError, when the assembler refuses the PTX.
    """
    tool = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "ptxas"
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "kernels.ptx"), Path(folder, "kernels.cubin")
        source.write_text(text, encoding="utf-8")
        command = (str(tool), f"-arch=sm_{capability}", "-v", str(source), "-o", str(out))
        said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
        shared = max(map(int, re.findall(r"(\d+) bytes smem", said)), default=0)
        return out.stat().st_size, shared, sum(map(int, re.findall(r"(\d+) bytes spill", said)))


def build_artifacts() -> bool:
    """Build and print the kernels of artifacts; whether any failed."""
    failed = False
    for precision, text in of_artifacts():
        for capability in JETSON_TO_SERVER:
            code, shared, spilled = assembled(text, capability)
            failed |= spilled > 0
            print(
                f"{capability:3d} artifact, {precision:8s} {code:9,d} bytes of code  {shared:8,d} bytes of shared"
                f" memory  {spilled:,d} bytes beside registers",
                flush=True,
            )
    return failed


def main() -> int:
    """Build all; the exit code."""
    failed = build_artifacts()
    for capability in [int(text) for text in sys.argv[1:]] or CAPABILITIES:
        for kernel, constants in cases():
            built = build(kernel, constants, capability)
            shared, code = built.metadata.shared, len(built.asm["cubin"])
            fits = shared <= SHARED_MEMORY.get(capability, shared)
            failed |= not fits
            name = f"{kernel.fn.__module__.rsplit('.', 1)[1]}.{kernel.fn.__name__}"
            print(f"{capability}  {name:26s} {code:8,d} bytes of code  {shared:8,d} bytes of shared memory", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
