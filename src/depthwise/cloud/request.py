"""What is to be trained: all that a run is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from depthwise.cloud.recipe import Recipe
from depthwise.network.model import Model
from depthwise.network.preprocessing import Preprocessing
from depthwise.network.spec import Spec
from depthwise.quantize.options import Options

# Seconds between two checkpoints.
CHECKPOINT_SECONDS = 300.0


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be trained.

    Attributes:
        data: the folder of images.
        out: the model folder to write; the run's own files lie in `out` + ".run" beside it.
        spec: the network, whose classes are replaced by those of the folder.
        recipe: how.
        preprocessing: of the images, for this spec.
        pretrained: a model to start from, or None.
        quantize: how to turn `pretrained` into int8, which is then trained on; None to train in float.
        distill: the teachers, names with commas between; None for none.
        force: replace a model that lies at `out`, which a run that goes on does anyway.
        resume: go on with the run in `out` + ".run" where there is one.
        finish: do not train on, but end the run in `out` + ".run" with its best epoch so far.
        threads: that PyTorch may use, or None for its own choice.
        tensorboard: also write curves for TensorBoard into `out` + ".run".
        command: the command line, for the record.
        checkpoint_seconds: time between two checkpoints; one is also written after each epoch.
    """

    data: Path
    out: Path
    spec: Spec
    recipe: Recipe
    preprocessing: Preprocessing
    pretrained: Model | None = None
    quantize: Options | None = None
    distill: str | None = None
    force: bool = False
    resume: bool = False
    finish: bool = False
    threads: int | None = None
    tensorboard: bool = False
    command: str = ""
    checkpoint_seconds: float = CHECKPOINT_SECONDS

    @property
    def run_folder(self) -> Path:
        """Where the checkpoint, the log and the pictures of the run lie."""
        return self.out.parent / f"{self.out.name}.run"
