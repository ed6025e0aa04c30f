"""The kernels that exist, and which of them a machine runs."""

from __future__ import annotations

from dataclasses import replace

from depthwise.kernels.arm.family import ARM
from depthwise.kernels.family import Family
from depthwise.kernels.instructions import Instructions
from depthwise.kernels.kernel import Kernel, Operation
from depthwise.kernels.machine import PORTABLE, Machine
from depthwise.kernels.portable import family as portable
from depthwise.kernels.riscv.family import RISCV
from depthwise.kernels.x86.family import X86
from depthwise.precision import Precision
from depthwise.processor import processor

# What a family has a kernel for comes before portable C.
FAMILIES = (X86, ARM, RISCV, portable.PORTABLE)
# What every artifact has beside the kernels of its layers.
_ARTIFACT = (
    Kernel(header="dwk_softmax_f32.h", name="dwk_softmax_f32", tolerance=1e-6),
    Kernel(header="dwk_prepare.h", name="dwk_prepare"),
)
# Of the rows for one operation and precision the fastest stands first, and portable C last.
KERNELS: tuple[Kernel, ...] = (*(kernel for family in FAMILIES for kernel in family.kernels), *_ARTIFACT)

# What an operation is a case of, where a machine has no kernel for it.
_GENERAL: dict[Operation, Operation] = {
    "stem_abreast": "stem",
    "stem": "product",
    "product_tiles": "pointwise",
    "pointwise": "product",
}
# All that any kernel needs of a machine.
FEATURES = frozenset[str]().union(*(kernel.instructions.needs for kernel in KERNELS))


def family_of(instructions: Instructions) -> Family:
    """The family whose kernels are written in these instructions."""
    return family_named(instructions.family)


def family_named(name: str) -> Family:
    """The family of a name."""
    return next(family for family in FAMILIES if family.name == name)


def family_here() -> Family:
    """The family of this machine's processor; portable where it is of none that has a name."""
    here = processor()
    return next((family for family in FAMILIES if here in family.here), FAMILIES[-1])


def has_own(precision: Precision, machine: Machine) -> bool:
    """Whether a machine has instructions that products of a precision were written for, beyond portable C."""
    products = (row for row in KERNELS if row.operation in ("product", "product_tiles") and row.instructions.needs)
    rows = (row for row in products if row.precision == precision)
    return any(row.instructions.needs <= machine.features for row in rows)


def fastest(operation: Operation, precision: Precision, features: frozenset[str]) -> Kernel:
    """The kernel for an operation on a machine with these features: the first row that it can run.

    An operation for which there is none is one of the more general operation.
    """
    rows = [row for row in KERNELS if row.precision == precision and row.instructions.needs <= features]
    found = next((row for row in rows if row.operation == operation), None)
    return found or fastest(_GENERAL[operation], precision, features)


def beside(kernel: Kernel) -> Kernel:
    """The kernel for those channels of a product that one by Strassen's way, or one on tiles, leaves."""
    return fastest("product", kernel.precision, kernel.instructions.needs)


def half(kernel: Kernel) -> Kernel:
    """The same operation in vectors of half the width where the machine has them too, else the kernel itself."""
    narrow = kernel.instructions.narrow
    if narrow is None:
        return kernel
    wanted = (kernel.operation, kernel.precision, narrow)
    return next(row for row in KERNELS if (row.operation, row.precision, row.instructions) == wanted)


def machine_of(macros: frozenset[str]) -> Machine:
    """The machine for which a compiler predefines these macros."""
    known = (row for family in FAMILIES for row in family.machines)
    found = next((machine for macro, machine in known if macro in macros), PORTABLE)
    return replace(found, features=macros & FEATURES)
