#!/usr/bin/env python3
"""Errors of float32 artifacts for this machine against the float64 oracle: python scripts/measure_error.py MODEL ...

MODEL is a folder, or a network with random weights such as 1.0-224. Prints the largest error of features, over the
largest feature, and of probabilities, on the eight images of `depthwise bench`, with Strassen's products and without.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from depthwise.bench.subject import comparison_images, random_subject
from depthwise.compiler import compile_model
from depthwise.edge.artifact import Artifact
from depthwise.network import reference
from depthwise.network.model import Model
from depthwise.network.spec import Spec


def main(names: list[str]) -> int:
    """Print two lines for each model."""
    for name in names:
        model = model_of(name)
        images = comparison_images(model.spec)
        oracle = reference.run(model, images)
        for kind in ("strassen", "plain"):
            with tempfile.TemporaryDirectory() as folder:
                out = Path(folder) / "model.so"
                compile_model(model, target="host", out=out, keep_dead=True, strassen=kind == "strassen")
                with Artifact.open(out) as artifact:
                    features = np.stack([artifact.features(image) for image in images])
                    probabilities = np.stack([artifact.run(image) for image in images])
            of_features = np.abs(features - oracle.features).max() / np.abs(oracle.features).max()
            of_probabilities = np.abs(probabilities - oracle.probabilities).max()
            print(f"{name} {kind}: features {of_features:.2g}, probabilities {of_probabilities:.2g}")
    return 0


def model_of(name: str) -> Model:
    """A folder's, or one with random weights."""
    if Path(name).exists():
        return Model.load(Path(name))
    width, _, resolution = name.partition("-")
    model = random_subject(Spec(width=float(width), resolution=int(resolution)), "float32").model
    assert isinstance(model, Model)
    return model


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
