#!/usr/bin/env python3
"""Count the instructions of one inference on emulated processors, and compare with those that were counted before.

usage: scripts/count_instructions.py                    the cases of tests/golden/instructions.txt
       scripts/count_instructions.py --update           write that file anew
       scripts/count_instructions.py WIDTH-SIDE TARGET LEVEL [PRECISION]
                                                        one network, such as: 1-224 linux-aarch64 dotprod int8
       scripts/count_instructions.py MODEL TARGET LEVEL [PRECISION]
                                                        that of a model folder

Networks named by width and side have random weights and 1,000 labels. All channels are computed, on one thread,
from prepared pixels to probabilities. Counted by qemu's plug-ins, block by block as they are run: the figures repeat
exactly. They are of what the zig that is installed makes of the C, and no cycles. Needs qemu-user, and gcc for the
plug-in.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import depthwise
from depthwise.compiler.choices import Choices
from depthwise.compiler.compile import emit
from depthwise.compiler.outputs.compilers import compiler
from depthwise.compiler.outputs.constants import emit_assembly
from depthwise.compiler.targets import Target, at_level, target
from depthwise.kernels.headers import headers
from depthwise.network.layers import Layer, layers
from depthwise.network.model import Model
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.quantized import QuantizedLayer, QuantizedModel, reach
from depthwise.network.random_int8 import random_quantized
from depthwise.network.requantize import choose_multiplier
from depthwise.network.spec import Spec
from depthwise.network.weights import random_weights
from depthwise.precision import PRECISIONS, Precision
from emulators import EMULATORS

TESTS = Path(__file__).resolve().parents[1] / "tests"
FILE = TESTS / "golden" / "instructions.txt"
PLUGIN = TESTS / "tools" / "count_plugin.c"
PROGRAM = TESTS / "tools" / "counted.c"
# What a commit may add unseen: compilers order code a little differently now and then.
TOLERANCE = 0.01
# x86 is held by times, which a machine of today can be asked for.
KEPT = ("linux-aarch64", "linux-armv7", "linux-riscv64")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One line of the file, without its count."""

    network: str
    target: str
    level: str
    precision: Precision

    def __str__(self) -> str:
        return f"{self.network} {self.precision} {self.target} {self.level}"


# Of float32 alone where it has kernels of its own.
FLOATS = ("linux-aarch64", "neon")
CASES = tuple(
    Case(network=network, target=name, level=level, precision=precision)
    for name in KEPT
    for level in dict.fromkeys(processor.level for processor in EMULATORS[name].processors)
    for precision in PRECISIONS
    if precision == "int8" or (precision == "float32" and (name, level) == FLOATS)
    for network in ("0.25-128", "0.5-160")
)


def main(arguments: list[str]) -> int:
    """Compare, write, or count one network; the exit code."""
    if len(arguments) in (3, 4) and arguments[2] in known_levels(arguments[1]):
        network, name, level, precision = (*arguments, "int8")[:4]
        print(f"{counted(Case(network=network, target=name, level=level, precision=precision)):,}")  # type: ignore[arg-type]
        return 0
    if arguments not in ([], ["--update"]):
        print((__doc__ or "").strip())
        return 0 if arguments in (["-h"], ["--help"]) else 2
    found = {str(case): counted(case) for case in CASES}
    if arguments:
        FILE.write_text("".join(f"{case} {count}\n" for case, count in found.items()), encoding="utf-8")
        return 0
    expected = known()
    for case, count in found.items():
        print(f"{case}: {count:,} ({count / expected[case] - 1:+.2%})" if case in expected else f"{case}: {count:,}")
    return int(any(case not in expected or count > expected[case] * (1 + TOLERANCE) for case, count in found.items()))


def known_levels(name: str) -> tuple[str, ...]:
    """The levels of a target that can be counted."""
    return tuple(processor.level for processor in EMULATORS[name].processors) if name in EMULATORS else ()


def known() -> dict[str, int]:
    """The counts of the file, by case."""
    lines = (line.rsplit(" ", 1) for line in FILE.read_text(encoding="utf-8").splitlines())
    return {case: int(count) for case, count in lines}


def counted(case: Case) -> int:
    """Instructions of one inference."""
    with tempfile.TemporaryDirectory(prefix="depthwise-count-") as name:
        folder = Path(name)
        built(case, folder)
        emulator = EMULATORS[case.target]
        plugin = ("-d", "plugin", "-plugin", f"{plugin_in(folder)},call={emulator.getppid}")
        command = (*emulator.command(emulator.at(case.level)), *plugin, "./program")
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return int(done.stderr.split()[-1])


def plugin_in(folder: Path) -> Path:
    """The plug-in that counts, built in a folder."""
    subprocess.run(("gcc", "-O1", "-shared", "-fPIC", "-o", "count.so", str(PLUGIN)), cwd=folder, check=True)
    return folder / "count.so"


def built(case: Case, folder: Path) -> None:
    """Write the C of a network into a folder, and build there the program whose inference is counted."""
    model = network(case.network, case.precision)
    row = row_of(case)
    assert row.machine is not None
    emitted = emit(model, target_name="count", machine=row.machine, choices=Choices(precision=case.precision))
    for file, content in headers().items():
        (folder / file).write_bytes(content)
    (folder / "model.c").write_text(emitted.model_c, encoding="utf-8")
    (folder / "weights.bin").write_bytes(emitted.packed.words.tobytes())
    (folder / "weights.s").write_text(emit_assembly(emitted.packed.words.size), encoding="utf-8")
    chosen = compiler(row, None)
    # What the target is linked with, but for what makes a library.
    link = tuple(word for word in row.link if word.startswith("-rtlib"))
    flags = ("-std=c11", "-O3", PRECISIONS[case.precision].contract, "-static", "-nostdlib", "-I.", *link)
    sources = ("-Wno-unused-command-line-argument", "-o", "program", str(PROGRAM), "model.c", "weights.s")
    subprocess.run((*chosen.command, *flags, *sources), cwd=folder, check=True)


def row_of(case: Case) -> Target:
    """The target of a case, for its level alone."""
    row = target(case.target)
    return at_level(row, case.level) if row.carries_levels else row


def network(name: str, precision: Precision) -> Model | QuantizedModel:
    """That of a model folder, or random weights; of int8 within what `depthwise quantize` makes."""
    if Path(name).is_dir():
        return depthwise.read(name)
    width, side = name.split("-")
    spec = Spec(width=float(width), resolution=int(side), classes=1000)
    if PRECISIONS[precision].model == "int8":
        model = random_quantized(spec)
        return model.replace(layers={layer.name: quantised(layer, model.layers[layer.name]) for layer in layers(spec)})
    return Model(
        spec=spec,
        weights=random_weights(spec),
        labels=tuple(f"class {index}" for index in range(spec.classes)),
        preprocessing=default_preprocessing(spec.resolution, spec.channels),
    )


def quantised(layer: Layer, numbers: QuantizedLayer) -> QuantizedLayer:
    """A layer without factors of -128, and with multipliers that have integer forms."""
    found = dataclasses.replace(numbers, weight=np.maximum(numbers.weight, -127))
    if not found.rounded:
        return found
    chosen = choose_multiplier(found.multiplier, reach(layer, found))
    return dataclasses.replace(found, multiplier=chosen.multiplier)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
