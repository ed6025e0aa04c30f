"""The command `depthwise`: finds a command by name, and turns refusals into one line and an exit code."""

from __future__ import annotations

import copy
import importlib
from typing import NoReturn

import click

from depthwise import __version__
from depthwise.cli.examples import epilog
from depthwise.edge.terminal import run_and_exit
from depthwise.errors import Refused

# Every command is a module of this package with a click command of the same name. Its line of help stands here,
# so that `depthwise --help` imports none of them.
COMMANDS = {
    "demo": "Classify a photo with the model that ships, and show what that took.",
    "cost": "Count multiply-adds, parameters and memory of a network, layer by layer.",
    "shard": "Write a folder of images as shards, for many machines or far away ones.",
    "train": "Train a network on a folder of images.",
    "sweep": "Train, quantise and measure networks of several widths and resolutions.",
    "quantize": "Turn a float model into int8, and show what that costs.",
    "evaluate": "Measure a model or an artifact on a folder of images.",
    "attack": "Change images until a model or an artifact is wrong, and count how many it takes.",
    "convert": "Convert a network from or to Keras, timm, TFLite and ONNX files.",
    "compile": "Turn a model folder into an artifact for a device.",
    "bench": "Measure a model as an artifact and in other runtimes, side by side.",
    "run": "Label images with an artifact.",
    "classify": "Label all images of a folder or of shards, on all cores or a cluster.",
    "verify": "Check an artifact against the golden cases it carries.",
}


class _Commands(click.Group):
    """Imports a command when it is asked for, and offers near names for a wrong one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, in the order in which they are used."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, imported now, with examples below its help; None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"depthwise.cli.{cmd_name}")
        command = module.command
        assert isinstance(command, click.Command)
        shown = copy.copy(command)
        shown.epilog = epilog(cmd_name, command.epilog)
        return shown

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first word names.

        Raises: UsageError, with names that are near, when there is none.
        """
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=2) or list(COMMANDS)
            raise click.UsageError(f"there is no command {args[0]!r}; is it {' or '.join(near)}?", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a line for each command, without importing it."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="depthwise")
def cli() -> None:
    """MobileNet V1 from a folder of images to a label on any device."""


def main() -> NoReturn:
    """Run the command line and end the process, with the exit codes of `run_and_exit`."""
    run_and_exit(_run)


def _run() -> int:
    """Run the command that was asked for; what it ends with."""
    try:
        code = cli.main(standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.ClickException as problem:
        raise Refused(_sentence(problem)) from None
    except click.exceptions.Abort as end:
        # click turns Ctrl+C and SIGTERM into it.
        raise end.__cause__ if isinstance(end.__cause__, KeyboardInterrupt) else KeyboardInterrupt from None


def _sentence(problem: click.ClickException) -> str:
    """What click has against a command line, in the form of our own refusals."""
    said = problem.format_message().rstrip(". ")
    if isinstance(problem, click.NoSuchOption):
        said = f"there is no option {problem.option_name}"
        if problem.possibilities:
            said += f"; is it {' or '.join(sorted(problem.possibilities))}?"
    if said.endswith("?"):
        return said
    told = getattr(problem, "ctx", None)
    of = f" {told.info_name}" if told is not None and told.parent is not None else ""
    return f"{said[:1].lower()}{said[1:]}; `depthwise{of} --help` explains it"
