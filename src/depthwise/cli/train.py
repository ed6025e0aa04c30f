"""`depthwise train`: a folder of images in, a model folder out."""

from __future__ import annotations

import dataclasses
import difflib
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depthwise.cli.completion import starts
from depthwise.cli.foreign import RESIZE, given_from, pixel_options, say_reading
from depthwise.cli.grouped import grouped
from depthwise.cli.options import force_option, refuse_spec_options, spec_from, spec_options
from depthwise.cli.output import notice, print_json, printable
from depthwise.cli.places import Data
from depthwise.cloud.recipe import Recipe, usual_settings
from depthwise.errors import Refused
from depthwise.network.preprocessing import default_preprocessing, squared
from depthwise.network.spec import Spec

if TYPE_CHECKING:
    from depthwise.interop.source import Given
    from depthwise.network.model import Model
    from depthwise.network.quantized import QuantizedModel

# What each setting of the recipe is for; its default and its type come from the recipe itself.
HELP = {
    "epochs": "Passes over the training images  [default: 30, 3 with --quantize]",
    "batch": "Images a step, over all processes.",
    "optimizer": "sgd (momentum 0.9) or adamw.",
    "rate": "Peak learning rate  [default: 0.002, 0.001 when starting from a model, 0.0001 with --quantize]",
    "decay": "Weight decay.",
    "warmup": "Share of the steps in which the rate rises.",
    "smoothing": "Label smoothing.",
    "mixup": "Beta parameter of mixup, 0 for none.",
    "cutmix": "Beta parameter of cutmix, 0 for none.",
    "crop": "Least area of the random crop, 1 for no random crop.",
    "resample": "Scale a random area to size, or cut a square of that size out as it is.",
    "flip": "Mirror half of the images.",
    "colour": "Largest change of brightness, contrast and saturation.",
    "average": "Decay of the moving average of weights, 0 for none.",
    "balance": "Weigh rare classes up: 0 not at all, 1 fully.",
    "patience": "Stop after so many epochs without improvement, 0 for never.",
    "side": "Resolution of training pictures that are not small, 0 for the network's; 7/8 of it costs a quarter less.",
    "small": "Resolution of the first epochs, 0 for full size throughout.",
    "small_share": "Share of the epochs at the small resolution.",
    "full_share": "Share of the epochs at full size; in between the pictures grow.",
    "whole_share": "Share of the epochs, at the end, that show pictures whole, as the device sees them.",
    "distill_weight": "Weight of the teachers in the loss; the labels have the rest.",
    "temperature": "Temperature at which the student is compared with its teachers.",
    "validate_every": "Epochs between measurements on all validation images; in between a part is looked at.",
    "frozen": "First epochs that train the classifier only  [default: a tenth when starting from a model, else 0]",
    "precision": "float32, bfloat16, or auto to measure which is faster.",
    "kernels": "On a GPU: triton for our own kernels, torch for PyTorch's, or auto for ours where they can run.",
    "adversarial": "Train on pictures changed against the network: fast, pgd or trades; none.",
    "eps": "How far --adversarial changes pictures, as a share of a pixel's range.",
    "attack_steps": "Steps of its attack, 0 for 1 (fast), 7 (pgd) or 10 (trades).",
    "perturbation": "How far each step moves weights against the network, of their length, such as 0.005; 0 for not.",
    "seed": "Seed of everything random.",
}


def share(value: Any) -> float:
    """A bound as people write it, 8/255."""
    from depthwise.attack.budget import parse_eps

    return parse_eps(value) if isinstance(value, str) else float(value)


# Types of options that are not those of their fields, and how a default is shown.
KINDS: Mapping[str, Any] = {"eps": share}
SHOWN = {"eps": "8/255"}
# Settings whose default depends on what the training starts from.
COMPUTED = ("epochs", "frozen", "rate")
SHIPPED, IMAGENET, NONE = "shipped", "imagenet", "none"
_TERMS = "the weights that ship are for non-commercial research and education, and so is what"


def recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options for every setting of the recipe."""
    defaults = Recipe()
    for setting in reversed(fields(Recipe)):
        flag, default = setting.name.replace("_", "-"), getattr(defaults, setting.name)
        names = f"--{flag}/--no-{flag}" if isinstance(default, bool) else f"--{flag}"
        kind: Any = None if isinstance(default, bool) else KINDS.get(setting.name, type(default))
        if setting.name in COMPUTED:
            option = click.option(names, type=kind, default=None, help=HELP[setting.name])
        else:
            shown = SHOWN.get(setting.name, True)
            option = click.option(names, type=kind, default=default, show_default=shown, help=HELP[setting.name])
        command = option(command)
    return command


# The options of help, in groups. What stands in none is of the last.
GROUPS = {
    "Options": ("out", "pretrained", "width", "resolution", "epochs"),
    "Data": ("resize", "mean", "scale", "bgr", "seed"),
    "Network": (
        "channels", "padding", "bn_epsilon", "activation", "convolution", "shallow", "unit_strides", "rounding",
        "quantize",
    ),
    "Recipe": tuple(
        name for name in ("distill", *HELP) if name not in ("epochs", "seed", "precision", "kernels", "validate_every")
    ),
    "Run": (
        "resume", "finish", "checkpoint_seconds", "force", "precision", "kernels", "threads", "validate_every",
        "tensorboard", "as_json",
    ),
}  # fmt: skip


@click.command("train", cls=grouped(GROUPS))
@click.argument("data", type=Data())
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Model folder to write.")
@spec_options(leave_out=("classes",))
@click.option("--resize", help=f"{RESIZE}  [default: crop]")
@pixel_options
@click.option(
    "--pretrained",
    shell_complete=starts,
    default=NONE,
    show_default=True,
    help="Start from `imagenet`, the best published weights of the width and the best start for photos, which are"
    " fetched once; `shipped`, which is there offline; any source that `convert` reads; or `none`.",
)
@click.option(
    "--distill",
    metavar="TEACHER",
    help="Learn from what a model, an artifact, any source that `convert` reads, `imagenet`, `shipped`, or"
    " `module:function` of torch says of the pictures; several with commas between teach their mean.",
)
@click.option(
    "--quantize",
    is_flag=True,
    help="Turn the float model of --pretrained into int8, train that, and write an int8 model.",
)
@click.option("--resume", is_flag=True, help="Go on with the run that lies in OUT.run.")
@click.option("--finish", is_flag=True, help="End the run that lies in OUT.run with its best epoch so far.")
@click.option("--threads", type=click.IntRange(1, 1024), help="Threads to compute on  [default: as PyTorch chooses]")
@click.option(
    "--checkpoint-seconds",
    type=click.FloatRange(min=1),
    default=300.0,
    show_default=True,
    help="Time between two checkpoints; one is also written after each epoch.",
)
@force_option
@click.option("--tensorboard", is_flag=True, help="Also write the curves for TensorBoard into OUT.run.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")
@recipe_options
def command(
    data: str,
    out: Path,
    resize: str | None,
    mean: str | None,
    scale: str | None,
    bgr: bool,
    pretrained: str,
    distill: str | None,
    quantize: bool,
    resume: bool,
    finish: bool,
    threads: int | None,
    checkpoint_seconds: float,
    force: bool,
    tensorboard: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Train a network on DATA, a folder with one folder of images a class.

    DATA may also hold `train` and `validation` (or `val`), and `test`, each with the class folders in it; or be shards
    of such a folder, which `depthwise shard` writes, also by their address.
    """
    try:
        from depthwise.cloud.request import Request
        from depthwise.cloud.session import train
    except ModuleNotFoundError as missing:
        if missing.name != "torch":
            raise
        raise Refused("'train' needs PyTorch, which is not installed; run: pip install 'depthwise[cloud]'") from None
    from depthwise.cli.progress import is_first_process, make_reporter
    from depthwise.jobs.data import located
    from depthwise.quantize.options import Options

    given = given_from(mean=mean, scale=scale, bgr=bgr, resize=resize)
    source = _pretrained(pretrained, settings, given, own_pixels=quantize)
    if distill is not None and SHIPPED in map(str.strip, distill.split(",")):
        _say(f"{_TERMS} learns from them")
    if quantize:
        refuse_spec_options(settings, "--quantize keeps the network of the float model; leave the option out")
    spec = spec_from(settings, source.spec if source else None)
    usual = usual_settings(fine_tuning=source is not None, int8=quantize, epochs=settings["epochs"])
    recipe = _recipe(settings, usual)
    prepared = source.preprocessing if source and quantize else default_preprocessing(spec.resolution, spec.channels)
    reporter = make_reporter()
    request = Request(
        data=located(data, reporter),
        out=out,
        spec=spec,
        recipe=recipe,
        preprocessing=prepared if resize is None else squared(prepared, resize),
        pretrained=source,
        quantize=Options(seed=recipe.seed) if quantize else None,
        distill=distill,
        resume=resume,
        finish=finish,
        threads=threads,
        checkpoint_seconds=checkpoint_seconds,
        force=force,
        tensorboard=tensorboard,
        command="depthwise " + shlex.join(sys.argv[1:]),
    )
    model = train(request, reporter)
    if is_first_process():
        _print(model, out, as_json)


