"""C text of one step of a plan: a function with a comment that gives its shapes, kernels, tiles and cost."""

from __future__ import annotations

from depthwise.compiler.emit import wide
from depthwise.compiler.emit.ctext import Lines, constant, identifier
from depthwise.compiler.emit.dialect import Dialect
from depthwise.compiler.emit.product import emit_products, emit_sums, parts, phase
from depthwise.compiler.step import NO_BORDER, Map, Step
from depthwise.kernels.x86 import amx
from depthwise.network.layers import multiply_adds

_KINDS = {
    "stem": "convolution",
    "standard": "convolution",
    "depthwise": "depthwise convolution",
    "pointwise": "pointwise convolution",
    "pool": "mean of each channel",
    "classifier": "classifier",
}


def function_name(step: Step) -> str:
    """The C function of a step."""
    return f"dwl_{identifier(step.name)}"


def emit_step(out: Lines, step: Step, source: str, activation: str, dialect: Dialect) -> None:
    """Append the function of a step.

    Args:
        source: name of the step that it reads from, unless it is the stem.
        activation: the network's.
        dialect: of its precision.
    """
    _comment(out, step, activation, dialect)
    first = "const uint8_t *pixels, " if step.kind == "stem" else ""
    worker = ", dwk_worker *worker" if step.split else ""
    with out.block(f"static void {function_name(step)}({first}uint8_t *arena{worker})"):
        match step.kind:
            case "pool":
                _pool(out, step, source, dialect)
            case "classifier":
                _classifier(out, step, source, dialect)
            case _:
                _convolution(out, step, source, dialect)
    out.add("")


def _comment(out: Lines, step: Step, activation: str, dialect: Dialect) -> None:
    lines = []
    for layer in step.layers:
        what = _KINDS[layer.kind]
        if layer.kernel == 3 and layer.kind != "pool":
            pad = layer.padding
            what += f" 3x3, stride {layer.stride}, padding {pad.top} {pad.bottom} {pad.left} {pad.right} (t b l r)"
        what += f", {activation}" if layer.norm else ""
        lines += [f"{layer.name}: {what}", f"  {layer.input} -> {layer.output}; {multiply_adds(layer):,} multiply-adds"]
    if step.rows:
        lines.append("whole map at once" if step.rows == step.output.shape.height else f"{step.rows} rows at a time")
    if step.split:
        lines.append("threads share " + ("blocks of rows" if step.split == "blocks" else step.split))
    lines += wide.comment(step, dialect)
    lines.append("kernels " + ", ".join(call.form.name for call in step.calls))
    out.add(*[("/* " if i == 0 else " * ") + line for i, line in enumerate(lines[:-1])], f" * {lines[-1]} */")


def _convolution(out: Lines, step: Step, source: str, dialect: Dialect) -> None:
    """Stem, separable block or standard convolution: border, then rows by rows."""
    _sizes(out, step)
    _product_shape(out, step)
    _image_shapes(out, step)
    if step.kind == "separable":
        dialect.roundings(out, step, middle=step.layers[0])
    dialect.roundings(out, step, rounding=step.layers[-1])
    if step.tiles is not None:
        values = amx.VALUES[dialect.lowered.precision]
        out.add(f"dwk_tiles_begin({step.tiles.pixels}, {step.tiles.bytes}, {values});")
    if step.kind == "separable" and step.split == "channels":
        _halves(out, step, source, dialect)
        return
    with phase(out, step):
        _maps(out, step, source, dialect)
        _border(out, step, dialect)
        _move_inside(out, step)
        _all_rows(out, step, dialect)


def _halves(out: Lines, step: Step, source: str, dialect: Dialect) -> None:
    """A separable block of which threads share channels: products begin when all of the depthwise half is done."""
    _maps(out, step, source, dialect)
    with phase(out, step):
        _border(out, step, dialect)
        _depthwise(out, step, "input", "H", "between", dialect)
    _move_inside(out, step)
    if step.strassen is not None:
        with phase(out, step):
            emit_sums(out, step, step.strassen, "H", "between", "output", dialect)
    with phase(out, step):
        emit_products(out, step, "H", "between", "output", dialect)


