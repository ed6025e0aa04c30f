"""Checkpoints: what goes in comes out, and nothing that is not one is believed."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from depthwise.cloud import checkpoint
from depthwise.errors import Refused

STATE: dict[str, Any] = {
    "epoch": 3,
    "rate": 0.1 + 0.2,
    "nothing": None,
    "list": [1, "two", [3.5, True]],
    "state": {0: {"step": torch.tensor(7.0), "exp_avg": torch.arange(6.0).reshape(2, 3)}, 1: {}},
    "twice": {"a": torch.ones(3), "b": torch.ones(3)},
    "tensor": torch.tensor([1, 2], dtype=torch.float64),
    "text": "naïve / \0 ☃",
}


def loaded(folder: Path) -> dict[str, Any]:
    content = checkpoint.read(folder)
    assert content is not None
    return checkpoint.decode(content, folder / checkpoint.NAME)


def same(first: Any, second: Any) -> bool:
    if isinstance(first, torch.Tensor):
        return first.dtype == second.dtype and np.array_equal(first.numpy(), second.numpy())
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    return type(first) is type(second) and first == second


def test_a_state_comes_back_as_it_was_with_whole_numbers_as_keys(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, STATE)

    assert same(STATE, loaded(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.NAME]


def test_tensors_that_share_memory_or_are_laid_out_otherwise_come_back_too(tmp_path: Path) -> None:
    whole = torch.arange(24.0).reshape(1, 2, 3, 4)
    checkpoint.save(tmp_path, {"a": whole, "b": whole, "c": whole.to(memory_format=torch.channels_last)})

    assert same({"a": whole, "b": whole, "c": whole}, loaded(tmp_path))


def test_no_checkpoint_is_none(tmp_path: Path) -> None:
    assert checkpoint.read(tmp_path) is None


def test_a_checkpoint_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, STATE)
    whole = (tmp_path / checkpoint.NAME).read_bytes()

    for length in range(len(whole)):
        with pytest.raises(Refused, match=r"damaged .*remove it to start the training anew"):
            checkpoint.decode(whole[:length], tmp_path / checkpoint.NAME)


def test_a_checkpoint_with_a_changed_byte_in_its_header_is_refused_or_read(tmp_path: Path) -> None:
    """Whatever a byte says, the answer is a state or a refusal, never another error."""
    checkpoint.save(tmp_path, STATE)
    whole = (tmp_path / checkpoint.NAME).read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(2000):
        changed = bytearray(whole)
        changed[int(rng.integers(len(whole)))] = int(rng.integers(256))
        with contextlib.suppress(Refused):
            checkpoint.decode(bytes(changed), tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage",
        b"\xff" * 100,
        (20).to_bytes(8, "little") + b"[" * 100_000,
        (100_000).to_bytes(8, "little") + b"[" * 100_000,
        (2).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"[]",
    ],
)
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Refused, match="damaged"):
        checkpoint.decode(content, tmp_path)


@pytest.mark.parametrize(
    "state", ["[]", "1", '{"__tensor__": "missing"}', '{"__pairs__": 3}', '{"__pairs__": [[1]]}', "{"]
)
def test_a_state_that_does_not_hold_together_is_refused(tmp_path: Path, state: str) -> None:
    header = json.dumps({"__metadata__": {"format": checkpoint.FORMAT, "state": state}}).encode()

    with pytest.raises(Refused, match="damaged"):
        checkpoint.decode(len(header).to_bytes(8, "little") + header, tmp_path)


def test_another_version_is_refused_with_its_number(tmp_path: Path) -> None:
    header = json.dumps({"__metadata__": {"format": "7", "state": "{}"}}).encode()

    with pytest.raises(Refused, match="format '7'; this version reads 1"):
        checkpoint.decode(len(header).to_bytes(8, "little") + header, tmp_path)


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint.save(tmp_path, {"epoch": 1})

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(Refused, match=r"cannot be written \(No space left on device\).*by --resume"):
        checkpoint.save(tmp_path, {"epoch": 2})

    assert loaded(tmp_path) == {"epoch": 1}
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.NAME]
