"""`depthwise compile`: a model folder to an artifact."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depthwise.cli.completion import processors, targets
from depthwise.compiler.choices import PARTS, parts
from depthwise.compiler.outputs.forms import FORMS, Form
from depthwise.compiler.targets import MOST_THREADS, TARGETS, Target, usual_threads
from depthwise.kernels.machine import Level
from depthwise.kernels.rate import CLOCK
from depthwise.kernels.table import FAMILIES
from depthwise.limits import LONGEST_SIDE
from depthwise.precision import PRECISIONS
from depthwise.tables import Column, Table

if TYPE_CHECKING:
    from depthwise.compiler import Built
    from depthwise.network.spec import Spec
    from depthwise.precision import Precision


def _listed(title: str, rows: Sequence[Target | Level | Form]) -> str:
    """Rows of a table of the compiler, as click keeps them: a line each."""
    width = max(len(row.name) for row in rows)
    return "\n".join(("\b", title, *(f"  {row.name:<{width}}  {row.about}" for row in rows)))


_EPILOG = (
    _listed("Targets:", TARGETS),
    _listed("Forms:", FORMS),
    *(_listed(f"Processors of --cpu, for {family.name}:", family.levels) for family in FAMILIES if family.levels),
)


@click.command("compile", epilog="\n\n".join(_EPILOG))
@click.argument("model", required=False, type=click.Path(path_type=Path))
@click.option(
    "--target",
    default="host",
    show_default=True,
    shell_complete=targets,
    help="What to compile for, a name of the list below, or several with commas between.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The file or folder that is written; for several targets a folder, of a wheel NAME-VERSION.",
)
@click.option(
    "--list-targets",
    is_flag=True,
    help="Show what each target needs, its levels of instructions, and where its artifacts were run; nothing else.",
)
@click.option(
    "--form",
    type=click.Choice([form.name for form in FORMS]),
    help="What is written, by its name below; without this a library, and for target source the folder of C.",
)
@click.option(
    "--precision",
    type=click.Choice(list(PRECISIONS)),
    help="bf16 of a float MODEL, or what the MODEL must be; without this it is compiled as whatever it is, and a float"
    " one for a GPU in float16.",
)
@click.option(
    "--cpu",
    metavar="PROCESSOR",
    shell_complete=processors,
    help="For targets that carry several levels, and for host, one processor, by its name below.",
)
@click.option("--cc", metavar="COMPILER", help="A compiler of this system instead of the zig that comes along.")
@click.option(
    "--threads",
    type=int,
    help=f"Most threads that a call may run on, up to {MOST_THREADS}; without this {usual_threads()}. Calls run on one"
    " until run --threads or dw_set_threads asks for more.",
)
@click.option("--keep-dead", is_flag=True, help="Compute channels too that are provably the same for every image.")
@click.option(
    "--no-strassen",
    is_flag=True,
    help="In float32 multiply matrices the plain way throughout: slower where vectors are wide, 4/7 of the weights.",
)
@click.option(
    "--leave-out",
    type=click.Choice(PARTS),
    multiple=True,
    help="A part that a small device has no room for; may be given again. prepare: bringing frames of any size to the"
    " network's; arena: memory of the artifact's own, which whoever calls it then brings.",
)
@click.option(
    "--longest-side",
    type=click.IntRange(1, LONGEST_SIDE),
    default=LONGEST_SIDE,
    metavar="PIXELS",
    show_default=True,
    help="Of the frames that the artifact prepares; memory for it grows with them.",
)
@click.option("--explain", is_flag=True, help="Show how each step runs: kernels and tiles, rows at a time, memory.")
@click.option(
    "--clock",
    type=click.FloatRange(min=0.001, max=100),
    metavar="GHZ",
    default=CLOCK,
    show_default=True,
    help="For --explain: the clock of the processor that the expected times are for.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables.")
@click.pass_context
def command(
    ctx: click.Context,
    model: Path | None,
    target: str,
    out: Path | None,
    list_targets: bool,
    form: str | None,
    precision: Precision | None,
    cpu: str | None,
    cc: str | None,
    threads: int | None,
    keep_dead: bool,
    no_strassen: bool,
    leave_out: tuple[str, ...],
    longest_side: int,
    explain: bool,
    clock: float,
    as_json: bool,
) -> None:
    """Turn a MODEL folder into an artifact: one library that holds network, labels and preprocessing.

    An int8 model, as `depthwise quantize` and `convert` write it, becomes an int8 artifact, which gives the same bytes
    in every layer on every machine. With --precision bf16 the weights of a float model, and what goes from layer to
    layer, are bfloat16: half the bytes of weights. That is faster than float32 on AMD's processors from Zen 4 on, and
    on Intel's with AMX; elsewhere it saves memory and takes longer. `depthwise bench` measures both.
    """
    from depthwise.cli.output import notice
    from depthwise.compiler.compile import check_precision, compile_model
    from depthwise.network.quantized import load_model

    if list_targets:
        _list_targets(as_json=as_json)
        return
    if model is None or out is None:
        kind, name = ("argument", "MODEL") if model is None else ("option", "--out")
        raise click.MissingParameter(ctx=ctx, param_hint=f"'{name}'", param_type=kind)
    loaded = load_model(model)
    check_precision(loaded, precision, str(model))

    def build(name: str, path: Path) -> Built:
        """The artifact for one target, or one wheel for all of them."""
        notice(f"compiling {model} for {name} ...")
        return compile_model(
            loaded,
            target=name,
            out=path,
            cc=cc,
            keep_dead=keep_dead,
            strassen=not no_strassen,
            cpu=cpu,
            precision=precision,
            threads=threads,
            parts=parts(leave_out, longest_side),
            form=form,
        )

    _tell(_built(target, out, cpu, form, build), loaded.spec, clock if explain else None, as_json=as_json)


def _built(
    target: str, out: Path, cpu: str | None, form: str | None, build: Callable[[str, Path], Built]
) -> list[Built]:
    """An artifact for each target, after a look at whether all of them can be written."""
    from depthwise.compiler.compile import check_place
    from depthwise.compiler.several import check_several, compile_several, split_targets

    names = split_targets(target)
    if len(names) == 1 or form == "wheel":
        check_place(out, target, cpu, form)
        return [build(target, out)]
    check_several(names, out, cpu, form)
    return list(compile_several(names, out, build))


def _tell(artifacts: list[Built], spec: Spec, clock: float | None, *, as_json: bool) -> None:
    """Warn of each artifact what is to be warned of, then print what they are."""
    from depthwise.cli.output import console, print_json

    for built in artifacts:
        _warn(built)
    documents = [_document(built, spec, clock) for built in artifacts]
    if as_json:
        print_json(documents[0] if len(documents) == 1 else {"schema": 1, "artifacts": documents})
        return
    for built, document in zip(artifacts, documents, strict=True):
        _print(document)
        console().print(*_sizes(built), sep="\n", soft_wrap=True)


def _list_targets(*, as_json: bool) -> None:
    from depthwise.cli.output import print_json, print_table
    from depthwise.compiler.targets import listed

    rows = listed()
    if as_json:
        print_json({"schema": 1, "targets": [dataclasses.asdict(row) for row in rows]})
        return
    headings = ("target", "needs", "levels", "threads", "was run on")
    print_table(
        Table(
            title="What artifacts need, the levels of instructions that they carry, and where such were run",
            columns=tuple(Column(heading=heading, is_text=heading != "threads") for heading in headings),
            rows=tuple(
                (row.target, row.needs, ", ".join(row.levels) or "-", str(row.threads), row.ran) for row in rows
            ),
        )
    )


def _warn(built: Built) -> None:
    from depthwise.cli.output import notice
    from depthwise.kernels.table import has_own

    precision, machine = built.plan.precision, built.plan.machine
    if not PRECISIONS[precision].widened:
        return
    if not has_own(precision, machine):
        notice(
            f"{built.target} has no fast {precision} instructions: values are widened and summed in float32, slower"
            " than a float32 artifact"
        )
    elif fast := [level for level in built.levels if level in ("bf16", "amx")] if len(built.levels) > 1 else []:
        notice(
            f"levels {' and '.join(fast)} are faster than a float32 artifact, on AMD's processors from Zen 4 on and on"
            " Intel's with AMX; the others save memory and take longer"
        )


def _sizes(built: Built) -> list[str]:
    """Why the file is larger than the weights that `depthwise cost` counts."""
    from depthwise.compiler.account.record import strassen_layers

    reasons = []
    if len(built.levels) > 1:
        reasons.append(f"it holds them for {len(built.levels)} kinds of processor (--cpu makes a file for one)")
    if layers := strassen_layers(built.plan):
        reasons.append(f"those of {len(layers)} layers are 7/4 as large for Strassen's products (--no-strassen)")
    more = f"weights are more than `depthwise cost` counts, since {' and '.join(reasons)}; " if reasons else ""
    if built.bytes < built.weight_bytes:
        return [f"{more}the file is compressed"]
    return [f"{more}the other {built.bytes - built.weight_bytes:,} bytes are code, labels, record and golden cases"]


def _document(built: Built, spec: Spec, clock: float | None) -> dict[str, Any]:
    from depthwise.compiler.account.expected import rates_source
    from depthwise.compiler.account.explain import explain as explained

    document: dict[str, Any] = {
        "schema": 1,
        "artifact": str(built.path),
        "target": built.target,
        "precision": built.plan.precision,
        "bytes": built.bytes,
        "weight_bytes": built.weight_bytes,
        "arena_bytes": built.arena_bytes,
        "threads": built.plan.threads,
        "multiply_adds": built.multiply_adds,
        "live_multiply_adds": built.live_multiply_adds,
        "seconds": round(built.seconds, 3),
    }
    if clock is not None:
        document["clock_ghz"] = clock
        document["rates"] = rates_source(built.plan.machine)
        document["steps"] = [dataclasses.asdict(step) for step in explained(built.plan, spec, clock)]
    return document


def _print(document: dict[str, Any]) -> None:
    from depthwise.cli.output import console, print_table

    if "steps" in document:
        print_table(_steps(document["steps"], document["clock_ghz"], document["rates"]))
    console().print(
        f"{document['artifact']}: {document['bytes']:,} bytes of {document['precision']} for {document['target']},"
        f" made in {document['seconds']:.1f} s",
        f"weights {document['weight_bytes']:,} bytes, arena {document['arena_bytes']:,} bytes,"
        f" {_threads(document['threads'])},"
        f" {document['multiply_adds']:,} multiply-adds an image, {document['live_multiply_adds']:,} of them live",
        sep="\n",
        soft_wrap=True,
    )


def _threads(most: int) -> str:
    return "one thread" if most == 1 else f"1 to {most} threads"


def _steps(steps: list[dict[str, Any]], clock: float, rates: str) -> Table:
    texts = ("step", "output", "kernels")
    numbers = ("multiply-adds", "run", "expected us", "rows", "at", "bytes", "scratch")
    times = (
        f"microseconds expected at {clock:g} GHz ({rates})" if rates else "no times, as nobody has measured any here"
    )
    return Table(
        title=f"Step by step: {times}; rows at a time, place in the arena",
        columns=(*(Column(heading=h, is_text=True) for h in texts), *(Column(heading=h) for h in numbers)),
        rows=tuple(
            (
                step["step"],
                step["output"],
                "\n".join(step["kernels"]),
                f"{step['multiply_adds']:,}",
                f"{step['run_multiply_adds']:,}",
                "-" if step["expected_us"] is None else f"{step['expected_us']:.2f}",
                str(step["rows"] or "all"),
                f"{step['output_offset']:,}",
                f"{step['output_bytes']:,}",
                f"{step['scratch_bytes']:,}",
            )
            for step in steps
        ),
    )
