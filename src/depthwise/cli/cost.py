"""`depthwise cost`: what a network takes, before it is trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depthwise.cli.options import refuse_spec_options, spec_from, spec_options
from depthwise.precision import PRECISIONS, USUAL

if TYPE_CHECKING:
    from depthwise.cost.report import Report
    from depthwise.network.spec import Spec

# From this width a table has room for columns that the name of a layer tells as well.
WIDE = 132


@click.command("cost")
@click.argument("model_folder", required=False, type=click.Path(path_type=Path))
@spec_options(leave_out=("bn_epsilon",))
@click.option(
    "--precision",
    type=click.Choice(list(PRECISIONS)),
    help=f"Numbers that bytes are counted for  [default: those of MODEL_FOLDER, else {USUAL}]",
)
@click.option("--compare", is_flag=True, help="Set the form of standard convolutions beside it, place by place.")
@click.option("--sweep", is_flag=True, help="Count the family over width α and resolution.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables.")
@click.option("--html", type=click.Path(path_type=Path), help="Also write one page with pictures, readable offline.")
def command(
    *,
    model_folder: Path | None,
    precision: str | None,
    compare: bool,
    sweep: bool,
    as_json: bool,
    html: Path | None,
    **network: Any,
) -> None:
    """Count multiply-adds, parameters and memory of a network, layer by layer.

    The network is that of MODEL_FOLDER, or the one that the options describe.
    """
    from depthwise.cli.output import check_page, print_json, write_page
    from depthwise.cost.document import document
    from depthwise.jobs.cost import counted

    check_page(html)
    found = counted(_network(model_folder, network), precision)
    if html is not None:
        from depthwise.cost.page import page

        write_page(html, page(found, name=model_folder.name if model_folder else ""))
    if as_json:
        print_json(document(found, compare=compare, sweep=sweep))
    else:
        _print(found, compare=compare, sweep=sweep)


def _network(model_folder: Path | None, options: dict[str, Any]) -> Spec | Path:
    """The network that the options describe, or the folder that has its own."""
    if model_folder is None:
        return spec_from(options)
    refuse_spec_options(options, f"{model_folder} has its own network; leave the option or the folder out")
    return model_folder


def _print(found: Report, *, compare: bool, sweep: bool) -> None:
    from depthwise.cli.output import console, print_table
    from depthwise.cost import tables
    from depthwise.cost.text import title

    out = console()
    out.print(title(found.spec), style="bold", soft_wrap=True)
    chosen = [tables.layer_table(found, wide=out.width >= WIDE), tables.kind_table(found)]
    chosen += [tables.pair_table(found)] if compare else []
    chosen += [tables.sweep_table(found)] if sweep else []
    for table in chosen:
        print_table(table)
    for line in tables.summary(found):
        out.print(line, soft_wrap=True)
