"""What a run ends with: a model that says how it came about and how good it is."""

from __future__ import annotations

import platform
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
from depthwise.data.contents import content_sample, merged_samples
from depthwise.data.images import Images
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel

# What a run begins with and, with other weights and figures, ends with.
Start = Model | QuantizedModel


def untrained(request: Request, network: Network, labels: tuple[str, ...]) -> Model:
    """The model as it stands before training, which refuses at once what would be refused at the end."""
    return Model(spec=network.spec, weights=to_weights(network), labels=labels, preprocessing=request.preprocessing)


def trained_model(
    start: Start,
    request: Request,
    recipe: Recipe,
    images: Images,
    trained: Trained,
    here: World,
    lessons: Lessons | None = None,
) -> Start:
    """The model of the best epoch, with its accuracy on the validation split and on the test split, if there is one."""
    best = trained.best
    model, network = _learned(start, trained)
    network = network.to(here.device)
    accuracy = {"validation": _accuracy(best, len(images.validation))}
    if isinstance(network, QuantizedNetwork) and isinstance(model, QuantizedModel):
        compare_with_oracle(network, model, images)
    if len(images.test):
        figures = validate(network, images.test, model.preprocessing, here)
        accuracy["test"] = _accuracy(figures, len(images.test))
    provenance = {**start.provenance, **_provenance(request, recipe, images, trained, here)}
    if lessons is not None:
        provenance["taught_by"] = lessons.figures
    return model.replace(provenance=provenance, accuracy=accuracy)


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
    return {"top1": figures["top1"], "top5": figures["top5"], "images": images}


def _provenance(request: Request, recipe: Recipe, images: Images, trained: Trained, here: World) -> dict[str, Any]:
    return {
        "data": request.data.resolve().name,
        "images": images.counts,
        "left_out": len(images.unreadable),
        "command": request.command,
        "recipe": recipe.to_dict(),
        "seen": seen(images, request.pretrained),
        "started_from": _started_from(request.pretrained),
        "epochs": trained.best["epoch"] + 1,
        "seconds": round(trained.seconds),
        "processes": here.size,
        "device": here.device.type,
        "versions": versions(),
    }


def seen(images: Images, source: Model | None) -> list[str]:
    """Hashes that tell files that were trained on, those of the model before included (docs/model-folder.md)."""
    before = [] if source is None else source.provenance.get("seen", [])
    own = content_sample(item.path for item in images.train.items)
    return merged_samples(own, before if isinstance(before, list) else [])


def _started_from(source: Model | None) -> str:
    if source is None:
        return "random weights"
    data = source.provenance.get("data")
    return f"a model of {source.spec.classes:,} classes" + (f" trained on {data}" if data else "")
