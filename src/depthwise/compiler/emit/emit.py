"""The text of model.c, and of the files beside it where an artifact has several levels."""

from __future__ import annotations

from collections.abc import Mapping

from depthwise.compiler.emit.ctext import Lines
from depthwise.compiler.emit.dialect import VOCABULARIES, dialect
from depthwise.compiler.emit.parts import access, features, places, sizes, texts, threads, title
from depthwise.compiler.emit.step import emit_step, function_name
from depthwise.compiler.lower.compilation import Compilation
from depthwise.compiler.lower.lower import Lowered
from depthwise.compiler.lower.wide import has_wide
from depthwise.compiler.pack import Packed
from depthwise.compiler.plan.plan import Plan

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
    out.add(*title(job, "model.c", ""), *_LEGEND)
    sizes(out, job, plan.parts)
    _network_of_level(out, job, plan, packed, "dwk_threads.h")
    out.add(
        '#include "dwk_as_level.h"',
        "",
        f'static const dwk_level dwl_level = DWK_LEVEL("{level}");',
        "static const dwk_level *const dwl_levels[] = {&dwl_level};",
        "",
    )
    texts(out, job.model, record)
    out.add('#include "dwk_interface.h"')
    return str(out)


def emit_level(job: Compilation, level: str, plan: Plan, packed: Packed) -> str:
    """level-<name>.c of an artifact with several: the same functions, and what model.c of `emit_levels` reaches."""
    out = Lines()
    out.add(*title(job, file_of_level(level), f", at level {level}"), *_LEGEND)
    sizes(out, job, plan.parts)
    _network_of_level(out, job, plan, packed, "dwk_team.h")
    name = _constant_of_level(level)
    out.add(*_maker(plan))
    out.add(
        '#include "dwk_as_level.h"',
        "",
        "/* For model.c. */",
        f'extern const dwk_level {name} __attribute__((visibility("hidden")));',
        f'const dwk_level {name} = DWK_LEVEL("{level}");',
    )
    return str(out)


def _maker(plan: Plan) -> tuple[str, ...]:
    """What is said of a level for one maker's processors."""
    if not plan.machine.is_own:
        return ()
    return (
        "/* Of other makers' processors the next lower level is faster. */",
        f'#define DWL_MAKER "{plan.machine.maker}"',
    )


def emit_levels(job: Compilation, plans: Mapping[str, Plan], packed: Packed, record: str) -> str:
    """model.c of an artifact with several levels: the functions of depthwise.h, which choose among them."""
    out = Lines()
    lowest = next(iter(plans))
    names = [_constant_of_level(level) for level in plans]
    out.add(*title(job, "model.c", ""))
    out.add(
        " *",
        f" * The network is in {file_of_level(lowest)} and the files beside it, once for each level of instructions;",
        " * here is what chooses among them. Compiled for the lowest. */",
        "",
    )
    sizes(out, job, plans[lowest].parts)
    with out.block("enum {", "};"):
        out.add(
            f"DWL_ARENA_BYTES = {max(plan.arena_bytes for plan in plans.values())}, /* of the level that needs most */",
            f"DWL_WEIGHTS_GOLDEN = {packed.offsets['golden']}",
        )
    out.add("")
    threads(out, plans[lowest].threads, "dwk_threads.h")
    out.add('#include "dwk_level.h"', "")
    access(out, VOCABULARIES[job.precision])
    out.add("/* From the lowest to the highest. */")
    out.add(*(f'extern const dwk_level {name} __attribute__((visibility("hidden")));' for name in names))
    out.table("static const dwk_level *const dwl_levels[]", [f"&{name}" for name in names])
    out.add("")
    texts(out, job.model, record)
    out.add('#include "dwk_interface.h"')
    return str(out)


def file_of_level(level: str) -> str:
    """The file of a level's network."""
    return f"level-{level}.c"


def _constant_of_level(level: str) -> str:
    """What model.c knows a level by."""
    return f"dwl_level_{level}"


def _network_of_level(out: Lines, job: Compilation, plan: Plan, packed: Packed, workers: str) -> None:
    """The network as it is planned for one level: constants, kernels, a function a step."""
    activation = job.model.spec.activation
    words = dialect(job.lowered, plan, packed)
    places(out, job.model, plan, packed.offsets)
    _includes(out, plan, words.c.images, job.lowered)
    threads(out, plan.threads, workers)
    access(out, words.c)
    previous = ""
    for step in plan.steps:
        emit_step(out, step, previous, activation, words)
        previous = step.name
    _network(out, plan)
    features(out, plan, job.lowered)


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
        out.add("", "/* Channels with factors beyond those of their kernels. */", '#include "dwk_wide_i8.h"')
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
