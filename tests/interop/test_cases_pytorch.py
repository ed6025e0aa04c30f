"""State dicts of modules that others wrote, transformers' folders, and PyTorch's own files."""

from __future__ import annotations

import dataclasses
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from depthwise.errors import Refused
from depthwise.interop import formats
from depthwise.interop.pytorch import pickled
from depthwise.interop.pytorch.statistics import likeliest
from depthwise.interop.said import said
from depthwise.interop.source import Given
from depthwise.network.layers import layers
from depthwise.network.model import Model
from tools.foreign import same_weights

SmallModel = Callable[..., Model]


def renamed(model: Model, form: str) -> dict[str, np.ndarray]:
    """The arrays of a model under the names of another module."""
    found: dict[str, np.ndarray] = {}
    rows = [row for row in layers(model.spec) if row.norm]
    for number, row in enumerate(rows):
        conv, norm = NAMES[form](number)
        found[f"{conv}.weight"] = model.weights[f"{row.name}.weight"]
        for part in ("weight", "bias", "running_mean", "running_var"):
            found[f"{norm}.{part}"] = model.weights[f"{row.norm}.{part}"]
        found[f"{norm}.num_batches_tracked"] = np.zeros((), np.int64)
    head, shape = HEADS[form], model.weights["classifier.weight"].shape
    one = (1, 1) if form == "named" else ()
    found[f"{head}.weight"] = model.weights["classifier.weight"].reshape(*shape, *one)
    found[f"{head}.bias"] = model.weights["classifier.bias"]
    return found


