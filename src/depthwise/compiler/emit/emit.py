"""The text of model.c, and of the files beside it where an artifact has several levels."""

from __future__ import annotations

from collections.abc import Mapping

from depthwise import __version__
from depthwise.compiler.choices import Parts
from depthwise.compiler.emit.ctext import Lines, constant, strings
from depthwise.compiler.emit.dialect import VOCABULARIES, Vocabulary, dialect
from depthwise.compiler.emit.step import emit_step, function_name
from depthwise.compiler.lower.compilation import Compilation
from depthwise.compiler.lower.lower import Lowered
from depthwise.compiler.lower.wide import has_wide
from depthwise.compiler.pack import Packed
from depthwise.compiler.plan.plan import Plan
from depthwise.kernels.layout import LESS
from depthwise.limits import LONGEST_SIDE
from depthwise.network.description import Described
from depthwise.network.layers import layers
from depthwise.precision import PRECISIONS

# The end of the comment at the top.
_LEGEND = (
    " *",
    " * A step is one function dwl_<layer or block>; kernels dwk_... are in the headers beside this file. Values",
    " * lie as height x width x channels. H and W are the sizes of a step's output, C and N the channels of its",
    " * input and output; a row is the distance from one row to the next, in values. */",
    "",
)


def emit_model(job: Compilation, level: str, plan: Plan, packed: Packed, record: str) -> str:
    """model.c: one function a step, and the functions of depthwise.h.

    The same model and target give the same text; it holds no time and no path.

    Args:
        level: what the one level of instructions is called.
    """
    out = Lines()
    out.add(*_title(job, "model.c", ""), *_LEGEND)
    _sizes(out, job, plan.parts)
    _network_of_level(out, job, plan, packed, "dwk_threads.h")
    out.add(
        '#include "dwk_as_level.h"',
        "",
        f'static const dwk_level dwl_level = DWK_LEVEL("{level}");',
        "static const dwk_level *const dwl_levels[] = {&dwl_level};",
        "",
    )
    _texts(out, job.model, record)
    out.add('#include "dwk_interface.h"')
    return str(out)


def emit_level(job: Compilation, level: str, plan: Plan, packed: Packed) -> str:
    """level-<name>.c of an artifact with several: the same functions, and what model.c of `emit_levels` reaches."""
    out = Lines()
    out.add(*_title(job, file_of_level(level), f", at level {level}"), *_LEGEND)
    _sizes(out, job, plan.parts)
    _network_of_level(out, job, plan, packed, "dwk_team.h")
    name = _constant_of_level(level)
    out.add(
        '#include "dwk_as_level.h"',
        "",
        "/* For model.c. */",
        f'extern const dwk_level {name} __attribute__((visibility("hidden")));',
        f'const dwk_level {name} = DWK_LEVEL("{level}");',
    )
    return str(out)


def emit_levels(job: Compilation, plans: Mapping[str, Plan], packed: Packed, record: str) -> str:
    """model.c of an artifact with several levels: the functions of depthwise.h, which choose among them."""
    out = Lines()
    lowest = next(iter(plans))
    names = [_constant_of_level(level) for level in plans]
    out.add(*_title(job, "model.c", ""))
    out.add(
        " *",
        f" * The network is in {file_of_level(lowest)} and the files beside it, once for each level of instructions;",
        " * here is what chooses among them. Compiled for the lowest. */",
        "",
    )
    _sizes(out, job, plans[lowest].parts)
    with out.block("enum {", "};"):
        out.add(
            f"DWL_ARENA_BYTES = {max(plan.arena_bytes for plan in plans.values())}, /* of the level that needs most */",
            f"DWL_WEIGHTS_GOLDEN = {packed.offsets['golden']}",
        )
    out.add("")
    _threads(out, plans[lowest].threads, "dwk_threads.h")
    out.add('#include "dwk_level.h"', "")
    _access(out, VOCABULARIES[job.precision])
    out.add("/* From the lowest to the highest. */")
    out.add(*(f'extern const dwk_level {name} __attribute__((visibility("hidden")));' for name in names))
    out.table("static const dwk_level *const dwl_levels[]", [f"&{name}" for name in names])
    out.add("")
    _texts(out, job.model, record)
    out.add('#include "dwk_interface.h"')
    return str(out)


def file_of_level(level: str) -> str:
    """The file of a level's network."""
    return f"level-{level}.c"


def _constant_of_level(level: str) -> str:
    """What model.c knows a level by."""
    return f"dwl_level_{level}"


