"""Files and folders that commands are given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from depthwise.edge import options


class Place(click.Path):
    """A path on this machine; an address in a network is refused, since nothing is fetched."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path; a click type's own method."""
        return super().convert(options.path(value) if isinstance(value, str) else value, param, ctx)


class Data(click.ParamType[str]):
    """A folder of images, or shards, also by their address."""

    name = "data"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The text; a click type's own method."""
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Folders of this machine."""
        return click.Path(file_okay=False).shell_complete(ctx, param, incomplete)
