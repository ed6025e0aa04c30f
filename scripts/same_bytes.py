#!/usr/bin/env python3
"""Whether one artifact of a model gives this machine's bytes on each emulated processor, and which level each picked.

usage: scripts/same_bytes.py [--target TARGET] [--update] NAME MODEL PICTURES [NAME MODEL PICTURES ...]

MODEL is a model folder, or a file of another program whose own integers are kept; PICTURES is a folder, of which 16
pictures are taken evenly. Compared are the probabilities and the pooled features of each, to the last bit. --target is
linux-aarch64 without it. --update writes the lines into docs/targets.md, and without it they are printed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import depthwise
from depthwise.bench.board import board_program
from depthwise.compiler import compile_model
from depthwise.compiler.targets import target
from depthwise.edge.decoding import picture
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel
from emulators import EMULATORS, Emulator

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "targets.md"
BEGIN, END = "<!-- rows of scripts/same_bytes.py -->\n", "<!-- end of these rows -->\n"
PROGRAM = ROOT / "tests" / "tools" / "same.c"
MOST = 16


def main(arguments: list[str]) -> int:
    """Print the lines, or write them into the page; 1 where a byte differs."""
    name = "linux-aarch64"
    if arguments[:1] == ["--target"]:
        name, arguments = arguments[1], arguments[2:]
    update = arguments[:1] == ["--update"]
    words = arguments[1:] if update else arguments
    if not words or len(words) % 3 or name not in EMULATORS:
        print((__doc__ or "").strip())
        return 2
    rows = [line(name, *words[at : at + 3]) for at in range(0, len(words), 3)]
    table = "\n".join((*heading(name), *rows, ""))
    print(table, end="")
    if update:
        text = PAGE.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}{table}{END}{rest.partition(END)[2]}", encoding="utf-8")
    return int("DIFFER" in table)


def heading(name: str) -> tuple[str, str]:
    """The first two lines of the table."""
    processors = [processor.name for processor in EMULATORS[name].processors]
    return (
        f"| one `{name}` artifact | pictures | {' | '.join(processors)} |",
        f"| --- | ---: | {' | '.join('---' for _ in processors)} |",
    )


def line(name: str, title: str, source: str, pictures: str) -> str:
    """A row: what each processor picked, and whether its bytes are this machine's."""
    model = read(source)
    with tempfile.TemporaryDirectory(prefix="depthwise-same-") as place:
        folder = Path(place)
        compile_model(model, target="host", out=folder / "host.so")
        pixels, expected = here(folder / "host.so", chosen(Path(pictures)))
        compile_model(model, target=name, out=folder / "libmodel.so")
        board_program(target(name), folder, PROGRAM)
        found = [said(pixels, expected, command, folder) for command in commands(EMULATORS[name])]
    return f"| {title} | {len(pixels)} | {' | '.join(found)} |"


def read(source: str) -> Model | QuantizedModel:
    """The model of a folder or of a file."""
    return depthwise.read(source) if Path(source).is_dir() else depthwise.read(source, keep_int8=True)


def chosen(folder: Path) -> list[Path]:
    """Pictures of a folder, evenly taken."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".bmp"))
    return found[:: max(len(found) // MOST, 1)][:MOST]


def here(artifact: Path, pictures: list[Path]) -> tuple[NDArray[np.uint8], bytes]:
    """Prepared pictures, and what this machine answers."""
    with depthwise.open(artifact) as opened:
        channels = opened.input_shape[2]
        pixels = np.stack([opened.prepare(np.asarray(picture(path, channels))) for path in pictures])
        answers = [(opened.run(one).tobytes(), opened.features(one).tobytes()) for one in pixels]
    return pixels, b"".join(part for answer in answers for part in answer)


def commands(emulator: Emulator) -> list[tuple[str, ...]]:
    """How the program is started on each processor."""
    return [(*emulator.command(processor), "measure") for processor in emulator.processors]


def said(pixels: NDArray[np.uint8], expected: bytes, command: tuple[str, ...], folder: Path) -> str:
    """The level that a processor picked, and whether its bytes are the expected ones."""
    done = subprocess.run(command, cwd=folder, input=pixels.tobytes(), capture_output=True, check=False)
    if done.returncode != 0:
        return f"DIFFER: it ended with {done.returncode}"
    return f"`{done.stderr.decode()}`, {'same' if done.stdout == expected else 'bytes DIFFER'}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
