"""What model.c has on every kind of processor: its sizes, where things lie, texts, and how features are read."""

from __future__ import annotations

from collections.abc import Mapping

from depthwise import __version__
from depthwise.compiler.choices import Parts
from depthwise.compiler.emit.ctext import Lines, constant, strings
from depthwise.compiler.emit.dialect import Vocabulary
from depthwise.compiler.lower.compilation import Compilation
from depthwise.compiler.lower.lower import Lowered
from depthwise.compiler.plan.plan import Plan
from depthwise.kernels.layout import LESS
from depthwise.limits import LONGEST_SIDE
from depthwise.network.description import Described
from depthwise.network.layers import layers
from depthwise.precision import PRECISIONS


def title(job: Compilation, file: str, level: str) -> tuple[str, ...]:
    """The first lines of a file, a comment that is left open."""
    spec = job.model.spec
    return (
        f"/* {file}: MobileNet V1 of width {spec.width:g} in {job.precision}, {spec.resolution}x{spec.resolution}"
        f"x{spec.channels} pixels to {spec.classes} labels.",
        f" * Written by depthwise {__version__} for target {job.target}{level}; how to call it stands in depthwise.h.",
    )


def sizes(out: Lines, job: Compilation, parts: Parts) -> None:
    """Append the precision, the parts that are left out, and the network's sizes."""
    spec, macro = job.model.spec, PRECISIONS[job.precision].macro
    known = ("DWL_INT8", "DWL_BF16")
    out.add(
        "/* Whether activations are bytes (docs/int8.md), bfloat16, or else floats. */",
        *(f"#define {name} {int(name == macro)}" for name in known),
        *([f"#define {macro} 1"] if macro not in ("", *known) else []),
        *_left_out(parts),
        "",
    )
    with out.block("enum {", "};"):
        values = {"HEIGHT": spec.resolution, "WIDTH": spec.resolution, "CHANNELS": spec.channels}
        values |= {"LABELS": spec.classes, "FEATURES": layers(spec)[-1].input.channels}
        out.add(*(f"DWL_{name} = {value}," for name, value in values.items()))
    out.add("")


def _left_out(parts: Parts) -> tuple[str, ...]:
    """What headers are told of the parts that an artifact has not, or has smaller."""
    without = {"PREPARE": parts.prepare, "ARENA": parts.arena}
    lines = tuple(f"#define DWL_WITHOUT_{name} 1" for name, is_there in without.items() if not is_there)
    is_less = parts.prepare and parts.longest_side != LONGEST_SIDE
    return (*lines, f"#define DWK_LONGEST_SIDE {parts.longest_side}") if is_less else lines


def places(out: Lines, model: Described, plan: Plan, offsets: Mapping[str, int]) -> None:
    """Append how frames are prepared, and where everything lies in the arena and among the constants."""
    pre = model.preprocessing
    ways = {
        "crop": ("Resize the shorter side of a frame to DWK_RESIZE, cut out DWK_CROP x DWK_CROP.", []),
        "squash": ("Resize both sides of a frame to DWK_CROP.", ["#define DWK_SQUASH"]),
        "fit": (
            "Resize the longer side of a frame to DWK_CROP, put it in the middle of a square of the colour DWK_FILL.",
            ["#define DWK_FIT", f"#define DWK_FILL {{{', '.join(map(str, pre.fill))}}}"],
        ),
    }
    comment, more = ways[pre.mode]
    if pre.filter == "bicubic":
        more = [*more, "#define DWK_BICUBIC"]
    out.add(
        f"/* {comment} */",
        f"#define DWK_CHANNELS {model.spec.channels}",
        f"#define DWK_RESIZE {pre.resize}",
        f"#define DWK_CROP {pre.crop}",
        *more,
        "",
        "/* Where things lie in the arena, and what they take, in bytes. Some take turns at the same place. */",
    )
    with out.block("enum {", "};"):
        out.add(
            *(f"DWL_AT_{constant(n)} = {r.offset}, /* {r.bytes} */" for n, r in plan.regions.items()),
            f"DWL_ARENA_BYTES = {plan.arena_bytes}",
        )
    out.add("", "/* Where each part of dwl_weights begins, in words. */")
    with out.block("enum {", "};"):
        out.add(*(f"DWL_WEIGHTS_{constant(n)} = {start}," for n, start in offsets.items()))
    out.add("")


