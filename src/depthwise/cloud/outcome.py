"""What a run ends with: a model that says how it came about and how good it is."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

import torch

import depthwise
from depthwise.cloud.images import Images
from depthwise.cloud.module import Network, to_network, to_weights
from depthwise.cloud.processes import World
from depthwise.cloud.recipe import Recipe
from depthwise.cloud.train import Trained
from depthwise.cloud.validate import validate
from depthwise.network.model import Model

if TYPE_CHECKING:
    from depthwise.cloud.session import Request


def untrained(request: Request, network: Network, labels: tuple[str, ...]) -> Model:
    """The model as it stands before training, which refuses at once what would be refused at the end."""
    return Model(spec=network.spec, weights=to_weights(network), labels=labels, preprocessing=request.preprocessing)


def trained_model(
    start: Model, request: Request, recipe: Recipe, images: Images, trained: Trained, here: World
) -> Model:
    """The model of the best epoch, with its accuracy on the validation split and on the test split, if there is one."""
    best = trained.best
    model = start.replace(
        weights=trained.weights,
        provenance=_provenance(request, recipe, images, trained, here),
        accuracy={"validation": _accuracy(best, len(images.validation))},
    )
    if not len(images.test):
        return model
    figures = validate(to_network(model).to(here.device), images.test, model.preprocessing, here)
    return model.replace(accuracy={**model.accuracy, "test": _accuracy(figures, len(images.test))})


def versions() -> dict[str, str]:
    """Of what decides on the outcome."""
    return {"depthwise": depthwise.__version__, "torch": torch.__version__, "python": platform.python_version()}


def _accuracy(figures: Any, images: int) -> dict[str, float]:
    return {"top1": figures["top1"], "top5": figures["top5"], "images": images}


def _provenance(request: Request, recipe: Recipe, images: Images, trained: Trained, here: World) -> dict[str, Any]:
    return {
        "data": request.data.resolve().name,
        "images": images.counts,
        "left_out": len(images.unreadable),
        "command": request.command,
        "recipe": recipe.to_dict(),
        "started_from": _started_from(request.pretrained),
        "epochs": trained.best["epoch"] + 1,
        "seconds": round(trained.seconds),
        "processes": here.size,
        "device": here.device.type,
        "versions": versions(),
    }


def _started_from(source: Model | None) -> str:
    if source is None:
        return "random weights"
    data = source.provenance.get("data")
    return f"a model of {source.spec.classes:,} classes" + (f" trained on {data}" if data else "")
