"""Artifacts on processors that hide instructions, or whose system keeps fewer registers: the test answers cpuid."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from depthwise.kernels.x86.levels import LEVELS
from depthwise.kernels.x86.makers import AMD, INTEL, maker_here
from depthwise.precision import ON_PROCESSORS, Precision
from tools.all_levels import of_all_levels
from tools.emitted import build

PROGRAM = Path(__file__).parents[1] / "tools" / "processors.c"
# Bits of cpuid, as tools/processors.c takes them: of AVX-512 and AMX; that the system keeps registers (leaf 1, ecx 27);
# of AVX512VL; and a processor whose last leaf is 1.
WIDE = "7.0.1.d0230000,7.0.2.5842,7.0.3.3c00100,7.1.0.20"


@dataclass(frozen=True, kw_only=True)
class Processor:
    """A processor that this one seems to be.

    Attributes:
        hidden: as tools/processors.c takes it.
        lacks: beginnings of the macros of what is hidden.
        maker: whom it names; empty for this one's.
    """

    hidden: str = "-"
    lacks: tuple[str, ...] = ()
    maker: str = ""


PROCESSORS = {
    "this": Processor(),
    "hybrid": Processor(hidden=WIDE, lacks=("__AVX512", "__AMX")),
    "wide registers not kept": Processor(hidden="1.0.2.8000000", lacks=("__AVX", "__AMX")),
    "512 bits alone": Processor(hidden="7.0.1.80000000", lacks=("__AVX512VL",)),
    "one leaf": Processor(hidden="0.0.0.1", lacks=("__AVX", "__AMX")),
    "of AMD": Processor(maker=AMD),
    "of Intel": Processor(maker=INTEL),
    "of others": Processor(maker="CentaurHauls"),
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, gcc: str) -> Path:
    if os.uname().machine != "x86_64":
        pytest.skip("this machine is no x86; processors that hide instructions are not played")
    folder = tmp_path_factory.mktemp("processors")
    build((gcc, "-O1", "-o", "processors", str(PROGRAM), "-ldl"), folder)
    return folder / "processors"


@pytest.mark.parametrize("precision", ON_PROCESSORS)
def test_an_artifact_chooses_the_highest_level_of_which_nothing_is_hidden(
    precision: Precision, program: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    library = of_all_levels(precision, tmp_path_factory).path

    def run(processor: Processor) -> list[str]:
        command = (program, library, processor.hidden, processor.maker or "-")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 3:
            pytest.skip("this processor or its system cannot stop a program at cpuid; others are not played")
        assert done.returncode == 0, (processor, done.returncode)
        return done.stdout.splitlines()

    _, *here = run(PROCESSORS["this"])
    known = {level.name: level.machine for level in LEVELS}
    for name, processor in PROCESSORS.items():
        usable = [
            line
            for line in here
            if not any(macro.startswith(processor.lacks) for macro in known[line.split()[0]].features)
        ]
        maker = processor.maker or maker_here()
        own = [line.split()[0] for line in usable]
        own = [level for level in own if not known[level].is_own or known[level].maker == maker]
        assert run(processor) == [own[-1], *usable], name
        assert {line.split()[1] for line in usable} == {"0"}, name
