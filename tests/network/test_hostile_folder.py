"""Model folders that are damaged, or made to harm: each is refused with a sentence that names the file."""

from __future__ import annotations

import json
import os
import shutil
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save as to_bytes

from depthwise.errors import Refused
from depthwise.network.model import DESCRIPTION, WEIGHTS, Model, random_weights
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.spec import Spec

SPEC = Spec(width=0.01, resolution=32, classes=2, shallow=True)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good") / "model"
    Model(
        spec=SPEC,
        weights=random_weights(SPEC),
        labels=("a", "b"),
        preprocessing=default_preprocessing(32, 3),
        provenance={"seed": 1},
    ).save(folder)
    return folder


@pytest.fixture
def folder(good: Path, tmp_path: Path) -> Path:
    """A copy of a good model folder, to be spoilt."""
    return Path(shutil.copytree(good, tmp_path / "model"))


def refusal(folder: Path) -> str:
    """The sentence with which a folder is refused. A warning would be an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(Refused) as found:
            Model.load(folder)
    text = str(found.value)
    assert str(folder) in text
    assert len(text) < 500 + len(str(folder))
    return text.replace(str(folder), "FOLDER")


# ---- model.json


def test_a_folder_without_a_description_is_no_model_folder(folder: Path) -> None:
    (folder / DESCRIPTION).unlink()
    expected = (
        "FOLDER: not a model folder, it has no model.json; give a folder that `depthwise train` wrote; if it is another"
        f" program's network, run: depthwise convert FOLDER {folder.stem}-model"
    )

    assert expected == refusal(folder)
    assert "FOLDER/nowhere: there is no such folder; give one that" in refusal_of(folder / "nowhere", folder)
    assert "run: depthwise convert FOLDER/weights.safetensors weights-model" in refusal_of(folder / WEIGHTS, folder)


def test_of_an_artifact_it_is_said_that_the_model_folder_is_wanted(folder: Path, tmp_path: Path) -> None:
    artifact = tmp_path / "model.so"
    artifact.write_bytes(bytes(100) + b"DWTRAIL2" + bytes(20))

    assert refusal_of(artifact, folder).endswith(
        "it is an artifact, from which no model comes back; give the model folder that it was compiled from"
    )


def refusal_of(place: Path, folder: Path) -> str:
    with pytest.raises(Refused) as found:
        Model.load(place)
    return str(found.value).replace(str(folder), "FOLDER")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not valid JSON (Expecting value"),
        (b"\x00\xff\xfe garbage", "not valid JSON ('utf-8' codec can't decode"),
        (b'{"format": 1', "not valid JSON (Expecting ',' delimiter"),
        (b"[" * 100_000, "not valid JSON (maximum recursion depth exceeded"),
        (b'{"format": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not valid JSON (maximum recursion depth"),
        (b'{"format": 1, "accuracy": {"top1": NaN}}', "not valid JSON (NaN is not a JSON value)"),
        (b'{"format": 1, "spec": {"width": -Infinity}}', "not valid JSON (-Infinity is not a JSON value)"),
        (b'{"format": 1' + b"0" * 5000 + b"}", "not valid JSON (Exceeds the limit"),
        (b"[1, 2]", "holds no JSON object; the file is damaged"),
        (b'"model"', "holds no JSON object; the file is damaged"),
        (b"{}", "is another program's; give a folder that `depthwise train` wrote"),
        (b'{"format": 3}', "format 3; this version of depthwise reads formats 1 and 2, update depthwise"),
        (b'{"format": true}', "format True; this version of depthwise reads formats 1 and 2"),
        (b'{"format": "1"}', "format '1'; this version of depthwise reads formats 1 and 2"),
        (b'{"format": "' + b"x" * 10_000 + b'"}', f"format 'x{'x' * 78}... (10,002 characters); this version"),
    ],
    ids=lambda value: str(value[:30]),
)
def test_a_description_that_is_no_description_is_refused(folder: Path, content: bytes, reason: str) -> None:
    (folder / DESCRIPTION).write_bytes(content)

    assert refusal(folder).startswith(f"FOLDER/model.json: {reason}")


def test_a_description_of_gigabytes_is_refused_before_it_is_read(folder: Path) -> None:
    with (folder / DESCRIPTION).open("ab") as file:
        file.truncate(2**40)

    assert (
        refusal(folder)
        == "FOLDER/model.json: cannot be read (it has 1,099,511,627,776 bytes, and 67,108,864 at most are read)"
    )


DAMAGE: list[tuple[str, Any, str]] = [
    ("spec", None, "FOLDER: model.json has no 'spec', an object; the file is damaged"),
    ("labels", None, "FOLDER: model.json has no 'labels', a list; the file is damaged"),
    ("preprocessing", None, "FOLDER: model.json has no 'preprocessing', an object; the file is damaged"),
    ("accuracy", None, "FOLDER: model.json has no 'accuracy', an object; the file is damaged"),
    ("spec", [], "FOLDER: 'spec' in model.json is not an object; the file is damaged"),
    ("spec", "", "FOLDER: 'spec' in model.json is not an object; the file is damaged"),
    ("labels", "ab", "FOLDER: 'labels' in model.json is not a list; the file is damaged"),
    ("labels", {"a": 0, "b": 1}, "FOLDER: 'labels' in model.json is not a list; the file is damaged"),
    ("provenance", [["seed", 1]], "FOLDER: 'provenance' in model.json is not an object; the file is damaged"),
    ("labels", ["a", 5], "FOLDER: label 1 is 5; it must be text of at least one character"),
    ("labels", ["a", ["b"]], "FOLDER: label 1 is ['b']; it must be text of at least one character"),
    ("labels", ["a", "\ud800"], "FOLDER: label 1 is '\\ud800', which is not valid Unicode; rename the class"),
    ("labels", ["a"], "FOLDER: there are 1 labels for 2 classes; give one a class"),
    ("spec", {"width": "wide"}, "FOLDER: width is 'wide'; it must be a number above 0 and at most 8.0"),
    ("spec", {"depth": 3}, "FOLDER: the network has unknown fields 'depth'; known are activation, bn_epsilon, "),
    ("spec", {"width": 10**400}, f"FOLDER: width is 1{'0' * 79}... (401 characters); it must be"),
    ("spec", {"unit_strides": [[[0]]]}, "FOLDER: unit_strides is ([[0]],); it must be a tuple of numbers among"),
    ("preprocessing", {"crop": 32}, "FOLDER/model.json: a field is missing or of a wrong type (Preprocessing"),
    ("preprocessing", {"code": "import os"}, "FOLDER: preprocessing has unknown fields 'code'"),
]


@pytest.mark.parametrize(("field", "value", "sentence"), DAMAGE, ids=[f"{f}={v!r:.30}" for f, v, _ in DAMAGE])
def test_a_field_that_is_missing_or_wrong_is_refused_by_name(
    folder: Path, field: str, value: Any, sentence: str
) -> None:
    description = json.loads((folder / DESCRIPTION).read_text())
    if value is None:
        del description[field]
    else:
        description[field] = value
    (folder / DESCRIPTION).write_text(json.dumps(description))

    assert refusal(folder).startswith(sentence)


# ---- weights.safetensors


def file_of(header: Any, data: bytes = b"") -> bytes:
    """A safetensors file with any header: its length in 8 bytes, JSON, the arrays."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype: str, shape: list[int], begin: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x01",
        b"garbage that is long enough to hold a header",
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 2**64 - 1) + b"{}",
        struct.pack("<Q", 100) + b"{}",
        file_of(b"{" * 3000),
        file_of(b"\xff\xfe"),
        file_of([]),
        file_of({"a": 5}),
        file_of({"a": entry("F32", [2], 0, 8)}),
        file_of({"a": entry("F32", [2], 0, 4)}, b"\0" * 4),
        file_of({"a": entry("F32", [2], 8, 0)}, b"\0" * 8),
        file_of({"a": entry("F32", [2**62, 4], 0, 0)}),
        file_of({"a": entry("F32", [-1], 0, 4)}, b"\0" * 4),
        file_of({"a": entry("F32", [1], 0, 4), "b": entry("F32", [1], 0, 4)}, b"\0" * 4),
        file_of({"a": entry("F32", [1], 4, 8)}, b"\0" * 8),
        file_of({"a": entry("OBJECT", [1], 0, 8)}, b"\0" * 8),
        file_of({"a": entry("F32", [1], 0, 4)}, b"\0" * 4000),
        # A pickle, as torch.save writes one.
        b"PK\x03\x04" + b"\x80\x02}q\x00." * 20,
    ],
    ids=lambda content: repr(content[:40]),
)
def test_weights_that_are_no_safetensors_file_are_refused(folder: Path, content: bytes) -> None:
    (folder / WEIGHTS).write_bytes(content)

    assert refusal(folder).startswith("FOLDER: weights.safetensors is damaged (")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.999])