def sequential(number: int) -> tuple[str, str]:
    """Blocks of convolution, normalisation, activation, twice; the names sort their numbers as text wrongly."""
    block, place = ((number + 1) // 2, 3 * (1 - number % 2)) if number else (0, 0)
    return f"model.{block}.{place}", f"model.{block}.{place + 1}"


def blocks(number: int) -> tuple[str, str]:
    """Blocks whose normalisations sort before their convolutions."""
    which = 2 - number % 2
    return ("conv1", "bn1") if not number else (
        f"layers.{(number - 1) // 2}.conv{which}", f"layers.{(number - 1) // 2}.bn{which}"
    )  # fmt: skip


def named(number: int) -> tuple[str, str]:
    """All depthwise ones sort before all pointwise ones, and the stem behind both."""
    kind = "stem" if not number else f"{'dw' if number % 2 else 'pw'}{(number + 1) // 2}"
    return f"{kind}.conv", f"{kind}.norm"


def transformers(number: int) -> tuple[str, str]:
    place = "conv_stem" if not number else f"layer.{number - 1}"
    return f"mobilenet_v1.{place}.convolution", f"mobilenet_v1.{place}.normalization"


NAMES = {"sequential": sequential, "blocks": blocks, "named": named, "transformers": transformers}
HEADS = {"sequential": "fc", "blocks": "linear", "named": "classifier", "transformers": "classifier"}
CONFIG: dict[str, Any] = {
    "model_type": "mobilenet_v1", "image_size": 32, "tf_padding": True, "layer_norm_eps": 1e-3, "hidden_act": "relu",
    "id2label": {"0": "cat", "1": "dog", "2": "bird"},
}  # fmt: skip
PROCESSOR = {
    "do_resize": True, "size": {"shortest_edge": 40}, "do_center_crop": True, "crop_size": {"height": 32, "width": 32},
    "rescale_factor": 1 / 255, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "resample": 3,
}  # fmt: skip


@pytest.mark.parametrize("form", ["sequential", "blocks", "named"])
def test_a_state_dict_is_read_by_shapes_and_order_whatever_its_names(
    small_model: SmallModel, tmp_path: Path, form: str
) -> None:
    model = small_model(seed=6)
    path = tmp_path / "weights.safetensors"
    save_file({f"module.{name}": array for name, array in renamed(model, form).items()}, path)
    found = formats.read(str(path), Given(resolution=32, activation="relu6"))
    assert isinstance(found, Model)
    assert dataclasses.replace(found.spec, bn_epsilon=model.spec.bn_epsilon) == model.spec
    assert same_weights(found, model)
    assert "symmetric padding, relu6, epsilon" in said(found)


def test_bfloat16_is_read_as_the_upper_half_of_float32_and_the_counter_of_an_average_is_passed_over(
    small_model: SmallModel, tmp_path: Path
) -> None:
    cut = {name: (array.view(np.uint32) >> 16).astype("<u2") for name, array in small_model(seed=6).weights.items()}
    whole = small_model(seed=6).replace(
        weights={name: (half.astype(np.uint32) << 16).view(np.float32) for name, half in cut.items()}
    )
    parts: list[tuple[str, str, list[int], bytes]] = [("n_averaged", "I64", [], bytes(8))]
    parts += [(f"module.{name}", "BF16", list(half.shape), half.tobytes()) for name, half in cut.items()]
    header, data = dict[str, Any](), b""
    for name, kind, shape, numbers in parts:
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(numbers)]}
        data += numbers
    text = json.dumps(header).encode()
    (tmp_path / "weights.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    found = formats.read(str(tmp_path / "weights.safetensors"), Given(resolution=32))
    assert isinstance(found, Model)
    assert same_weights(found, whole)


def test_the_strides_of_a_network_for_small_pictures_may_be_said(small_model: SmallModel, tmp_path: Path) -> None:
    model = small_model(seed=6, unit_strides=(0,))
    save_file(renamed(model, "blocks"), tmp_path / "weights.safetensors")
    found = formats.read(str(tmp_path / "weights.safetensors"), Given(resolution=32, unit_strides=(0,), epsilon=1e-5))
    assert isinstance(found, Model)
    assert found.spec == model.spec


def test_an_array_more_is_named_and_so_is_another_network(small_model: SmallModel, tmp_path: Path) -> None:
    arrays, path = renamed(small_model(), "sequential"), tmp_path / "weights.safetensors"
    save_file({**arrays, "extra": np.zeros(3, np.float32)}, path)
    with pytest.raises(Refused, match="array extra is not part of MobileNet V1; export the network to ONNX"):
        formats.read(str(path))
    save_file({name: array for name, array in arrays.items() if not name.startswith("model.13.")}, path)
    with pytest.raises(
        Refused, match=r"1 convolutions of a picture, 12 depthwise and 12 pointwise ones and 1 products"
    ):
        formats.read(str(path))


def test_the_activation_and_epsilon_of_a_state_dict_are_those_that_its_statistics_fit(
    real_file: Callable[[str], Path],
) -> None:
    model = formats.read(str(real_file("mobilenet_v1_0.25_224.h5")))
    assert isinstance(model, Model)
    rows = [row for row in layers(model.spec) if row.norm]
    points = [(before.norm, row.name, row.norm) for before, row in zip(rows[1::2], rows[2::2], strict=True)]
    arrays = dict(model.weights)
    assert likeliest(points, arrays, ("relu", 1e-5), known=False) == ("relu6", 1e-5)
    assert likeliest(points, arrays, ("relu", 1e-5), known=True) == ("relu", 1e-5)
    # Kernels a thousandth as large: the same network, were the epsilon a millionth of what it was.
    for row in rows:
        arrays[f"{row.name}.weight"] = arrays[f"{row.name}.weight"] / 1000
        arrays[f"{row.norm}.running_mean"] = arrays[f"{row.norm}.running_mean"] / 1000
        arrays[f"{row.norm}.running_var"] = arrays[f"{row.norm}.running_var"] / 1e6
    assert likeliest(points, arrays, ("relu6", 1e-3), known=False) == ("relu6", 1e-5)


def test_a_folder_of_transformers_says_its_labels_padding_epsilon_activation_and_pixels(
    small_model: SmallModel, tmp_path: Path
) -> None:
    model = small_model(seed=6, padding="same", bn_epsilon=1e-3, activation="relu", labels=("cat", "dog", "bird"))
    save_file(renamed(model, "transformers"), tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
    found = formats.read(str(tmp_path))
    assert isinstance(found, Model)
    assert (found.spec, found.labels, found.provenance["format"]) == (model.spec, model.labels, "transformers")
    assert same_weights(found, model)
    assert found.preprocessing.mean == pytest.approx((123.675, 116.28, 103.53))
    assert found.preprocessing.scale == pytest.approx((1 / 58.395, 1 / 57.12, 1 / 57.375))
    assert (found.preprocessing.resize, found.preprocessing.crop) == (40, 32)
    assert found.preprocessing.filter == "bicubic"
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({**PROCESSOR, "resample": 1}))
    assert "by a bilinear filter where the file says lanczos" in said(formats.read(str(tmp_path)))
    (tmp_path / "config.json").write_text(json.dumps({**CONFIG, "model_type": "vit"}))
    with pytest.raises(Refused, match="is of the network 'vit' of transformers"):
        formats.read(str(tmp_path))


def test_pytorchs_own_files_are_read_in_a_process_of_its_own_and_run_nothing(
    small_model: SmallModel, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed; its files are not read")
    model, path = small_model(seed=6), tmp_path / "checkpoint.pth"
    arrays = {f"module.{name}": torch.from_numpy(array) for name, array in renamed(model, "sequential").items()}
    torch.save({"epoch": 7, "state_dict": arrays, "optimizer": {"rate": 0.1}}, path)
    found = formats.read(str(path), Given(resolution=32))
    assert isinstance(found, Model)
    assert same_weights(found, model)
    torch.save(torch.nn.ReLU(), path)
    with pytest.raises(Refused, match=r"a whole object of Python.*not run here; save its weights by torch\.save"):
        list(pickled.contents(path))


def test_a_torchscript_file_is_refused_with_the_way_out(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "script.pt", "w") as archive:
        archive.writestr("script/code/__torch__.py", "")
    with pytest.raises(Refused, match=r"is a TorchScript program.*save its weights by .*or export it to ONNX"):
        formats.read(str(tmp_path / "script.pt"))


def test_a_program_of_torch_export_is_refused_with_the_way_out(tmp_path: Path) -> None:
    import zipfile

    for suffix in (".pt", ".pt2"):
        with zipfile.ZipFile(tmp_path / f"program{suffix}", "w") as archive:
            archive.writestr("program/archive_format", "pt2")
        with pytest.raises(Refused, match=r"is a program that torch\.export wrote.*save its weights"):
            formats.read(str(tmp_path / f"program{suffix}"))


def test_weights_that_pytorch_quantised_and_norms_without_statistics_are_named_as_such(
    small_model: SmallModel, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed; its files are not read")
    model, path = small_model(seed=6), tmp_path / "weights.pth"
    arrays = {name: torch.from_numpy(array) for name, array in renamed(model, "sequential").items()}
    quantised = torch.quantize_per_tensor(arrays["fc.weight"], 0.1, 0, torch.qint8)
    torch.save({**arrays, "fc.weight": quantised}, path)
    with pytest.raises(Refused, match="PyTorch quantised it, in a form of its own, which is not read; save"):
        list(pickled.contents(path))
    torch.save({name: array for name, array in arrays.items() if "running" not in name}, path)
    with pytest.raises(Refused, match=r"its normalisations, such as model\.0\.1, have no running_mean and running_var"):
        formats.read(str(path))


def test_options_of_a_training_script_beside_the_weights_are_no_code(small_model: SmallModel, tmp_path: Path) -> None:
    import argparse

    torch = pytest.importorskip("torch", reason="torch is not installed; its files are not read")
    arrays = {name: torch.from_numpy(array) for name, array in renamed(small_model(), "sequential").items()}
    torch.save({"state_dict": arrays, "args": argparse.Namespace(lr=0.1, names=["a"])}, tmp_path / "checkpoint.pth")
    assert dict(pickled.contents(tmp_path / "checkpoint.pth")).keys() == arrays.keys()
