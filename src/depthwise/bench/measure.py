"""One network in every contender: write it, compare the answers, then measure in turns."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from depthwise.bench import results
from depthwise.bench.choice import Contender, choose
from depthwise.bench.peak import PeakLoop
from depthwise.bench.peers import NAMES, OWN, runtime_bytes, version
from depthwise.bench.process import Worker
from depthwise.bench.profile import profile
from depthwise.bench.program import program
from depthwise.bench.results import Left, Measurement, Result
from depthwise.bench.subject import Subject
from depthwise.bench.workplace import Notice, Workplace
from depthwise.beside import work_folder
from depthwise.cost.formulas import macs
from depthwise.edge.artifact import Artifact
from depthwise.errors import Refused, Unmet
from depthwise.network.layers import layers

# The threads of a pool spin for a while after a call; the next contender waits until they sleep.
_SECONDS_TO_SLEEP = 0.03


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to measure.

    Attributes:
        against: names of peers.
        threads: thread counts.
        rounds: turns of each contender.
        starts: processes of each contender that are started for its first answer.
        more: also measure a C program, and time by kind of layer.
    """

    against: tuple[str, ...] = tuple(NAMES)
    threads: tuple[int, ...] = (1,)
    rounds: int = 40
    starts: int = 5
    more: bool = True


def measure(subject: Subject, options: Options, notice: Notice) -> Measurement:
    """Measure a network; notices tell what goes on.

    Raises: Unmet, when a peer's answers are those of another network; Refused, when nothing can be measured.
    """
    with work_folder() as folder:
        place = Workplace(subject, folder, notice)
        left: list[Left] = []
        contenders = _chosen(place, options, left)
        loop = PeakLoop(subject.precision, place.folder)
        found: list[Result] = []
        for threads in options.threads:
            notice(f"{subject.name}: measuring with threads: {threads} ...")
            found += _measured(place, contenders, threads, options, loop, left)
        if not found:
            reasons = "; ".join(f"{one.name}: {one.reason}" for one in left)
            raise Refused(f"{subject.name}: there is nothing to measure ({reasons})")
        spec = subject.model.spec
        artifact, _ = place.ours()
        made = Measurement(
            name=subject.name,
            spec=spec,
            precision=subject.precision,
            notes=subject.notes,
            multiply_adds=(nominal := sum(map(macs, layers(spec)))),
            live_multiply_adds=_live(artifact, nominal),
            level=_level(artifact),
            threads=options.threads,
            results=tuple(found),
            left_out=tuple(left),
            peaks=tuple(peak for threads in options.threads if (peak := loop.peak(threads)) is not None),
        )
        if not options.more:
            return made
        notice(f"{subject.name}: a program without Python, and times by kind of layer ...")
        pixels = place.pixels[-1]
        return dataclasses.replace(
            made,
            program=program(artifact, pixels, place.folder, options.starts),
            kinds=profile(subject, pixels, place.folder),
        )


def _chosen(place: Workplace, options: Options, left: list[Left]) -> list[Contender]:
    """The contenders, ours first: the others' answers are compared with it. Those that cannot be go to `left`."""
    chosen: list[Contender] = []
    for name in (OWN, *options.against):
        try:
            chosen += choose(name, place)
        except Unmet:
            raise
        except Refused as refusal:
            if name == OWN:
                raise  # an artifact that cannot be made is no reason to praise the others
            left.append(Left(name=name, reason=str(refusal)))
            place.notice(f"left out: {name}: {refusal}")
    return chosen


