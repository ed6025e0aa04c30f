#!/usr/bin/env python3
"""Count the instructions of one inference on emulated ARM processors, and compare with those that were counted before.

usage: scripts/count_instructions.py                    the cases of tests/golden/instructions.txt
       scripts/count_instructions.py --update           write that file anew
       scripts/count_instructions.py WIDTH-SIDE LEVEL [PRECISION]
                                                        one network, such as: 1-224 dotprod int8

Networks have random weights and 1,000 labels; all channels are computed, on one thread, from prepared pixels to
probabilities. Counted by qemu's plug-ins, block by block as they are run: the figures repeat exactly. They are of what
the zig that is installed makes of the C, and no cycles. Needs qemu-aarch64, and gcc for the plug-in.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from depthwise.compiler.choices import Choices
from depthwise.compiler.compile import emit
from depthwise.compiler.outputs.compilers import compiler
from depthwise.compiler.outputs.constants import emit_assembly
from depthwise.compiler.targets import at_level, target
from depthwise.kernels.headers import headers
from depthwise.network.model import Model
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.quantized import QuantizedModel
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from depthwise.network.weights import random_weights
from depthwise.precision import PRECISIONS, Precision

TESTS = Path(__file__).resolve().parents[1] / "tests"
FILE = TESTS / "golden" / "instructions.txt"
PLUGIN = TESTS / "tools" / "count_plugin.c"
PROGRAM = TESTS / "tools" / "counted.c"
# A processor that has the instructions of each level.
PROCESSORS = {"neon": "cortex-a72", "dotprod": "cortex-a76", "i8mm": "max,sve=off,sme=off"}
# What a commit may add unseen: compilers order code a little differently now and then.
TOLERANCE = 0.01


@dataclass(frozen=True, kw_only=True)
class Case:
    """One line of the file, without its count."""

    network: str
    level: str
    precision: Precision

    def __str__(self) -> str:
        return f"{self.network} {self.precision} {self.level}"


CASES = tuple(
    Case(network=network, level=level, precision="int8") for level in PROCESSORS for network in ("0.25-128", "0.5-160")
)


def main(arguments: list[str]) -> int:
    """Compare, write, or count one network; the exit code."""
    if len(arguments) in (2, 3) and arguments[1] in PROCESSORS:
        precision = arguments[2] if len(arguments) == 3 else "int8"
        print(f"{counted(Case(network=arguments[0], level=arguments[1], precision=precision)):,}")  # type: ignore[arg-type]
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


def known() -> dict[str, int]:
    """The counts of the file, by case."""
    lines = (line.rsplit(" ", 1) for line in FILE.read_text(encoding="utf-8").splitlines())
    return {case: int(count) for case, count in lines}


def counted(case: Case) -> int:
    """Instructions of one inference."""
    width, side = case.network.split("-")
    model = network(Spec(width=float(width), resolution=int(side), classes=1000), case.precision)
    row = at_level(target("linux-aarch64"), case.level)
    assert row.machine is not None
    emitted = emit(model, target_name="count", machine=row.machine, choices=Choices(precision=case.precision))
    with tempfile.TemporaryDirectory(prefix="depthwise-count-") as name:
        folder = Path(name)
        for file, content in headers().items():
            (folder / file).write_bytes(content)
        (folder / "model.c").write_text(emitted.model_c, encoding="utf-8")
        (folder / "weights.bin").write_bytes(emitted.packed.words.tobytes())
        (folder / "weights.s").write_text(emit_assembly(emitted.packed.words.size), encoding="utf-8")
        flags = ("-std=c11", "-O3", PRECISIONS[case.precision].contract, "-static", "-nostdlib", "-I.")
        silent = "-Wno-unused-command-line-argument"
        command = compiler(row, None).command
        sources = (str(PROGRAM), "model.c", "weights.s")
        subprocess.run((*command, *flags, silent, "-o", "program", *sources), cwd=folder, check=True)
        subprocess.run(("gcc", "-O1", "-shared", "-fPIC", "-o", "count.so", str(PLUGIN)), cwd=folder, check=True)
        emulator = ("qemu-aarch64", "-cpu", PROCESSORS[case.level], "-d", "plugin", "-plugin", "./count.so")
        done = subprocess.run((*emulator, "./program"), cwd=folder, capture_output=True, text=True, check=True)
    return int(done.stderr.split()[-1])


def network(spec: Spec, precision: Precision) -> Model | QuantizedModel:
    """Random weights; of int8 within what `depthwise quantize` makes, which uses no -128."""
    if PRECISIONS[precision].model == "int8":
        model = random_quantized(spec)
        layers = {
            name: dataclasses.replace(layer, weight=np.maximum(layer.weight, -127))
            for name, layer in model.layers.items()
        }
        return model.replace(layers=layers)
    return Model(
        spec=spec,
        weights=random_weights(spec),
        labels=tuple(f"class {index}" for index in range(spec.classes)),
        preprocessing=default_preprocessing(spec.resolution, spec.channels),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