def _title(job: Compilation, file: str, level: str) -> tuple[str, ...]:
    """The first lines of a file, a comment that is left open."""
    spec = job.model.spec
    return (
        f"/* {file}: MobileNet V1 of width {spec.width:g} in {job.precision}, {spec.resolution}x{spec.resolution}"
        f"x{spec.channels} pixels to {spec.classes} labels.",
        f" * Written by depthwise {__version__} for target {job.target}{level}; how to call it stands in depthwise.h.",
    )


def _network_of_level(out: Lines, job: Compilation, plan: Plan, packed: Packed, workers: str) -> None:
    """The network as it is planned for one level: constants, kernels, a function a step."""
    activation = job.model.spec.activation
    words = dialect(job.lowered, plan, packed)
    _places(out, job.model, plan, packed.offsets)
    _includes(out, plan, words.c.images, job.lowered)
    _threads(out, plan.threads, workers)
    _access(out, words.c)
    previous = ""
    for step in plan.steps:
        emit_step(out, step, previous, activation, words)
        previous = step.name
    _network(out, plan)
    _features(out, plan, job.lowered)


def _sizes(out: Lines, job: Compilation, parts: Parts) -> None:
    spec = job.model.spec
    out.add(
        "/* Whether activations are bytes (docs/int8.md), bfloat16, or else floats. */",
        *(f"#define {name} {int(name == PRECISIONS[job.precision].macro)}" for name in ("DWL_INT8", "DWL_BF16")),
        *_left_out(parts),
        "",
    )
    with out.block("enum {", "};"):
        sizes = {"HEIGHT": spec.resolution, "WIDTH": spec.resolution, "CHANNELS": spec.channels}
        sizes |= {"LABELS": spec.classes, "FEATURES": layers(spec)[-1].input.channels}
        out.add(*(f"DWL_{name} = {value}," for name, value in sizes.items()))
    out.add("")


def _left_out(parts: Parts) -> tuple[str, ...]:
    """What headers are told of the parts that an artifact has not, or has smaller."""
    without = {"PREPARE": parts.prepare, "ARENA": parts.arena}
    lines = tuple(f"#define DWL_WITHOUT_{name} 1" for name, is_there in without.items() if not is_there)
    is_less = parts.prepare and parts.longest_side != LONGEST_SIDE
    return (*lines, f"#define DWK_LONGEST_SIDE {parts.longest_side}") if is_less else lines


def _places(out: Lines, model: Described, plan: Plan, offsets: Mapping[str, int]) -> None:
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


def _includes(out: Lines, plan: Plan, images: str, lowered: Lowered) -> None:
    out.add("/* The forms of kernels that this network uses; docs/kernel-names.md reads their names. */")
    out.add(f'#include "{images}"')
    seen = tuple(dict.fromkeys(call.form for step in plan.steps for call in step.calls))
    out.add(*(f'#include "{name}"' for name in dict.fromkeys(form.vocabulary for form in seen) if name))
    for form in seen:
        out.add("", f"/* {form.name} */")
        out.add(*(f"#define {name} {value}" for name, value in form.macros))
        out.add(f'#include "{form.header}"')
    if has_wide(plan.steps, lowered):
        out.add("", "/* Channels with factors beyond a signed byte. */", '#include "dwk_wide_i8.h"')
    out.add("")


def _access(out: Lines, c: Vocabulary) -> None:
    out.add(
        "/* In the order in which they are read. Hidden from other libraries, and so reached without a table. */",
        'extern const uint32_t dwl_weights[] __attribute__((visibility("hidden")));',
        "#define dwl_constants ((const dwk_float *)dwl_weights)",
        "",
        "#define dwl_at(arena, offset) ((dwk_float *)(void *)((arena) + (offset)))",
    )
    if c.access not in ("", "dwl_at"):
        out.add(f"#define {c.access}(arena, offset) (({c.value} *)(void *)((arena) + (offset)))")
    out.add("")


def _threads(out: Lines, threads: int, header: str) -> None:
    out.add("/* The most threads that a call may run on. */", f"#define DWL_THREADS {threads}")
    if threads > 1:
        out.add(f'#include "{header}"')
    out.add("")


def _network(out: Lines, plan: Plan) -> None:
    out.add("/* Prepared pixels to the sums of the labels. */")
    worker = ", dwk_worker *worker" if plan.threads > 1 else ""
    with out.block(f"static void dwl_network(const uint8_t *pixels, uint8_t *arena{worker})"):
        for step in plan.steps:
            pixels = "pixels, " if step.kind == "stem" else ""
            out.add(f"{function_name(step)}({pixels}arena{', worker' if worker else ''});")
        if any(step.tiles is not None for step in plan.steps):
            out.add("dwk_tiles_end();")
    out.add("")


def _features(out: Lines, plan: Plan, lowered: Lowered) -> None:
    """What dw_features gives: the output of the pool in real numbers."""
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


def _texts(out: Lines, model: Described, record: str) -> None:
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
