"""Published weights by name: what is fetched from where, the cache and its checksums, and being offline."""

from __future__ import annotations

import io
import socket
import urllib.error
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from depthwise.errors import Refused
from depthwise.interop import names
from depthwise.interop.pytorch import format as timm
from depthwise.network.model import Model
from tools.foreign import same_weights
from tools.keras_files import write_keras

SmallModel = Callable[..., Model]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEPTHWISE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize(
    ("width", "resolution", "name"),
    [
        (1.0, 128, "timm/mobilenetv1_100.ra4_e3600_r224_in1k"),
        (1.25, 224, "timm/mobilenetv1_125.ra4_e3600_r224_in1k"),
        (0.25, 96, "keras/0.25-128"),
        (0.5, 170, "keras/0.5-160"),
        (0.75, 176, "keras/0.75-192"),
        (0.75, 320, "keras/0.75-224"),
    ],
)
def test_the_best_weights_are_those_of_the_width_and_the_nearest_resolution(
    width: float, resolution: int, name: str
) -> None:
    assert names.best(width, resolution) == name


def test_a_width_without_published_weights_is_refused_with_those_that_have() -> None:
    with pytest.raises(Refused, match=r"of width 0\.3; there are for 0\.25, 0\.5, 0\.75, 1, 1\.25"):
        names.best(0.3, 128)


@pytest.mark.parametrize("name", ["keras/0.3-128", "keras/0.25-96", "keras/", "timm/", "timm/a/b", "timm/../x"])
def test_a_name_that_does_not_exist_is_refused(cache: Path, name: str) -> None:
    with pytest.raises(Refused, match=r"there is no|is no repository of timm's"):
        names.load(name)


def test_keras_weights_are_fetched_once_kept_with_their_checksum_and_refused_when_they_change(
    cache: Path, small_model: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("h5py", reason="h5py is not installed; Keras files are not checked")
    model = small_model(padding="same", bn_epsilon=1e-3, resolution=128)
    write_keras(model, tmp_path / "file.h5", whole=False)
    asked = []

    def answer(url: str, timeout: float) -> io.BytesIO:
        asked.append(url)
        return io.BytesIO((tmp_path / "file.h5").read_bytes())

    monkeypatch.setattr("urllib.request.urlopen", answer)
    for _ in range(2):
        found = names.load("keras/0.25-128")
        assert (found.spec.resolution, same_weights(found, model)) == (128, True)
        assert found.provenance["source"] == "keras/0.25-128"
    assert asked == [f"{names.KERAS_URL}mobilenet_2_5_128_tf.h5"]
    record = cache / "keras" / "mobilenet_2_5_128_tf.h5.sha256"
    assert record.read_text().strip() == found.provenance["sha256"]
    with (cache / "keras" / "mobilenet_2_5_128_tf.h5").open("ab") as file:
        file.write(b"x")
    with pytest.raises(Refused, match=r"has checksum .* remove both and run again"):
        names.load("keras/0.25-128")


def test_names_of_keras_files_are_those_that_keras_publishes(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def answer(url: str, timeout: float) -> Any:
        asked.append(url.rsplit("/", 1)[1])
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("urllib.request.urlopen", answer)
    for name in ("keras/1.0-224", "keras/1-160-no-top", "keras/0.50-192", "keras/0.5-192", "keras/0.75-128"):
        with pytest.raises(Refused, match=f"{name} is not in the cache and cannot be fetched .no network.; go online"):
            names.load(name)
    assert asked == [
        "mobilenet_1_0_224_tf.h5",
        "mobilenet_1_0_160_tf_no_top.h5",
        "mobilenet_5_0_192_tf.h5",
        "mobilenet_5_0_192_tf.h5",
        "mobilenet_7_5_128_tf.h5",
    ]


def test_timm_weights_come_through_the_hub_and_its_cache(
    cache: Path, small_model: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    model = small_model(width=1.0)
    timm.write(model, tmp_path / "repository")
    asked = []

    def answer(repository: str, file: str, *, revision: str | None, local_files_only: bool = False) -> str:
        assert len(revision or "") == 40
        asked.append((repository, file))
        return str(tmp_path / "repository" / file)

    monkeypatch.setattr(hub, "hf_hub_download", answer)
    found = names.load("timm/mobilenetv1_100.ra4_e3600_r224_in1k")
    assert same_weights(found, model)
    assert [file for _, file in asked] == ["config.json", "model.safetensors"]
    assert (cache / "timm" / "mobilenetv1_100.ra4_e3600_r224_in1k.sha256").is_file()
    timm.write(small_model(seed=1, width=1.0), tmp_path / "repository")
    with pytest.raises(Refused, match="has checksum"):
        names.load("timm/mobilenetv1_100.ra4_e3600_r224_in1k")


def test_without_a_network_timm_weights_are_refused_at_once_in_one_line(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")

    def fail(*_: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", fail)
    monkeypatch.setattr("urllib.request.getproxies", dict)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(Refused, match=r"is not in the cache and cannot be fetched .*; go online once") as refused:
        names.load("timm/mobilenetv1_100.no_such_weights")
    assert "\n" not in str(refused.value)
