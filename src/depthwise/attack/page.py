"""Findings as one page that needs nothing else: pictures and style are in it, it loads nothing and runs nothing."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

import depthwise
from depthwise.attack import text
from depthwise.attack.budget import Images
from depthwise.attack.findings import Findings
from depthwise.attack.sample import Sample
from depthwise.evaluate.text import interval, percent
from depthwise.pages import template

# Images shown, and the least side of a picture in the page, in pixels.
MOST, SIDE = 48, 96
# Bytes of all pictures as they stand in the page.
MOST_BYTES = 6_000_000
# The chart of the curve, in units of its SVG.
WIDE, HIGH = 560, 240


def page(findings: Findings, sample: Sample, labels: tuple[str, ...], *, subject: str, threshold: float | None) -> str:
    """The whole page as HTML.

    Args:
        threshold: the probability below which an answer is unknown, or None.
    """
    whole = template("attack", "attack.html.j2", percent=percent, interval=interval).render(
        subject=subject,
        found=findings,
        bound=text.bound(findings),
        sentences=(*text.summary(findings), *text.unknown(findings, threshold)),
        tables=(text.headline(findings), text.classes(findings, labels)),
        points=_points(findings),
        wide=WIDE,
        high=HIGH,
        bars=_bars(findings),
        gallery=_gallery(findings, sample, labels),
        version=depthwise.__version__,
    )
    # File names that are not UTF-8 come as surrogates, which no file can hold.
    return whole.encode("utf-8", "backslashreplace").decode()


def _points(findings: Findings) -> list[dict[str, Any]]:
    """The curve: evenly spaced bounds, since they double from one to the next."""
    curve = findings.curve
    step = WIDE / max(len(curve) - 1, 1)
    return [
        {
            "x": place * step,
            "y": HIGH * (1 - share.share),
            "low": HIGH * (1 - share.interval[0]),
            "high": HIGH * (1 - share.interval[1]),
            "eps": findings.settings.budget.at(eps).text if eps else "0",
            "hint": f"{percent(share.share)} ({interval(share)})",
        }
        for place, (eps, share) in enumerate(curve)
    ]


def _bars(findings: Findings) -> list[dict[str, Any]]:
    found = text.histogram(findings)
    most = max((count for _, count in found), default=1) or 1
    return [{"name": name, "count": count, "width": 100 * count / most} for name, count in found]


def _gallery(findings: Findings, sample: Sample, labels: tuple[str, ...]) -> list[dict[str, Any]]:
    """Fooled images, those first that needed the smallest change."""
    fooled = np.flatnonzero(findings.by >= 0)
    order = fooled[np.argsort(findings.smallest[fooled], kind="stable")]
    shown, room = [], MOST_BYTES
    for row in order[:MOST].tolist():
        before, after = findings.images[row], findings.changed[row]
        difference, times = _enlarged(before, after)
        pictures = [_picture(one) for one in (before, after, difference)]
        room -= sum(map(len, pictures))
        if room < 0:
            break
        shown.append(
            {
                "before": pictures[0],
                "after": pictures[1],
                "difference": pictures[2],
                "times": times,
                "name": sample.items[row].name(sample.data),
                "said": labels[int(findings.said[findings.judge][row])],
                "attacked": labels[int(findings.changed_said[row])],
                "sure": float(findings.sure[row]),
                "attacked_sure": float(findings.changed_sure[row]),
                "by": findings.stages[int(findings.by[row])].stage.title,
            }
        )
    return shown


def _enlarged(before: Images, after: Images) -> tuple[Images, int]:
    """The difference around middle grey, so many times as large that its largest fills the range, and how many."""
    change = np.asarray(after, np.float32) - before
    times = max(1, int(127 // max(float(np.abs(change).max()), 1.0)))
    return np.clip(128 + times * change, 0, 255).astype(np.uint8), times


def _picture(pixels: Images) -> str:
    """A PNG as a data URI; small ones are enlarged by whole numbers, so that single pixels can be seen."""
    shown = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
    image = Image.fromarray(shown[:, :, 0] if shown.shape[2] == 1 else shown)
    times = max(1, -(-SIDE // image.width))
    content = io.BytesIO()
    image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST).save(content, "PNG")
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()
