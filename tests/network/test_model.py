"""The model in memory, and its way to a folder and back."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthwise.errors import Refused
from depthwise.network.model import DESCRIPTION, WEIGHTS, Model, check_labels, expected_weights, random_weights
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.spec import Spec

SmallModel = Callable[..., Model]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def equal(one: Model, other: Model) -> bool:
    rest = ("spec", "labels", "preprocessing", "provenance", "accuracy")
    return all(getattr(one, name) == getattr(other, name) for name in rest) and all(
        np.array_equal(array, other.weights[name]) for name, array in one.weights.items()
    )


# ---- in memory


def change(model: Model, name: str, array: Any) -> dict[str, Any]:
    return {**model.weights, name: array}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("bn1.weight", np.nan, "weight bn1.weight holds a value that is not finite; the training diverged or the file"),
        ("bn1.bias", -np.inf, "weight bn1.bias holds a value that is not finite; the training diverged or the file"),
        ("bn1.running_var", -1e-9, "weight bn1.running_var holds a negative variance; the file is damaged"),
    ],
)
def test_a_weight_that_cannot_be_is_refused_by_name(
    small_model: SmallModel, name: str, value: float, sentence: str
) -> None:
    model = small_model()
    array = model.weights[name].copy()
    array[-1] = value

    with pytest.raises(Refused, match=f"^{sentence}"):
        model.replace(weights=change(model, name, array))


def test_a_weight_of_another_shape_is_refused_with_both_shapes(small_model: SmallModel) -> None:
    model = small_model()

    with pytest.raises(Refused, match=r"^weight bn1.bias has shape \(3,\); this network needs \(8,\)$"):
        model.replace(weights=change(model, "bn1.bias", np.zeros(3, np.float32)))


def test_a_weight_in_memory_is_float32_only(small_model: SmallModel) -> None:
    model = small_model()

    with pytest.raises(Refused, match=r"^weight bn1.bias is float64; a model in memory holds float32$"):
        model.replace(weights=change(model, "bn1.bias", np.zeros(8)))


def test_weights_of_another_network_are_refused_with_the_first_that_does_not_fit(small_model: SmallModel) -> None:
    model = small_model()
    fewer = {name: array for name, array in model.weights.items() if not name.startswith("bn1.")}

    with pytest.raises(Refused, match=r"^4 weights are missing, the first is bn1.weight; these are the weights of"):
        model.replace(weights=fewer)
    with pytest.raises(Refused, match=r"^2 weights are not of this network, the first is head\.a$"):
        model.replace(weights={**model.weights, "head.b": np.zeros(1), "head.a": np.zeros(1)})


def test_preprocessing_has_the_channels_and_the_size_of_the_network(small_model: SmallModel) -> None:
    model = small_model()

    with pytest.raises(Refused, match=r"^preprocessing has 1 channels and the network 3; give one mean and one scale"):
        model.replace(preprocessing=default_preprocessing(32, 1))
    with pytest.raises(Refused, match=r"^preprocessing crops to 33 pixels and the network takes 32; make them equal$"):
        model.replace(preprocessing=default_preprocessing(33, 3))


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (("a",), "there are 1 labels for 2 classes; give one a class"),
        (("a", ""), "label 1 is ''; it must be text of at least one character"),
        (("a", 7), "label 1 is 7; it must be text of at least one character"),
        (("a", "b\0c"), r"label 1 is 'b\x00c'; a null byte ends a text in C, so remove it"),
        (("a", "b\ud800"), r"label 1 is 'b\ud800', which is not valid Unicode; rename the class"),
        (("a", "a"), "labels 0 and 1 are both 'a'; rename one class"),
    ],
)
def test_a_label_that_a_device_could_not_print_or_tell_apart_is_refused(labels: Any, sentence: str) -> None:
    with pytest.raises(Refused) as refusal:
        check_labels(labels, 2)

    assert sentence == str(refusal.value)


# ---- to a folder and back

AWKWARD = (
    '"quotes"',
    "back\\slash",
    "new\nline",
    "*/",
    "</script>",
    "%s",
    "emoji 🐈‍⬛",
    "tab\t",
    " ",
    "ünïcödé",
    "\x7f",
)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"channels": 1, "padding": "same", "activation": "relu", "bn_epsilon": 1e-3, "resolution": 35},
        {"convolution": "standard", "shallow": True, "unit_strides": (0, 12), "width": 0.1},
    ],
    ids=str,
)
def test_a_model_comes_back_from_its_folder_as_it_was(
    fields: dict[str, Any], small_model: SmallModel, tmp_path: Path
) -> None:
    model = small_model(**fields).replace(provenance={"seed": 7, "data": {"name": "x"}}, accuracy={"top1": 0.5})
    model.save(tmp_path / "model")

    assert equal(model, Model.load(tmp_path / "model"))
    assert {DESCRIPTION, WEIGHTS} == set(contents(tmp_path / "model"))


def test_labels_of_any_characters_come_back(small_model: SmallModel, tmp_path: Path) -> None:
    small_model(labels=AWKWARD).save(tmp_path / "model")

    assert Model.load(tmp_path / "model").labels == AWKWARD


def test_half_precision_halves_the_file_and_comes_back_as_float32_of_the_half(
    small_model: SmallModel, tmp_path: Path
) -> None:
    model = small_model()
    model.save(tmp_path / "whole")
    model.save(tmp_path / "half", dtype="float16")
    back = Model.load(tmp_path / "half")
    values = sum(array.size for array in model.weights.values())

    for name, array in model.weights.items():
        np.testing.assert_array_equal(array.astype(np.float16).astype(np.float32), back.weights[name])
    sizes = [(tmp_path / which / WEIGHTS).stat().st_size for which in ("whole", "half")]
    assert 2 * values == pytest.approx(sizes[0] - sizes[1], abs=1000)


def test_a_weight_that_half_precision_cannot_hold_is_refused_without_a_warning(
    small_model: SmallModel, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    model = small_model()
    large = model.replace(weights=change(model, "bn1.bias", np.full(8, 65_520, np.float32)))

    with pytest.raises(Refused, match=r"^weight bn1.bias does not fit into float16; write float32$"):
        large.save(tmp_path / "model", dtype="float16")
    assert not recwarn.list
    assert not list(tmp_path.iterdir())


def test_another_dtype_is_refused(small_model: SmallModel, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"^dtype is 'int4'; it must be one of float32, float16$"):
        small_model().save(tmp_path / "model", dtype="int4")


def test_the_same_model_gives_the_same_bytes_in_whatever_order_its_weights_come(
    small_model: SmallModel, tmp_path: Path
) -> None:
    model = small_model()
    model.save(tmp_path / "one")
    model.replace(weights=dict(reversed(list(model.weights.items())))).save(tmp_path / "other")

    assert contents(tmp_path / "one") == contents(tmp_path / "other")


def test_the_description_is_json_that_a_person_can_read(small_model: SmallModel, tmp_path: Path) -> None:
    model = small_model(labels=("Käse", "Brot"))
    model.save(tmp_path / "model")
    text = (tmp_path / "model" / DESCRIPTION).read_text(encoding="utf-8")

    assert '"Käse"' in text
    assert json.loads(text)["spec"] == model.spec.to_dict()
    assert json.loads(text)["format"] == 1


def test_a_path_that_is_not_utf8_does_not_cost_the_training(small_model: SmallModel, tmp_path: Path) -> None:
    """Such a path reaches Python as lone surrogates, and provenance holds the command line."""
    command = b"depthwise train caf\xe9".decode("utf-8", "surrogateescape")
    small_model().replace(provenance={"command": command}).save(tmp_path / "model")

    assert command == Model.load(tmp_path / "model").provenance["command"]


# ---- whole or not at all


def test_a_folder_that_is_a_model_is_replaced_and_its_readme_kept(small_model: SmallModel, tmp_path: Path) -> None:
    place = tmp_path / "deep" / "model"
    small_model(seed=1).save(place)
    (place / "README.md").write_text("a card")
    newer = small_model(seed=2)
    newer.save(place)

    assert equal(newer, Model.load(place))
    assert (place / "README.md").read_text() == "a card"
    assert [place] == list(place.parent.iterdir())


def test_a_link_to_a_model_folder_stays_a_link(small_model: SmallModel, tmp_path: Path) -> None:
    small_model(seed=1).save(tmp_path / "real")
    (tmp_path / "link").symlink_to("real", target_is_directory=True)
    newer = small_model(seed=2)
    newer.save(tmp_path / "link")

    assert (tmp_path / "link").is_symlink()
    assert equal(newer, Model.load(tmp_path / "real"))
    assert {"link", "real"} == {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("name", [".", "model/", "model/../other"])
def test_a_folder_may_be_named_in_any_way(
    name: str, small_model: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    small_model().save(name)
    place = (tmp_path / "here" / name).resolve()

    assert {DESCRIPTION, WEIGHTS} == set(contents(place))


def test_a_folder_that_holds_anything_else_is_left_alone(small_model: SmallModel, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(Refused, match=r": exists and is not a model folder; choose another name or remove it$"):
        small_model().save(tmp_path)
    with pytest.raises(Refused, match=r"thesis.txt: exists and is not a model folder"):
        small_model().save(tmp_path / "thesis.txt")
    assert contents(tmp_path) == {"thesis.txt": b"years of work"}


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_place_that_may_not_be_written_is_refused(small_model: SmallModel, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(Refused, match=r"model: cannot be written \(Permission denied\)"):
        small_model().save(tmp_path / "model")


def test_a_file_in_the_place_of_a_parent_is_refused(small_model: SmallModel, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Refused, match=r"file/model: cannot be written \((File exists|Not a directory)\)"):
        small_model().save(tmp_path / "file" / "model")


# ---- random weights


def test_random_weights_are_those_of_the_network_and_repeat_with_their_seed() -> None:
    spec = Spec(width=0.25, resolution=32, classes=3)
    one, again, other = random_weights(spec, 1), random_weights(spec, 1), random_weights(spec, 2)

    assert expected_weights(spec) == {name: array.shape for name, array in one.items()}
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert not any(np.array_equal(one[name], other[name]) for name in one)
