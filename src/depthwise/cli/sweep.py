"""`depthwise sweep`: networks of several widths and resolutions, trained, quantised and measured."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from depthwise.cli.options import spec_from, spec_options
from depthwise.cli.places import Data
from depthwise.errors import Refused


class _Numbers(click.ParamType[tuple[float, ...]]):
    """Numbers with commas between."""

    name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """The numbers; a click type's own method."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is no list of numbers with commas between, such as 0.25,0.5,1", param, ctx)


@click.command("sweep")
@click.argument("data", type=Data())
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of all models and figures.")
@click.option("--widths", type=_Numbers(), default="0.25,0.5,1", show_default=True, help="Width multipliers α.")
@click.option("--resolutions", type=_Numbers(), default="96,128,160", show_default=True, help="Sides in pixels.")
@click.option("--epochs", type=click.IntRange(1), default=30, show_default=True, help="Of a start from random weights.")
@click.option(
    "--fine-epochs", type=click.IntRange(1), default=10, show_default=True, help="Of a start from another one."
)
@click.option("--batch", type=click.IntRange(1), default=64, show_default=True, help="Images a step.")
@click.option("--seed", default=0, show_default=True, help="Seed of everything random.")
@click.option("--storage", metavar="URL", help="Also keep figures in a storage of Optuna, such as sqlite:///sweep.db.")
@click.option(
    "--recipes",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="First search a recipe by so many trainings of the smallest network; needs --storage.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the document instead of a table.")
@spec_options(leave_out=("classes", "width", "resolution"))
def command(
    data: str,
    out: Path,
    widths: tuple[float, ...],
    resolutions: tuple[float, ...],
    epochs: int,
    fine_epochs: int,
    batch: int,
    seed: int,
    storage: str | None,
    recipes: int,
    as_json: bool,
    **settings: Any,
) -> None:
    """Train, quantise and measure a network on DATA for each width and resolution, and mark the front.

    Of each width the lowest resolution is trained from random weights, and each higher one starts from the one before.
    The same command goes on where it was stopped; started again beside itself it shares the work.
    """
    from depthwise.cli.output import print_json
    from depthwise.cli.progress import make_reporter
    from depthwise.jobs.data import located
    from depthwise.jobs.sweep.grid import grid
    from depthwise.jobs.sweep.recipes import Search, search
    from depthwise.jobs.sweep.store import OptunaStore
    from depthwise.jobs.sweep.sweep import Asked, check_settings, sweep
    from depthwise.jobs.sweep.work import Work

    spec = spec_from(settings)
    reporter = make_reporter()
    described = {"epochs": epochs, "fine_epochs": fine_epochs, "batch": batch, "seed": seed, "spec": spec.to_dict()}
    if recipes:
        # The smallest network is what recipes are tried on.
        described |= {"recipes": recipes, "widths": sorted(widths), "resolutions": sorted(resolutions)}
    sides = tuple(map(int, resolutions))
    asked = Asked(data=data, out=out, widths=widths, resolutions=sides, settings=described)
    digest = hashlib.sha256(json.dumps([data, described], sort_keys=True).encode()).hexdigest()
    store = None if storage is None else OptunaStore(storage, f"depthwise sweep {digest[:12]}")
    if recipes and storage is None:
        raise Refused("--recipes keeps its trials in a storage; name one by --storage, such as sqlite:///swept.db")
    changes = {"batch": batch, "seed": seed}
    work = Work(
        data=located(data, reporter),
        spec=spec,
        epochs=epochs,
        fine_epochs=fine_epochs,
        changes=changes,
        reporter=reporter,
    )
    if recipes:
        check_settings(asked)
        name = f"depthwise recipe {digest[:12]}"
        least = grid(widths, sides)[0]
        wanted = Search(address=str(storage), name=name, count=recipes, seed=seed, out=out)
        searched = search(wanted, lambda settings, place: work.with_recipe(settings).score(least, place), reporter)
        asked, work = replace(asked, recipe=searched), work.with_recipe(searched["chosen"]["settings"])
    found = sweep(asked, work, store, reporter)
    if as_json:
        print_json(found)
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    from depthwise.cli.output import notice, print_table
    from depthwise.jobs.sweep.tables import table

    print_table(table(found))
    notice("a * marks what no other network of the sweep is better than, in top-1 and that column together")
