"""What a run ends with: a model that says how it came about and how good it is."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import Any

import torch

import depthwise
from depthwise.cloud.module import Network, to_network, to_weights
from depthwise.cloud.processes import World
from depthwise.cloud.quantized_module import QuantizedNetwork, to_quantized
from depthwise.cloud.quantized_start import compare_with_oracle
from depthwise.cloud.recipe import Recipe
from depthwise.cloud.request import Request
from depthwise.cloud.teach.lessons import Lessons
from depthwise.cloud.train import Trained
from depthwise.cloud.validate import validate
from depthwise.data.contents import merged_samples
from depthwise.data.images import Images
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel

# What a run begins with and, with other weights and figures, ends with.
Start = Model | QuantizedModel


def untrained(request: Request, network: Network, labels: tuple[str, ...]) -> Model:
    """The model as it stands before training, which refuses at once what would be refused at the end."""
    return Model(spec=network.spec, weights=to_weights(network), labels=labels, preprocessing=request.preprocessing)


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """Makes a model of the best epoch of a run, while it goes on and at its end.

    Attributes:
        start: the model as it stands before training.
        seen: hashes that tell files that were trained on (docs/model-folder.md).
        lessons: what teachers told, or None.
    """

    start: Start
    request: Request
    recipe: Recipe
    images: Images
    here: World
    seen: list[str]
    lessons: Lessons | None = None

    def so_far(self, trained: Trained) -> Start:
        """The model of the best epoch, with its accuracy on the validation split."""
        model, _ = _learned(self.start, trained)
        accuracy = {"validation": _accuracy(trained.best, len(self.images.validation))}
        return model.replace(provenance=self._provenance(trained), accuracy=accuracy)

    def final(self, trained: Trained) -> Start:
        """The same, with its accuracy on the test split too, if there is one; all processes call this together.

        Raises: Refused, when an int8 network did not learn what a device computes.
        """
        model, (learned, network) = self.so_far(trained), _learned(self.start, trained)
        network = network.to(self.here.device)
        if isinstance(network, QuantizedNetwork) and isinstance(learned, QuantizedModel):
            compare_with_oracle(network, learned, self.images)
        if not len(self.images.test):
            return model
        figures = validate(network, self.images.test, model.preprocessing, self.here)
        return model.replace(accuracy={**model.accuracy, "test": _accuracy(figures, len(self.images.test))})

    @property
    def _seen_before(self) -> dict[str, Any]:
        """The same of the models that it started from, in a list apart: beside those of 100,000 files none of the few
        of one's own would be among the least."""
        source = self.request.pretrained
        found = [] if source is None else [source.provenance.get(name) for name in ("seen", "seen_before")]
        first, second = (one if isinstance(one, list) else [] for one in (found or [[], []]))
        before = merged_samples([], [*first, *second])
        return {"seen_before": before} if before else {}

    def _provenance(self, trained: Trained) -> dict[str, Any]:
        taught = {} if self.lessons is None else {"taught_by": self.lessons.figures}
        return {
            **self.start.provenance,
            "data": self.request.data.resolve().name,
            "images": self.images.counts,
            "left_out": len(self.images.unreadable),
            "command": self.request.command,
            "recipe": self.recipe.to_dict(),
            "seen": self.seen,
            **self._seen_before,
            "started_from": _started_from(self.request.pretrained),
            "epochs": trained.best["epoch"] + 1,
            "seconds": round(trained.seconds),
            "processes": self.here.size,
            "device": self.here.device.type,
            "versions": versions(),
            **taught,
        }


def _learned(start: Start, trained: Trained) -> tuple[Start, Network]:
    """The model that was learned, and the network that computes it."""
    if isinstance(start, QuantizedModel):
        int8 = QuantizedNetwork(start)
        int8.load_state_dict(trained.state)
        return to_quantized(int8, start), int8
    network = Network(start.spec)
    network.load_state_dict(trained.state)
    model = start.replace(weights=to_weights(network))
    return model, to_network(model)


def versions() -> dict[str, str]:
    """Of what decides on the outcome."""
    return {"depthwise": depthwise.__version__, "torch": torch.__version__, "python": platform.python_version()}


def _accuracy(figures: Any, images: int) -> dict[str, float]:
    robust = {name: figures[name] for name in ("robust_top1", "robust_images") if name in figures}
    return {"top1": figures["top1"], "top5": figures["top5"], "images": images, **robust}


def _started_from(source: Model | None) -> str:
    if source is None:
        return "random weights"
    data = source.provenance.get("data")
    return f"a model of {source.spec.classes:,} classes" + (f" trained on {data}" if data else "")