def test_truncated_weights_are_refused(folder: Path, share: float) -> None:
    with (folder / WEIGHTS).open("r+b") as file:
        file.truncate(int((folder / WEIGHTS).stat().st_size * share))

    assert refusal(folder).startswith("FOLDER: weights.safetensors is damaged (")


def test_weights_of_terabytes_are_refused_before_they_are_read(folder: Path) -> None:
    with (folder / WEIGHTS).open("ab") as file:
        file.truncate(2**40)

    assert "FOLDER: weights.safetensors cannot be read (it has 1,099,511,627,776 bytes, and " in refusal(folder)


def test_a_folder_without_weights_is_refused(folder: Path) -> None:
    (folder / WEIGHTS).unlink()

    assert refusal(folder) == "FOLDER: it has no weights.safetensors; copy the whole folder"


@pytest.mark.parametrize("name", [DESCRIPTION, WEIGHTS])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_not_a_plain_file_is_refused_and_never_waited_for(folder: Path, name: str, kind: str) -> None:
    (folder / name).unlink()
    match kind:
        case "pipe":
            os.mkfifo(folder / name)
        case "device":
            (folder / name).symlink_to("/dev/zero")
        case "folder":
            (folder / name).mkdir()

    assert f"{name}" in refusal(folder)
    assert "cannot be read (it is not a plain file)" in refusal(folder)


