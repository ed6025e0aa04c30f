"""Options of commands that read files of other programs: what pixels mean to a network where its file is silent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depthwise.cli.options import unit_strides_from
from depthwise.cli.output import notice, printable
from depthwise.errors import Refused

if TYPE_CHECKING:
    from depthwise.interop.source import Given
    from depthwise.network.description import Described
    from depthwise.network.preprocessing import Preprocessing

RESIZE = (
    "How a picture becomes square: `crop` (shorter side to 8/7 of the resolution, middle cut out), a number (that"
    " shorter side), `squash` (both sides to the resolution) or `fit` (all of it, on black; `fit:114` on another grey,"
    " `fit:R,G,B` on a colour); `,bicubic` behind it or alone for that filter of Pillow's instead of the bilinear one."
)


def pixel_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that adds --mean, --scale and --bgr; `given_from` reads them."""
    for option in (
        click.option(
            "--bgr", is_flag=True, help="The file takes blue first and red last, as Caffe and OpenCV have it."
        ),
        click.option("--scale", help="What it is then multiplied by: one number, or red,green,blue."),
        click.option("--mean", help="What is taken off each pixel (0 to 255): one number, or red,green,blue."),
    ):
        command = option(command)
    return command


def given_from(
    *,
    mean: str | None,
    scale: str | None,
    bgr: bool,
    resize: str | None = None,
    labels: Path | None = None,
    resolution: int | None = None,
    activation: str | None = None,
    epsilon: float | None = None,
    unit_strides: str | None = None,
) -> Given:
    """What the options say of a file.

    Raises: Refused, when one of them is not of its form.
    """
    from depthwise.interop.labels import read_labels
    from depthwise.interop.source import Given

    return Given(
        labels=None if labels is None else read_labels(labels),
        resolution=resolution,
        mean=_numbers("--mean", mean),
        scale=_numbers("--scale", scale),
        bgr=bgr,
        resize=resize,
        activation=activation,
        epsilon=epsilon,
        unit_strides=() if unit_strides is None else unit_strides_from(unit_strides),
    )


def say_reading(source: str, model: Described, square: Preprocessing | None = None) -> None:
    """Notices on what was read: what the network is fed, by whose word; and what of the file is left out.

    Args:
        square: whose way to a square is told, where it is not the model's own.
    """
    from depthwise.interop.said import initial, said, single, unread

    for line in filter(None, (said(model, square), initial(model), single(model), unread(model))):
        notice(printable(f"{source}: {line}"))


def _numbers(option: str, text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) not in (1, 3):
        raise Refused(f"{option} is {text!r}; give one number, or three with commas between")
    return values
