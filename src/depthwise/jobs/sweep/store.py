"""Points in a study of Optuna, from which any machine goes on, and which its dashboard shows."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from depthwise.errors import Refused
from depthwise.jobs.sweep.grid import ACCURACY, Point

T = TypeVar("T")
_ROW = "row"
# Seconds between two tries of a storage; SQLite itself waits for 5 each time.
PAUSES = (0.25, 0.5, 1.0, 2.0, 4.0)


def import_optuna() -> Any:
    """The package, which says no more than warnings.

    Raises: Refused, when it is not installed.
    """
    try:
        import optuna
    except ModuleNotFoundError:
        raise Refused("--storage needs Optuna, which is not installed; run: pip install 'depthwise[sweep]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def open_study(address: str, name: str, directions: list[str]) -> Any:
    """A study in a storage, which is made where there is none.

    Raises: Refused, when Optuna is not installed, or the storage cannot be opened.
    """
    optuna = import_optuna()

    def opened() -> Any:
        """The study."""
        return optuna.create_study(storage=address, study_name=name, directions=directions, load_if_exists=True)

    return patiently(address, opened)


def patiently(address: str, work: Callable[[], T]) -> T:
    """What `work` gets of a storage, tried again while others are at it: at its making, and wherever SQLite is locked.

    What has been done in part must do no harm when it is done again.

    Raises: Refused, when it never succeeds.
    """
    for pause in (*PAUSES, None):
        try:
            return work()
        except Exception as problem:  # of as many kinds as there are databases
            if pause is None:
                reason = " ".join(str(problem).split())[:200]
                raise Refused(f"--storage {address}: cannot be used ({reason})") from None
        # Not all that began together try again together.
        time.sleep(pause * random.uniform(0.5, 1.5))
    raise AssertionError


class OptunaStore:
    """The points of one sweep, as trials of a study with two goals: more accuracy, fewer multiply-adds.

    Args:
        address: of a storage of Optuna, such as sqlite:///sweep.db.
        name: of the study, which says all settings.
    Raises: Refused, when Optuna is not installed, or the storage cannot be opened.
    """

    def __init__(self, address: str, name: str) -> None:
        self._optuna, self._address = import_optuna(), address
        self._study = open_study(address, name, ["maximize", "minimize"])

    def get(self, point: Point) -> dict[str, Any] | None:
        """The figures of a point; None where it is not done."""
        return patiently(self._address, lambda: self._find(point))

    def _find(self, point: Point) -> dict[str, Any] | None:
        for trial in self._study.get_trials(deepcopy=False):
            if trial.params == _params(point) and _ROW in trial.user_attrs:
                found: dict[str, Any] = trial.user_attrs[_ROW]
                return found
        return None

    def put(self, point: Point, row: Mapping[str, Any]) -> None:
        """Keep the figures of a point, once."""
        patiently(self._address, lambda: self._add(point, row))

    def _add(self, point: Point, row: Mapping[str, Any]) -> None:
        if self._find(point) is not None:
            return
        of = self._optuna.distributions.FloatDistribution
        trial = self._optuna.trial.create_trial(
            params=_params(point),
            distributions={"width": of(0.01, 4.0), "resolution": of(16.0, 1024.0)},
            values=[row[ACCURACY], row["macs"]],
            user_attrs={_ROW: dict(row)},
        )
        self._study.add_trial(trial)


def _params(point: Point) -> dict[str, float]:
    return {"width": float(point.width), "resolution": float(point.resolution)}
