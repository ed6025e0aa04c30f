"""C of a network for a GPU: kernels.c, of which PTX is made, and the model.c that loads and launches that."""

from __future__ import annotations

from collections.abc import Mapping

from depthwise.compiler.emit.ctext import Lines
from depthwise.compiler.emit.parts import access, features, places, sizes, texts, threads, title
from depthwise.compiler.emit.step import function_name
from depthwise.compiler.gpu.plan import RESULTS, GpuPlan, Launch
from depthwise.compiler.lower.compilation import Compilation
from depthwise.network.layers import multiply_adds

LEVEL = "cuda"
# The part of the constants that holds the kernels as PTX.
KERNELS = "kernels"


def emit_kernels(job: Compilation, plan: GpuPlan) -> str:
    """kernels.c: one kernel a step, each for the sizes of its layers."""
    out = Lines()
    out.add(*title(job, "kernels.c", ""))
    out.add(" * Compiled to PTX; each kernel is a header with the sizes of a step. */")
    for launch in plan.launches:
        step = launch.step
        out.add("", f"/* {step.name}: {step.input.shape} -> {step.output.shape}; {_cost(launch)}")
        out.add(f" * {launch.form.name} */")
        out.add(*(f"#define {name} {value}" for name, value in launch.form.macros))
        out.add(f'#include "{launch.form.header}"')
        out.add(*(f"#undef {name}" for name, _ in launch.form.macros))
    return str(out)


def _cost(launch: Launch) -> str:
    count, cut = sum(map(multiply_adds, launch.step.layers)), launch.grid
    return f"{count:,} multiply-adds in {cut.blocks_x} x {cut.blocks_y} blocks of {cut.threads} threads"


def emit_gpu_model(job: Compilation, plan: GpuPlan, offsets: Mapping[str, int], record: str) -> str:
    """model.c: where everything lies, the launches in their order, and the functions of depthwise.h.

    Args:
        offsets: the first word of each part of the constants.
    """
    out = Lines()
    out.add(*title(job, "model.c", ""))
    out.add(
        " * Its kernels are PTX among the constants, made of the headers that dwl_launches and kernels/cuda name. */"
    )
    out.add("")
    sizes(out, job, plan.host.parts)
    places(out, job.model, plan.host, offsets)
    _on_gpu(out, plan)
    threads(out, plan.host.threads)
    out.add('#include "dwk_launch.h"', '#include "dwk_vector.h"', "")
    access(out)
    _launches(out, plan, offsets)
    out.add('#include "dwk_cuda.h"', "")
    out.add("/* Prepared pixels to the sums of the labels; what came of it stands in the arena. */")
    with out.block("static void dwl_network(const uint8_t *pixels, uint8_t *arena)"):
        out.add("int32_t *status = (int32_t *)(void *)(arena + DWL_AT_STATUS);")
        out.add("*status = dwk_on_gpu(pixels, arena + DWL_AT_CLASSIFIER);")
    out.add("")
    features(out, plan.host, job.lowered)
    out.add('#include "dwk_as_level.h"', "")
    out.add(f'static const dwk_level dwl_level = DWK_LEVEL("{LEVEL}");')
    out.add("static const dwk_level *const dwl_levels[] = {&dwl_level};", "")
    texts(out, job.model, record)
    out.add('#include "dwk_interface.h"')
    return str(out)


def _on_gpu(out: Lines, plan: GpuPlan) -> None:
    """What is copied, and where on the GPU it lies."""
    out.add("/* The network runs on a GPU: what goes there and comes back, and what lies there, in bytes. */")
    out.add("#define DWL_ON_GPU 1")
    with out.block("enum {", "};"):
        out.add(
            f"DWL_PIXEL_BYTES = {plan.device['pixels'].bytes},",
            f"DWL_RESULT_BYTES = {plan.result_bytes}, /* into the arena from DWL_AT_CLASSIFIER on */",
            f"DWL_GPU_AT_PIXELS = {plan.device['pixels'].offset},",
            f"DWL_GPU_AT_RESULTS = {plan.device[RESULTS].offset},",
            f"DWL_GPU_BYTES = {plan.device_bytes} /* of all activations */",
        )
    out.add("")


def _launches(out: Lines, plan: GpuPlan, offsets: Mapping[str, int]) -> None:
    out.add("/* Kernel, blocks in both directions, threads of each, input, output, constants of one or two layers. */")
    with out.block("static const dwk_launch dwl_launches[] = {", "};"):
        for launch in plan.launches:
            layers = [offsets[layer.name] for layer in launch.step.layers]
            cut = launch.grid
            numbers = (cut.blocks_x, cut.blocks_y, cut.threads, launch.reads, launch.writes, layers[0], layers[-1])
            out.add(f'{{"{function_name(launch.step)}", {", ".join(map(str, numbers))}}},')
    out.add("")
