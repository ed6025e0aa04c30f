"""Emit the C of small networks of every form and let each compiler of this machine read it, warnings being errors.

The smallest form is also compiled for the processors of all targets, by the zig that comes along and by the cross
compilers of gcc that are installed; those that are not are named.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from depthwise.compiler import compile_model
from depthwise.compiler.outputs.compilers import compiler
from depthwise.compiler.targets import TARGETS
from depthwise.network.model import Model, random_weights
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from depthwise.precision import Precision

# Optimised, because some warnings need the flow of values.
STRICT = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-O2")
LABELS = ('a "quoted" label */ %s \\', "two\nlines", "🐈")
# Of the targets with Linux and Windows, as Debian calls them.
CROSS = (
    "aarch64-linux-gnu-gcc",
    "arm-linux-gnueabihf-gcc",
    "riscv64-linux-gnu-gcc",
    "x86_64-w64-mingw32-gcc",
)
PRECISIONS: tuple[Precision, ...] = ("float32", "bf16", "int8")
FORMS = {
    "usual": Spec(width=0.25, resolution=32, classes=3),
    "same, odd, grey": Spec(width=0.1, resolution=35, classes=3, padding="same", channels=1),
    "relu, shallow, unit strides": Spec(
        width=0.1, resolution=33, classes=3, activation="relu", shallow=True, unit_strides=(0, 2)
    ),
    "standard": Spec(width=0.1, resolution=32, classes=3, convolution="standard"),
}
# The one that compilers for other machines read, too.
SMALLEST = "relu, shallow, unit strides"


def main() -> int:
    """Compile every form with every compiler; the exit code."""
    failures = 0
    missing = [name for name in CROSS if shutil.which(name) is None]
    if missing:
        print(f"not installed, so nothing is compiled by them: {', '.join(missing)}")
    with tempfile.TemporaryDirectory() as place:
        for name, spec, precision in [(*form, precision) for precision in PRECISIONS for form in FORMS.items()]:
            source = emit(spec, Path(place) / f"{name}{precision}", precision)
            for chosen in (*compilers(), *(others() if name == SMALLEST else ())):
                command = [*chosen, *STRICT, "-c", "model.c", "-o", "model.o"]
                done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
                if done.returncode or done.stderr:
                    failures += 1
                    print(f"{name}, {precision}: {' '.join(command)}\n{done.stderr}")
    return 1 if failures else 0


def emit(spec: Spec, place: Path, precision: Precision) -> Path:
    """The folder of C of a network with random weights."""
    if precision == "int8":
        compile_model(random_quantized(spec).replace(labels=LABELS), target="source", out=place)
        return place
    model = Model(
        spec=spec,
        weights=random_weights(spec),
        labels=LABELS,
        preprocessing=default_preprocessing(spec.resolution, spec.channels),
    )
    compile_model(model, target="source", out=place, precision=precision)
    return place


def compilers() -> list[tuple[str, ...]]:
    """Those of this machine, and the one that comes along."""
    return [*((name,) for name in ("cc", "clang") if shutil.which(name)), (sys.executable, "-m", "ziglang", "cc")]


def others() -> list[tuple[str, ...]]:
    """The compilers of the targets that are for other machines: zig, and gcc where it is installed."""
    rows = (row for row in TARGETS if row.zig is not None and row.machine is not None and not row.gpu)
    rows = (row for row in rows if row.family != "x86" or not row.carries_levels)
    installed = [(name,) for name in CROSS if shutil.which(name)]
    return [*(compiler(row, None).command for row in rows), *installed]


if __name__ == "__main__":
    sys.exit(main())
