"""Which forms of a contender are measured: those whose answers are ours, and which may be its fastest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from depthwise.bench.agreement import Agreement, agreement, agrees
from depthwise.bench.peers import NAMES, OWN, Form, forms, is_installed, peer
from depthwise.bench.workplace import Workplace
from depthwise.errors import Refused, Unmet

# A few turns of each form sort out those that are far from the best; the others are all measured.
_TURNS, _FAR = 3, 1.5


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A contender in one form: its file, the agreement of its answers with ours, and the least time of a few turns."""

    name: str
    form: Form
    path: Path
    agreement: Agreement | None
    trial: float


def choose(name: str, place: Workplace) -> tuple[Contender, ...]:
    """The contender in the forms that may be its best, at least one.

    Raises: Refused, with the reason, when it cannot be measured; Unmet, when its answers are those of another network.
    """
    if not is_installed(name):
        raise Refused(f"is not installed; run: pip install {NAMES[name][1]}")
    subject = place.subject
    possible = forms(name, subject.precision, keep_dead=subject.keep_dead)
    if not possible:
        raise Refused(f"has no {subject.precision} on this processor, or none with the same numbers")
    found: list[Contender] = []
    reasons: list[str] = []
    different: list[str] = []
    for form in possible:
        place.notice(f"{subject.name}: {name} ({form.name}) ...")
        try:
            found.append(_tried(name, form, place))
        except ModuleNotFoundError as missing:
            reasons.append(f"needs {missing.name}; run: pip install 'depthwise[bench]'")
        except Unmet as difference:
            different.append(str(difference))
        except Refused as refusal:
            reasons.append(str(refusal))
    if found:
        best = min(contender.trial for contender in found)
        return tuple(contender for contender in found if contender.trial <= _FAR * best)
    if different:
        raise Unmet(f"{name}: {'; '.join(different)}; times of different networks are not compared")
    raise Refused("; ".join(reasons))


def _tried(name: str, form: Form, place: Workplace) -> Contender:
    """Write, load, compare, and time a little."""
    path = peer(name).write(place.subject.model, form, place.folder)
    with place.worker(name, path, 1) as worker:
        answers = np.array(worker.order("answers")["answers"], np.float64)
        if name == OWN:
            place.keep(path, answers)
            near = None
        else:
            near = agreement(answers, place.ours()[1])
            if not agrees(near, place.subject.precision):
                off = f"by up to {near.largest:.2g}, correlation {near.correlation:.4f}"
                raise Unmet(f"the answers of {form.name} differ from ours {off}")
        trial = min(min(worker.order("turn")["whole"]) for _ in range(_TURNS))
    return Contender(name=name, form=form, path=path, agreement=near, trial=trial)
