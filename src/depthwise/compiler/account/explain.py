"""How each step of a plan runs, as plain records."""

from __future__ import annotations

from dataclasses import dataclass

from depthwise.compiler.account.expected import expected_microseconds
from depthwise.compiler.plan.plan import Plan
from depthwise.kernels.rate import CLOCK
from depthwise.network.layers import layers, multiply_adds
from depthwise.network.spec import Spec


@dataclass(frozen=True, kw_only=True)
class Explained:
    """One step.

    Attributes:
        step: name of the layer or block.
        input, output: shapes as height x width x channels, of the channels that are computed.
        multiply_adds: of the whole step, nominal.
        run_multiply_adds: that are run; fewer where channels that never change are left out.
        rows: rows of outputs that are computed at a time; 0 where the step is not cut.
        kernels: names of the functions that it calls, which say its tiles.
        output_offset, output_bytes: where its output lies in the arena, border included.
        scratch_bytes: what it needs for itself, on as many threads as it may run on.
        expected_us: microseconds on one thread at the clock that was given; None where a kernel was not measured.
    """

    step: str
    input: str
    output: str
    multiply_adds: int
    run_multiply_adds: int
    rows: int
    kernels: tuple[str, ...]
    output_offset: int
    output_bytes: int
    scratch_bytes: int
    expected_us: float | None


def explain(plan: Plan, spec: Spec, clock: float = CLOCK) -> tuple[Explained, ...]:
    """The steps of a network's plan, in the order in which data flows; `clock` is the processor's, in GHz."""
    nominal = {layer.name: multiply_adds(layer) for layer in layers(spec)}
    return tuple(
        Explained(
            step=step.name,
            input=str(step.layers[0].input),
            output=str(step.layers[-1].output),
            multiply_adds=sum(nominal[layer.name] for layer in step.layers),
            run_multiply_adds=sum(map(multiply_adds, step.layers)),
            rows=step.rows,
            kernels=tuple(call.form.name for call in step.calls),
            output_offset=plan.regions[step.name].offset,
            output_bytes=plan.regions[step.name].bytes,
            scratch_bytes=scratch.bytes if (scratch := plan.regions.get(f"{step.name}.rows")) else 0,
            expected_us=expected,
        )
        for step, expected in zip(plan.steps, expected_microseconds(plan, clock), strict=True)
    )