def _maps(out: Lines, step: Step, source: str, dialect: Dialect) -> None:
    """Where the maps of a step lie."""
    if step.kind != "stem":
        out.add(f"const {dialect.c.value} *input = {dialect.at(source)};")
    if step.scratch:
        own = " + worker->index * SCRATCH" if step.split == "blocks" else ""
        out.add(f"{dialect.c.value} *between = {dialect.at(step.name + '.rows')}{own};")
    if step.strassen is not None:
        out.add(f"{dialect.c.value} *sums = between + ROWS * W * BETWEEN;")
    out.add(f"{dialect.c.value} *output = {dialect.at(step.name)};")


def _border(out: Lines, step: Step, dialect: Dialect) -> None:
    """The rows of a thread, and the border around them."""
    start, end = "0", "H"
    if step.split:
        start, end = "own.first", "own.end"
        grain = "ROWS" if step.split == "blocks" else str(step.grain)
        if step.split != "channels" or step.output.border != NO_BORDER:
            out.add(f"const dwk_part own = dwk_own(worker, H, {grain});")
    border = step.output.border
    if border != NO_BORDER:
        padding = dialect.padding(step.layers[-1])
        out.add(f"{dialect.c.border}(&around, {border.top}, {border.bottom}, {start}, {end}, {padding}output);")


def _move_inside(out: Lines, step: Step) -> None:
    """From the border to the first value of the map."""
    border = step.output.border
    if border != NO_BORDER:
        out.add(f"output += {border.top} * OUTPUT_ROW + {border.left} * {_pixel(step.output, 'N')};")


def _all_rows(out: Lines, step: Step, dialect: Dialect) -> None:
    """The rows of a thread, or all."""
    H = step.layers[-1].output.height
    if step.split == "rows":
        out.add("const int32_t y = own.first, rows = own.end - own.first;")
        _rows(out, step, "y", "rows", dialect)
        return
    if step.split != "blocks" and step.rows == H:
        _rows(out, step, "0", "H", dialect)
        return
    start, end = ("own.first", "own.end") if step.split else ("0", "H")
    with out.block(f"for (int32_t y = {start}; y < {end}; y += ROWS) {{"):
        rows = "ROWS"
        if H % step.rows:
            rows = "rows"
            out.add("int32_t rows = H - y < ROWS ? H - y : ROWS;")
        _rows(out, step, "y", rows, dialect)


def _sizes(out: Lines, step: Step) -> None:
    first, last = step.layers[0], step.layers[-1]
    sizes = {
        "H": last.output.height,
        "W": last.output.width,
        "C": first.input.channels,
        "N": last.output.channels,
        "STRIDE": first.stride,
        "ROWS": step.rows,
        "INPUT_ROW": step.input.row,
        "OUTPUT_ROW": step.output.row,
    }
    if step.scratch_step:
        sizes["BETWEEN"] = step.scratch_step
    if step.scratch and step.split == "blocks":
        sizes["SCRATCH"] = step.scratch
    with out.block("enum {", "};"):
        out.add(*(f"{name} = {value}," for name, value in sizes.items()))


def _product_shape(out: Lines, step: Step) -> None:
    if step.kind == "separable":
        fields = {"taps": "1", "depth": "C", "tap": "0", "step": "BETWEEN", "row": "W * BETWEEN"}
    else:
        fields = {
            "taps": "3",
            "depth": "3 * C",
            "tap": "INPUT_ROW",
            "step": f"STRIDE * {_pixel(step.input, 'C')}",
            "row": "STRIDE * INPUT_ROW",
        }
    fields |= {"width": "W", "output_step": _pixel(step.output, "N"), "output_row": "OUTPUT_ROW"}
    with out.block("static const dwk_product product = {", "};"):
        out.add(*(f".{name} = {value}," for name, value in fields.items()))


