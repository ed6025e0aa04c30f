"""A student that learns from teachers: what they tell, how it is kept, and which teachers are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from depthwise.cloud import checkpoint
from depthwise.cloud.loader import Loader
from depthwise.cloud.optimise import teacher_loss
from depthwise.cloud.recipe import Recipe
from depthwise.cloud.request import Request
from depthwise.cloud.session import train
from depthwise.cloud.teach.heads import FOLDS, fit_heads, folds
from depthwise.cloud.teach.sources import side_for
from depthwise.compiler import compile_model
from depthwise.data.contents import content_hash
from depthwise.data.folder import read_folder
from depthwise.data.store import training_store
from depthwise.edge.pixels import decode, prepare
from depthwise.errors import Refused
from depthwise.network import reference
from depthwise.network.model import Model
from depthwise.quantize.options import Options

Ask = Callable[..., Request]
ImageFolder = Callable[..., Path]


def kept(request: Request) -> np.ndarray[Any, Any]:
    """The logarithms that a run keeps."""
    (file,) = request.run_folder.glob("lessons-*.safetensors")
    return load_file(file)["logarithms"].astype(np.float64)


def test_the_loss_is_the_divergence_of_both_at_the_temperature_times_its_square() -> None:
    rng = np.random.default_rng(0)
    logits, told = rng.normal(size=(2, 4, 3))
    temperature = 2.5
    p, q = (np.exp(x / temperature) / np.exp(x / temperature).sum(1, keepdims=True) for x in (told, logits))
    wanted = temperature**2 * (p * np.log(p / q)).sum(1).mean()

    found = teacher_loss(torch.from_numpy(logits), torch.from_numpy(p), temperature)

    assert float(found) == pytest.approx(wanted, rel=1e-6)


def test_what_teachers_say_of_a_mixed_picture_is_mixed_as_its_pixels_are(image_folder: ImageFolder) -> None:
    items = read_folder(image_folder(images=6)).train
    store = training_store(items, channels=3, side=32, tick=lambda: None)
    recipe = Recipe(batch=4, mixup=1.0, temperature=2.0, seed=3)
    logarithms = np.log(np.random.default_rng(1).dirichlet((1, 1), len(store))).astype(np.float16)

    batch = Loader(store=store, recipe=recipe, resolution=32, lessons=logarithms).batch(1, 0)

    rows = np.random.default_rng([0, 3, 1]).permutation(len(store))[:4]
    softened = np.exp(logarithms.astype(np.float64) / 2)
    softened /= softened.sum(1, keepdims=True)
    assert 0 < batch.share < 1
    assert batch.taught is not None
    # Which picture was mixed in is seen by where nothing else adds up.
    rest = (batch.taught.numpy() - batch.share * softened[rows]) / (1 - batch.share)
    assert all(np.abs(softened[rows] - row).sum(1).min() < 1e-4 for row in rest)


def test_no_picture_is_judged_by_a_head_that_has_seen_it() -> None:
    """Features that say nothing but which picture it is: a head knows its own by heart, and no other."""
    rng = np.random.default_rng(0)
    features = np.repeat(rng.normal(size=(200, 1, 300)), 2, axis=1).astype(np.float16)
    labels = rng.integers(2, size=200)
    fold = folds([f"{index}.jpg" for index in range(200)])

    told = fit_heads(features, labels, features[:0], fold, classes=2, seed=0, tick=lambda: None)

    assert np.bincount(fold, minlength=FOLDS).min() > 20
    assert float((told.train.argmax(1).numpy() == labels).mean()) < 0.65


def test_a_network_of_the_same_classes_teaches_by_its_answers_in_the_order_of_the_student(
    ask: Ask, image_folder: ImageFolder, heard: Any
) -> None:
    request = ask(image_folder(images=6), extra={"distill": "tools.teachers:knows"})
    train(request, heard)

    items = read_folder(request.data).train
    stores = training_store(items, channels=3, side=8, tick=lambda: None)
    for index, row in enumerate(kept(request)):
        means = stores[index].mean((0, 1)) / 255
        # The module gives a dog red and a cat green; folders are in the order of their names.
        assert row[1] - row[0] == pytest.approx(5 * (means[0] - means[1]), abs=0.05)
    assert "teacher tools.teachers:knows (its answers at 8 px): validation top-1" in heard.text


def test_features_teach_through_a_head_and_several_teachers_by_their_mean(
    ask: Ask, image_folder: ImageFolder, heard: Any
) -> None:
    data = image_folder(images=6)
    both = ask(data, extra={"distill": "tools.teachers:means, tools.teachers:knows"})
    alone = [ask(data, name, extra={"distill": f"tools.teachers:{name}"}) for name in ("means", "knows")]
    for request in (both, *alone):
        train(request, heard)

    first, second = (np.exp(kept(request)) for request in alone)
    assert np.allclose(np.exp(kept(both)), (first + second) / 2, atol=2e-3)
    assert "their mean: validation top-1" in heard.text


def test_an_artifact_of_the_same_classes_answers_as_the_reference_does_for_both_views(
    tmp_path: Path, ask: Ask, image_folder: ImageFolder, heard: Any, small_model: Callable[..., Model]
) -> None:
    teacher = small_model(labels=("dog", "cat"), shallow=True)
    compile_model(teacher, target="host", out=tmp_path / "teacher.so")
    request = ask(image_folder(images=4), extra={"distill": str(tmp_path / "teacher.so")})
    model = train(request, heard)

    items = read_folder(request.data).train
    side = teacher.preprocessing
    squares = np.stack([prepare(decode(i.path, channels=3), resize=side.resize, crop=side.crop) for i in items])
    views = [
        reference.run(teacher, np.ascontiguousarray(view)).probabilities for view in (squares, squares[:, :, ::-1])
    ]
    assert np.allclose(np.exp(kept(request)), (views[0] + views[1])[:, ::-1] / 2, atol=2e-3)
    assert model.provenance["taught_by"]["teachers"] == [str(tmp_path / "teacher.so")]


def test_a_file_of_other_classes_teaches_by_its_features_at_five_sevenths_of_its_side(
    tmp_path: Path, ask: Ask, image_folder: ImageFolder, heard: Any, small_model: Callable[..., Model]
) -> None:
    """The pictures are of 40 pixels, which are small for this teacher."""
    teacher = small_model(labels=("ant", "bee", "fly"), resolution=128, shallow=True)
    teacher.save(tmp_path / "teacher")
    request = ask(image_folder(images=6), extra={"distill": str(tmp_path / "teacher")})
    train(request, heard)

    assert side_for(teacher) == 96
    assert kept(request).shape == (10, 2)
    assert np.allclose(np.exp(kept(request)).sum(1), 1, atol=2e-3)
    assert f"teacher {tmp_path / 'teacher'} (a head on its features at 96 px): validation top-1" in heard.text


def test_a_teacher_that_ends_with_a_softmax_says_what_it_says_without(
    ask: Ask, image_folder: ImageFolder, heard: Any
) -> None:
    data = image_folder(images=4)
    requests = [ask(data, name, extra={"distill": f"tools.teachers:{name}"}) for name in ("knows", "sure")]
    for request in requests:
        train(request, heard)

    plain, ended = map(kept, requests)
    assert np.allclose(plain, ended, atol=2e-3)


def test_the_network_that_ships_teaches_by_its_name(ask: Ask, image_folder: ImageFolder, heard: Any) -> None:
    request = ask(image_folder(images=6), extra={"distill": "shipped"})
    model = train(request, heard)

    assert model.provenance["taught_by"]["teachers"] == ["shipped"]
    assert "teacher shipped (a head on its features at 64 px): validation top-1" in heard.text


def test_imagenet_names_the_widest_of_published_networks(
    ask: Ask, image_folder: ImageFolder, heard: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DEPTHWISE_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(Refused, match=r"^--distill: .*mobilenetv1_100"):
        train(ask(image_folder(), extra={"distill": "imagenet"}), heard)


def test_training_in_int8_learns_from_the_float_model(
    tmp_path: Path, ask: Ask, image_folder: ImageFolder, heard: Any, small_model: Callable[..., Model]
) -> None:
    data = image_folder(images=6)
    source = small_model(labels=("cat", "dog"), shallow=True)
    quick = Options(images=8, rounding="nearest", ranges="minmax", equalise=False, correct_bias=False)
    int8 = {"pretrained": source, "quantize": quick}
    taught, alone = (
        ask(data, name, distill_weight=1.0, extra={**int8, "distill": teacher})
        for name, teacher in (("taught", "tools.teachers:knows"), ("alone", None))
    )
    for request in (taught, alone):
        train(request, heard)

    first, second = (load_file(request.run_folder / checkpoint.NAME) for request in (taught, alone))
    assert any(not np.array_equal(first[name], second[name]) for name in first if name.startswith("/network/"))


def test_teachers_that_know_no_more_than_the_student_are_warned_of(
    ask: Ask, image_folder: ImageFolder, heard: Any
) -> None:
    """This one takes every cat for a dog."""
    train(ask(image_folder(images=6), extra={"distill": "tools.teachers:knows"}), heard)

    assert "warning: the teachers are right for 0.00% of the validation images, which is no more than" in heard.text


def test_what_teachers_told_is_read_again_and_asked_again_where_the_pictures_are_others(
    ask: Ask, image_folder: ImageFolder, heard: Any
) -> None:
    request = ask(image_folder(images=6), extra={"distill": "tools.teachers:means", "resume": True})
    train(request, heard)
    asked = len(heard.stages)
    train(request, heard)
    assert not any(title.startswith(("asking", "fitting")) for title, _, _ in heard.stages[asked:])

    (request.data / "cat" / "000.png").rename(request.data / "cat" / "zzz.png")
    with pytest.raises(Refused, match="the folder of images is another one"):
        train(request, heard)


def test_a_damaged_file_of_lessons_is_refused(ask: Ask, image_folder: ImageFolder, heard: Any) -> None:
    request = ask(image_folder(images=6), extra={"distill": "tools.teachers:means", "resume": True})
    train(request, heard)
    (file,) = request.run_folder.glob("lessons-*")
    file.write_bytes(file.read_bytes()[:-1])

    with pytest.raises(Refused, match=r"lessons-.*: damaged; remove it, and the teachers are asked again"):
        train(request, heard)


@pytest.mark.parametrize(
    ("teacher", "sentence"),
    [
        ("nobody.tflite", "nobody.tflite: there is no such file"),
        ("tools.teachers:means,", "has an empty name in it"),
        ("tools.teachers:nobody", "tools.teachers:nobody: cannot be imported from here .*no attribute 'nobody'"),
        ("tools.teachers:needs_more", "cannot be called without arguments .*missing 1 required positional argument"),
        ("tools.teachers:number", "tools.teachers:number: returned int; it must return a torch.nn.Module"),
        ("tools.teachers:tall", r"must return \(pictures, numbers\)"),
        ("broken.so", "broken.so: is not an artifact"),
        ("broken.tflite", "broken.tflite: "),
        ("grey", "grey: takes grey pictures, and the network to train pictures in colour"),
    ],
)
def test_a_bad_teacher_is_refused_with_one_sentence(
    tmp_path: Path,
    ask: Ask,
    image_folder: ImageFolder,
    heard: Any,
    small_model: Callable[..., Model],
    monkeypatch: pytest.MonkeyPatch,
    teacher: str,
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    small_model(labels=("cat", "dog"), channels=1).save("grey")
    for name in ("broken.so", "broken.tflite"):
        Path(name).write_bytes(b"nothing of the kind" * 100)

    with pytest.raises(Refused, match=sentence) as refused:
        train(ask(image_folder(), extra={"distill": teacher}), heard)
    assert "\n" not in str(refused.value)


def test_a_model_keeps_hashes_of_what_it_and_the_model_before_it_were_trained_on(
    ask: Ask, image_folder: ImageFolder, heard: Any, small_model: Callable[..., Model]
) -> None:
    before = small_model(labels=("cat", "dog"), shallow=True).replace(provenance={"seen": ["0" * 16, "no hash", 7]})
    data = image_folder(images=4, splits=("train", "val"))

    model = train(ask(data, extra={"pretrained": before}), heard)

    files = {content_hash(path) for path in (data / "train").rglob("*.png")}
    assert set(model.provenance["seen"]) == files
    assert model.provenance["seen_before"] == ["0" * 16]
