"""How each step of a plan runs, as plain records."""

from __future__ import annotations

from dataclasses import dataclass

from depthwise.compiler.forms import forms
from depthwise.compiler.plan import VALUE, Plan
from depthwise.compiler.record import multiply_adds


@dataclass(frozen=True, kw_only=True)
class Explained:
    """One step.

    Attributes:
        step: name of the layer or block.
        input, output: shapes as height x width x channels.
        rows: rows of outputs that are computed at a time; 0 where the step is not cut.
        kernels: names of the functions that it calls, which say its tiles.
        output_offset, output_bytes: where its output lies in the arena, border included.
        scratch_bytes: what it needs for itself.
    """

    step: str
    input: str
    output: str
    multiply_adds: int
    rows: int
    kernels: tuple[str, ...]
    output_offset: int
    output_bytes: int
    scratch_bytes: int


def explain(plan: Plan, activation: str) -> tuple[Explained, ...]:
    """The steps of a plan, in the order in which data flows."""
    return tuple(
        Explained(
            step=step.name,
            input=str(step.layers[0].input),
            output=str(step.layers[-1].output),
            multiply_adds=sum(map(multiply_adds, step.layers)),
            rows=step.rows,
            kernels=tuple(form.name for form in forms(step, activation)),
            output_offset=plan.regions[step.name].offset,
            output_bytes=plan.regions[step.name].bytes,
            scratch_bytes=step.scratch * VALUE[plan.precision],
        )
        for step in plan.steps
    )
