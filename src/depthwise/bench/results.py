"""What a measurement found, and the arithmetic on it: ratios, shares of the peak, means."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from depthwise.bench.agreement import Agreement
from depthwise.bench.peak import Peak
from depthwise.bench.peers import OURS, OWN
from depthwise.network.spec import Spec
from depthwise.precision import Precision


@dataclass(frozen=True, kw_only=True)
class Times:
    """Milliseconds of timed calls, or of starts."""

    fastest: float
    median: float
    calls: int


@dataclass(frozen=True, kw_only=True)
class Result:
    """One contender on so many threads.

    Attributes:
        name, version, form: who, and in which of its forms.
        threads: how many could compute.
        times: of a call from prepared bytes to probabilities.
        by_round: milliseconds of the least call in each round, in which every contender has a turn.
        network: of the network alone in these calls, its input being there in the peer's own form.
        agreement: with our answers; None for ourselves.
        file_bytes: of the network's file.
        runtime_bytes: of the packages that it needs installed; 0 for an artifact.
        memory_bytes: most memory of its process, less what that had before; None where the system does not tell.
        asked_for_tiles: whether its process asked the system for the tiles of AMX; None where that does not tell.
        first: from the start of a process to its first answer, imports and loading included.
    """

    name: str
    version: str
    form: str
    threads: int
    times: Times
    by_round: tuple[float, ...]
    network: Times
    agreement: Agreement | None
    file_bytes: int
    runtime_bytes: int
    memory_bytes: int | None
    asked_for_tiles: bool | None
    first: Times


@dataclass(frozen=True, kw_only=True)
class Left:
    """A contender that is not in the figures, and why; of all thread counts where `threads` is None."""

    name: str
    reason: str
    threads: int | None = None


@dataclass(frozen=True, kw_only=True)
class Program:
    """A C program that loads the artifact's library and answers once, without Python.

    Attributes:
        first: from the start of the process to the answer.
        memory_bytes: most memory of the process; None where the system does not tell.
        file_bytes: of the program and the artifact.
    """

    first: Times
    memory_bytes: int | None
    file_bytes: int


@dataclass(frozen=True, kw_only=True)
class KindTime:
    """What the layers of a kind take in one call of the artifact, and their part of the multiply-adds."""

    kind: str
    ms: float
    share: float
    macs_share: float


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One network in all contenders.

    Attributes:
        name, precision, notes: as in `Subject`.
        multiply_adds: of the whole network; rates and shares of the peak are of these.
        live_multiply_adds: those that our artifact computes, fewer where channels provably never change.
        threads: the counts that were asked for.
        results, left_out, peaks: what was measured, what was not, and this machine's limits.
        program, kinds: what only an artifact can tell; None and empty where it was not asked.
        level: of instructions that our artifact used; empty where nobody asked it.
    """

    name: str
    spec: Spec
    precision: Precision
    notes: tuple[str, ...]
    multiply_adds: int
    live_multiply_adds: int
    threads: tuple[int, ...]
    results: tuple[Result, ...]
    left_out: tuple[Left, ...]
    peaks: tuple[Peak, ...]
    program: Program | None = None
    kinds: tuple[KindTime, ...] = ()
    level: str = ""

    def of(self, threads: int) -> tuple[Result, ...]:
        """The contenders on so many threads, ours first, then the fastest first."""
        chosen = [result for result in self.results if result.threads == threads]
        return tuple(sorted(chosen, key=lambda result: (result.name != OWN, result.times.fastest)))

    def own(self, threads: int) -> Result | None:
        """Ours."""
        return next((result for result in self.of(threads) if result.name == OWN), None)

    def best_peer(self, threads: int) -> Result | None:
        """The peer with the least time."""
        return next((result for result in self.of(threads) if result.name not in OURS), None)

    def peak(self, threads: int) -> Peak | None:
        """The limit of this machine on so many threads."""
        return next((peak for peak in self.peaks if peak.threads == threads), None)

    def ratios(self, result: Result) -> Ratios | None:
        """How many times as long as ours a contender takes; None where ours was not measured."""
        own = self.own(result.threads)
        if own is None:
            return None
        return Ratios(
            fastest=result.times.fastest / own.times.fastest,
            median=result.times.median / own.times.median,
            rounds=statistics.median(peer / ours for peer, ours in zip(result.by_round, own.by_round, strict=True)),
            network=result.network.fastest / own.times.fastest,
        )

    def per_second(self, result: Result) -> float:
        """Multiply-adds a second, nominal, by the least time."""
        return self.multiply_adds / result.times.fastest * 1e3

    def share(self, result: Result) -> float | None:
        """The part of the limit that a contender reaches, 1 being all; None where there is no such instruction."""
        peak = self.peak(result.threads)
        return None if peak is None else self.per_second(result) / peak.per_second


@dataclass(frozen=True, kw_only=True)
class Ratios:
    """A contender's time over ours: least times, medians, the median of what each round says, and its network alone
    over our whole call.

    Where a machine is now faster, now slower, for seconds at a time, both had the same speed within a round.
    """

    fastest: float
    median: float
    rounds: float
    network: float


def times(nanoseconds: Sequence[int]) -> Times:
    """Minimum and median."""
    return Times(fastest=min(nanoseconds) / 1e6, median=statistics.median(nanoseconds) / 1e6, calls=len(nanoseconds))


def lead(measurement: Measurement, threads: int) -> float | None:
    """How many times as fast as the fastest peer ours is, by least times; None where either is missing."""
    best = measurement.best_peer(threads)
    ratios = None if best is None else measurement.ratios(best)
    return None if ratios is None else ratios.fastest


def lead_by_rounds(measurement: Measurement, threads: int) -> float | None:
    """The same by what the rounds say; of all peers the least."""
    peers = [result for result in measurement.of(threads) if result.name not in OURS]
    found = [ratios.rounds for peer in peers if (ratios := measurement.ratios(peer)) is not None]
    return min(found, default=None)


def geometric_mean(ratios: Iterable[float]) -> float:
    """The mean for ratios: that of the inverses is its inverse."""
    return math.exp(statistics.fmean(map(math.log, ratios)))
