"""A training on shards is the training on the folder that they were made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from depthwise.cloud.request import Request
from depthwise.cloud.session import train
from depthwise.data.sharding import Sharding, shard
from depthwise.network.model import Model
from depthwise.progress import Silent

Ask = Callable[..., Request]
ImageFolder = Callable[..., Path]


def test_a_training_on_shards_ends_in_the_weights_of_one_on_their_folder(
    tmp_path: Path, ask: Ask, image_folder: ImageFolder, heard: Any
) -> None:
    data = image_folder(images=9)
    (data / "cat" / "cut.png").write_bytes((data / "cat" / "000.png").read_bytes()[:90])
    shards = tmp_path / "shards"
    shard(Sharding(data=data, out=shards, size=20_000), Silent())

    of_folder, of_shards = train(ask(data, "one"), Silent()), train(ask(shards, "two"), heard)

    assert isinstance(of_folder, Model)
    assert isinstance(of_shards, Model)
    assert all((of_folder.weights[name] == of_shards.weights[name]).all() for name in of_folder.weights)
    assert of_folder.accuracy == of_shards.accuracy
    assert "cat/cut.png" in heard.text
