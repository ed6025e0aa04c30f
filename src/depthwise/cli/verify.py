"""`depthwise verify`: whether an artifact still gives the answers it was made with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from depthwise.cli.completion import processors
from depthwise.errors import Unmet


@click.command("verify")
@click.argument("artifact", type=click.Path(path_type=Path))
@click.option(
    "--cpu",
    metavar="LEVEL",
    shell_complete=processors,
    help="Only this level of instructions that the ARTIFACT carries.",
)
@click.option("--sha256", metavar="DIGEST", help="SHA-256 of the ARTIFACT that is meant; another file is not run.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a sentence.")
def command(artifact: Path, cpu: str | None, sha256: str | None, as_json: bool) -> None:
    """Run the golden cases that an ARTIFACT carries, on this machine, at every level of instructions that it has.

    An ARTIFACT is a program, which runs with your rights; --sha256 says which one is meant.

    Ends with 1 when an answer differs from the one the reference gave when the artifact was made.
    """
    from depthwise.cli.output import print_json, printable
    from depthwise.edge.artifact import Artifact

    document: dict[str, Any] = {"schema": 1, "artifact": str(artifact)}
    with Artifact.open(artifact, cpu=cpu, sha256=sha256) as opened:
        try:
            worst = opened.verify_levels() if cpu is None else {opened.level: opened.verify()}
        except Unmet as difference:
            if as_json:
                print_json({**document, "verified": False, "reason": str(difference)})
            raise
        lacking = [] if cpu else [level for level in opened.levels if level not in worst]
    if as_json:
        levels = [{"level": level, "worst": most} for level, most in worst.items() if level]
        found = {"verified": True, "worst": max(worst.values()), "levels": levels, "lacking": lacking}
        print_json({**document, **found})
        return
    at = f" at {', '.join(worst)}" if len(opened.levels) > 1 else ""
    most = max(worst.values())
    click.echo(f"{printable(str(artifact))}: every golden case agrees{at}, the largest difference is {most:.2g}")
    if lacking:
        click.echo(f"notice: not run, as this processor lacks them: {printable(', '.join(lacking))}", err=True)
