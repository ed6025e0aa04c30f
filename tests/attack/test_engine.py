"""The whole of an attack: what is carried out in which order, what is kept, and what is said of a masked network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed; run: pip install 'depthwise[cloud]'")
import torch
from torch import Tensor, nn

from depthwise.attack import engine
from depthwise.attack.budget import Budget
from depthwise.attack.engine import Engine
from depthwise.attack.findings import Findings
from depthwise.attack.gradient.network import Differentiable
from depthwise.attack.kept import Kept
from depthwise.attack.plan import Settings
from depthwise.attack.subject import FunctionSubject
from depthwise.attack.target import Target
from depthwise.attack.work import Arrays, Here, Part
from depthwise.progress import Reporter, Silent
from tools.toys import Linear, images

pytestmark = pytest.mark.usefixtures("torch_alone")
PIXELS = images(12, side=4)


class Staircase(nn.Module):
    """A network whose logits go in steps: it has the gradient of a staircase, none."""

    def __init__(self, smooth: nn.Module) -> None:
        super().__init__()
        self.smooth = smooth

    def forward(self, x: Tensor) -> Tensor:
        return torch.round(self.smooth(x) * 4) / 4


def smooth_network() -> Linear:
    """Answers half of the images by each label, some more surely than others."""
    network = Linear()
    with torch.no_grad():
        network.b.sub_(network(torch.from_numpy(PIXELS.astype(np.float32)))[:, 1].median() + 1e-3)
    return network


def subject(name: str, network: nn.Module) -> FunctionSubject:
    found = Differentiable(network, lambda levels: levels)
    return FunctionSubject(name, found.scores, found)


def run(
    target: Target,
    settings: Settings,
    workers: Any = None,
    kept: Kept | None = None,
    reporter: Reporter = Silent(),  # noqa: B008
) -> Findings:
    judged = target.judge.scores(PIXELS)
    return Engine(
        settings=settings,
        judge=target.judge.name,
        asked=target.asked.name,
        sources=tuple(one.name for one in target.sources),
        images=PIXELS,
        labels=judged.argmax(axis=1).astype(np.int64),
        numbers=tuple(range(12)),
        workers=workers or Here(target),
        kept=Kept(None) if kept is None else kept,
        reporter=reporter,
    ).run()


def test_a_masked_network_is_told_and_falls_to_its_smooth_form() -> None:
    smooth = smooth_network()
    masked = subject("masked", Staircase(smooth))
    settings = Settings(method="pgd", budget=Budget(eps=24 / 255))

    alone = run(Target(judge=masked, asked=masked, sources=(masked,)), settings)
    helped = run(Target(judge=masked, asked=masked, sources=(masked, subject("smooth", smooth))), settings)

    assert "12 of 12 images have no gradient at all through masked" in alone.warnings[0]
    assert helped.robust_share.count == 0 < alone.robust_share.count
    assert {helped.stages[by].stage.source for by in helped.by if by >= 0} >= {"smooth"}


def test_questions_that_fool_where_gradients_do_not_are_told() -> None:
    masked = subject("masked", Staircase(smooth_network()))
    settings = Settings(method="auto", budget=Budget(eps=24 / 255), steps=2, queries=400)

    found = run(Target(judge=masked, asked=masked, sources=(masked,)), settings)

    assert found.masked > 0
    assert "were fooled by mere questions and by no gradient: the gradients are masked" in " ".join(found.warnings)


def test_what_can_only_be_asked_is_attacked_under_l2_too() -> None:
    asked = FunctionSubject("artifact", subject("smooth", smooth_network()).scores)
    settings = Settings(method="auto", budget=Budget(norm="l2", eps=0.3), queries=100)

    found = run(Target(judge=asked, asked=asked), settings)

    assert [one.stage.attack.name for one in found.stages] == ["square", "rays"]
    assert found.warnings == ()
    assert 0 < found.robust_share.count < 12
    assert np.isfinite(found.smallest).sum() > (found.by >= 0).sum()
    assert found.audit.largest <= found.audit.allowed


class _Stops:
    """Workers that are killed after some parts."""

    def __init__(self, target: Target, after: int) -> None:
        self._here, self.left = Here(target), after
        self.processes = self._here.processes

    def results(self, parts: Iterable[Part]) -> Iterator[Arrays]:
        for result in self._here.results(parts):
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            yield result


def test_an_attack_that_was_stopped_goes_on_to_the_same_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "TOGETHER", 5)
    one = subject("float", smooth_network())
    target = Target(judge=one, asked=one, sources=(one,))
    settings = Settings(method="pgd", budget=Budget(eps=6 / 255), steps=3)
    whole = run(target, settings)

    with pytest.raises(KeyboardInterrupt):
        run(target, settings, _Stops(target, 5), Kept(tmp_path))
    (tmp_path / "stage-0-0-5.npz").write_bytes((tmp_path / "stage-0-0-5.npz").read_bytes()[:100])
    kept = Kept(tmp_path)
    before = len(kept)
    again = run(target, settings, kept=kept)

    assert before == 5
    assert (whole.changed == again.changed).all()
    assert (whole.smallest == again.smallest).all()
    assert (whole.by == again.by).all()
    kept.clear()
    assert not tmp_path.exists()


class _Heard(Silent):
    """Keeps the figures of every image."""

    def __init__(self) -> None:
        self.figures: list[dict[str, str]] = []

    def advance(self, **figures: str) -> None:
        self.figures.append(figures)


def test_the_time_left_is_told_once_every_process_has_ended_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of parts of 3 images that take 10 s each, in two processes that begin at once."""
    monkeypatch.setattr(engine, "TOGETHER", 3)
    one = subject("float", smooth_network())
    heard, now = _Heard(), iter([0.0, 10, 20, 20])
    monkeypatch.setattr("depthwise.attack.engine.time.monotonic", lambda: next(now))
    workers = _Stops(Target(judge=one, asked=one), 9)
    workers.processes = 2

    run(Target(judge=one, asked=one), Settings(method="square", budget=Budget(eps=0)), workers, reporter=heard)

    assert heard.figures == [{}] * 3 + [{"left": "10 s"}] * 3 + [{"left": "7 s"}] * 3 + [{"left": "0 s"}] * 3


def test_parts_of_another_size_give_the_same_images(monkeypatch: pytest.MonkeyPatch) -> None:
    one = subject("float", smooth_network())
    target = Target(judge=one, asked=one, sources=(one,))
    settings = Settings(method="auto", budget=Budget(eps=5 / 255), steps=4, queries=40)
    whole = run(target, settings)
    monkeypatch.setattr(engine, "TOGETHER", 3)
    parts = run(target, settings)

    assert (whole.changed == parts.changed).all()
    assert (whole.until == parts.until).all()
    assert [point[1].count for point in whole.curve] == sorted((point[1].count for point in whole.curve), reverse=True)


def test_a_class_that_is_known_in_float_alone_is_told() -> None:
    """As of a network that was planted to fail once it is quantised."""
    one = subject("float", smooth_network())
    wrong = FunctionSubject("int8", lambda given: -one.scores(given) * 0 + np.array([1.0, 0.0], np.float32))
    found = run(Target(judge=one, asked=one, sources=()), Settings(method="square", budget=Budget(eps=0)))
    found.said = {"float": found.labels, "int8": wrong.scores(PIXELS).argmax(axis=1)}
    found.judge = "int8"
    found.labels = np.repeat(found.labels[:1] * 0 + 1, 12)
    found.said["float"] = found.labels

    assert "class 1 is known by float in 12 of 12 images and by int8 in 0" in " ".join(found.warnings)
