"""Kernels in C to PTX, the language that drivers of NVIDIA compile for their GPU. zig does it without any toolkit."""

from __future__ import annotations

from depthwise.compiler.outputs.compilers import Compiler, call, work_folder, zig
from depthwise.compiler.outputs.systems import system
from depthwise.kernels.headers import included

# Products are rounded for themselves or not as the precision says; its row has the flag.
_FLAGS = ("-std=c11", "-O3", "-g0", "-S")
# What zig says of arguments of its own.
_QUIET = "-Wno-unused-command-line-argument"


def ptx(text: str, architecture: str, contract: str) -> str:
    """PTX of a file of kernels, without comments.

    Args:
        architecture: the least GPU that runs it, as "sm_61".
        contract: what the compiler is told of sums of products.
    Raises: Refused, when zig is missing or fails.
    """
    command = (zig(), "cc", "-target", "nvptx64-cuda", f"-mcpu={architecture}", _QUIET)
    chosen = Compiler(command=command, system=system("linux"))
    with work_folder() as folder:
        for name, content in included(text).items():
            (folder / name).write_bytes(content)
        (folder / "kernels.c").write_text(text, encoding="utf-8", newline="\n")
        call(chosen, (*_FLAGS, contract, "-o", "kernels.ptx", "kernels.c"), folder)
        found = (folder / "kernels.ptx").read_text(encoding="utf-8")
    lines = (line.split("//")[0].rstrip() for line in found.splitlines())
    return "".join(f"{line}\n" for line in lines if line)
