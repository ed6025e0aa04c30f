"""What `depthwise train` says before and after a training."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from depthwise.cli.main import cli
from depthwise.cli.train import _kept
from depthwise.errors import Refused


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("ship", "--pretrained ship: there is no such file or folder; is it `shipped`, or a name of published weights"),
        ("resnet50", "is it `shipped` or `imagenet` or `none`, or a name of published weights such as keras/0.5-160"),
    ],
)
def test_a_start_that_is_neither_a_file_nor_a_name_is_refused_with_the_nearest(
    tmp_path: Path, name: str, sentence: str
) -> None:
    asked = ["train", str(tmp_path), "--out", str(tmp_path / "model"), "--pretrained", name]
    with pytest.raises(Refused, match=sentence):
        CliRunner().invoke(cli, asked, standalone_mode=False, catch_exceptions=False)


def test_the_epoch_that_was_kept_is_said_and_that_none_was_better() -> None:
    assert _kept({"epochs": 7, "recipe": {"epochs": 12}}) == "epoch 7 of 12"
    assert _kept({"epochs": 0, "recipe": {"epochs": 3}}) == "as quantised; none of the 3 epochs was better"