@pytest.mark.parametrize("dtype", [np.float64, np.int8, np.uint8, np.int32, np.bool_])
def test_weights_of_another_dtype_are_refused(folder: Path, dtype: type) -> None:
    (folder / WEIGHTS).write_bytes(to_bytes({"bn1.bias": np.zeros(8, dtype)}))

    assert refusal(folder) == f"FOLDER: weight bn1.bias is {np.dtype(dtype)}; known are float32, float16"


@pytest.mark.parametrize("dtype", ["BF16", "F8_E4M3", "F8_E5M2", "C64", "F4"])
def test_weights_of_a_dtype_that_numpy_lacks_are_refused(folder: Path, dtype: str) -> None:
    (folder / WEIGHTS).write_bytes(file_of({"bn1.bias": entry(dtype, [16], 0, 16)}, b"\0" * 16))

    assert refusal(folder).startswith("FOLDER: weight")


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_a_weight_that_is_not_a_number_is_refused_by_name(folder: Path, dtype: type[np.floating[Any]]) -> None:
    arrays: dict[str, np.ndarray] = {name: array.astype(dtype) for name, array in random_weights(SPEC).items()}
    arrays["blocks.0.0.conv_dw.weight"][3, 0, 1, 2] = np.nan
    (folder / WEIGHTS).write_bytes(to_bytes(arrays))

    assert refusal(folder).startswith("FOLDER: weight blocks.0.0.conv_dw.weight holds a value that is not finite")


def test_weights_of_another_network_are_refused(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(to_bytes(random_weights(Spec(width=0.01, resolution=32, classes=3, shallow=True))))

    assert refusal(folder) == "FOLDER: weight classifier.weight has shape (3, 16); this network needs (2, 16)"


def test_a_description_that_claims_a_huge_network_allocates_nothing(folder: Path) -> None:
    """A million classes at width 8 are 8 billion weights."""
    description = json.loads((folder / DESCRIPTION).read_text())
    description["spec"] |= {"width": 8.0, "classes": 1_000_000}
    description["labels"] = [str(number) for number in range(1_000_000)]
    (folder / DESCRIPTION).write_text(json.dumps(description))

    assert refusal(folder).startswith("FOLDER: this network has 8,")


def test_a_description_is_long_by_its_labels_alone(folder: Path) -> None:
    """An empty list of three bytes would take 60 in memory, and 60 MB of them three gigabytes."""
    text = (folder / DESCRIPTION).read_text()
    (folder / DESCRIPTION).write_text(text.replace('"seed"', '"many": [' + "[]," * 1_500_000 + '0], "seed"'))

    assert refusal(folder).startswith("FOLDER/model.json: not valid JSON (1,500,")


def test_a_number_beyond_all_numbers_is_refused(folder: Path) -> None:
    text = (folder / DESCRIPTION).read_text()
    (folder / DESCRIPTION).write_text(text.replace('"seed"', '"speed": -1e999, "seed"'))

    assert refusal(folder).startswith("FOLDER/model.json: not valid JSON (-1e999 is beyond the range of numbers)")


# ---- anything else


@settings(max_examples=150)
@given(data=st.data())
def test_bytes_changed_anywhere_give_a_model_or_a_refusal(good: Path, data: st.DataObject) -> None:
    """Never another exception, and never weights that are not finite."""
    name = data.draw(st.sampled_from([DESCRIPTION, WEIGHTS]))
    content = bytearray((good / name).read_bytes())
    # Mostly where the structure is: the header of the weights is at their start.
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, min(len(content), 4000) - 1))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    spoilt = good.parent / "spoilt"
    shutil.rmtree(spoilt, ignore_errors=True)
    shutil.copytree(good, spoilt)
    (spoilt / name).write_bytes(bytes(content))

    assert outcome(spoilt) in ("refused", "finite")


def outcome(folder: Path) -> str:
    try:
        model = Model.load(folder)
    except Refused:
        return "refused"
    return "finite" if all(np.isfinite(array).all() for array in model.weights.values()) else "not finite"


def test_the_folder_that_the_others_spoil_is_good(folder: Path) -> None:
    assert Model.load(folder).labels == ("a", "b")
