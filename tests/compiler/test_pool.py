"""The threads of an artifact: they start, sleep, end, and disturb nobody, whatever the process does around them."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from depthwise.bench.zig import compile_c
from depthwise.compiler import compile_model
from depthwise.edge.artifact import Artifact
from depthwise.errors import Refused
from depthwise.kernels.headers import INTERFACE
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from tools.caches import lasting
from tools.emitted import aligned
from tools.plain_artifact import plain_artifact

SIZE, CLASSES, MOST = 65, 11, 8
# A hang is a failure.
PATIENCE = 60

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="artifacts have threads on Linux alone")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = random_quantized(Spec(width=0.25, resolution=SIZE, classes=CLASSES, shallow=True), seed=4)
    return compile_model(model, target="host", out=tmp_path_factory.mktemp("pool") / "m.so", threads=MOST).path


def pixels(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (SIZE, SIZE, 3), np.uint8)


def tasks() -> set[str]:
    """The threads of this process."""
    return {place.name for place in Path("/proc/self/task").iterdir()}


def test_answers_and_features_do_not_depend_on_the_number_of_threads(path: Path) -> None:
    frame = np.random.default_rng(1).integers(0, 256, (90, 70, 3), np.uint8)
    answers = []
    for threads in (1, 2, 3, MOST):
        with Artifact.open(path, threads=threads) as artifact:
            assert artifact.verify() == 0
            answers.append([artifact.run(pixels(0)), artifact.features(pixels(0)), artifact.classify(frame)])

    for other in answers[1:]:
        for one, found in zip(answers[0], other, strict=True):
            np.testing.assert_array_equal(one, found)


def test_a_number_of_threads_is_kept_to_what_there_can_be(path: Path) -> None:
    library = ctypes.CDLL(str(path))
    before = tasks()

    for asked, given in ((0, 1), (2, 2), (-3, 2), (3, 3), (99, MOST), (2**31 - 1, MOST), (1, 1)):
        assert library.dw_set_threads(asked) == given
        assert len(tasks() - before) == given - 1


def test_more_threads_than_an_artifact_has_are_refused(path: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"m\.so: can run on 8 threads, not on 9; .* --threads 9"):
        Artifact.open(path, threads=9)
    with pytest.raises(Refused, match=r"can run on 1 thread, not on 2"):
        Artifact.open(plain_artifact(tmp_path), threads=2)


def test_the_command_line_labels_alike_with_any_number_and_names_one_that_cannot_be(path: Path, tmp_path: Path) -> None:
    Image.fromarray(pixels(2)).save(tmp_path / "image.png")
    command = [sys.executable, "-m", "depthwise", "run", str(path), str(tmp_path / "image.png"), "--threads"]
    one, two, nine = (
        subprocess.run([*command, threads], capture_output=True, text=True, timeout=PATIENCE, check=False)
        for threads in ("1", "2", "9")
    )

    assert (one.returncode, two.returncode, two.stderr) == (0, 0, "")
    assert one.stdout == two.stdout
    assert nine.returncode == 2
    assert "m.so: can run on 8 threads, not on 9; take 8, or compile the model with --threads 9" in nine.stderr


ONE_CORE = """
import os, statistics, sys, time, numpy as np
from depthwise.edge.artifact import Artifact
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
pixels = np.random.default_rng(1).integers(0, 256, (65, 65, 3), np.uint8)
medians = []
for threads in (1, 2):
    with Artifact.open(sys.argv[1], threads=threads) as artifact:
        taken = []
        for _ in range(300):
            begun = time.perf_counter()
            artifact.run(pixels)
            taken.append(time.perf_counter() - begun)
        medians.append(statistics.median(taken))
