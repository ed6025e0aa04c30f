"""Libraries for other systems are of their file formats, export what depthwise.h promises, and ask for little."""

from __future__ import annotations

from pathlib import Path

import pytest

from depthwise.compiler import compile_model
from depthwise.compiler.choices import Choices
from depthwise.compiler.compile import emit
from depthwise.compiler.outputs.compilers import compiler
from depthwise.compiler.outputs.library import ARCHIVE
from depthwise.compiler.outputs.windows import exports
from depthwise.compiler.targets import TARGETS, target
from depthwise.errors import Refused
from depthwise.kernels.headers import INTERFACE
from depthwise.network.random_int8 import random_quantized
from depthwise.network.spec import Spec
from tools.binaries import Binary, binary
from tools.emitted import build, write_sources

SPEC = Spec(width=0.1, resolution=32, classes=3, shallow=True)
# What memory is filled and copied with, by whatever name, and what threads need of a C library.
MEMORY = {"memcpy", "memset", "memmove", "bzero", "__bzero", "memset_pattern16"}
THREADS = {"getpid", "syscall", "pthread_create", "pthread_join", "pthread_sigmask"}
WAITS = {"pthread_mutex_lock", "pthread_mutex_unlock", "pthread_cond_wait", "pthread_cond_broadcast"}
# Of macOS: what has the threads ended when a library is unloaded.
END = {"__cxa_atexit"}
WINDOWS = {
    "AcquireSRWLockExclusive",
    "ReleaseSRWLockExclusive",
    "SleepConditionVariableSRW",
    "WakeAllConditionVariable",
    "CreateThread",
    "WaitForSingleObject",
    "CloseHandle",
    "GetModuleHandleExW",
    "FreeLibrary",
    "FreeLibraryAndExitThread",
}
# Of zig's linker: where a library begins, twice; and how Mach-O names the loader.
MARKS = {"_mh_dylib_header", "__dso_handle"}
LOADER = {"dyld_stub_binder"}
# How ARM processors are asked for, where a C library is there.
PROCESSOR = {"getauxval"}
SYSTEM = ("/usr/lib/libSystem.B.dylib",)
# Of each target: what the file is, and all that it may ask for. `page`: pages up to this size, in bytes.
# Where levels and their choice are those of a Linux that is looked into with all of them.
LOWEST = {
    "android-aarch64": "neon",
    "macos-x86_64": "portable",
    "windows-x86_64": "portable",
}
EXPECTED = {
    "linux-aarch64": Binary(
        form="elf",
        processor="aarch64",
        exports=frozenset(),
        imports=frozenset(MEMORY | THREADS | PROCESSOR),
        page=65536,
    ),
    "linux-armv7": Binary(
        form="elf", processor="arm", exports=frozenset(), imports=frozenset(THREADS | PROCESSOR), page=65536
    ),
    "linux-riscv64": Binary(
        form="elf",
        processor="riscv64",
        exports=frozenset(),
        imports=frozenset(MEMORY | THREADS | {"getauxval"}),
        page=4096,
    ),
    # Looks for the driver of a GPU while it runs.
    "cuda-aarch64": Binary(
        form="elf",
        processor="aarch64",
        exports=frozenset(),
        imports=frozenset(MEMORY | PROCESSOR | {"syscall", "getpid", "dlopen", "dlsym"}),
        libraries=("libdl.so.2",),
        page=65536,
    ),
    "android-aarch64": Binary(
        form="elf",
        processor="aarch64",
        exports=frozenset(),
        imports=frozenset(MEMORY | THREADS | PROCESSOR),
        libraries=("libc.so",),
        page=16384,
    ),
    "macos-arm64": Binary(
        form="mach-o",
        processor="aarch64",
        exports=frozenset(MARKS),
        imports=frozenset(MEMORY | LOADER | (THREADS - {"syscall"}) | WAITS | END),
        libraries=SYSTEM,
        page=16384,
        system="macos 11.0",
    ),
    "macos-x86_64": Binary(
        form="mach-o",
        processor="x86_64",
        exports=frozenset(MARKS),
        imports=frozenset(MEMORY | LOADER | (THREADS - {"syscall"}) | WAITS | END),
        libraries=SYSTEM,
        page=4096,
        system="macos 11.0",
    ),
    "ios-arm64": Binary(
        form="archive", processor="aarch64", exports=frozenset(), imports=frozenset(MEMORY), system="ios 13.0"
    ),
    "windows-x86_64": Binary(
        form="pe", processor="x86_64", exports=frozenset(), imports=frozenset(WINDOWS), libraries=("KERNEL32.dll",)
    ),
    "windows-arm64": Binary(
        form="pe", processor="aarch64", exports=frozenset(), imports=frozenset(WINDOWS), libraries=("KERNEL32.dll",)
    ),
}


def test_what_is_exported_is_what_the_interface_declares() -> None:
    text = INTERFACE.read_text(encoding="utf-8")

    assert {"dw_interface", "dw_level", "dw_record", "dw_run", "dw_classify", "dw_verify"} <= set(exports())
    assert len(exports()) == sum(
        line.startswith(("int32_t dw_", "const char *dw_", "uint32_t dw_", "size_t dw_")) for line in text.splitlines()
    )


def test_every_target_that_this_machine_does_not_run_is_looked_into() -> None:
    # What is for the GPU of this machine is in test_gpu.py.
    here = ("", "linux", "linux-dl")
    assert {row.name for row in TARGETS if row.system not in here or row.ran == "emulator"} <= set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_library_exports_the_interface_alone_and_asks_for_what_every_process_has(name: str, tmp_path: Path) -> None:
    expected = EXPECTED[name]
    compile_model(random_quantized(SPEC), target=name, cpu=LOWEST.get(name), out=tmp_path / "model")
    found = binary(tmp_path / "model")

    assert (found.form, found.processor, found.system) == (expected.form, expected.processor, expected.system)
    assert found.exports - expected.exports == set(exports())
    assert found.imports <= expected.imports
    assert found.libraries == expected.libraries
    # Pages of 16 KB are those of Android 15 and of the Raspberry Pi 5, of 64 KB those of some servers.
    assert found.page >= expected.page
    # glibc 2.41 loads nothing that wants an executable stack, and room for what each thread has of its own runs out.
    assert not found.demands


def test_an_archive_is_replaced_by_an_archive_and_nothing_else_is(tmp_path: Path) -> None:
    out = tmp_path / "libmodel.a"
    out.write_bytes(b"!<arch>\nan older one that depthwise wrote")
    compile_model(random_quantized(SPEC), target="ios-arm64", out=out)
    assert ARCHIVE.is_one(out)
    assert out.stat().st_size > 10_000

    out.write_bytes(b"!<arch>\nlibrary.o/       another's")
    with pytest.raises(Refused, match="exists and is not an archive that depthwise wrote"):
        compile_model(random_quantized(SPEC), target="ios-arm64", out=out)


def test_no_function_takes_more_than_an_eighth_of_the_smallest_stack_of_a_thread(tmp_path: Path) -> None:
    """musl gives a thread 128 KB."""
    row = target("linux-armv7")
    assert row.machine is not None
    emitted = emit(random_quantized(SPEC), target_name=row.name, machine=row.machine, choices=Choices(threads=4))
    write_sources(emitted, tmp_path)
    flags = ("-std=c11", "-O3", "-g0", "-Wframe-larger-than=16384", "-Werror=frame-larger-than")
    build((*compiler(row, None).command, *flags, "-c", "-o", "model.o", "model.c"), tmp_path)
