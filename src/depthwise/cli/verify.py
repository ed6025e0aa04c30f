"""`depthwise verify`: whether an artifact still gives the answers it was made with."""

from __future__ import annotations

from pathlib import Path

import click

from depthwise.errors import Unmet


@click.command("verify")
@click.argument("artifact", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a sentence.")
def command(artifact: Path, as_json: bool) -> None:
    """Run the golden cases that an ARTIFACT carries, on this machine.

    Ends with 1 when an answer differs from the one the reference gave when the artifact was made.
    """
    from depthwise.cli.output import print_json, printable
    from depthwise.edge.artifact import Artifact

    document = {"schema": 1, "artifact": str(artifact)}
    with Artifact.open(artifact) as opened:
        try:
            worst = opened.verify()
        except Unmet as difference:
            if as_json:
                print_json({**document, "verified": False, "reason": str(difference)})
            raise
    if as_json:
        print_json({**document, "verified": True, "worst": worst})
    else:
        click.echo(f"{printable(str(artifact))}: every golden case agrees, the largest difference is {worst:.2g}")
