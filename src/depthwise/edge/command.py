"""The command `depthwise-run` of the distribution `depthwise-edge`: `depthwise run` for a device that has no more."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NoReturn

from depthwise import __version__
from depthwise.edge import options
from depthwise.edge.labelling import label
from depthwise.edge.terminal import run_and_exit


def main() -> NoReturn:
    """Label images and end the process, with the exit codes of `depthwise`."""
    run_and_exit(lambda: _run(_parser("depthwise-run", f"depthwise-edge {__version__}"), None))


def run_packaged(name: str, version: str, artifact: Callable[[], str]) -> NoReturn:
    """The same as the command of a package that holds its artifact; `artifact` gives its path, or refuses."""
    run_and_exit(lambda: _run(_parser(name, f"{name} {version}", packaged=True), artifact))


def _run(parser: argparse.ArgumentParser, artifact: Callable[[], str] | None) -> int:
    asked = parser.parse_args()
    label(
        asked.artifact if artifact is None else artifact(),
        asked.images,
        {name: value for name, value in vars(asked).items() if name in _LIVE and value is not None},
        top=asked.top,
        threads=asked.threads,
        cpu=asked.cpu,
        sha256=asked.sha256,
        most_pixels=asked.most_pixels,
        as_json=asked.json,
        as_csv=asked.csv,
    )
    return 0


_LIVE = {name.replace("-", "_") for name, *_ in options.LIVE}
_TRUST = (
    "An ARTIFACT is a program, which runs with your rights: run only those that you made, or whose maker you"
    " trust. With --sha256 nothing runs but the file that you mean."
)


def _parser(name: str, version: str, *, packaged: bool = False) -> argparse.ArgumentParser:
    """The options; without the artifact's own where it lies in a package."""
    parser = argparse.ArgumentParser(
        prog=name,
        description=f"Label IMAGES, files or folders of them{'' if packaged else ', with an ARTIFACT'}; `-` is one"
        " image on standard input. Images that cannot be read are named and counted on stderr; the command fails only"
        " when none could be.",
        epilog=None if packaged else _TRUST,
    )
    parser.add_argument("--version", action="version", version=version)
    if packaged:
        parser.set_defaults(sha256=None)
    else:
        parser.add_argument("artifact", metavar="ARTIFACT", type=options.path)
        parser.add_argument("--sha256", metavar="DIGEST", help=options.SHA256)
    parser.add_argument("images", metavar="IMAGES", nargs="*", type=options.path)
    parser.add_argument("--top", type=_positive, default=5, help=f"{options.TOP}  [default: 5]")
    parser.add_argument("--threads", type=_positive, default=1, help=f"{options.THREADS}  [default: 1]")
    parser.add_argument("--cpu", metavar="LEVEL", help=options.CPU)
    parser.add_argument("--most-pixels", metavar="N", type=_positive, help=options.MOST_PIXELS)
    parser.add_argument("--json", action="store_true", help=options.JSON)
    parser.add_argument("--csv", action="store_true", help=options.CSV)
    frames = parser.add_argument_group("frames as they come")
    for name, metavar, kind, about in options.LIVE:
        if metavar:
            frames.add_argument(f"--{name}", metavar=metavar, type=options.path if kind is str else kind, help=about)
        else:
            frames.add_argument(f"--{name}", action="store_true", default=None, help=about)
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return number
