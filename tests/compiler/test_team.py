"""How workers share the parts of a phase: by a network of three phases in team.c that counts how often each is done."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tools.emitted import STRICT, aligned, build, write_headers

SOURCE = Path(__file__).with_name("team.c")
THINGS, PHASES, MOST = 16, 3, 8
# A hang is a failure; other programs may have the cores for a while.
PATIENCE = 120

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the library is built for Linux")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, zig: tuple[str, ...]) -> Path:
    folder = tmp_path_factory.mktemp("team")
    write_headers(folder)
    build((*zig, *STRICT, "-O1", "-fPIC", "-shared", "-nostdlib", "-I.", "-o", "team.so", str(SOURCE)), folder)
    return folder / "team.so"


class Team:
    """The library of team.c; what a call found is (PHASES, THINGS) bytes, and how often each was computed."""

    def __init__(self, path: Path) -> None:
        self.library = ctypes.CDLL(str(path))
        self.pixels = np.arange(3, 3 + THINGS, dtype=np.uint8)
        self.arena = aligned(2 * PHASES * THINGS, 0)

    def run(self) -> int:
        """A call in an empty arena; how many after it are to run alone."""
        self.arena[:] = 0
        return int(self.library.test_run(*self._addresses()))

    def late(self, number: int, calls_ago: int) -> None:
        """A worker wakes up when the call that it was told of is over."""
        self.arena[:] = 0
        self.library.test_late(number, calls_ago, *self._addresses())

    def found(self) -> tuple[list[list[int]], list[list[int]]]:
        """Bytes of each phase, and how often they were computed."""
        values, times = self.arena.reshape(2, PHASES, THINGS).tolist()
        return values, times

    def _addresses(self) -> tuple[ctypes.c_void_p, ctypes.c_void_p]:
        return ctypes.c_void_p(self.pixels.ctypes.data), ctypes.c_void_p(self.arena.ctypes.data)


def by_formula(pixels: np.ndarray) -> list[list[int]]:
    """The bytes of each phase, by Python's integers."""
    before, phases = pixels.tolist(), []
    for _ in range(PHASES):
        after = []
        for thing in range(THINGS):
            total = thing
            for value in before:
                total = total * 3 + value
            after.append(total % 256)
        phases.append(after)
        before = after
    return phases


@pytest.mark.parametrize("count", [2, 3, MOST])
def test_a_caller_does_each_part_of_workers_that_never_come_once(path: Path, count: int) -> None:
    team = Team(path)
    team.library.test_absent(count)

    team.run()

    assert team.found() == (by_formula(team.pixels), [[1] * THINGS] * PHASES)
    team.library.test_absent(1)


def test_a_call_in_which_workers_did_not_come_is_followed_by_1_3_7_and_so_on_alone(path: Path) -> None:
    team = Team(path)
    team.library.test_absent(2)
    follow = []
    for _ in range(8):
        follow.append(team.run())
        for left in reversed(range(follow[-1])):
            assert team.run() == left
            assert team.found() == (by_formula(team.pixels), [[1] * THINGS] * PHASES)

    assert follow == [1, 3, 7, 15, 31, 63, 63, 63]
    team.library.test_absent(1)


@pytest.mark.parametrize("calls_ago", [0, 1])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_worker_that_comes_after_its_call_finds_nothing_to_do(path: Path, number: int, calls_ago: int) -> None:
    team = Team(path)
    team.library.test_absent(3)
    while team.run() < 3:  # two calls are shared, and one runs alone between them
        pass

    team.late(number, calls_ago)

    assert not team.arena.any()
    team.library.test_absent(1)


@pytest.mark.parametrize("waits", [(), ("-DDWK_POSIX_THREADS",)], ids=["Linux's own", "POSIX"])
def test_threads_that_come_go_and_yield_are_clean_under_the_thread_sanitizer(
    waits: tuple[str, ...], cc: str, tmp_path: Path
) -> None:
    write_headers(tmp_path)
    (tmp_path / "empty.c").write_text("int main(void) { return 0; }\n")
    flags = ("-O1", "-fsanitize=thread", "-pthread")
    probe = subprocess.run([cc, *flags, "-o", "empty", "empty.c"], cwd=tmp_path, capture_output=True, check=False)
    if probe.returncode != 0 or subprocess.run(["./empty"], cwd=tmp_path, capture_output=True, check=False).returncode:
        pytest.skip(f"programs of this {Path(cc).name} do not run under a thread sanitizer; nothing is looked for")
    build((cc, *STRICT, *flags, "-g", "-DPROGRAM", *waits, "-I.", "-o", "team", str(SOURCE)), tmp_path)
    done = subprocess.run(["./team"], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("triple", ["aarch64-linux-gnu", "arm-linux-gnueabihf", "riscv64-linux-gnu"])
def test_threads_come_go_and_yield_on_other_processors_too(triple: str, tmp_path: Path) -> None:
    emulator = shutil.which(f"qemu-{triple.split('-')[0]}")
    gcc = shutil.which(f"{triple}-gcc")
    if emulator is None or gcc is None or not Path("/usr", triple).is_dir():
        pytest.skip(f"qemu or gcc for {triple} is not installed; threads are not run there")
    write_headers(tmp_path)
    build((gcc, *STRICT, "-O1", "-pthread", "-DPROGRAM", "-I.", "-o", "team", str(SOURCE)), tmp_path)
    command = [emulator, "-L", f"/usr/{triple}", "team"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False)

    assert (done.returncode, done.stderr) == (0, "")
