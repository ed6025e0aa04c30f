"""A model to an artifact, in one call."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from depthwise.compiler import build, golden, record, targets
from depthwise.compiler.emit import emit_model, emit_weights
from depthwise.compiler.lower import lower
from depthwise.compiler.lower_bf16 import lower_bf16
from depthwise.compiler.pack import Packed, pack
from depthwise.compiler.plan import Plan, plan
from depthwise.compiler.source import source_folder
from depthwise.compiler.targets import Machine
from depthwise.compiler.thin import lower_live
from depthwise.errors import Refused
from depthwise.kernels.table import Precision
from depthwise.network.layers import layers
from depthwise.network.live import Live, live
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel


@dataclass(frozen=True, kw_only=True, eq=False)
class Built:
    """An artifact, and how it came about.

    Attributes:
        path: the library, or the folder of C.
        target: what it is for.
        bytes: of the file, or of all files of the folder.
        weight_bytes, arena_bytes: what it takes to run.
        multiply_adds: of the whole network, nominal.
        live_multiply_adds: of the channels that can change; the nominal ones where none was left out. What is run lies
            above it where a layer's channels are filled up for its kernel.
        seconds: to make it.
        plan: its steps, tiles and places in the arena.
        compiler: the compiler and its arguments, or empty for a folder of C.
    """

    path: Path
    target: str
    bytes: int
    weight_bytes: int
    arena_bytes: int
    multiply_adds: int
    live_multiply_adds: int
    seconds: float
    plan: Plan
    compiler: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Emitted:
    """A network as C, before anything is written or built."""

    plan: Plan
    packed: Packed
    model_c: str

    def weights_c(self) -> str:
        """The text of weights.c."""
        return emit_weights(self.packed)


def emit(
    model: Model | QuantizedModel,
    *,
    target_name: str,
    machine: Machine,
    extra: Mapping[str, Any] | None = None,
    whole_maps: bool = False,
    strassen: bool = True,
    found: Live | None = None,
    precision: Precision | None = None,
    threads: int = 1,
) -> Emitted:
    """The C of a model for a machine; `whole_maps` and `strassen` as in `plan`.

    Args:
        found: `live(model)`, to leave out the channels that provably never change; None to compute them all.
        precision: "bf16" for a float model in bf16; else the model's own.
        threads: most threads that a call may run on.
    Raises: Refused, when a weight does not fit into float32 or the network needs more memory than can be addressed.
    """
    is_whole = found is None or found.table == layers(model.spec)
    lowered = lower(model) if found is None or is_whole else lower_live(model, found)
    if precision == "bf16":
        assert isinstance(model, Model)
        lowered = lower_bf16(lowered, model, None if is_whole else found)
    logits = ""
    if isinstance(model, QuantizedModel):
        logits = "bytes" if model.layers["classifier"].rounded else "products"
    planned = plan(
        model.spec,
        model.preprocessing,
        machine,
        lowered.precision,
        logits=logits,
        whole_maps=whole_maps,
        strassen=strassen,
        table=tuple(operation.layer for operation in lowered.operations),
        threads=threads,
    )
    packed = pack(lowered, planned, golden.answers(model, lowered))
    text = record.record(model, target_name, planned, packed, extra or {}, None if found is None else found.table)
    return Emitted(plan=planned, packed=packed, model_c=emit_model(model, target_name, planned, packed, lowered, text))


def compile_model(
    model: Model | QuantizedModel,
    *,
    target: str,
    out: Path,
    cc: str | None = None,
    extra: Mapping[str, Any] | None = None,
    keep_dead: bool = False,
    strassen: bool = True,
    cpu: str | None = None,
    precision: Precision | None = None,
    threads: int | None = None,
) -> Built:
    """Compile a model into an artifact, which appears whole or not at all.

    Args:
        model: the network, float32 or int8.
        target: name of a row of `targets.TARGETS`.
        out: the library to write, or for target "source" the folder.
        cc: a system compiler to use instead of the zig that is installed with depthwise.
        extra: further JSON values to put under "extra" into the artifact's record.
        keep_dead: compute channels that provably never change too.
        strassen: multiply by Strassen's way where that pays; those weights are 7/4 as large.
        cpu: name of a row of `targets.LEVELS`, for targets host and linux-x86_64 on or for x86.
        precision: the model's own, or "bf16" for a float model; None for its own.
        threads: most threads that a call may run on; None for what the target's row says.
    Raises: Refused, when the model has no such precision, the target or processor is unknown, the compiler is missing
        or fails, or `out` cannot be written.
    """
    start = time.perf_counter()
    _check_precision(model, precision)
    row = targets.at_level(targets.target(target), cpu)
    if row.zig is None:
        if cc is not None:
            raise Refused(f"target {target} writes C and compiles nothing; leave --cc away")
        compiler: build.Compiler | None = None
        machine = row.machine
    else:
        compiler = build.compiler(row, cc)
        machine = row.machine or compiler.machine()
    assert machine is not None
    found = None if keep_dead else live(model)
    emitted = emit(
        model,
        target_name=target,
        machine=machine,
        extra=extra,
        strassen=strassen,
        found=found,
        precision=precision,
        threads=targets.threads(row, threads),
    )
    if compiler is None:
        size = source_folder(emitted.model_c, emitted.weights_c(), emitted.plan.precision, out)
    else:
        size = build.library(compiler, emitted.model_c, emitted.packed.words, emitted.plan.precision, out)
    return Built(
        path=out,
        target=target,
        bytes=size,
        weight_bytes=emitted.packed.offsets["golden"] * 4,
        arena_bytes=emitted.plan.arena_bytes,
        multiply_adds=sum(map(record.multiply_adds, layers(model.spec))),
        live_multiply_adds=sum(map(record.multiply_adds, layers(model.spec) if found is None else found.table)),
        seconds=time.perf_counter() - start,
        plan=emitted.plan,
        compiler=compiler.command if compiler is not None else (),
    )


def _check_precision(model: Model | QuantizedModel, precision: Precision | None) -> None:
    is_int8 = isinstance(model, QuantizedModel)
    if precision is not None and is_int8 != (precision == "int8"):
        held = "int8" if is_int8 else "float"
        raise Refused(f"an {held} model cannot be compiled to {precision}; give another model or precision")
