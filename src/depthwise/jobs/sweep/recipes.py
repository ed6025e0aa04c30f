"""A recipe that Optuna searches for before a sweep: each trial trains its smallest network; a killed one goes on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from depthwise.beside import Busy, lock
from depthwise.jobs.sweep.store import import_optuna, open_study, patiently
from depthwise.progress import Reporter

# What is searched: least, most, whether by factors, and what is usual. The rate is that many times the usual one, since
# a start from other weights has another usual rate.
RATE_TIMES = "rate_times"
SPACE: dict[str, tuple[float, float, bool, float]] = {
    RATE_TIMES: (0.25, 4.0, True, 1.0),
    "decay": (0.002, 0.2, True, 0.02),
    "smoothing": (0.0, 0.2, False, 0.1),
    "mixup": (0.0, 0.4, False, 0.0),
    "crop": (0.1, 1.0, False, 0.35),
    "colour": (0.0, 0.6, False, 0.3),
}
_CHOSEN = "chosen"
# Trains with settings into a model folder, and goes on where it was stopped; the validation top-1.
Score = Callable[[Mapping[str, float], Path], float]


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is searched for, and where it is kept.

    Attributes:
        address, name: of a storage of Optuna, and of the study in it.
        count: trials that must end; the usual recipe is the first of them, so that none is chosen that is worse.
        seed: what is tried is a function of it and of the trials before.
        out: the folder of the sweep. A trial that is running in the storage is gone on with where it has a folder
            here that no process holds; any other is another machine's, and nobody waits for it.
    """

    address: str
    name: str
    count: int
    seed: int
    out: Path


def search(asked: Search, score: Score, reporter: Reporter) -> dict[str, Any]:
    """The recipe that was best, as `chosen`, and all `trials`.

    Raises: Refused, when Optuna is not installed, or the storage cannot be opened.
    """
    asked.out.mkdir(parents=True, exist_ok=True)
    study = open_study(asked.address, asked.name, ["maximize"])
    states = import_optuna().trial.TrialState
    usual = {name: value for name, (_, _, _, value) in SPACE.items()}
    patiently(asked.address, lambda: study.enqueue_trial(usual, skip_if_exists=True))
    while True:
        trials = patiently(asked.address, lambda: study.get_trials(deepcopy=False))
        done = [trial for trial in trials if trial.state == states.COMPLETE]
        if len(done) >= asked.count:
            break
        begun = [trial.number for trial in trials if trial.state == states.RUNNING]
        if not any(_try(asked, study, number, score, reporter) for number in begun):
            _try(asked, study, _new(asked, study), score, reporter)
    best = max(done, key=lambda trial: (trial.value, -trial.number)).number
    chosen = patiently(asked.address, lambda: _chosen(study, best))
    rows = [{"trial": trial.number, "top1": trial.value, "settings": dict(trial.params)} for trial in done]
    return {"chosen": next(row for row in rows if row["trial"] == chosen), "trials": rows}


def _chosen(study: Any, best: int) -> int:
    """The trial that the first process chose that had enough of them, which is this one where none has."""
    if _CHOSEN not in study.user_attrs:
        study.set_user_attr(_CHOSEN, best)
    found: int = study.user_attrs[_CHOSEN]
    return found


def _new(asked: Search, study: Any) -> int:
    """A trial that nobody began, with its folder."""
    optuna = import_optuna()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    # A sampler begins anew after a kill, and would suggest once more what it did before.
    trials = patiently(asked.address, lambda: study.get_trials(deepcopy=False))
    study.sampler = optuna.samplers.TPESampler(seed=asked.seed + len(trials))
    of = optuna.distributions.FloatDistribution
    space = {name: of(low, high, log=log) for name, (low, high, log, _) in SPACE.items()}
    trial = patiently(asked.address, lambda: study.ask(space))
    _place(asked, trial.number).mkdir(exist_ok=True)
    number: int = trial.number
    return number


def _try(asked: Search, study: Any, number: int, score: Score, reporter: Reporter) -> bool:
    """Bring a trial of this folder to its end, unless another process is at it."""
    place = _place(asked, number)
    states = import_optuna().trial.TrialState
    if not place.is_dir():
        return False
    with contextlib.suppress(Busy), lock(place):
        trial = patiently(asked.address, lambda: study.get_trials(deepcopy=False))[number]
        if trial.state != states.RUNNING:
            return True
        if set(trial.params) != set(SPACE):
            # It was killed before all of its settings were kept.
            patiently(asked.address, lambda: study.tell(number, state=states.FAIL, skip_if_finished=True))
            return True
        shown = ", ".join(f"{name} {value:.3g}" for name, value in trial.params.items())
        reporter.notice(f"recipe {number + 1}: {shown}")
        found = score(trial.params, asked.out / f"recipe-{number}")
        patiently(asked.address, lambda: study.tell(number, found, skip_if_finished=True))
        return True
    return False


def _place(asked: Search, number: int) -> Path:
    return asked.out / f"recipe-{number}.work"
