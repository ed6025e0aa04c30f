"""Points in a study of Optuna, from which any machine goes on, and which its dashboard shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from depthwise.errors import Refused
from depthwise.jobs.sweep.grid import ACCURACY, Point

_ROW = "row"


class OptunaStore:
    """The points of one sweep, as trials of a study with two goals: more accuracy, fewer multiply-adds.

    Args:
        address: of a storage of Optuna, such as sqlite:///sweep.db.
        name: of the study, which says all settings.
    Raises: Refused, when Optuna is not installed, or the storage cannot be opened.
    """

    def __init__(self, address: str, name: str) -> None:
        try:
            import optuna
        except ModuleNotFoundError:
            raise Refused(
                "--storage needs Optuna, which is not installed; run: pip install 'depthwise[sweep]'"
            ) from None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._optuna = optuna
        try:
            self._study = optuna.create_study(
                storage=address, study_name=name, directions=["maximize", "minimize"], load_if_exists=True
            )
        except Exception as problem:  # of as many kinds as there are databases
            reason = " ".join(str(problem).split())[:200]
            raise Refused(f"--storage {address}: cannot be opened ({reason})") from None

    def get(self, point: Point) -> dict[str, Any] | None:
        """The figures of a point; None where it is not done."""
        for trial in self._study.get_trials(deepcopy=False):
            if trial.params == _params(point) and _ROW in trial.user_attrs:
                found: dict[str, Any] = trial.user_attrs[_ROW]
                return found
        return None

    def put(self, point: Point, row: Mapping[str, Any]) -> None:
        """Keep the figures of a point."""
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
