"""A model to an artifact, in one call."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Any

from depthwise.compiler import targets
from depthwise.compiler.account import record
from depthwise.compiler.choices import DEFAULT, WHOLE, Choices, Parts
from depthwise.compiler.emit.emit import emit_level, emit_levels, emit_model, file_of_level
from depthwise.compiler.gpu.emit import LEVEL
from depthwise.compiler.gpu.made import made_for_gpu
from depthwise.compiler.lower.compilation import AnyModel, Compilation, compilation
from depthwise.compiler.outputs import compilers
from depthwise.compiler.outputs.code import MODEL, Code
from depthwise.compiler.outputs.constants import emit_weights
from depthwise.compiler.outputs.forms import form_of
from depthwise.compiler.outputs.lean import lean
from depthwise.compiler.outputs.library import ARCHIVE, library
from depthwise.compiler.outputs.program import PROGRAM, program
from depthwise.compiler.outputs.source import SOURCE, source_folder
from depthwise.compiler.outputs.static import STATIC, static_folder
from depthwise.compiler.outputs.systems import system
from depthwise.compiler.outputs.wheel import WHEEL, wheel, wheel_place
from depthwise.compiler.pack import Packed, merged, pack
from depthwise.compiler.plan.plan import Plan, plan
from depthwise.compiler.targets import Target
from depthwise.errors import Refused
from depthwise.kernels.cuda.rows import GPU
from depthwise.kernels.machine import Machine
from depthwise.kernels.x86.makers import maker_here
from depthwise.kinds import ARTIFACT
from depthwise.network.layers import layers, multiply_adds
from depthwise.network.live import Live, live
from depthwise.places import Kind, check_output
from depthwise.precision import PRECISIONS, Precision


@dataclass(frozen=True, kw_only=True, eq=False)
class Built:
    """An artifact, and how it came about.

    Attributes:
        path: the file or folder that was written.
        target: what it is for.
        bytes: of the file, or of all files of the folder.
        weight_bytes: constants, of all its levels together.
        arena_bytes: what a call needs, at the level that needs most.
        multiply_adds: of the whole network, nominal.
        live_multiply_adds: of the channels that can change; the nominal ones where none was left out. What is run lies
            above it where a layer's channels are filled up for its kernel.
        seconds: to make it.
        plan: its steps, tiles and places in the arena, at the highest level of instructions.
        levels: the levels of instructions that it carries, from the lowest to the highest.
        compiler: the compiler of the lowest and its arguments, or empty for a folder of C.
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
    levels: tuple[str, ...]
    compiler: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Emitted:
    """A network as C, before anything is written or built.

    Attributes:
        plans: of each level of instructions by its name, from the lowest to the highest.
        packed: the constants of all levels, and where those of the highest begin.
        model_c: the text of model.c.
        levels: where there are several, the C of each level by its name.
    """

    plans: Mapping[str, Plan]
    packed: Packed
    model_c: str
    levels: Mapping[str, str] = field(default_factory=dict)

    @property
    def plan(self) -> Plan:
        """Of the highest level, or the only one."""
        return list(self.plans.values())[-1]

    def weights_c(self) -> str:
        """The text of weights.c."""
        return "".join(emit_weights(self.packed))


def emit(
    model: AnyModel,
    *,
    target_name: str,
    machine: Machine,
    choices: Choices = DEFAULT,
    extra: Mapping[str, Any] | None = None,
    found: Live | None = None,
) -> Emitted:
    """The C of a model for one machine.

    Args:
        found: `live(model)`, to leave out the channels that provably never change; None to compute them all.
    Raises: Refused, when a weight does not fit into float32 or the network needs more memory than can be addressed.
    """
    return _emitted(model, target_name, {target_name: machine}, choices, extra, found)


def _emitted(
    model: AnyModel,
    target: str,
    machines: Mapping[str, Machine],
    choices: Choices,
    extra: Mapping[str, Any] | None,
    found: Live | None,
) -> Emitted:
    job = compilation(model, target=target, precision=choices.precision, found=found, extra=extra)
    return emit_for(job, machines, choices)


