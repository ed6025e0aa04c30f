#!/usr/bin/env python3
"""Say whether a byte of emitted C moved: emit many networks and compare with the sums in tests/golden/replay.txt.

usage: scripts/check replay             which cases differ from the file
       scripts/check replay --update    write the file anew
       scripts/replay.py NETWORK PRECISION LEVEL THREADS
                                        print the C of one case, to compare it with that of another commit

A line is a case, and the SHA-256 of all its C and of its constants. Weights are random, and the answers to the golden
images are left 0, as neither changes what is emitted.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from depthwise.compiler.choices import Choices
from depthwise.compiler.compile import Emitted, emit_for
from depthwise.compiler.lower import golden
from depthwise.compiler.lower.compilation import Compilation, lowered_for
from depthwise.kernels.arm.levels import LEVELS as ARM_LEVELS
from depthwise.kernels.machine import Machine
from depthwise.kernels.riscv.levels import LEVELS as RISCV_LEVELS
from depthwise.kernels.x86.levels import LEVELS
from depthwise.network.live import Live, live
from depthwise.network.model import Model
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.quantized import QuantizedModel
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import RESOLUTIONS, WIDTHS, Spec
from depthwise.network.weights import random_weights
from depthwise.precision import ON_PROCESSORS, Precision

FILE = Path(__file__).resolve().parents[1] / "tests" / "golden" / "replay.txt"
THREADS = (1, 4)
SHOWN = 20
# The sixteen of the published family, and forms that have kernels, tiles or padding of their own.
NETWORKS = {
    f"{width:g}-{side}": Spec(width=width, resolution=side, classes=1000) for width in WIDTHS for side in RESOLUTIONS
} | {
    "twin": Spec(width=0.25, resolution=96, classes=10, convolution="standard"),
    "shallow-twin": Spec(width=0.5, resolution=40, classes=3, convolution="standard", shallow=True),
    "odd": Spec(width=0.35, resolution=97, classes=37, padding="same", activation="relu"),
    "grey": Spec(width=0.25, resolution=45, classes=3, channels=1, padding="same"),
    "unit-strides": Spec(width=0.5, resolution=49, classes=5, unit_strides=(0, 2, 12)),
    "thin": Spec(width=0.5, resolution=64, classes=12),
    # Of int8 alone: weights with zero points, and factors beyond a signed byte.
    "kept": Spec(width=0.25, resolution=67, classes=37, padding="same"),
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """What one line is about; `level` is that of a processor, or the target whose library carries several."""

    network: str
    precision: Precision
    level: str
    threads: int

    def __str__(self) -> str:
        return f"{self.network} {self.precision} {self.level} {self.threads}"


def main(arguments: list[str]) -> int:
    """Compare, write, or print one case; the exit code."""
    if len(arguments) == 4:
        return shown(" ".join(arguments))
    if arguments not in ([], ["--update"]):
        print((__doc__ or "").strip())
        return 0 if arguments in (["-h"], ["--help"]) else 2
    found = {str(case): summed(emitted) for case, emitted in cases()}
    if arguments:
        FILE.write_text("".join(f"{case} {sum_}\n" for case, sum_ in found.items()), encoding="utf-8")
        return 0
    lines = FILE.read_text(encoding="utf-8").splitlines() if FILE.is_file() else []
    expected = dict(line.rsplit(" ", 1) for line in lines)
    moved = [case for case in {**expected, **found} if expected.get(case) != found.get(case)]
    for case in moved[:SHOWN]:
        print(f"{case}: {'moved' if case in expected and case in found else 'new' if case in found else 'gone'}")
    if moved:
        print(f"{len(moved)} of {len(found)} cases differ from {FILE.name}; --update writes it anew")
    return 1 if moved else 0


def shown(wanted: str) -> int:
    """Print the C of one case; the exit code."""
    for case, emitted in cases(wanted.split()[0]):
        if str(case) == wanted:
            print(*(f"/* {name} */\n{text}" for name, text in texts(emitted).items()))
            return 0
    print(f"error: there is no case {wanted!r}; {FILE.name} lists them", file=sys.stderr)
    return 2


def cases(only: str = "") -> Iterator[tuple[Case, Emitted]]:
    """Every case, or those of one network, with its C."""
    for name, spec in NETWORKS.items():
        precisions = ON_PROCESSORS if name != "kept" else ("int8",)
        for precision in precisions if only in ("", name) else ():
            model, found = network(name, spec, precision)
            job = Compilation(
                model=model,
                lowered=lowered_for(model, found, precision),
                answers=np.zeros((golden.CASES, spec.classes), np.float32),
                target="replay",
                live=None if found is None else found.table,
            )
            for level, machines in levels(precision, several=spec.resolution < 128).items():
                for threads in THREADS:
                    case = Case(network=name, precision=precision, level=level, threads=threads)
                    yield case, emit_for(job, machines, Choices(threads=threads))


def levels(precision: Precision, *, several: bool) -> dict[str, dict[str, Machine]]:
    """Machines by name: each level that makes a difference, and where asked the libraries that carry several."""
    carried = {level.name: level.machine for level in LEVELS if precision in level.carried}
    arm = {level.name: level.machine for level in ARM_LEVELS if precision in level.carried}
    found = {name: {name: machine} for name, machine in (carried | arm).items()}
    riscv = {level.name: level.machine for level in RISCV_LEVELS if precision in level.carried}
    return found | ({"linux-x86_64": carried, "linux-riscv64": riscv} if several else {})


def network(name: str, spec: Spec, precision: Precision) -> tuple[Model | QuantizedModel, Live | None]:
    """A network with random weights; of "thin" the channels that can change, of the other small ones hard int8."""
    is_small = spec.resolution < 128
    if precision == "int8":
        model: Model | QuantizedModel = random_quantized(
            spec, hidden_zero_points=is_small, rounded=is_small, weight_zero_points=name == "kept"
        )
    else:
        model = Model(
            spec=spec,
            weights=random_weights(spec),
            labels=tuple(f"class {index}" for index in range(spec.classes)),
            preprocessing=default_preprocessing(spec.resolution, spec.channels),
        )
    if name != "thin":
        return model, None
    model = thinned(model)
    return model, live(model)


def thinned(model: Model | QuantizedModel) -> Model | QuantizedModel:
    """The model with every third channel of its depthwise layers the same for every image."""
    if isinstance(model, QuantizedModel):
        layers = {
            name: replace(
                layer, multiplier=np.where(np.arange(layer.bias.size) % 3, layer.multiplier, np.float32(1e-9))
            )
            for name, layer in model.layers.items()
            if layer.weight.shape[1:] == (1, 3, 3)
        }
        return model.replace(layers={**model.layers, **layers})
    weights = {name: array.copy() for name, array in model.weights.items()}
    for name in weights:
        if name.endswith("bn1.weight") and name.startswith("blocks"):
            weights[name][::3] = 0
    return model.replace(weights=weights)


def texts(emitted: Emitted) -> dict[str, str]:
    """All C of an artifact but the constants, by name."""
    return {"model.c": emitted.model_c, **emitted.levels}


def summed(emitted: Emitted) -> str:
    """The SHA-256 of all texts and of the constants."""
    found = hashlib.sha256("\0".join(texts(emitted).values()).encode())
    found.update(emitted.packed.words.tobytes())
    return found.hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