def _pretrained(name: str, settings: dict[str, Any], given: Given, *, own_pixels: bool) -> Model | None:
    """The model to start from, for pixels as it takes them itself, or as our own models do."""
    if name == NONE:
        if own_pixels:
            raise Refused("--quantize goes on from a float model; give one by --pretrained")
        if given.mean or given.scale or given.bgr:
            raise Refused(
                "--mean, --scale and --bgr say what the file of --pretrained is fed; give one, or leave them out"
            )
        _say("starting from random weights; photos are learned better from --pretrained imagenet, or offline shipped")
        return None
    from depthwise.interop.formats import read
    from depthwise.interop.names import best
    from depthwise.interop.pixels import with_own_pixels
    from depthwise.network.model import Model
    from depthwise.shipped import model_folder

    _check_start(name)
    if name == IMAGENET:
        name = best(settings["width"] or Spec().width, settings["resolution"] or Spec().resolution)
    if name == SHIPPED:
        _say(f"{_TERMS} starts from them")
        _say("for photos --pretrained imagenet is a better start, where it was fetched once or can be")
    # How pictures become squares is what --resize says of the training, unless the network is kept as it is.
    asked = given if own_pixels else dataclasses.replace(given, resize=None)
    source = read(str(model_folder()) if name == SHIPPED else name, asked)
    if not isinstance(source, Model):
        raise Refused(
            f"--pretrained {name} is an int8 model, and training starts from float weights; give the model that it was"
            " made from"
        )
    if own_pixels:
        say_reading(name, source)
        return source
    # What is trained is prepared as our own models are, whatever the file says of resize and crop.
    own = default_preprocessing(settings["resolution"] or source.spec.resolution, source.spec.channels)
    say_reading(name, source, squared(own, given.resize or "crop"))
    return with_own_pixels(source)


def _say(text: str) -> None:
    """A notice, once for all processes."""
    from depthwise.cli.progress import is_first_process

    if is_first_process():
        notice(text)


def _check_start(name: str) -> None:
    """Refuse what is neither a place nor a name, with the nearest name."""
    from depthwise.interop.names import is_name

    known = (SHIPPED, IMAGENET, NONE)
    if name in known or is_name(name) or Path(name).exists() or Path(name).suffix:
        return
    near = [f"`{one}`" for one in difflib.get_close_matches(name, known, n=1)] or [f"`{one}`" for one in known]
    raise Refused(
        f"--pretrained {name}: there is no such file or folder; is it {' or '.join(near)}, or a name of published"
        " weights such as keras/0.5-160?"
    )


def _recipe(settings: dict[str, Any], defaults: dict[str, Any]) -> Recipe:
    """The recipe of the options, with `defaults` where one of `COMPUTED` is not given."""
    given = {name: value for name, value in settings.items() if value is not None}
    return Recipe(**{**defaults, **given})


def _print(model: Model | QuantizedModel, out: Path, as_json: bool) -> None:
    """The result, on stdout: where the model lies and how good it is."""
    document = {"schema": 1, "model": str(out), "accuracy": dict(model.accuracy), "provenance": dict(model.provenance)}
    if as_json:
        print_json(document)
        return
    for split, figures in model.accuracy.items():
        click.echo(f"{split}: top-1 {figures['top1']:.2%}, top-5 {figures['top5']:.2%} of {figures['images']:,} images")
        if "robust_top1" in figures:
            robust, images = figures["robust_top1"], figures["robust_images"]
            click.echo(f"{split}, under a short attack: top-1 {robust:.2%} of {images:,} images")
    click.echo(f"model: {printable(str(out))} ({_kept(model.provenance)})")


def _kept(provenance: Mapping[str, Any]) -> str:
    """Which epoch it is."""
    epoch, of = provenance["epochs"], provenance["recipe"]["epochs"]
    return f"epoch {epoch} of {of}" if epoch else f"as quantised; none of the {of} epochs was better"
