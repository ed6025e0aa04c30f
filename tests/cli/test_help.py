"""What `--help` and the bar of progress show."""

from __future__ import annotations

import io
import re

import click
from click.testing import CliRunner
from rich.console import Console

from depthwise.cli.main import cli
from depthwise.cli.progress import Bar


def command_of(name: str) -> click.Command:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


def test_help_of_train_shows_all_options_in_groups_and_those_that_matter_first() -> None:
    shown = CliRunner().invoke(cli, ["train", "--help"]).output
    headings = re.findall(r"(?m)^(\w+):$", shown)
    first = shown[shown.index("\nOptions:") : shown.index("\nData:")]

    assert headings[:5] == ["Options", "Data", "Network", "Recipe", "Run"]
    assert re.findall(r"(?m)^  (--[\w-]+)", first) == ["--out", "--pretrained", "--width", "--resolution", "--epochs"]
    for option in command_of("train").params:
        if isinstance(option, click.Option):
            assert len(re.findall(rf"(?m)^  (?:-h, )?{option.opts[-1]}\b(?!-)", shown)) == 1, option.opts


def test_the_bar_of_training_fits_a_line_of_80_columns() -> None:
    bar = Bar()
    bar._console = Console(file=io.StringIO(), force_terminal=True, width=80, highlight=False)
    bar.begin("epoch 12/30 at 128 px", 781, 779)
    bar.advance(loss="0.886", top1="98.1%", speed="1340/s", left="2.1 h")
    bar.end()

    written = bar._console.file
    assert isinstance(written, io.StringIO)
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", written.getvalue()).replace("\r", "\n").split("\n")
    (last,) = [line for line in lines if "loss" in line][-1:]
    assert len(last) <= 80
    assert "780/781" in last
    assert last.rstrip().endswith("loss 0.886 top1 98.1% speed 1340/s left 2.1 h")
