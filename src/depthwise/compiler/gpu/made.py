"""From plain operations to C, constants and kernels for a GPU."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from depthwise.compiler.account import record
from depthwise.compiler.choices import Choices
from depthwise.compiler.gpu.emit import KERNELS, LEVEL, emit_gpu_model, emit_kernels
from depthwise.compiler.gpu.pack import pack_for_gpu
from depthwise.compiler.gpu.plan import GpuPlan, plan_for_gpu
from depthwise.compiler.lower.compilation import Compilation
from depthwise.compiler.outputs.ptx import ptx
from depthwise.compiler.pack import ALIGNMENT, Packed, merged
from depthwise.kernels.cuda.rows import ARCHITECTURE
from depthwise.precision import PRECISIONS


@dataclass(frozen=True, kw_only=True, eq=False)
class Made:
    """A network for a GPU, before anything is written.

    Attributes:
        packed: the constants, the kernels as PTX behind them.
        model_c: the text of model.c.
        kernels_c: the text of which the PTX was made.
    """

    plan: GpuPlan
    packed: Packed
    model_c: str
    kernels_c: str


def made_for_gpu(job: Compilation, choices: Choices) -> Made:
    """The C, the constants and the kernels of a network.

    Raises: Refused, when the network has layers without a kernel, a weight does not fit, or zig fails.
    """
    plan = plan_for_gpu(job, choices)
    (packed,) = merged([pack_for_gpu(job.lowered, job.answers)])
    text = record.record(job, {LEVEL: plan.host}, packed)
    kernels_c = emit_kernels(job, plan)
    packed = _with_kernels(packed, ptx(kernels_c, ARCHITECTURE, PRECISIONS[job.precision].contract))
    model_c = emit_gpu_model(job, plan, packed.offsets, text)
    return Made(plan=plan, packed=packed, model_c=model_c, kernels_c=kernels_c)


def _with_kernels(packed: Packed, text: str) -> Packed:
    """The constants with a text behind them that ends in a 0."""
    code = text.encode() + b"\0"
    code += bytes(-len(code) % (4 * ALIGNMENT))
    start = packed.words.append(np.frombuffer(code, "<u4").astype(np.uint32))
    return replace(packed, offsets={**packed.offsets, KERNELS: start})