print(medians[1] / medians[0])
"""


def test_two_threads_that_have_one_core_take_about_as_long_as_one(path: Path) -> None:
    """Threads that waited for each other at every layer took thirty times as long."""
    command = [sys.executable, "-c", ONE_CORE, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert float(done.stdout) < 3


def test_threads_end_with_the_artifact_whether_they_look_or_sleep(path: Path) -> None:
    before = tasks()
    for number in range(20):
        with Artifact.open(path, threads=2 + number % 3) as artifact:
            artifact.run(pixels(number))
            time.sleep(number % 2 * 0.005)
        assert tasks() == before


def test_threads_that_wait_take_no_processor_time_and_no_signals(path: Path) -> None:
    before = tasks()
    with Artifact.open(path, threads=MOST) as artifact:
        artifact.run(pixels(1))
        time.sleep(0.05)
        start = time.process_time()
        time.sleep(0.4)
        assert time.process_time() - start < 0.02
        for task in tasks() - before:
            status = Path(f"/proc/self/task/{task}/status").read_text()
            blocked = int(status.partition("SigBlk:")[2].split()[0], 16)
            assert blocked & 0x7FFF_FFFF == 0x7FFF_FFFF & ~(1 << 8 | 1 << 18)  # but for SIGKILL and SIGSTOP


@pytest.mark.slow
def test_every_level_of_an_artifact_meets_again_after_its_threads_ended(tmp_path: Path) -> None:
    """Levels are files of their own, and what threads meet by must not be left as it was in one of them."""
    model = random_quantized(Spec(width=0.25, resolution=SIZE, classes=CLASSES), seed=4)
    library = ctypes.CDLL(str(compile_model(model, target="linux-x86_64", out=tmp_path / "m.so", threads=MOST).path))
    image, arena, out = pixels(3), aligned(1 << 20, 0xFF), np.zeros(CLASSES, np.float32)
    assert ctypes.c_size_t(library.dw_arena_bytes()).value <= 1 << 20

    def answer() -> list[float]:
        assert library.dw_run(*(ctypes.c_void_p(a.ctypes.data) for a in (image, out, arena))) == 0
        return out.tolist()

    expected = answer()
    for threads in (MOST, 1, MOST, 2, MOST, 1) * 3:
        assert library.dw_set_threads(threads) == threads
        for _ in range(100):
            arena[:] = 0xFF
            assert answer() == expected


def test_calls_at_the_same_time_are_right_and_so_are_they_while_threads_come_and_go(path: Path) -> None:
    library = ctypes.CDLL(str(path))
    library.dw_arena_bytes.restype = ctypes.c_size_t
    images = [pixels(seed) for seed in range(4)]

    def answers(image: np.ndarray) -> list[list[float]]:
        arena, out = aligned(library.dw_arena_bytes(), 0xFF), np.zeros(CLASSES, np.float32)
        found = []
        for _ in range(100):
            assert library.dw_run(*(ctypes.c_void_p(a.ctypes.data) for a in (image, out, arena))) == 0
            found.append(out.tolist())
        return found

    alone = [answers(image)[0] for image in images]
    library.dw_set_threads(2)
    with ThreadPoolExecutor(5) as pool:
        calls = [pool.submit(answers, image) for image in images]
        changes = pool.submit(lambda: [library.dw_set_threads(1 + number % MOST) for number in range(60)])
        for call, expected in zip(calls, alone, strict=True):
            assert all(found == expected for found in call.result(PATIENCE))
        assert changes.result(PATIENCE) == [1 + number % MOST for number in range(60)]
    library.dw_set_threads(1)


FORKS = """
import os, sys, numpy as np
from depthwise.edge.artifact import Artifact
pixels = np.random.default_rng(1).integers(0, 256, (65, 65, 3), np.uint8)
artifact = Artifact.open(sys.argv[1], threads=3)
expected = artifact.run(pixels)
for _ in range(5):
    child = os.fork()
    if child == 0:
        right = (artifact.run(pixels) == expected).all()
        artifact._library.set_threads(2)
        right = right and (artifact.run(pixels) == expected).all() and len(os.listdir("/proc/self/task")) == 2
        if sys.argv[2] == "close":
            artifact.close()
        sys.exit(0 if right else 3)
    assert os.waitpid(child, 0)[1] == 0
    assert (artifact.run(pixels) == expected).all()
print(len(os.listdir("/proc/self/task")))
"""


@pytest.mark.parametrize("end", ["close", "exit"])
def test_a_forked_process_runs_alone_until_it_asks_for_threads_and_both_end(path: Path, end: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKS, str(path), end], capture_output=True, text=True, timeout=PATIENCE, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) >= 3


NAMESPACES = """
import ctypes, faulthandler, os, sys, numpy as np
from depthwise.edge.artifact import Artifact
def fork_as_the_first_of_a_namespace():
    CLONE_NEWPID = 0x20000000
    if ctypes.CDLL(None).unshare(CLONE_NEWPID) != 0:
        os._exit(77)
    child = os.fork()
    if child != 0:
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
pixels = np.random.default_rng(1).integers(0, 256, (65, 65, 3), np.uint8)
fork_as_the_first_of_a_namespace()
artifact = Artifact.open(sys.argv[1], threads=3)
expected = artifact.run(pixels)
fork_as_the_first_of_a_namespace()
# Nobody else ends the first process of a namespace that hangs.
faulthandler.dump_traceback_later(30, exit=True)
right = os.getpid() == 1 and (artifact.run(pixels) == expected).all()
artifact._library.set_threads(2)
os._exit(0 if right and (artifact.run(pixels) == expected).all() else 3)
"""


def test_a_forked_process_of_the_same_number_runs_alone_too(path: Path) -> None:
    """Two processes have one number where each is the first of a namespace, as in containers."""
    command = [sys.executable, "-c", NAMESPACES, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)

    if done.returncode == 77:
        pytest.skip("this process may not make namespaces of processes")
    assert (done.returncode, done.stderr) == (0, "")


PROGRAM = """#include "depthwise.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t pixels[65 * 65 * 3];

int main(int count, char **arguments)
{
    for (int i = 0; i < 3; i++) {
        void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
        if (library == NULL) {
            return 2;
        }
        int32_t (*set)(int32_t) = (int32_t (*)(int32_t))dlsym(library, "dw_set_threads");
        int32_t (*run)(const uint8_t *, float *, void *) =
            (int32_t (*)(const uint8_t *, float *, void *))dlsym(library, "dw_run");
        float one[11], two[11];
        if (run(pixels, one, NULL) != 0 || set(3) != 3 || run(pixels, two, NULL) != 0 || memcmp(one, two, sizeof one)) {
            return 3;
        }
        if (i < 2 && dlclose(library) != 0) {
            return 4;
        }
    }
    if (count > 2) {
        exit(0);
    }
    return 0;
}
"""


def test_a_c_program_loads_unloads_and_ends(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Kept, as building what a program needs of the C library takes long.
    monkeypatch.setenv("ZIG_GLOBAL_CACHE_DIR", str(lasting("zig")))
    source = tmp_path / "program.c"
    source.write_text(PROGRAM)
    program = compile_c(source, tmp_path / "program", flags=(f"-I{INTERFACE.parent}",), is_program=True)

    for arguments in ([], ["exit"]):
        done = subprocess.run([program, str(path), *arguments], timeout=PATIENCE, check=False)
        assert done.returncode == 0
