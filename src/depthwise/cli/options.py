"""Options that several commands share: the description of a network."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import click

from depthwise.errors import Refused
from depthwise.network.spec import ACTIVATIONS, PADDINGS, ROUNDINGS, STRIDED, Spec

# Option, type and help of each field of a Spec; defaults are the fields' own.
_OPTIONS: dict[str, tuple[str, Any, str]] = {
    "width": ("--width", float, "Width multiplier α."),
    "resolution": ("--resolution", int, "Height and width of the input in pixels."),
    "classes": ("--classes", int, "Number of labels."),
    "channels": ("--channels", int, "Channels of the image: 1 (grey) or 3 (RGB)."),
    "padding": (
        "--padding",
        click.Choice(PADDINGS),
        "Zeros around the image: as in PyTorch, in TensorFlow, in keras.applications, or at its end only.",
    ),
    "bn_epsilon": ("--bn-epsilon", float, "Constant that batch normalisation adds to the variance."),
    "activation": ("--activation", click.Choice(list(ACTIVATIONS)), "Activation after each convolution."),
    "convolution": (
        "--convolution",
        click.Choice(["separable", "standard"]),
        "Separable blocks, or the standard-convolution twin.",
    ),
    "shallow": ("--shallow/--deep", bool, "Leave out the paper's five 14x14x512 blocks."),
    "unit_strides": (
        "--unit-strides",
        str,
        f"Layers that run at stride 1 instead of 2, for small images: numbers among {', '.join(map(str, STRIDED))}"
        " with commas between, 0 is the stem; or `none`.",
    ),
    "rounding": (
        "--rounding",
        click.Choice(ROUNDINGS),
        "How channels times α become whole: as in the paper's code, or cut off as in Keras.",
    ),
}


force_option = click.option("--force", is_flag=True, help="Replace a model that lies there already.")


def spec_options(*, leave_out: tuple[str, ...] = ()) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that adds an option for every field of a `Spec` but those named; `spec_from` reads them."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for name, (flag, kind, text) in reversed(_OPTIONS.items()):
            if name not in leave_out:
                shown = f"{text}  [default: {_default(name)}]"
                command = click.option(flag, name, type=kind, default=None, help=shown)(command)
        return command

    return decorate


def spec_from(settings: dict[str, Any], base: Spec | None = None) -> Spec:
    """The network that the options describe; what is not given is as in `base`. Takes its options out of `settings`.

    Raises: Refused, when a value is not allowed.
    """
    given = {name: settings.pop(name) for name in list(_OPTIONS) if name in settings}
    changes = {name: value for name, value in given.items() if value is not None}
    if "unit_strides" in changes:
        changes["unit_strides"] = unit_strides_from(changes["unit_strides"])
    return dataclasses.replace(base or Spec(), **changes)


def refuse_spec_options(settings: dict[str, Any], reason: str) -> None:
    """Refuse options of a network where the network is fixed already; takes its options out of `settings`.

    Raises: Refused, naming the options, when any was given.
    """
    given = {name: settings.pop(name) for name in list(_OPTIONS) if name in settings}
    typed = ", ".join(f"--{name.replace('_', '-')}" for name, value in given.items() if value is not None)
    if typed:
        raise Refused(f"{typed}: {reason}")


def _default(name: str) -> str:
    value = getattr(Spec(), name)
    if name == "unit_strides":
        return "none"
    return ("shallow" if value else "deep") if name == "shallow" else f"{value:g}" if name == "width" else str(value)


def unit_strides_from(text: str) -> tuple[int, ...]:
    """Numbers of layers, as --unit-strides has them.

    Raises: Refused, when they are none.
    """
    if text == "none":
        return ()
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise Refused(f"--unit-strides is {text!r}; give numbers with commas between, such as 0,2, or `none`") from None
