"""Linux gives tiles to a process that asks for them: what it answers, and what keeps it from agreeing."""

from __future__ import annotations

import ctypes
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from depthwise.compiler import compile_model
from depthwise.compiler.outputs.compilers import compiler
from depthwise.compiler.targets import target
from depthwise.kernels.x86.instructions import AMX
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from tools.emitted import STRICT, build, write_headers

TOOLS = Path(__file__).parents[1] / "tools"

ASKED = r"""
#include <errno.h>
#include <stddef.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include "dwk_processor_x86.h"
int refused(int answer, unsigned needed);
/* What comes of the question where a filter answers it, and of needs without tiles. */
int refused(int answer, unsigned needed)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 158, 0, 5),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x1023, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 18, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof rules / sizeof *rules, rules};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, 2, &filter) != 0) {
        return -1;
    }
    const dwk_needs needs = {.xcr0 = needed};
    return dwk_system_refuses(&needs);
}
"""
TILES_IN_XCR0 = 0x60000


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, gcc: str) -> ctypes.CDLL:
    if os.uname().sysname != "Linux" or os.uname().machine != "x86_64":
        pytest.skip("this machine is no x86 with Linux; nobody asks for tiles on it")
    folder = tmp_path_factory.mktemp("asked")
    write_headers(folder)
    (folder / "asked.c").write_text(ASKED)
    build((gcc, "-O1", "-Wno-unused-function", "-fPIC", "-shared", "-o", "asked.so", "asked.c"), folder)
    return ctypes.CDLL(str(folder / "asked.so"))


@pytest.mark.parametrize(
    ("answer", "needed", "refused"),
    [
        (0, TILES_IN_XCR0, 0),
        (errno.EINVAL, TILES_IN_XCR0, 1),
        (errno.EPERM, TILES_IN_XCR0, 1),
        (errno.ENOSPC, TILES_IN_XCR0, 1),
        (errno.EPERM, 0xE7, 0),
    ],
)
def test_each_answer_of_the_system_but_yes_is_a_refusal(
    answer: int, needed: int, refused: int, asked: ctypes.CDLL
) -> None:
    """A filter (seccomp) answers in a process of its own, as it stays there."""
    child = os.fork()
    if child == 0:
        os._exit(2 + asked.refused(answer, needed))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) - 2 == refused


@pytest.fixture(scope="module")
def tiles_here() -> None:
    if not AMX.needs <= compiler(target("host"), None).machine().features:
        pytest.skip("this machine lacks __AMX_TILE__; nobody asks for tiles on it")


@pytest.mark.usefixtures("tiles_here")
@pytest.mark.parametrize(
    ("bytes_", "told"),
    [(0, f"amx 0 {errno.ENOMEM}"), (1 << 16, f"amx 0 {errno.ENOMEM}"), (8192, "host 0 0")],
    ids=["none", "large", "small"],
)
def test_a_thread_with_a_small_signal_stack_keeps_its_process_from_tiles(
    bytes_: int, told: str, gcc: str, tmp_path: Path
) -> None:
    """Linux refuses what it could not save on a signal stack, and small stacks once it has agreed."""
    model = random_quantized(Spec(width=0.25, resolution=32, classes=5, shallow=True), seed=2)
    built = compile_model(model, target="host", out=tmp_path / "model.so")
    build((gcc, *STRICT, "-o", "signal_stack", str(TOOLS / "signal_stack.c"), "-ldl"), tmp_path)
    command = (tmp_path / "signal_stack", built.path, str(bytes_))

    assert built.levels == ("host", "amx")
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == told


@pytest.mark.usefixtures("tiles_here")
def test_an_artifact_of_the_one_level_asks_for_tiles_although_nobody_asked_it_for_its_processor(tmp_path: Path) -> None:
    """In a fresh process, as permission stays with one and its children."""
    model = random_quantized(Spec(width=0.25, resolution=32, classes=5, shallow=True), seed=2)
    built = compile_model(model, target="host", cpu="amx", out=tmp_path / "model.so")
    program = "import ctypes, sys; sys.exit(ctypes.CDLL(sys.argv[1]).dw_verify(None, None))"

    assert subprocess.run((sys.executable, "-c", program, built.path), check=False).returncode == 0
