"""What `depthwise run`, `depthwise-run` and a wheel's command do: files, or frames as they come."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from depthwise.errors import Refused


def label(
    artifact: str | os.PathLike[str],
    images: Sequence[str | os.PathLike[str]],
    live: Mapping[str, Any],
    *,
    top: int,
    threads: int,
    cpu: str | None,
    sha256: str | None,
    most_pixels: int | None = None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Label image files, or frames where one of `--camera`, `--video`, `--frames` and `--watch` is among `live`.

    Args:
        most_pixels: of an image file, as `label_images` has it.
        live: options of `edge.options.LIVE` that were given, by name.
    Raises: Refused, when it cannot be done as asked.
    """
    if not live:
        from depthwise.edge.answers import label_images

        if not images:
            raise Refused("no image is given; name files or folders, or take --camera, --video, --frames or --watch")
        label_images(
            artifact,
            images,
            top=top,
            threads=threads,
            cpu=cpu,
            sha256=sha256,
            most_pixels=most_pixels,
            as_json=as_json,
            as_csv=as_csv,
        )
        return
    from depthwise.edge.live.command import Asked, label_live

    asked = Asked(**live)
    if not asked.is_live:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in live)
        raise Refused(f"{names}: is for frames as they come; take --camera, --video, --frames or --watch with it")
    if images or as_csv:
        raise Refused("frames as they come take no image files and no --csv; leave them away")
    label_live(artifact, asked, threads=threads, cpu=cpu, sha256=sha256, as_json=as_json)
