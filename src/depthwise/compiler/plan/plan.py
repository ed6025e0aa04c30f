"""How a network runs on a machine: steps, tiles of the matrix products, and where everything lies in the arena.

Sizes: H W C of an input, N output channels; distances are in values, floats or bytes, unless a name says bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from depthwise.compiler.choices import DEFAULT, WHOLE, Choices, Parts
from depthwise.compiler.plan.arena import Region, Value, place
from depthwise.compiler.plan.steps import Setting, make_step
from depthwise.compiler.step import Step
from depthwise.errors import Refused
from depthwise.kernels.layout import Layout
from depthwise.kernels.machine import Machine
from depthwise.kernels.weights import Weights
from depthwise.limits import LONGEST_SIDE
from depthwise.network.layers import Layer, groups, layers
from depthwise.network.preprocessing import Preprocessing
from depthwise.network.spec import Spec
from depthwise.precision import FLOAT, Precision, Row


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Steps in the order in which data flows, and the arena.

    `regions` has one entry for each of `prepare` (unless it is left out), `pixels`, the output of each step by its
    name, `<name>.rows` for the scratch of a step (side by side those of all threads, where each has one), and
    `probabilities`.
    `threads` is the most that a call may run on; `parts` what the artifact has beside its network.
    """

    precision: Precision
    machine: Machine
    steps: tuple[Step, ...]
    regions: dict[str, Region]
    arena_bytes: int
    threads: int = 1
    parts: Parts = WHOLE

    @property
    def layout(self) -> Layout:
        """How activations lie, from the first step's output to the last one's input."""
        return self.steps[0].output.layout


def plan(
    spec: Spec,
    preprocessing: Preprocessing,
    machine: Machine,
    choices: Choices = DEFAULT,
    *,
    logits: str = "",
    table: tuple[Layer, ...] | None = None,
    numbers: Mapping[str, Weights] | None = None,
) -> Plan:
    """The plan of a network for a machine.

    Args:
        table: the layers to run, where they are not all of the network's in full.
        logits: what an int8 network makes of its last sums, "products" or "bytes".
        choices: without a precision the network is float32.
        numbers: of each layer by its name, on which the ways of some kernels to round depend; where there are none,
            rounding is what is always right.
    Raises: Refused, when its activations take more memory than the emitted C can address.
    """
    table = table or layers(spec)
    numbers = numbers or {}
    setting = Setting(
        machine=machine,
        activation=spec.activation,
        choices=choices,
        logits=logits,
        numbers=numbers,
    )
    parts = groups(table)
    steps: list[Step] = []
    for index, group in enumerate(parts):
        following = parts[index + 1][0] if index + 1 < len(parts) else None
        steps.append(make_step(group, steps[-1].output if steps else None, following, setting))
    values = _values(steps, preprocessing, setting.row, choices)
    regions, arena_bytes = place(values)
    if arena_bytes > _LARGEST_ARENA:
        raise Refused(
            f"this network needs {arena_bytes:,} bytes of memory for activations and at most {_LARGEST_ARENA:,} can be"
            " addressed; choose a smaller resolution or width"
        )
    return Plan(
        precision=setting.precision,
        machine=machine,
        steps=tuple(steps),
        regions=regions,
        arena_bytes=arena_bytes,
        threads=choices.threads,
        parts=choices.parts,
    )


# Offsets in the arena are 32-bit in the emitted C.
_LARGEST_ARENA = 2**31 - 1


def _values(steps: list[Step], preprocessing: Preprocessing, row: Row, choices: Choices) -> list[Value]:
    """What lies in the arena, and from which moment to which: moment 0 prepares a frame, i + 1 is step i."""
    end = len(steps) + 1
    pixels = steps[0].layers[0].input.size
    values = [Value(name="pixels", bytes=pixels, first=0, last=1)]
    if choices.parts.prepare:
        size = prepare_bytes(preprocessing, choices.parts.longest_side)
        values.insert(0, Value(name="prepare", bytes=size, first=0, last=0))
    for moment, step in enumerate(steps, start=1):
        # Features are read by dw_features after everything has run, and the sums by the softmax.
        last = end if step.kind in ("pool", "classifier") else moment + 1
        # Logits are floats in every precision.
        value = FLOAT if step.kind == "classifier" else row.feature if step.kind == "pool" else row.value
        size = step.output.size * value
        values.append(Value(name=step.name, bytes=size, first=moment, last=last))
        if step.scratch:
            size = step.scratch * row.value * (choices.threads if step.split == "blocks" else 1)
            values.append(Value(name=f"{step.name}.rows", bytes=size, first=moment, last=moment))
    classes = steps[-1].layers[0].output.channels
    values.append(Value(name="probabilities", bytes=classes * FLOAT, first=end, last=end))
    return values


def prepare_bytes(preprocessing: Preprocessing, side: int = LONGEST_SIDE) -> int:
    """DWK_PREPARE_SCRATCH_BYTES of kernels/artifact/dwk_prepare.h, which asserts that it is this.

    Args:
        side: the most pixels that a side of a frame has.
    """
    resize, channels = preprocessing.resize, preprocessing.channels
    reach = 2 if preprocessing.filter == "bicubic" else 1
    window = (2 * reach * side + 2 * resize - 2) // (2 * resize - 1) * 2 + 1
    if preprocessing.mode == "fit":
        window = (3 * reach * side + 2 * resize - 1) // (2 * resize) * 2 + 1
    pixel = 4 if channels == 3 else 1
    weights = max(6144, -(-window * pixel // 8) * 8)
    ring = max(16384, (window * (channels + 1) + 32 + 3) // 4 * 4)
    row = (max(4608 // pixel, window) + 19) // 4 * 4 + 64
    return 4 * (window + weights + 2 * 512 + 1) + ring + row * pixel
