"""Values that a shell completes, of options that are no paths; docs/index.md says how a shell is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    import click


def targets(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Of `compile --target`."""
    from depthwise.compiler.targets import TARGETS

    return [CompletionItem(row.name, help=row.about) for row in TARGETS if row.name.startswith(incomplete)]


def processors(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Of `--cpu`."""
    from depthwise.kernels.table import FAMILIES

    levels = [level for family in FAMILIES for level in family.levels]
    return [CompletionItem(row.name, help=row.about) for row in levels if row.name.startswith(incomplete)]


def starts(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Of `train --pretrained`: names of weights, then files and folders."""
    from depthwise.interop.names import KERAS_RESOLUTIONS, KERAS_WIDTHS, TIMM_BEST

    published = [f"keras/{width}-{side}" for width in KERAS_WIDTHS for side in KERAS_RESOLUTIONS]
    names = ["imagenet", "shipped", "none", *published, *TIMM_BEST.values()]
    folder = Path(incomplete).parent if "/" in incomplete else Path()
    paths = [str(path) for path in folder.glob("*")] if folder.is_dir() else []
    return [CompletionItem(name) for name in [*names, *sorted(paths)] if name.startswith(incomplete)]