def _measured(
    place: Workplace,
    contenders: Sequence[Contender],
    threads: int,
    options: Options,
    loop: PeakLoop,
    left: list[Left],
) -> list[Result]:
    """All contenders on so many threads, in turns, the peak's loop among them."""
    with ExitStack() as stack:
        taking_part = _taking_part(place, contenders, threads, left, stack)
        whole: list[list[list[int]]] = [[] for _ in taking_part]
        alone: list[list[int]] = [[] for _ in taking_part]
        for number in range(options.rounds):
            loop.turn(threads)
            for at in _in_turn(range(len(taking_part)), number):
                answered = taking_part[at][1].order("turn")
                whole[at].append(answered["whole"])
                alone[at] += answered["alone"]
                if threads > 1:
                    time.sleep(_SECONDS_TO_SLEEP)
        memory = [_memory(worker) for _, worker in taking_part]
    best = _fastest_forms([contender.name for contender, _ in taking_part], whole)
    chosen = [taking_part[at][0] for at in best]
    first = _first_answers(place, chosen, threads, options.starts)
    return [
        Result(
            name=contender.name,
            version=version(contender.name),
            form=contender.form.name,
            threads=threads,
            times=results.times(list(chain.from_iterable(whole[at]))),
            by_round=tuple(min(turn) / 1e6 for turn in whole[at]),
            network=results.times(alone[at]),
            agreement=contender.agreement,
            file_bytes=_file_bytes(contender.path),
            runtime_bytes=runtime_bytes(contender.name),
            memory_bytes=memory[at],
            asked_for_tiles=taking_part[at][1].asked_for_tiles,
            first=results.times(starts),
        )
        for at, contender, starts in zip(best, chosen, first, strict=True)
    ]


def _taking_part(
    place: Workplace, contenders: Sequence[Contender], threads: int, left: list[Left], stack: ExitStack
) -> list[tuple[Contender, Worker]]:
    """The contenders that can run on so many threads, loaded until the stack ends. The others go to `left`."""
    found: list[tuple[Contender, Worker]] = []
    for contender in contenders:
        try:
            worker = place.worker(contender.name, contender.path, threads)
        except Refused as refusal:
            left.append(Left(name=contender.name, reason=str(refusal), threads=threads))
            place.notice(f"left out: {contender.name}: {refusal}")
        else:
            found.append((contender, stack.enter_context(worker)))
    return found


def _first_answers(place: Workplace, chosen: Sequence[Contender], threads: int, starts: int) -> list[list[int]]:
    """Nanoseconds of each contender from the start of a process to its answer, in turns."""
    found: list[list[int]] = [[] for _ in chosen]
    for number in range(starts):
        for at in _in_turn(range(len(chosen)), number):
            with place.worker(chosen[at].name, chosen[at].path, threads) as worker:
                found[at].append(worker.first_ns)
    return found


def _in_turn(places: Sequence[int], number: int) -> list[int]:
    """Each round begins with another one, so that nobody always comes behind the same neighbour."""
    start = number % len(places) if places else 0
    return [*places[start:], *places[:start]]


def _fastest_forms(names: Sequence[str], whole: Sequence[Sequence[Sequence[int]]]) -> list[int]:
    """Where the form of each name stands that has the least time of all turns."""
    least = [min(map(min, turns)) for turns in whole]
    best: dict[str, int] = {}
    for at, name in enumerate(names):
        if name not in best or least[at] < least[best[name]]:
            best[name] = at
    return list(best.values())


def _live(artifact: Path, nominal: int) -> int:
    """The multiply-adds that an artifact says it computes."""
    with Artifact.open(artifact) as opened:
        return int(opened.record["cost"].get("live_multiply_adds", nominal))


def _level(artifact: Path) -> str:
    """The level of instructions that an artifact chooses here."""
    with Artifact.open(artifact) as opened:
        return opened.level


def _memory(worker: Worker) -> int | None:
    """The most memory of a process, less what it had before anything was loaded."""
    most: int | None = worker.order("memory")["bytes"]
    return None if most is None or worker.bytes_before is None else most - worker.bytes_before


def _file_bytes(path: Path) -> int:
    """Of a network's file, and of the numbers beside it where it is two."""
    beside = path.with_suffix(".bin")
    return path.stat().st_size + (beside.stat().st_size if path.suffix == ".param" else 0)
