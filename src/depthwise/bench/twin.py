"""A network and its twin of standard convolutions, both as artifacts: the gain by the clock beside the formula's."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from depthwise.bench import results
from depthwise.bench.peak import Peak, PeakLoop
from depthwise.bench.peers import OWN, forms, peer
from depthwise.bench.results import Times
from depthwise.bench.subject import Subject, random_subject
from depthwise.bench.workplace import Notice, Workplace
from depthwise.beside import work_folder
from depthwise.cost.formulas import macs
from depthwise.errors import Refused
from depthwise.network.layers import layers
from depthwise.network.spec import Spec
from depthwise.precision import Precision


@dataclass(frozen=True, kw_only=True)
class Twin:
    """One of the two networks; times are of a call in milliseconds."""

    convolution: str
    multiply_adds: int
    times: Times

    def share(self, peak: Peak | None) -> float | None:
        """The part of the machine's limit that it reaches; None where that is not known."""
        return None if peak is None else self.multiply_adds / self.times.fastest * 1e3 / peak.per_second


@dataclass(frozen=True, kw_only=True)
class Twins:
    """Both networks with random weights, on one thread, in turns.

    Attributes:
        separable, standard: what was measured of each.
        peak: this machine's limit; None where the precision has no instruction.
    """

    separable: Twin
    standard: Twin
    peak: Peak | None

    @property
    def promised(self) -> float:
        """The standard network's multiply-adds over the separable one's."""
        return self.standard.multiply_adds / self.separable.multiply_adds

    @property
    def measured(self) -> float:
        """The same of least times."""
        return self.standard.times.fastest / self.separable.times.fastest


def measure_twins(spec: Spec, precision: Precision, rounds: int, notice: Notice) -> Twins:
    """Measure a network of depthwise separable convolutions and its twin.

    Raises: Refused, when the network is itself of standard convolutions.
    """
    if spec.convolution == "standard":
        raise Refused("--twin compares a network of separable convolutions with standard ones, and this one has these")
    subjects = [random_subject(one, precision) for one in (spec, spec.twin())]
    (form,) = forms(OWN, precision, keep_dead=True)
    notice(f"{subjects[0].name}: measuring it beside its twin of standard convolutions ...")
    with ExitStack() as stack:
        loop = PeakLoop(precision, stack.enter_context(work_folder()))
        workers = []
        for subject in subjects:
            folder = stack.enter_context(work_folder())
            path = peer(OWN).write(subject.model, form, folder)
            workers.append(stack.enter_context(Workplace(subject, folder, notice).worker(OWN, path, 1)))
        found: list[list[int]] = [[] for _ in workers]
        for _ in range(rounds):
            loop.turn(1)
            for turns, worker in zip(found, workers, strict=True):
                turns.extend(worker.order("turn")["whole"])
    separable, standard = (_twin(subject, times) for subject, times in zip(subjects, found, strict=True))
    return Twins(separable=separable, standard=standard, peak=loop.peak(1))


def _twin(subject: Subject, nanoseconds: list[int]) -> Twin:
    spec = subject.model.spec
    return Twin(
        convolution=spec.convolution,
        multiply_adds=sum(map(macs, layers(spec))),
        times=results.times(nanoseconds),
    )
