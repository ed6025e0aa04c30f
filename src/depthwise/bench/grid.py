"""The sixteen networks of the published family, with random weights, in every contender."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from depthwise.bench.measure import Options, measure
from depthwise.bench.results import Measurement, geometric_mean, lead
from depthwise.bench.subject import random_subject
from depthwise.bench.workplace import Notice
from depthwise.network.spec import RESOLUTIONS, WIDTHS, Spec
from depthwise.precision import Precision

# How many times as fast as the fastest peer ours is on so many threads; None where either is missing.
Lead = Callable[[Measurement, int], float | None]


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Measurements of the family."""

    measurements: tuple[Measurement, ...]

    def leads(self, threads: int, of: Lead = lead) -> tuple[float, ...]:
        """How many times as fast as the fastest peer each artifact is, where both were measured.

        Args:
            of: by least times, or `lead_by_rounds`.
        """
        found = (of(measurement, threads) for measurement in self.measurements)
        return tuple(ratio for ratio in found if ratio is not None)

    def mean(self, threads: int, of: Lead = lead) -> float | None:
        """The geometric mean of `leads`; None where there are none."""
        leads = self.leads(threads, of)
        return geometric_mean(leads) if leads else None


def measure_grid(
    base: Spec,
    precision: Precision,
    options: Options,
    notice: Notice,
    *,
    widths: tuple[float, ...] = WIDTHS[::-1],
    resolutions: tuple[int, ...] = RESOLUTIONS[::-1],
    each: Callable[[Measurement], None] = lambda _: None,
) -> Grid:
    """Measure the family; `each` gets every network as soon as it is done.

    Raises: Refused or Unmet, as `measure`.
    """
    found = []
    for width in widths:
        for resolution in resolutions:
            subject = random_subject(replace(base, width=width, resolution=resolution), precision)
            found.append(measure(subject, replace(options, more=False), notice))
            each(found[-1])
    return Grid(measurements=tuple(found))
