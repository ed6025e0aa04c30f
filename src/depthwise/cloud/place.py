"""Where a run writes, looked at before hours are spent on what could not be kept."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path

from depthwise.beside import lock
from depthwise.errors import Refused
from depthwise.network.folder import MODEL
from depthwise.network.model import expected_weights
from depthwise.network.spec import Spec
from depthwise.places import check_output

# Copies of all weights in a checkpoint: the network, two of the optimizer, the average and the best; an old checkpoint
# stays until the new one is whole. The model makes two more.
COPIES = 2 * 5 + 2
# Pictures, the log, curves.
REST = 8 * 2**20


def prepare_place(
    out: Path, run: Path, data: Path, spec: Spec, held: contextlib.ExitStack, *, replaces: bool = False
) -> None:
    """Make the folder of a run and lock it, and see that it and the model folder can be written.

    Args:
        out: the model folder to be.
        run: the folder of the run, beside it.
        data: the folder of images, in which neither may lie.
        held: what gives the lock back; it removes the folder too, where nothing is in it then.
        replaces: whether a model that lies there may be replaced.

    Raises: Refused, when that is not so, another training has the folder, or the disk has no room for checkpoints.
    """
    if not out.name:
        raise Refused(f"{out}: is the folder that you are in; give the name of another one by --out")
    check_output(out, MODEL, force=replaces)
    if out.resolve().is_relative_to(data.resolve()):
        raise Refused(f"{out}: lies within the images, where it would be taken for a class; choose another --out")
    try:
        run.mkdir(parents=True, exist_ok=True)
        held.enter_context(lock(run))
        held.callback(_remove_if_empty, run)
        for folder in (run, out.parent):
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(b"can be written")
        free = shutil.disk_usage(run).free
    except OSError as problem:
        raise Refused(f"{out}: cannot be written ({problem.strerror}); choose another place for --out") from None
    needed = space_needed(spec)
    if free < needed:
        raise Refused(
            f"{out}: training needs some {needed / 2**20:,.0f} MB there and {free / 2**20:,.0f} MB are free; free some"
            " space, or choose another place for --out"
        )


def _remove_if_empty(folder: Path) -> None:
    """An empty folder is no run."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def space_needed(spec: Spec) -> int:
    """Bytes of the checkpoints and the model, without the pixels of the images."""
    total = 0
    for shape in expected_weights(spec).values():
        values = 1
        for size in shape:
            values *= size
        total += 4 * values
    return COPIES * total + REST