def emit_for(job: Compilation, machines: Mapping[str, Machine], choices: Choices = DEFAULT) -> Emitted:
    """The C of a network for one or several machines.

    Args:
        machines: by name of their level of instructions, from the lowest to the highest.
        choices: the precision among them is that of `job`.
    """
    settled = replace(choices, precision=job.precision)
    if any(machine.family == GPU.family for machine in machines.values()):
        made = made_for_gpu(job, settled)
        return Emitted(plans={LEVEL: made.plan.told()}, packed=made.packed, model_c=made.model_c)
    plans = {level: _planned(job, machine, settled) for level, machine in machines.items()}
    packs = merged(pack(job.lowered, planned, job.answers) for planned in plans.values())
    text = record.record(job, plans, packs[-1])
    if len(plans) == 1:
        ((level, planned),) = plans.items()
        return Emitted(plans=plans, packed=packs[0], model_c=emit_model(job, level, planned, packs[0], text))
    levels = {
        level: emit_level(job, level, planned, packed)
        for (level, planned), packed in zip(plans.items(), packs, strict=True)
    }
    return Emitted(plans=plans, packed=packs[-1], model_c=emit_levels(job, plans, packs[-1], text), levels=levels)


def _planned(job: Compilation, machine: Machine, choices: Choices) -> Plan:
    operations = job.lowered.operations
    return plan(
        job.model.spec,
        job.model.preprocessing,
        machine,
        choices,
        logits=job.lowered.logits,
        table=tuple(operation.layer for operation in operations),
        numbers={operation.layer.name: operation for operation in operations},
    )


def compile_model(
    model: AnyModel,
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
    parts: Parts = WHOLE,
    form: str | None = None,
) -> Built:
    """Compile a model into an artifact, which appears whole or not at all.

    Args:
        model: the network, float32 or int8.
        target: name of a row of `targets.TARGETS`; for a wheel one or several, with commas between.
        out: what to write; of a wheel, its path up to the version.
        form: name of a row of `outputs.forms.FORMS`; None for a library, or for target "source" the folder of C.
        cc: a system compiler to use instead of the zig that is installed with depthwise.
        extra: further JSON values to put under "extra" into the artifact's record.
        keep_dead: compute channels that provably never change too.
        strassen: multiply by Strassen's way where that pays; those weights are 7/4 as large.
        cpu: name of a row of `LEVELS`, for targets host and linux-x86_64 on or for x86.
        precision: the model's own, or "bf16" for a float model; None for its own.
        threads: most threads that a call may run on; None for what the target's row says.
        parts: what the artifact has beside its network.
    Raises: Refused, when the model has no such precision, the target or processor is unknown, the compiler is missing
        or fails, or `out` cannot be written.
    """
    start = time.perf_counter()
    check_precision(model, precision)
    shape = check_place(out, target, cpu, form)
    if shape == "wheel":
        same = partial(compile_model, model, cc=cc, extra=extra, keep_dead=keep_dead, strassen=strassen)
        return _packaged(partial(same, cpu=cpu, precision=precision, threads=threads, parts=parts), model, target, out)
    row = targets.at_level(targets.target(target), cpu)
    precision = targets.precision_for(row, model.precision, precision)
    rows = _levels(row, precision, cc)
    chosen = _compilers(rows, cc)
    machines = {row.level: row.machine for row in rows if row.machine is not None}
    chosen = {level: lean(compiler, machines[level]) for level, compiler in chosen.items()}
    found = None if keep_dead else live(model)
    choices = Choices(precision=precision, strassen=strassen, threads=targets.threads(rows[0], threads), parts=parts)
    # In a call of its own, so that what is compiled is gone from memory while the compiler takes its own.
    emitted = _emitted(model, target, machines, choices, extra, found)
    size = _WRITERS[shape](_code(emitted, rows, chosen, precision), out)
    return Built(
        path=out,
        target=target,
        bytes=size,
        weight_bytes=emitted.packed.weight_bytes,
        arena_bytes=max(plan.arena_bytes for plan in emitted.plans.values()),
        multiply_adds=sum(map(multiply_adds, layers(model.spec))),
        live_multiply_adds=sum(map(multiply_adds, layers(model.spec) if found is None else found.table)),
        seconds=time.perf_counter() - start,
        plan=emitted.plan,
        levels=tuple(machines),
        compiler=next(iter(chosen.values())).command if chosen else (),
    )


def _levels(row: targets.Target, precision: Precision, cc: str | None) -> tuple[targets.Target, ...]:
    """The levels of a target, lowest first; of "host" those of this machine, as the compiler knows it."""
    rows = targets.levels(row, precision)
    if rows[0].machine is not None:
        return rows
    here = replace(compilers.compiler(rows[0], cc).machine(), maker=maker_here())
    return targets.for_machine(rows[0], here, precision)