def _pixel(place: Map, channels: str) -> str:
    """The distance of its pixels, as the letter of its channels where they lie side by side."""
    return channels if place.pixel == place.shape.channels else str(place.pixel)


def _image_shapes(out: Lines, step: Step) -> None:
    if step.kind == "stem":
        _image_shape(out, "image", step.input)
    if step.output.border != NO_BORDER:
        _image_shape(out, "around", step.output)


def _image_shape(out: Lines, name: str, place: Map) -> None:
    shape, border = place.shape, place.border
    fields = {
        "height": f"{shape.height}",
        "width": f"{shape.width} * {place.pixel}",
        "left": f"{border.left} * {place.pixel}",
        "right": f"{border.right} * {place.pixel}" + (f" + {place.apart}" if place.apart else ""),
    }
    text = ", ".join(f".{field} = {value}" for field, value in fields.items())
    out.add(f"static const dwk_image {name} = {{{text}}};")


def _rows(out: Lines, step: Step, y: str, rows: str, dialect: Dialect) -> None:
    """The kernels of `rows` rows of outputs from row `y` on."""
    first = step.layers[0]
    at_input = "input" if y == "0" else "input + y * (STRIDE * INPUT_ROW)"
    at_output = "output" if y == "0" else "output + y * OUTPUT_ROW"
    source = "between" + (f" + {y} * W * BETWEEN" if step.split == "rows" else "")
    match step.kind:
        case "stem":
            top = f"{y} * STRIDE - {first.padding.top}"
            out.add(
                f"{dialect.c.pixels}(&image, {top}, ({rows} - 1) * STRIDE + 3, pixels,",
                f"    {dialect.c.edge}, between);",
            )
        case "separable":
            _depthwise(out, step, at_input, rows, source, dialect)
        case _:
            source = at_input
    emit_products(out, step, rows, source, at_output, dialect)


def _depthwise(out: Lines, step: Step, at_input: str, rows: str, between: str, dialect: Dialect) -> None:
    """The first half of a separable block."""
    call, channels = step.calls[0], _channels(out, step, "C")
    out.add(
        f"{call.form.name}({at_input}, INPUT_ROW, {rows}, W, C, {channels},",
        f"    {dialect.weights(step, call)}, {dialect.round('middle')}{between}, BETWEEN);",
    )
    wide.wide_depthwise(out, step, at_input, rows, channels, between, dialect)


def _channels(out: Lines, step: Step, all_: str) -> str:
    """The arguments for the channels that a thread computes without a product."""
    if step.split != "channels":
        return f"0, {all_}"
    out.add(f"const dwk_part channels = dwk_own(worker, {all_}, {step.lanes * step.vectors});")
    return "channels.first, channels.end"


def _pool(out: Lines, step: Step, source: str, dialect: Dialect) -> None:
    (layer,), (call,) = step.layers, step.calls
    shape = step.input.shape
    dialect.roundings(out, step, rounding=layer)
    weights = f"{dialect.weights(step, call)}, {dialect.round('rounding')}" if dialect.lowered.rounds else ""
    with phase(out, step):
        size = f"{shape.height}, {shape.width}, {shape.channels}, {_channels(out, step, str(shape.channels))}"
        out.add(f"{call.form.name}({dialect.at(source)}, {size},", f"    {weights}{dialect.features(step.name)});")


def _classifier(out: Lines, step: Step, source: str, dialect: Dialect) -> None:
    (layer,) = step.layers
    dialect.roundings(out, step, rounding=layer)
    output = f"{dialect.round('rounding')}dwl_at(arena, DWL_AT_{constant(step.name)})"
    with phase(out, step):
        for part in parts(out, step):
            weights = dialect.weights(step, part.call, part.own)
            out.add(
                f"{part.call.form.name}({dialect.features(source)}, {layer.input.channels}, {part.count},",
                f"    {weights}, {output}{part.behind});",
            )
            wide.wide_classifier(out, step, dialect.features(source), output, part.range, dialect)
