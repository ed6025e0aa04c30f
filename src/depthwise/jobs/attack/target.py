"""What is attacked: where it lies, and how a process opens it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from depthwise.attack.subject import ArtifactSubject, FunctionSubject
from depthwise.attack.target import Target
from depthwise.edge.artifact import Artifact
from depthwise.errors import Refused
from depthwise.network.model import Model
from depthwise.network.quantized import QuantizedModel, load_model

NO_TORCH = (
    "attacks by gradients need PyTorch, which is not installed; run: pip install 'depthwise[cloud]', or compile the"
    " model and attack the artifact, which needs none"
)


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What is attacked, as paths, so that every process can open it for itself.

    Attributes:
        model: the model folder that is attacked; None for an artifact.
        artifact: the artifact that is attacked, or the one that the model was compiled into.
        gradients: further model folders whose gradients are tried.
    """

    model: Path | None
    artifact: Path
    gradients: tuple[Path, ...]


@contextlib.contextmanager
def opened(opening: Opening) -> Iterator[Target]:
    """What is attacked, in this process.

    Raises: Refused, when a model is to be asked for gradients and PyTorch is not installed.
    """
    with Artifact.open(opening.artifact) as artifact:
        asked = ArtifactSubject(artifact)
        models = [load_model(folder) for folder in (opening.model, *opening.gradients) if folder is not None]
        if not models:
            yield Target(judge=asked, asked=asked)
            return
        try:
            from depthwise.cloud.attacked import subject
        except ModuleNotFoundError as missing:
            if missing.name != "torch":
                raise
            raise Refused(NO_TORCH) from None
        import torch

        # Parts are shared among processes; threads within one would only change in which order sums are taken.
        torch.set_num_threads(1)
        sources = [subject(model) for model in models]
        sources += [subject(model, rounding="smooth") for model in models if isinstance(model, QuantizedModel)]
        _name_apart(sources)
        is_float = opening.model is not None and isinstance(models[0], Model)
        yield Target(judge=sources[0] if is_float else asked, asked=asked, sources=tuple(sources))


def _name_apart(sources: list[FunctionSubject]) -> None:
    """Number the forms that have one name."""
    seen: dict[str, int] = {}
    for one in sources:
        seen[one.name] = seen.get(one.name, 0) + 1
        if seen[one.name] > 1:
            one.name = f"{one.name} {seen[one.name]}"
