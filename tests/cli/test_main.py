"""The command line as a whole: names, exit codes, and what goes where."""

from __future__ import annotations

import shlex
import sys

import click
import pytest
from click.testing import CliRunner

from depthwise.cli import main as command_line
from depthwise.cli.examples import EXAMPLES
from depthwise.cli.main import COMMANDS, cli
from depthwise.cli.options import spec_from, spec_options
from depthwise.errors import Refused, Unmet
from depthwise.network.spec import Spec
from tools.command import depthwise


def test_help_lists_every_command_and_each_command_explains_itself() -> None:
    text = CliRunner().invoke(cli, ["--help"]).output

    for name in COMMANDS:
        assert name in text
        shown = CliRunner().invoke(cli, [name, "--help"])
        assert (shown.exit_code, "Options:" in shown.output) == (0, True)


def test_a_wrong_command_is_refused_with_the_nearest_name() -> None:
    done = depthwise("trian")

    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no command 'trian'; is it train?" in done.stderr


@pytest.mark.parametrize(
    ("problem", "code", "said"),
    [
        (Refused("photo.jpg: is\nempty"), 2, "error: photo.jpg: is empty\n"),
        (Unmet("top-1 is too low"), 1, "error: top-1 is too low\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (click.Abort(), 130, "interrupted\n"),
    ],
)
def test_what_ends_a_command_is_one_line_and_an_exit_code(
    problem: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise problem

    monkeypatch.setattr(command_line.cli, "main", fail)

    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert code == ended.value.code
    assert ("", said) == capsys.readouterr()


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(command_line.cli, "main", fail)

    with pytest.raises(ZeroDivisionError):
        command_line.main()


def described(*arguments: str, base: Spec | None = None) -> Spec:
    """The network that options describe."""
    found: list[Spec] = []

    @click.command()
    @spec_options()
    def command(**settings: object) -> None:
        found.append(spec_from(settings, base))

    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return found[0]


def test_options_describe_a_network_and_what_is_not_given_is_as_in_the_base() -> None:
    base = Spec(width=0.5, resolution=64, unit_strides=(2,))

    assert Spec() == described()
    assert base == described(base=base)
    assert Spec(width=0.5, resolution=128) == described("--resolution", "128", "--unit-strides", "none", base=base)
    assert Spec(shallow=True, unit_strides=(0, 2)) == described("--shallow", "--unit-strides", "2,0")


def test_unit_strides_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(Refused, match=r"--unit-strides is 'stem'; give numbers with commas between"):
        described("--unit-strides", "stem")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("run",), "missing argument 'ARTIFACT'; `depthwise run --help` explains it"),
        (("run", "a", "b", "--top", "0"), "invalid value for '--top': 0 is not in the range x>=1; `depthwise run"),
        (("cost", "--widht", "1"), "there is no option --widht; is it --html or --width?"),
        (("cost", "--zz"), "there is no option --zz; `depthwise cost --help` explains it"),
        (("trian",), "there is no command 'trian'; is it train?"),
    ],
)
def test_what_click_refuses_is_said_as_we_say_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["depthwise", *arguments])

    with pytest.raises(SystemExit) as ended:
        command_line.main()

    [line] = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert line.startswith(f"error: {sentence}")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_examples_that_it_understands(name: str) -> None:
    assert len(EXAMPLES[name]) >= 2
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    assert found.epilog is not None
    for line in EXAMPLES[name]:
        program, command, *arguments = shlex.split(line)

        assert (program, command) == ("depthwise", name)
        assert line in found.epilog
        found.make_context(name, arguments)
