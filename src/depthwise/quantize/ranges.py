"""From histograms to ranges: where the byte 255 of each channel lies, in real numbers. Sizes: N channels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthwise.errors import Refused
from depthwise.quantize.statistics import BINS, Outputs

Doubles = NDArray[np.float64]

# Share of the values that the percentile rule keeps within the range.
KEPT = 0.9999
# A range is no smaller than the layer's median range by more than this factor: a channel that was hardly ever on in
# calibration may be on elsewhere.
SMALLEST = 1 / 32
# Shares of the largest value that the rule of least squares tries.
TRIED = np.linspace(0.25, 1, 31)


def limits(outputs: Outputs, rule: str, *, shared: bool) -> Doubles:
    """(N,) the value that the byte 255 stands for, above 0.

    Args:
        rule: "minmax", the largest value seen; "percentile", the one that 99.99% of the values are at most; "squared",
            the one with the least squared error of rounding and clipping together.
        shared: one range for all channels.
    Raises: Refused, for another rule.
    """
    if shared:
        whole = Outputs(
            counts=outputs.counts.sum(axis=0, keepdims=True),
            top=outputs.top,
            largest=outputs.largest.max(keepdims=True),
        )
        return np.repeat(limits(whole, rule, shared=False), len(outputs.largest))
    match rule:
        case "minmax":
            found = outputs.largest
        case "percentile":
            found = np.minimum(_percentile(outputs), outputs.largest)
        case "squared":
            found = _least_squares(outputs)
        case other:
            raise Refused(f"rule is {other!r}; ranges know minmax, percentile and squared")
    on = found[found > 0]
    typical = float(np.median(on)) if len(on) else outputs.top
    return np.maximum(found, SMALLEST * typical)


def _percentile(outputs: Outputs) -> Doubles:
    """Upper end of the first bin up to which the wanted share of a channel's values lies."""
    reached = np.cumsum(outputs.counts, axis=1) >= KEPT * outputs.counts.sum(axis=1, keepdims=True)
    return np.asarray((reached.argmax(axis=1) + 1) * (outputs.top / BINS), np.float64)


def _least_squares(outputs: Outputs) -> Doubles:
    """The limit with the least expected squared error, among shares of the largest value.

    A value below the limit errs by a step's uniform rounding error, step**2 / 12, one above by its distance. Zeros are
    exact and do not count.
    """
    counts, middles = outputs.counts.astype(np.float64), outputs.middles
    counts[:, 0] = 0
    # Sums over the bins above each place, so that a limit's clipping error is a difference of sums.
    number, first, second = (np.cumsum((counts * middles**power)[:, ::-1], axis=1)[:, ::-1] for power in (0, 1, 2))
    padded = [np.pad(sums, ((0, 0), (0, 1))) for sums in (number, first, second)]
    errors = []
    for share in TRIED:
        limit = share * outputs.largest
        place = np.minimum((limit / outputs.top * BINS).round().astype(np.int64), BINS)[:, None]
        above, sum_, squares = (np.take_along_axis(sums, place, axis=1)[:, 0] for sums in padded)
        clipped = squares - 2 * limit * sum_ + limit**2 * above
        errors.append((number[:, 0] - above) * (limit / 255) ** 2 / 12 + clipped)
    return np.asarray(TRIED[np.argmin(errors, axis=0)] * outputs.largest, np.float64)


def spread(ranges: Doubles, exponent: float) -> Doubles:
    """Ranges between one for all channels (exponent 0) and each channel's own (exponent 1); none gets smaller."""
    top = float(ranges.max())
    return np.asarray(top * (ranges / top) ** exponent, np.float64)
