"""Which form of a kernel a step uses: its header, its name, and the macros that make it.

The kernel itself was chosen by the plan, out of kernels/table.py; here its tile becomes a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from depthwise.compiler.step import Step
from depthwise.kernels.kernel import Kernel
from depthwise.kernels.table import fastest
from depthwise.kernels.tiling import Panels, Tiling


@dataclass(frozen=True, kw_only=True)
class Form:
    """One inclusion of a kernel's header.

    Attributes:
        name: of the function, which says all of it; docs/kernel-names.md has the grammar.
        header: the file that is included.
        macros: what is defined before, by name.
        vocabulary: a file that is included once before it, or empty.
    """

    name: str
    header: str
    macros: tuple[tuple[str, str], ...] = ()
    vocabulary: str = ""


def product(kernel: Kernel, tiling: Tiling, panels: Panels, activation: str = "") -> Form:
    """The matrix product, by Strassen's way too, of one group of panels; float32 has the activation in its name."""
    rest = f"r{tiling.rest}" if tiling.rest else ""
    some = f"n{panels.some}" if panels.some else ""
    tile = f"_p{tiling.pixels}{rest}_c{panels.vectors}x{panels.lanes}{some}"
    values: dict[str, str | int] = {
        "ACTIVATION": activation,
        "PIXELS": tiling.pixels,
        "REST": tiling.rest,
        **_tile(panels),
    }
    return _form(kernel, tile, values)


def depthwise(kernel: Kernel, lanes: int, activation: str = "") -> Form:
    """A depthwise convolution."""
    return _form(kernel, f"_c{lanes}", {"ACTIVATION": activation, "LANES": lanes})


def pool(kernel: Kernel, lanes: int) -> Form:
    """The global mean."""
    return _form(kernel, f"_c{lanes}", {"LANES": lanes})


def classifier(kernel: Kernel, panels: Panels, logits: str = "") -> Form:
    """The sums of one group of panels of labels; `logits` says what an int8 network makes of them."""
    return _form(kernel, f"_c{panels.vectors}x{panels.lanes}", {"LOGITS": logits, **_tile(panels)})


def forms(step: Step, activation: str) -> tuple[Form, ...]:
    """The forms that a step uses, in the order in which it calls them."""
    last = step.kernels[-1]
    if step.kind == "pool":
        return (pool(last, step.lanes),)
    assert step.tiling is not None
    if step.kind == "classifier":
        return tuple(classifier(last, panels, step.logits) for panels in step.tiling.panels)
    products: tuple[Form, ...] = ()
    if step.strassen is not None:
        products = tuple(product(last, step.strassen, panels, activation) for panels in step.strassen.panels)
        last = fastest("product", last.precision, frozenset())
    products += tuple(product(last, step.tiling, panels, activation) for panels in step.tiling.panels)
    if step.kind == "separable":
        return (depthwise(step.kernels[0], step.lanes, activation), *products)
    return products


def _tile(panels: Panels) -> dict[str, int]:
    return {"VECTORS": panels.vectors, "LANES": panels.lanes, "SOME": panels.some}


def _form(kernel: Kernel, tile: str, values: Mapping[str, str | int]) -> Form:
    """A form of a kernel; of `values` those count that are macros of it. A word among them is part of its name."""
    macros = [(macro, str(values[macro])) for macro in kernel.macros if macro != "SET"]
    words = "".join(f"_{value}" for _, value in macros if not value.isdecimal())
    of = kernel.instructions.name
    if "SET" in kernel.macros:
        macros.append(("SET", of))
    return Form(
        name=f"{kernel.base}{words}{tile}" + (f"__{of}" if of else ""),
        header=kernel.header,
        macros=tuple((f"DWK_{macro}", value) for macro, value in macros),
        vocabulary=kernel.instructions.vocabulary,
    )
