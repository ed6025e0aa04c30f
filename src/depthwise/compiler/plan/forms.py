"""The calls of a step: which form of a kernel each uses (its header, its name, the macros that make it), and of what.

The kernel itself was chosen by the plan, out of kernels/table.py; here its tile becomes a name.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from depthwise.compiler.step import Call, Form, Step
from depthwise.kernels.kernel import Kernel
from depthwise.kernels.table import beside
from depthwise.kernels.tiling import Panels, Tiling
from depthwise.network.layers import Layer


def product(kernel: Kernel, tiling: Tiling, panels: Panels, activation: str = "", way: str = "") -> Form:
    """The matrix product, by Strassen's way too, of one group of panels; float32 has the activation in its name."""
    rest = f"r{tiling.rest}" if tiling.rest else ""
    some = f"n{panels.some}" if panels.some else ""
    part = f"k{tiling.bytes}" if tiling.bytes else ""
    tile = f"_p{tiling.pixels}{rest}{part}_c{panels.vectors}x{panels.lanes}{some}"
    values: dict[str, str | int] = {
        "ACTIVATION": activation,
        "WAY": way,
        "PIXELS": tiling.pixels,
        "REST": tiling.rest,
        "BYTES": tiling.bytes,
        **_tile(panels),
    }
    return _form(kernel, tile, values, without=() if tiling.bytes else ("BYTES",))


def depthwise(kernel: Kernel, lanes: int, activation: str = "", way: str = "", vectors: int = 1) -> Form:
    """A depthwise convolution, of so many vectors at a time."""
    times = f"{vectors}x" if vectors > 1 else ""
    values: dict[str, str | int] = {"ACTIVATION": activation, "WAY": way, "VECTORS": vectors, "LANES": lanes}
    return _form(kernel, f"_c{times}{lanes}", values, without=("VECTORS",) if vectors == 1 else ())


def pool(kernel: Kernel, lanes: int) -> Form:
    """The global mean."""
    return _form(kernel, f"_c{lanes}", {"LANES": lanes})


def classifier(kernel: Kernel, panels: Panels, logits: str = "") -> Form:
    """The sums of one group of panels of labels; `logits` says what an int8 network makes of them."""
    return _form(kernel, f"_c{panels.vectors}x{panels.lanes}", {"LOGITS": logits, **_tile(panels)})


def calls_of(step: Step, activation: str, logits: str = "") -> tuple[Call, ...]:
    """The calls of a step, in their order.

    Args:
        activation: the network's.
        logits: what an int8 network makes of its last sums, "products" or "bytes" (docs/int8.md Q8); else empty.
    """
    last, layer = step.kernels[-1], step.layers[-1]
    if step.kind == "pool":
        return (_whole(pool(last, step.lanes), layer),)
    if step.kind == "classifier":
        return tuple(_panels(classifier(last, panels, logits), layer, panels) for panels in step.tiling.panels)
    products: tuple[Call, ...] = ()
    if step.strassen is not None:
        tiles = ((product(last, step.strassen, panels, activation), panels) for panels in step.strassen.panels)
        products = tuple(_panels(form, layer, panels, together=2) for form, panels in tiles)
        last = beside(last)
    way = step.ways[-1]
    if step.tiles is not None:
        tiles = ((product(last, step.tiles, panels, activation, way), panels) for panels in step.tiles.panels)
        products = tuple(_panels(form, layer, panels) for form, panels in tiles)
        last = beside(last)
    tiles = ((product(last, step.tiling, panels, activation, way), panels) for panels in step.tiling.panels)
    products += tuple(_panels(form, layer, panels) for form, panels in tiles)
    if step.kind == "separable":
        first = depthwise(step.kernels[0], step.lanes, activation, step.ways[0], step.vectors)
        return (_whole(first, step.layers[0]), *products)
    return products


def _whole(form: Form, layer: Layer) -> Call:
    channels = layer.output.channels
    return Call(form=form, layer=layer.name, units=1, size=channels, room=channels)


def _panels(form: Form, layer: Layer, panels: Panels, *, together: int = 1) -> Call:
    """The call for a group of panels, of which so many are computed together."""
    return Call(
        form=form,
        layer=layer.name,
        units=panels.count // together,
        size=together * panels.channels,
        room=together * panels.vectors * panels.lanes,
    )


def _tile(panels: Panels) -> dict[str, int]:
    return {"VECTORS": panels.vectors, "LANES": panels.lanes, "SOME": panels.some}


def _form(kernel: Kernel, tile: str, values: Mapping[str, str | int], *, without: Container[str] = ()) -> Form:
    """A form of a kernel; of `values` those count that are macros of it. A word among them is part of its name.

    Args:
        without: macros that are not there, in a form that does without what they say.
    """
    given = (macro for macro in kernel.macros if macro != "SET" and macro not in without)
    macros = [(macro, str(values[macro])) for macro in given]
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
