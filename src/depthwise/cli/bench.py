"""`depthwise bench`: one network in every runtime, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depthwise.errors import Refused
from depthwise.precision import ON_PROCESSORS, USUAL

if TYPE_CHECKING:
    from depthwise.bench.measure import Options
    from depthwise.bench.subject import Subject
    from depthwise.precision import Precision

PEERS = ("onnxruntime", "openvino", "litert", "ncnn")
# The artifact without Strassen's products.
PLAIN = "no-strassen"


@click.command("bench")
@click.argument("model", required=False, type=click.Path(path_type=Path))
@click.option(
    "--against",
    default=",".join(PEERS),
    show_default=True,
    help=f"Peers, with commas between (also {PLAIN}); or `none`.",
)
@click.option("--threads", default="1", show_default=True, help="Thread counts, with commas between.")
@click.option("--precision", type=click.Choice(ON_PROCESSORS), help="Default: the model's own.")
@click.option("--keep-dead", is_flag=True, help="Compute channels too that provably never change, as peers do.")
@click.option("--rounds", type=click.IntRange(min=1), default=40, show_default=True, help="Turns of each contender.")
@click.option("--starts", type=click.IntRange(min=1), default=5, show_default=True, help="Processes for first answers.")
@click.option("--grid", is_flag=True, help="The sixteen networks of the family, with random weights, instead of MODEL.")
@click.option("--twin", is_flag=True, help="Also measure the twin of standard convolutions, by our own kernels.")
@click.option(
    "--portable",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Write a folder to carry to a board with Linux, where `sh run.sh` measures MODEL; nothing is measured here.",
)
@click.option("--target", default="linux-aarch64", show_default=True, help="For --portable: what the board is.")
@click.option(
    "--read",
    "files",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Show the result.json of a board, or what `bench --json` printed; may be given again, to see them together.",
)
@click.option("--png", type=click.Path(path_type=Path), help="Also draw a picture into this file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables.")
def command(
    model: Path | None,
    against: str,
    threads: str,
    precision: Precision | None,
    keep_dead: bool,
    rounds: int,
    starts: int,
    grid: bool,
    twin: bool,
    portable: Path | None,
    target: str,
    files: tuple[Path, ...],
    png: Path | None,
    as_json: bool,
) -> None:
    """Measure a MODEL folder as an artifact and in other runtimes, with the same weights.

    Answers are compared first; a runtime whose answers differ ends this with 1. A runtime that is not installed is
    named and left out.
    """
    from depthwise.bench.measure import Options
    from depthwise.kinds import PICTURE
    from depthwise.places import check_output

    if files:
        if model is not None or grid or portable is not None:
            raise Refused("--read shows files and measures nothing; leave the model, --grid and --portable away")
        _read(files, as_json=as_json)
        return
    if portable is not None and (model is None or grid):
        raise Refused("--portable is for one network; give its folder, without --grid")
    if (model is None) != grid:
        raise Refused("give either a model folder or --grid" + ("" if model is None else ", not both"))
    if grid and twin:
        raise Refused("--twin measures one network; give its folder, without --grid")
    if png is not None:
        check_output(png, PICTURE)
    if portable is not None and model is not None:
        _portable(_subject(model, precision, keep_dead=keep_dead), target, portable)
        return
    options = Options(against=_names(against), threads=_counts(threads), rounds=rounds, starts=starts)
    if model is None:
        _grid(precision or USUAL, options, png, as_json=as_json)
    else:
        subject = _subject(model, precision, keep_dead=keep_dead)
        _one(subject, options, png, twin=twin, as_json=as_json)


def _subject(path: Path, precision: Precision | None, *, keep_dead: bool) -> Subject:
    import dataclasses

    from depthwise.bench.subject import subject
    from depthwise.network.quantized import load_model

    return dataclasses.replace(subject(path.resolve().name, load_model(path), precision), keep_dead=keep_dead)


def _portable(subject: Subject, target: str, out: Path) -> None:
    from depthwise.bench.board import BOARD, write_board
    from depthwise.cli.output import console
    from depthwise.places import check_output

    check_output(out, BOARD)
    write_board(subject, target, out)
    console().print(
        f"{out}: copy this folder to the board, run `sh run.sh` in it, and bring result.json back;"
        " `depthwise bench --read result.json` shows it",
        soft_wrap=True,
    )


def _read(files: tuple[Path, ...], *, as_json: bool) -> None:
    import dataclasses

    from depthwise.bench.board import read_timed, timed_table
    from depthwise.cli.output import print_json, print_table

    lines = [line for file in files for line in read_timed(file)]
    if as_json:
        print_json({"schema": 1, "lines": [dataclasses.asdict(line) for line in lines]})
    else:
        print_table(timed_table(lines))


def _one(subject: Subject, options: Options, png: Path | None, *, twin: bool, as_json: bool) -> None:
    from depthwise.bench import report
    from depthwise.bench.machine import machine
    from depthwise.bench.measure import measure
    from depthwise.bench.picture import picture
    from depthwise.bench.twin import measure_twins
    from depthwise.cli.output import notice

    here = machine()
    found = measure(subject, options, notice)
    document, tables = report.document(found, here), report.tables(found)
    if twin:
        twins = measure_twins(found.spec, found.precision, options.rounds, notice)
        document["twin"] = report.twin_document(twins)
        tables += (report.twin_table(twins),)
    if png is not None:
        picture(found, png)
    _print(document, tables, report.remarks(found), as_json=as_json)


def _grid(precision: Precision, options: Options, png: Path | None, *, as_json: bool) -> None:
    from depthwise.bench import report
    from depthwise.bench.grid import measure_grid
    from depthwise.bench.machine import machine
    from depthwise.bench.picture import grid_picture
    from depthwise.cli.output import notice
    from depthwise.network.spec import Spec

    here = machine()
    found = measure_grid(Spec(), precision, options, notice)
    if png is not None:
        grid_picture(found, png)
    tables = tuple(report.grid_table(found, count) for count in options.threads)
    _print(report.grid_document(found, here), tables, report.grid_remarks(found), as_json=as_json)


def _print(document: dict[str, Any], tables: tuple[Any, ...], lines: tuple[str, ...], *, as_json: bool) -> None:
    from depthwise.cli.output import console, print_json, print_table

    if as_json:
        print_json(document)
        return
    for table in tables:
        print_table(table)
    here = document["machine"]
    on = f"{here['processor']}, {here['cores']} cores, {here['system']}, Python {here['python']}, {here['date']}"
    if here["tiles"]:
        on += "; it has tiles (AMX)"
    console().print(*lines, on, sep="\n", soft_wrap=True)
    if here["load"] is not None and here["load"] > 0.5:
        click.echo(f"notice: the machine was busy before (load {here['load']}); figures are upper bounds", err=True)


def _names(text: str) -> tuple[str, ...]:
    import difflib

    names = () if text == "none" else tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    for name in names:
        known = (*PEERS, PLAIN)
        if name not in known:
            near = difflib.get_close_matches(name, known, n=2, cutoff=0.4) or PEERS
            raise Refused(f"--against: there is no peer {name!r}; is it {' or '.join(near)}?")
    return names


def _counts(text: str) -> tuple[int, ...]:
    try:
        counts = tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        counts = ()
    if not counts or not all(1 <= count <= 64 for count in counts):
        raise Refused(f"--threads is {text!r}; give numbers from 1 to 64 with commas between, such as 1,2")
    return counts
