"""How long a step is expected to take: a kernel's cycles are linear in what it multiplies and in what it writes.

The figures are there to see where the time goes. Where nobody measured a family, there are none.
"""

from __future__ import annotations

from collections.abc import Mapping

from depthwise.compiler.plan.plan import Plan
from depthwise.compiler.step import Step
from depthwise.kernels.kernel import Kernel
from depthwise.kernels.machine import Machine
from depthwise.kernels.rate import CLOCK, Rate, Rates
from depthwise.kernels.table import FAMILIES
from depthwise.network.layers import Layer, multiply_adds

_NONE = Rates(of={}, source="")


def expected_cycles(step: Step, machine: Machine) -> float | None:
    """Cycles of all kernels of a step; None where one of them was not measured on such a machine."""
    found = [_cycles(layer, kernel, machine) for layer, kernel in zip(step.layers, step.kernels, strict=True)]
    return None if None in found else sum(cycles for cycles in found if cycles is not None)


def expected_microseconds(plan: Plan, clock: float = CLOCK) -> tuple[float | None, ...]:
    """Of each step, on one thread of a processor of so many GHz."""
    cycles = (expected_cycles(step, plan.machine) for step in plan.steps)
    return tuple(None if found is None else found / (clock * 1e3) for found in cycles)


def rates_of(machine: Machine) -> Mapping[tuple[str, str], Rate]:
    """What was measured on machines of its family and maker, or else of its family."""
    return _rates(machine).of


def rates_source(machine: Machine) -> str:
    """On what, and how, these rates were found; empty where there are none."""
    return _rates(machine).source


def _rates(machine: Machine) -> Rates:
    by_maker = next((family.rates for family in FAMILIES if family.name == machine.family), {})
    return by_maker.get(machine.maker) or by_maker.get("") or _NONE


def rate_key(kernel: Kernel, lanes: int) -> tuple[str, str]:
    """Where a kernel's rate stands in the table."""
    return kernel.base, kernel.instructions.name or f"{lanes} lanes"


def work(layer: Layer) -> tuple[int, int]:
    """What a kernel multiplies, and the values that it writes; a pool adds each value of its input."""
    shape = layer.output
    added = layer.input.size if layer.kind == "pool" else multiply_adds(layer)
    return added, shape.size


def _cycles(layer: Layer, kernel: Kernel, machine: Machine) -> float | None:
    rate = rates_of(machine).get(rate_key(kernel, machine.lanes))
    if rate is None:
        return None
    products, values = work(layer)
    return products / rate.products + values * rate.value
