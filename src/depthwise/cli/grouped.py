"""A command whose help shows its options in groups, those that matter first."""

from __future__ import annotations

from collections.abc import Mapping

import click


class GroupedCommand(click.Command):
    """A command with `groups`: headings, and the names of the options below each; others follow under the last."""

    groups: Mapping[str, tuple[str, ...]] = {}

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, group by group."""
        left = {param.name: param for param in self.get_params(ctx) if isinstance(param, click.Option)}
        grouped = {heading: [left.pop(name) for name in names] for heading, names in self.groups.items()}
        grouped[list(self.groups)[-1]] += left.values()
        for heading, params in grouped.items():
            records = [record for param in params if (record := param.get_help_record(ctx)) is not None]
            with formatter.section(heading):
                formatter.write_dl(records)


def grouped(groups: Mapping[str, tuple[str, ...]]) -> type[GroupedCommand]:
    """The class of a command with these groups."""
    return type("Grouped", (GroupedCommand,), {"groups": groups})
