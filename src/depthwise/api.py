"""What `import depthwise` offers: the way from a folder of images to a label, a function a step.

Every function raises `depthwise.errors.Refused`, whose message says what is wrong, where, and what to do, for what a
user can mend. None prints; a `reporter` (depthwise/progress.py) is told of the progress of long work.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depthwise.limits import LONGEST_SIDE
from depthwise.progress import Reporter, Silent

if TYPE_CHECKING:
    import os

    from depthwise.attack.plan import Settings
    from depthwise.cloud.recipe import Recipe
    from depthwise.compiler import Built
    from depthwise.cost.report import Report as Cost
    from depthwise.data.shards.manifest import Manifest
    from depthwise.edge.artifact import Artifact
    from depthwise.edge.live.loop import Live
    from depthwise.evaluate.report import Report as Evaluation
    from depthwise.jobs.attack.images import Attacked
    from depthwise.jobs.classify.classify import Classified
    from depthwise.network.model import Model
    from depthwise.network.quantized import QuantizedModel
    from depthwise.network.spec import Spec
    from depthwise.precision import Precision
    from depthwise.quantize.options import Options
    from depthwise.quantize.report import Report as QuantizeReport

    # A path as text or as any object that stands for one.
    Where = str | os.PathLike[str]


def read(
    source: Where,
    *,
    labels: tuple[str, ...] | None = None,
    resolution: int | None = None,
    mean: tuple[float, ...] | None = None,
    scale: tuple[float, ...] | None = None,
    bgr: bool = False,
    resize: str | None = None,
    keep_int8: bool = False,
) -> Model | QuantizedModel:
    """The model of a model folder, a file of another program, or a name of published weights.

    Args:
        source: what `depthwise convert` takes as SOURCE.
        labels: one a class, where the file has none or others are wanted.
        resolution: height and width of the input in pixels, of weights that do not say.
        mean, scale: one number a channel, or one for all; the network's input is `(pixel - mean) * scale`, of pixels 0
            to 255. None for what the file says.
        bgr: whether the file takes blue first.
        resize: how a picture becomes square, as `--resize` of `depthwise convert`.
        keep_int8: keep an int8 file's own integers instead of reading it as float.
    Raises: Refused, when it is no MobileNet V1, damaged, or of no known format.
    """
    from depthwise.interop import formats
    from depthwise.interop.source import Given

    given = Given(labels=labels, resolution=resolution, mean=mean, scale=scale, bgr=bgr, resize=resize)
    path = str(source)
    return formats.read_int8(path, given) if keep_int8 else formats.read(path, given)


def shard(
    data: Where,
    out: Where,
    *,
    megabytes: int = 256,
    check: bool = True,
    seed: int = 0,
    reporter: Reporter | None = None,
) -> Manifest:
    """Write a folder of images as shards, as `depthwise shard` does; a call that was killed is gone on with.

    Args:
        data: what `train` takes, or a plain folder of pictures.
        out: the folder to write, which `train`, `evaluate` and `quantize` then take as `data`, also by its address.
        megabytes: of a shard, at most.
        check: decode every image, so that those that cannot be are named.
        seed: of the order of the images.
    Returns: shards, counts, and what could not be read.
    Raises: Refused, when the images do not allow it, or `out` cannot be written.
    """
    from depthwise.data import sharding as job

    asked = job.Sharding(data=Path(data), out=Path(out), size=megabytes << 20, check=check, seed=seed)
    return job.shard(asked, reporter or Silent())


def train(
    data: Where,
    out: Where,
    *,
    spec: Spec | None = None,
    recipe: Recipe | None = None,
    pretrained: Model | QuantizedModel | None = None,
    quantize: Options | None = None,
    distill: str | None = None,
    resume: bool = False,
    finish: bool = False,
    threads: int | None = None,
    force: bool = False,
    reporter: Reporter | None = None,
) -> Model | QuantizedModel:
    """Train a network on a folder of images, as `depthwise train` does; needs PyTorch.

    Args:
        data: a folder with one folder of images a class, or with `train`, `validation` and `test` in it.
        out: the model folder to write; the run's own files lie in `out` + ".run".
        spec: the network, whose number of classes is that of the folder; None for that of `pretrained`, else width 1.0
            at 224 pixels.
        recipe: how to train; None for the defaults of `Recipe`.
        pretrained: a float model to start from, as `read` gives it.
        quantize: how to turn `pretrained` into int8, which is then trained; None to train in float.
        distill: teachers, as `--distill` takes them.
        resume: go on with the run that lies beside `out`.
        finish: end that run with its best epoch so far.
        threads: that PyTorch may use; None for its own choice.
        force: replace a model that lies at `out`.
    Returns: the model of the best epoch, with its accuracy and how it came about.
    Raises: Refused, when the data or a setting does not allow it; KeyboardInterrupt, after a checkpoint.
    """
    from depthwise.jobs.data import located
    from depthwise.jobs.train import train_folder

    told = reporter or Silent()
    return train_folder(
        located(data, told),
        Path(out),
        spec=spec,
        recipe=recipe,
        pretrained=pretrained,
        quantize=quantize,
        distill=distill,
        resume=resume,
        finish=finish,
        threads=threads,
        force=force,
        reporter=told,
    )


def evaluate(
    subject: Where, data: Where, *, threads: int | None = None, reporter: Reporter | None = None
) -> Evaluation:
    """How good a model folder or an artifact is on a folder of labelled images; a float model needs PyTorch.

    Args:
        subject: a model folder, or an artifact.
        data: a folder of class folders, or one with `test` or `validation` in it.
        threads: that a call of an artifact runs on; None for one.
    Returns: a record whose `top1`, `top5`, `confusion` (K, K), `classes` and `mistakes` are figures of K labels.
    Raises: Refused, when one of them is not what it should be.
    """
    from depthwise.jobs import evaluate as job
    from depthwise.jobs.data import located

    told = reporter or Silent()
    return job.evaluate(Path(subject), located(data, told), threads=threads, reporter=told)


def classify(
    data: Where,
    artifact: Where,
    out: Where,
    *,
    top: int = 5,
    processes: int | None = None,
    ray: str | None = None,
    reduced: float = 0.0,
    force: bool = False,
    reporter: Reporter | None = None,
) -> Classified:
    """Write a row with its label for every image of a folder or of shards, as `depthwise classify` does.

    Args:
        data: a folder, with labels or without, or shards, also by their address.
        artifact: what labels them.
        out: a .parquet, .csv or .jsonl file; a name without an ending is a folder of parts.
        top: labels of each row.
        processes: None for one a core; a script that asks for more than one needs its `if __name__ == "__main__"`.
        ray: address of a cluster of Ray; None for this machine alone.
        reduced: decode a JPEG at a fraction of its size while its sides stay so many times what the network takes.
        force: replace results that lie at `out`.
    Returns: how many rows there are, and how many have a reason instead of a label.
    Raises: Refused, when something else lies at `out`, or the artifact cannot be opened.
    """
    from depthwise.jobs.classify import classify as job
    from depthwise.jobs.data import located

    told = reporter or Silent()
    asked = job.Asked(
        data=located(data, told),
        out=Path(out),
        how=job.labelling(Path(artifact), top=top, reduced=reduced),
        processes=processes,
        ray=ray,
        force=force,
    )
    return job.classify(asked, told)


def attack(
    subject: Where,
    data: Where,
    *,
    settings: Settings | None = None,
    images: int = 1000,
    gradients: tuple[Where, ...] = (),
    processes: int = 1,
    reporter: Reporter | None = None,
) -> Attacked:
    """Change images of a folder until a model or an artifact is wrong; gradients need PyTorch.

    Args:
        subject: a model folder, or an artifact of this machine.
        data: what `evaluate` takes.
        settings: method, bound, seed; None for the strongest method at 4/255.
        images: how many at most; 0 for all.
        gradients: model folders whose gradients are tried on the subject as well.
        processes: that work on it at the same time; a script that asks for more than one needs its
            `if __name__ == "__main__"`, since each of them imports it.
    Returns: a record whose `findings` hold `clean_share`, `robust_share`, `curve`, the changed images and the warnings.
    Raises: Refused, when one of them is not what it should be, or a method needs what there is not.
    """
    from depthwise.attack.budget import Budget
    from depthwise.attack.plan import Settings as Chosen
    from depthwise.jobs.attack import images as job
    from depthwise.jobs.data import located

    told = reporter or Silent()
    return job.attack(
        Path(subject),
        located(data, told),
        settings=settings or Chosen(budget=Budget(eps=4 / 255)),
        images=images,
        gradients=tuple(map(Path, gradients)),
        processes=processes,
        reporter=told,
    )


def quantize(
    model: Where,
    data: Where,
    out: Where,
    *,
    options: Options | None = None,
    unlabelled: bool = False,
    max_drop: float | None = None,
    force: bool = False,
    reporter: Reporter | None = None,
) -> QuantizeReport:
    """Turn a float model folder into an int8 one, and measure what that costs.

    Args:
        model: the float model folder.
        data: images to calibrate and to measure with; a plain folder of pictures without labels will do.
        out: the int8 model folder to write.
        options: how; None for the defaults of `Options`.
        unlabelled: whether the folders in `data` are no classes.
        max_drop: points of top-1 that int8 may cost; where it costs more, nothing is written.
        force: replace a model that lies at `out`.
    Returns: what was decided for each layer, and the accuracy, or the agreement with the float model, of both.
    Raises: Refused, when the images do not fit; Unmet, when `max_drop` does not hold.
    """
    from depthwise.jobs.data import located
    from depthwise.jobs.quantize import quantize_folder
    from depthwise.network.folder import MODEL
    from depthwise.network.model import Model
    from depthwise.places import check_output
    from depthwise.quantize.options import Options as Chosen
    from depthwise.quantize.report import check_drop

    folder, target, told = Path(model), Path(out), reporter or Silent()
    check_output(target, MODEL, force=force)
    int8, found = quantize_folder(
        Model.load(folder),
        located(data, told),
        name=folder.name,
        options=options or Chosen(),
        unlabelled=unlabelled,
        max_drop=max_drop,
        command="depthwise.quantize",
        reporter=told,
    )
    if max_drop is not None:
        check_drop(found, max_drop)
    int8.save(target)
    return found


def compile(
    model: Where | Model | QuantizedModel,
    out: Where,
    *,
    target: str = "host",
    precision: Precision | None = None,
    cpu: str | None = None,
    threads: int | None = None,
    strassen: bool = True,
    keep_dead: bool = False,
    leave_out: Collection[str] = (),
    longest_side: int = LONGEST_SIDE,
    cc: str | None = None,
    extra: Mapping[str, Any] | None = None,
    form: str | None = None,
) -> Built:
    """Compile a model into an artifact, which appears whole or not at all.

    Args:
        model: a model folder, or a model.
        out: what to write; of a wheel, its path up to the version.
        form: a library, or another that `depthwise compile --help` lists.
        target: one of those that `depthwise compile --help` lists.
        precision: "bf16" for a float model; None for the model's own.
        cpu: a level of instructions of the target's processors, by name.
        threads: most threads that a call may run on; None for what the target has.
        strassen: multiply by Strassen's way where that pays; those weights are 7/4 as large.
        keep_dead: compute channels that provably never change too.
        leave_out: parts that a small device has no room for: "prepare", which brings frames of any size to the
            network's, and "arena", the artifact's own memory.
        longest_side: of the frames that the artifact prepares, in pixels; memory for it grows with them.
        cc: a compiler of the system instead of the zig that comes along.
        extra: JSON values to put into the artifact's record.
    Returns: its size in bytes, what a call needs of memory, and how each step runs.
    Raises: Refused, when the model or the target does not allow it, or `out` cannot be written.
    """
    from depthwise.compiler import compile_model
    from depthwise.compiler.choices import parts
    from depthwise.network.model import Model
    from depthwise.network.quantized import QuantizedModel, load_model

    return compile_model(
        model if isinstance(model, Model | QuantizedModel) else load_model(Path(model)),
        target=target,
        out=Path(out),
        precision=precision,
        cpu=cpu,
        threads=threads,
        strassen=strassen,
        keep_dead=keep_dead,
        parts=parts(leave_out, longest_side),
        cc=cc,
        extra=extra,
        form=form,
    )


def open(artifact: Where, *, threads: int = 1, cpu: str | None = None, sha256: str | None = None) -> Artifact:
    """Load an artifact, which is a program and runs with the rights of this process.

    Args:
        threads: that a call runs on.
        cpu: the level of instructions to use; None for the highest that this processor has.
        sha256: of the file that is meant, in hexadecimal digits; another one is not loaded.
    Returns: an artifact to call, and to close, which a `with` block does; `label(image)` gives the likeliest labels.
    Raises: Refused, when it is no artifact, damaged, or for another machine.
    """
    from depthwise.edge.artifact import Artifact

    return Artifact.open(artifact, threads=threads, cpu=cpu, sha256=sha256)


def live(
    artifact: Where | Artifact,
    *,
    camera: str | int | None = None,
    video: Where | None = None,
    frames: str | int | None = None,
    watch: Where | None = None,
    size: str | None = None,
    layout: str = "rgb",
    stride: str | None = None,
    full_range: bool = False,
    turn: int = 0,
    smooth: float = 0.5,
    unknown: float | None = None,
    every: bool | None = None,
    pace: bool = False,
    notice: Callable[[str], None] | None = None,
) -> Live:
    """Label frames as they come, as `depthwise run --camera` does; one of the four sources is given.

    Args:
        artifact: an artifact file, or an open artifact, which stays open.
        camera: number, path, or FORMAT:NAME as ffmpeg's devices are called; needs PyAV, as `video` does.
        video: a video file.
        frames: "-" for standard input, or a file descriptor.
        watch: a folder into which pictures are put.
        size: of frames without headers, or that a camera is asked for, as "640x480"; None for Y4M.
        layout: of frames without headers; docs/live.md lists them.
        stride: bytes from row to row of frames without headers whose rows are padded, as "1408"; or of each plane, as
            "1408,704,704".
        full_range: whether YUV without headers has black at 0 and white at 255.
        turn: degrees clockwise until frames stand upright.
        smooth: seconds over which probabilities are averaged; 0 for none.
        unknown: below which probability a label is "unknown"; None for what the artifact says.
        every: whether each frame is labelled and the source waits; None for what is usual for the source.
        pace: whether a video plays at its own speed.
        notice: told of what happens beside, a sentence each.
    Returns: an iterator of `Seen` (edge/live/loop.py), to be closed, which a `with` block does.
    Raises: Refused, when a setting is not what it should be; while iterating, when frames cannot be had.
    """
    from depthwise.edge.artifact import Artifact as Opened
    from depthwise.edge.live.choice import source_of
    from depthwise.edge.live.loop import Live as Loop

    opened = artifact if isinstance(artifact, Opened) else open(artifact)
    source = source_of(
        channels=opened.input_shape[2],
        camera=camera,
        video=video,
        frames=frames,
        watch=watch,
        size=size,
        layout_name=layout,
        stride=stride,
        full_range=full_range,
        turn=turn,
        pace=pace,
    )
    is_owner = opened is not artifact
    return Loop(opened, source, smooth=smooth, unknown=unknown, every=every, notice=notice, is_owner=is_owner)


def cost(network: Spec | Where | None = None, *, precision: Precision | None = None) -> Cost:
    """Multiply-adds, parameters and memory of a network, layer by layer, for one image.

    Args:
        network: a description, a model folder, or None for width 1.0 at 224 pixels.
        precision: the numbers that bytes are counted for; None for the model's own, else float32.
    Returns: a record whose `nominal` counts the whole network, and whose `live` what is left of a trained one.
    Raises: Refused, when the folder is no model.
    """
    from depthwise.jobs.cost import counted
    from depthwise.network.spec import Spec as Description

    if network is None or isinstance(network, Description):
        return counted(network or Description(), precision)
    return counted(Path(network), precision)
