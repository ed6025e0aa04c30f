"""The command `depthwise-run` of the distribution `depthwise-edge`: `depthwise run` for a device that has no more."""

from __future__ import annotations

import argparse
from typing import NoReturn

from depthwise import __version__
from depthwise.edge import options
from depthwise.edge.answers import label_images
from depthwise.edge.terminal import run_and_exit


def main() -> NoReturn:
    """Label images and end the process, with the exit codes of `depthwise`."""
    run_and_exit(_run)


def _run() -> int:
    asked = _parser().parse_args()
    label_images(
        asked.artifact,
        asked.images,
        top=asked.top,
        threads=asked.threads,
        cpu=asked.cpu,
        sha256=asked.sha256,
        as_json=asked.json,
        as_csv=asked.csv,
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="depthwise-run",
        description="Label IMAGES, files or folders of them, with an ARTIFACT; `-` is one image on standard input."
        " Images that cannot be read are named and counted on stderr; the command fails only when none could be.",
        epilog="An ARTIFACT is a program, which runs with your rights: run only those that you made, or whose maker you"
        " trust. With --sha256 nothing runs but the file that you mean.",
    )
    parser.add_argument("--version", action="version", version=f"depthwise-edge {__version__}")
    parser.add_argument("artifact", metavar="ARTIFACT", type=options.path)
    parser.add_argument("images", metavar="IMAGES", nargs="+", type=options.path)
    parser.add_argument("--top", type=_positive, default=5, help=f"{options.TOP}  [default: 5]")
    parser.add_argument("--threads", type=_positive, default=1, help=f"{options.THREADS}  [default: 1]")
    parser.add_argument("--cpu", metavar="LEVEL", help=options.CPU)
    parser.add_argument("--sha256", metavar="DIGEST", help=options.SHA256)
    parser.add_argument("--json", action="store_true", help=options.JSON)
    parser.add_argument("--csv", action="store_true", help=options.CSV)
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return number
