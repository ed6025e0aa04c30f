"""The record of how an image becomes the network's input."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from depthwise.errors import Refused
from depthwise.network.preprocessing import Preprocessing, default_preprocessing, squared

RIGHT: dict[str, Any] = {"resize": 37, "crop": 32, "mean": (128.0,) * 3, "scale": (1 / 64,) * 3}

REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"crop": 0}, "crop is 0; it must be a whole number from 1 to 8192"),
    ({"crop": 32.0}, "crop is 32.0; it must be a whole number from 1 to 8192"),
    ({"resize": True}, "resize is True; it must be a whole number from 1 to 8192"),
    ({"resize": 8193}, "resize is 8193; it must be a whole number from 1 to 8192"),
    ({"resize": 31}, "resize is 31, below crop 32; the shorter side must hold the crop"),
    ({"mean": 128}, "mean is 128; it must be a list of 1 or 3 finite numbers"),
    ({"mean": "128"}, "mean is '128'; it must be a list of 1 or 3 finite numbers"),
    ({"mean": (1, 2)}, "mean is (1, 2); it must be a list of 1 or 3 finite numbers"),
    ({"mean": (1, 2, float("nan"))}, "mean is (1, 2, nan); it must be a list of 1 or 3 finite numbers"),
    ({"mean": (1, 2, False)}, "mean is (1, 2, False); it must be a list of 1 or 3 finite numbers"),
    ({"scale": (1, 2, None)}, "scale is (1, 2, None); it must be a list of 1 or 3 finite numbers"),
    (
        {"scale": [10**400]},
        f"scale is [1{'0' * 78}... (403 characters); it must be a list of 1 or 3 finite numbers",
    ),
    ({"mean": (128,)}, "mean has 1 numbers and scale 3; give one of each a channel"),
    ({"mean": (-1, 0, 0)}, "mean is (-1.0, 0.0, 0.0); each must be from 0 to 255"),
    ({"mean": (0, 255.5, 0)}, "mean is (0.0, 255.5, 0.0); each must be from 0 to 255"),
    ({"mode": "stretch"}, "mode is 'stretch'; it must be one of crop, squash, fit"),
    ({"filter": "lanczos"}, "filter is 'lanczos'; it must be one of bilinear, bicubic"),
    ({"mode": "squash"}, "resize is 37 and crop 32; to squash they must be one number"),
    (
        {"mode": "fit", "resize": 32, "fill": (0, 0, 256)},
        "fill is (0, 0, 256); to fit it must be a whole number from 0 to 255 for each of 3 channels, and to crop or"
        " squash nothing",
    ),
    ({"scale": (1, 0, 1)}, "scale is (1.0, 0.0, 1.0); each must be above 0"),
]


@pytest.mark.parametrize(("fields", "sentence"), REFUSALS, ids=[str(fields)[:40] for fields, _ in REFUSALS])
def test_a_wrong_value_is_refused_with_a_sentence(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refused) as refusal:
        Preprocessing(**{**RIGHT, **fields})

    assert sentence == str(refusal.value)


def test_an_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(Refused, match=r"unknown fields 'interpolation'$"):
        Preprocessing.from_dict({**RIGHT, "interpolation": "bicubic"})


def test_a_record_comes_back_from_json() -> None:
    record = Preprocessing(resize=40, crop=33, mean=(123.675, 116.28, 103.53), scale=(0.0171, 0.0175, 1 / 3))

    assert record == Preprocessing.from_dict(json.loads(json.dumps(record.to_dict())))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("resolution", "resize"), [(224, 256), (128, 146), (32, 37), (4096, 4681)])
def test_our_own_models_crop_seven_eighths_and_have_whole_means(resolution: int, resize: int, channels: int) -> None:
    """round(8/7 of the crop); a whole mean is the byte that stands for the zeros of padding."""
    record = default_preprocessing(resolution, channels)

    assert (resize, resolution, channels) == (record.resize, record.crop, record.channels)
    assert round(resolution * 8 / 7) == record.resize
    assert all(mean == int(mean) for mean in record.mean)


@pytest.mark.parametrize(
    ("text", "mode", "resize", "fill"),
    [
        ("crop", "crop", 37, ()),
        ("32", "crop", 32, ()),
        ("squash", "squash", 32, ()),
        ("fit", "fit", 32, (0, 0, 0)),
        ("fit:114", "fit", 32, (114, 114, 114)),
        ("fit:1,2,3", "fit", 32, (1, 2, 3)),
    ],
)
def test_a_way_to_a_square_is_read_and_comes_back_from_its_fields(
    text: str, mode: str, resize: int, fill: tuple[int, ...]
) -> None:
    found = squared(default_preprocessing(32, 3), text)
    assert (found.mode, found.resize, found.crop, found.fill) == (mode, resize, 32, fill)
    assert Preprocessing.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert ("mode" in found.to_dict()) == (mode != "crop")
    for more in (f"{text},bicubic", f"{text}, bicubic ", "bicubic"):
        bicubic = squared(found, more)
        assert bicubic == dataclasses.replace(found, filter="bicubic") != found
        assert Preprocessing.from_dict(json.loads(json.dumps(bicubic.to_dict()))) == bicubic
        assert squared(bicubic, "bilinear") == found


@pytest.mark.parametrize("text", ["", "stretch", "crop:3", "fit:a", "31", ",bicubic", "crop,lanczos", "bicubic,crop"])
def test_no_way_to_a_square_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        squared(default_preprocessing(32, 3), text)
