"""Which form of a kernel a step uses: its header, its name, and the macros that make it."""

from __future__ import annotations

from dataclasses import dataclass

from depthwise.compiler.plan import Panels, Step, Tiling


@dataclass(frozen=True, kw_only=True)
class Form:
    """One inclusion of a kernel's header.

    Attributes:
        name: of the function, which says all of it; docs/kernel-names.md has the grammar.
        header: the file that is included.
        macros: what is defined before, by name.
    """

    name: str
    header: str
    macros: tuple[tuple[str, str], ...] = ()


def product(tiling: Tiling, panels: Panels, activation: str) -> Form:
    """The matrix product of one group of panels."""
    rest = f"r{tiling.rest}" if tiling.rest else ""
    return Form(
        name=f"dwk_product_f32_{activation}_p{tiling.pixels}{rest}_c{panels.vectors}x{panels.lanes}",
        header="dwk_product_f32.h",
        macros=(
            ("DWK_ACTIVATION", activation),
            ("DWK_PIXELS", str(tiling.pixels)),
            ("DWK_REST", str(tiling.rest)),
            ("DWK_VECTORS", str(panels.vectors)),
            ("DWK_LANES", str(panels.lanes)),
        ),
    )


def depthwise(stride: int, lanes: int, activation: str) -> Form:
    """A depthwise convolution."""
    return Form(
        name=f"dwk_depthwise3x3s{stride}_f32_{activation}_c{lanes}",
        header=f"dwk_depthwise3x3s{stride}_f32.h",
        macros=(("DWK_ACTIVATION", activation), ("DWK_LANES", str(lanes))),
    )


def pool(lanes: int) -> Form:
    """The global mean."""
    return Form(name=f"dwk_pool_f32_c{lanes}", header="dwk_pool_f32.h", macros=(("DWK_LANES", str(lanes)),))


def classifier(panels: Panels) -> Form:
    """The sums of one group of panels of labels."""
    return Form(
        name=f"dwk_classifier_f32_c{panels.vectors}x{panels.lanes}",
        header="dwk_classifier_f32.h",
        macros=(("DWK_VECTORS", str(panels.vectors)), ("DWK_LANES", str(panels.lanes))),
    )


def forms(step: Step, activation: str) -> tuple[Form, ...]:
    """The forms that a step uses, in the order in which it calls them."""
    if step.kind == "pool":
        return (pool(step.lanes),)
    assert step.tiling is not None
    if step.kind == "classifier":
        return tuple(classifier(panels) for panels in step.tiling.panels)
    products = tuple(product(step.tiling, panels, activation) for panels in step.tiling.panels)
    if step.kind == "separable":
        return (depthwise(step.layers[0].stride, step.lanes, activation), *products)
    return products
