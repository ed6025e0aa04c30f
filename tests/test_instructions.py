"""No commit makes the emitted code for ARM and RISC-V longer unseen: an emulator counts the instructions of a call."""

from __future__ import annotations

import shutil

import pytest

import count_instructions as counts
from emulators import EMULATORS

# The smaller network of each level.
SMALL = {f"{case.precision} {case.target} {case.level}": case for case in reversed(counts.CASES)}


def test_every_case_has_a_count_and_none_is_left_over() -> None:
    assert list(counts.known()) == [str(case) for case in counts.CASES]


@pytest.mark.parametrize("name", sorted(SMALL))
def test_an_inference_takes_no_more_instructions_than_it_did(name: str) -> None:
    case = SMALL[name]
    program = EMULATORS[case.target].program
    if shutil.which(program) is None or shutil.which("gcc") is None:
        pytest.skip(f"{program} or gcc is not installed; no instructions are counted")

    assert counts.counted(case) <= counts.known()[str(case)] * (1 + counts.TOLERANCE)