def access(out: Lines, c: Vocabulary | None = None) -> None:
    """Append how constants and what lies in the arena are reached; without a vocabulary, floats alone."""
    out.add(
        "/* In the order in which they are read. Hidden from other libraries, and so reached without a table. */",
        'extern const uint32_t dwl_weights[] __attribute__((visibility("hidden")));',
        "#define dwl_constants ((const dwk_float *)dwl_weights)",
        "",
        "#define dwl_at(arena, offset) ((dwk_float *)(void *)((arena) + (offset)))",
    )
    if c is not None and c.access not in ("", "dwl_at"):
        out.add(f"#define {c.access}(arena, offset) (({c.value} *)(void *)((arena) + (offset)))")
    out.add("")


def threads(out: Lines, most: int, header: str = "") -> None:
    """Append on how many threads a call may run, and the header that several need."""
    out.add("/* The most threads that a call may run on. */", f"#define DWL_THREADS {most}")
    if most > 1:
        out.add(f'#include "{header}"')
    out.add("")


def features(out: Lines, plan: Plan, lowered: Lowered) -> None:
    """Append what dw_features gives: the output of the pool in real numbers."""
    pool = next(step for step in plan.steps if step.kind == "pool")
    at = f"DWL_AT_{constant(pool.name)}"
    thin = lowered.features
    place = "i"
    if thin is not None:
        place = "place"
        out.add("/* Where each feature is in the pool's output; -1 for one that is the same for every image. */")
        out.table("static const int16_t dwl_feature_places[DWL_FEATURES]", [str(index) for index in thin.places])
        out.add("")
    out.add("/* What the classifier reads, in real numbers. */")
    if lowered.rounds:
        zero = lowered.rounding(pool.layers[0]).zero_point
        byte = f"arena[{at} + {place}]" + (f" ^ {LESS}" if plan.layout.stored == "signed" else "")
        byte = f"({byte})" if "^" in byte else byte
        value = f"(float)({byte} - {zero}) * dwl_constants[DWL_WEIGHTS_FEATURES + i]"
    else:
        value = f"((const dwk_float *)(const void *)(arena + {at}))[{place}]"
    head = "static void dwl_features(const uint8_t *arena, dwk_float *features)"
    with out.block(head), out.block("for (int32_t i = 0; i < DWL_FEATURES; i++) {"):
        if thin is None:
            out.add(f"features[i] = {value};")
        else:
            out.add("int32_t place = dwl_feature_places[i];")
            out.add("features[i] = place < 0 ? dwl_constants[DWL_WEIGHTS_CONSTANT_FEATURES + i]")
            out.add(f"                        : {value};")
    out.add("")


def texts(out: Lines, model: Described, record: str) -> None:
    """Append the record and the labels."""
    pieces = strings(record)
    out.add("static const char dwl_record[] =", *(f"    {piece}" for piece in pieces[:-1]), f"    {pieces[-1]};", "")
    with out.block("static const char *const dwl_labels[DWL_LABELS] = {", "};"):
        for label in model.labels:
            pieces = strings(label)
            if len(pieces) > 1:
                # clang takes literals side by side in an array for a forgotten comma unless they stand in parentheses.
                pieces = [f"({pieces[0]}", *(f" {piece}" for piece in pieces[1:-1]), f" {pieces[-1]})"]
            out.add(*pieces[:-1], f"{pieces[-1]},")
    out.add("")
