"""The whole way: what PyTorch trained and what the compiled artifact answers are the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from depthwise import shipped
from depthwise.cloud.module import normalise, to_network
from depthwise.compiler import compile_model
from depthwise.edge.artifact import Artifact
from depthwise.edge.pixels import decode, prepare
from depthwise.network.model import Model


def test_the_artifact_answers_as_pytorch_does_on_every_real_image(
    data_pack: Callable[[str], Path], tmp_path: Path
) -> None:
    model = Model.load(shipped.model_folder())
    network, shape = to_network(model), model.preprocessing
    compile_model(model, target="host", out=tmp_path / "model.so")
    files = sorted(data_pack("photos").glob("*.JPEG"))

    with Artifact.open(tmp_path / "model.so") as artifact:
        frames = [decode(path) for path in files]
        answers = np.stack([artifact.classify(frame) for frame in frames])
    pixels = np.stack([prepare(frame, resize=shape.resize, crop=shape.crop) for frame in frames])
    with torch.no_grad():
        wanted = network(normalise(torch.from_numpy(pixels), shape)).softmax(1).numpy()

    assert len(files) == 50
    np.testing.assert_array_equal(wanted.argmax(1), answers.argmax(1))
    np.testing.assert_allclose(answers, wanted, rtol=0, atol=1e-4)
