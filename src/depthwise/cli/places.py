"""Files and folders that commands are given."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from depthwise.errors import Refused

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


class Place(click.Path):
    """A path on this machine; an address in a network is refused, since nothing is fetched."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path; a click type's own method."""
        if isinstance(value, str) and _ADDRESS.match(value):
            raise Refused(
                f"{value}: is an address, and depthwise opens no connection; fetch it first, with `curl -O {value}`,"
                " then give the file"
            )
        return super().convert(value, param, ctx)