def check_place(out: Path, target: str, cpu: str | None, form: str | None) -> str:
    """The form that is written, after a look at where it is to lie and at whether it can lie there.

    Raises: Refused, when there is no such target or form, or processor of the target, or `out` cannot be written.
    """
    names = _names(target, form)
    if form == "wheel":
        out = wheel_place(out, [targets.target(name) for name in names])[0]
    for name in names:
        check_output(out, output_kind(name, cpu, form))
    return form_of(form, targets.target(names[0]))


def output_kind(target: str, cpu: str | None, form: str | None = None) -> Kind:
    """What is written for a target in a form: a library, an archive of objects, a folder of C and so on.

    Raises: Refused, when there is no such target, no such processor of it, or it has no such form.
    """
    row = targets.at_level(targets.target(target), cpu)
    shape = form_of(form, row)
    return ARCHIVE if shape == "library" and system(row.system).is_static else _KINDS[shape]


def _names(target: str, form: str | None) -> list[str]:
    """The targets that are asked for; only a wheel holds several."""
    return target.split(",") if form == "wheel" else [target]


def check_precision(model: AnyModel, precision: Precision | None, folder: str = "MODEL") -> None:
    """Whether a model can be compiled to a precision; `folder` is where it lies.

    Raises: Refused, when it cannot.
    """
    if precision is None or PRECISIONS[precision].model == model.precision:
        return
    said = _WHAT_TO_DO[model.precision].format(folder=quote(folder), out=quote(f"{folder}8"), precision=precision)
    raise Refused(f"{folder}: {said}")


# What to do about a precision that a model of this one cannot be compiled to.
_WHAT_TO_DO = {
    "float32": "is a float model, which does not say the ranges that {precision} needs; make an int8 one of it with"
    " `depthwise quantize {folder} --data DATA --out {out}`, and compile that",
    "int8": "is an int8 model, which cannot be compiled to {precision}; compile the float model that it was made of, or"
    " leave the precision away",
}


def _compilers(rows: tuple[Target, ...], cc: str | None) -> dict[str, compilers.Compiler]:
    """The compiler of each level by its name; none where C is written and not compiled."""
    if rows[0].zig is not None:
        return {row.level: compilers.compiler(row, cc) for row in rows}
    if cc is not None:
        raise Refused(f"target {rows[0].name} writes C and compiles nothing; leave --cc away")
    return {}


def _code(
    emitted: Emitted, rows: tuple[Target, ...], chosen: Mapping[str, compilers.Compiler], precision: Precision
) -> Code:
    files = {row.level: file_of_level(row.level) for row in rows} if emitted.levels else {}
    texts = {files[level]: text for level, text in emitted.levels.items()}
    return Code(
        texts={MODEL: emitted.model_c, **texts},
        rows={MODEL: rows[0], **{files[row.level]: row for row in rows if row.level in files}},
        compilers={MODEL: next(iter(chosen.values())), **{files[level]: chosen[level] for level in files}}
        if chosen
        else {},
        packed=emitted.packed,
        precision=precision,
    )


def _library(code: Code, out: Path) -> int:
    return library(code.compiler, code.texts[MODEL], code.packed.words, code.precision, out, code.units[1:])


# What lies at the path of each form.
_KINDS = {"library": ARTIFACT, "static": STATIC, "program": PROGRAM, "source": SOURCE, "wheel": WHEEL}
# What writes each form, and returns its bytes; a wheel holds libraries.
_WRITERS = {"library": _library, "static": static_folder, "program": program, "source": source_folder}


def _packaged(compiled: Callable[..., Built], model: AnyModel, target: str, out: Path) -> Built:
    """A wheel of a library for each of one or several targets; what is told of it is told of the first."""
    start = time.perf_counter()
    rows = [targets.target(name) for name in _names(target, "wheel")]
    place, name = wheel_place(out, rows)
    with compilers.work_folder() as folder:
        built = [compiled(target=row.name, out=folder / row.name) for row in rows]
        size = wheel(dict(zip(rows, (one.path for one in built), strict=True)), model.labels, name, place)
    return replace(built[0], path=place, target=target, bytes=size, seconds=time.perf_counter() - start)
