"""Kernels for GPUs, run on the processor: compiled for it, they do what one block of threads does.

So a network for a GPU is run step by step where there is none, as a GPU would run it, but for the order of threads.
"""

from __future__ import annotations

import ctypes
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from depthwise.compiler.choices import Choices
from depthwise.compiler.emit.step import function_name
from depthwise.compiler.gpu.emit import emit_kernels
from depthwise.compiler.gpu.pack import pack_for_gpu
from depthwise.compiler.gpu.plan import GpuPlan, plan_for_gpu
from depthwise.compiler.lower.compilation import AnyModel, compilation
from depthwise.compiler.outputs.compilers import Compiler, call
from depthwise.compiler.outputs.systems import system
from depthwise.compiler.pack import Packed, merged
from depthwise.kernels.headers import included
from depthwise.network.live import live
from depthwise.precision import PRECISIONS, Precision

# The numbers of the block that runs, which kernels read.
_BLOCK = "#include <stdint.h>\nint32_t dwk_block[2];\n"
# Steps beyond what a type can hold, and indices beyond an array, end the process.
_CHECKED = ("-fsanitize=undefined", "-fsanitize-trap=undefined")
# What no kernel may write to, behind all activations.
_GUARD = 256


def host_kernels(
    text: str, precision: Precision, folder: Path, zig: tuple[str, ...], *, more: tuple[str, ...] = ()
) -> Path:
    """A library of kernels.c for this processor, in a folder of its own."""
    folder.mkdir()
    for name, content in included(text).items():
        (folder / name).write_bytes(content)
    (folder / "kernels.c").write_text(_BLOCK + text, encoding="utf-8")
    # Not optimised: such kernels are slower, and compiled in a tenth of the time.
    flags = ("-std=c11", "-O0", "-g0", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", *_CHECKED)
    chosen = Compiler(command=zig, system=system("linux"))
    call(chosen, (*flags, PRECISIONS[precision].contract, *more, "-o", "kernels.so", "kernels.c"), folder)
    return folder / "kernels.so"


@dataclass(frozen=True, kw_only=True, eq=False)
class HostGpu:
    """A network as it lies on a GPU, in this process's memory."""

    plan: GpuPlan
    packed: Packed
    text: str
    library: ctypes.CDLL

    def run(self, pixels: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        """Outputs (H, W, N) of every step by its name, of one image of prepared pixels."""
        constants, activations = self.packed.words[:], np.full(self.plan.device_bytes + _GUARD, 0xA5, np.uint8)
        start = self.plan.device["pixels"].offset
        activations[start : start + pixels.size] = pixels.ravel()
        block = (ctypes.c_int32 * 2).in_dll(self.library, "dwk_block")
        found = {}
        for launch in self.plan.launches:
            kernel = self.library[function_name(launch.step)]
            kernel.argtypes, kernel.restype = (ctypes.c_void_p,) * 4, None
            parts = [self.packed.offsets[layer.name] for layer in launch.step.layers]
            places = [activations.ctypes.data + place for place in (launch.reads, launch.writes)]
            places += [constants.ctypes.data + 4 * part for part in (parts[0], parts[-1])]
            for block[1] in range(launch.grid.blocks_y):
                for block[0] in range(launch.grid.blocks_x):
                    kernel(*places)
            found[launch.step.name] = self._output(launch.step.name, activations, launch.writes)
        assert (activations[-_GUARD:] == 0xA5).all()
        return found

    def _output(self, name: str, activations: NDArray[np.uint8], start: int) -> NDArray[Any]:
        step = next(launch.step for launch in self.plan.launches if launch.step.name == name)
        is_float = step.kind == "classifier" or (step.kind == "pool" and self.plan.host.precision == "float16")
        kind = np.float32 if is_float else np.uint8 if self.plan.host.precision == "int8" else np.float16
        shape = step.output.shape
        raw = activations[start : start + shape.size * np.dtype(kind).itemsize].copy()
        return raw.view(kind).reshape(shape.height, shape.width, shape.channels)


def host_gpu(
    model: AnyModel, folder: Path, zig: tuple[str, ...], *, thin: bool = False, more: tuple[str, ...] = ()
) -> HostGpu:
    """A model on such a GPU.

    Args:
        thin: leave out the channels that never change.
        more: arguments for the compiler of the kernels.
    """
    precision: Precision = "int8" if model.precision == "int8" else "float16"
    job = compilation(model, target="cuda", precision=precision, found=live(model) if thin else None)
    plan = plan_for_gpu(job, Choices(precision=precision))
    (packed,) = merged([pack_for_gpu(job.lowered, job.answers)])
    text = emit_kernels(job, plan)
    library = host_kernels(text, precision, folder, zig, more=more)
    return HostGpu(plan=plan, packed=packed, text=text, library=ctypes.CDLL(str(library)))


def fake_driver(folder: Path, zig: tuple[str, ...]) -> ctypes.CDLL:
    """The driver of fake_cuda.c, loaded under the name by which artifacts look for NVIDIA's."""
    source = Path(__file__).with_name("fake_cuda.c")
    out = folder / "libcuda.so.1"
    flags = ("-std=c11", "-O1", "-g0", "-Wall", "-Wextra", "-fPIC", "-shared", f"-Wl,-soname,{out.name}")
    call(Compiler(command=zig, system=system("linux")), (*flags, "-o", str(out), str(source)), folder)
    library = ctypes.CDLL(str(out))
    if not hasattr(ctypes.CDLL(out.name), "fake_kernels"):
        pytest.skip("NVIDIA's own driver is in this process; artifacts for GPUs are not run on one without a GPU")
    library.fake_kernels.argtypes = (ctypes.c_char_p,)
    return library


def assembler() -> str | None:
    """NVIDIA's assembler of PTX, where Triton brought it; None elsewhere."""
    found = importlib.util.find_spec("triton")
    if found is None or found.origin is None:
        return None
    path = Path(found.origin).parent / "backends" / "nvidia" / "bin" / "ptxas"
    return str(path) if path.is_file() else None
