"""Patches and changes without an enemy, as tables for the terminal and as JSON documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import depthwise
from depthwise.attack.corruptions import STRENGTHS, Corrupted
from depthwise.attack.document import SCHEMA
from depthwise.attack.sample import Sample
from depthwise.evaluate.document import share_document
from depthwise.evaluate.text import interval, percent
from depthwise.tables import Column, Table

if TYPE_CHECKING:
    from depthwise.attack.gradient.patch import Patched


def corruption_table(found: Corrupted) -> Table:
    """Accuracy by kind and strength."""
    columns = (Column(heading="change", is_text=True), *(Column(heading=f"strength {n}") for n in range(1, 6)))
    rows = [(kind, *(percent(share.share) for share in found.shares[kind])) for kind in STRENGTHS]
    return Table(title="", columns=columns, rows=tuple(rows))


def corruption_summary(found: Corrupted) -> str:
    """The figures in a sentence."""
    return (
        f"{percent(found.clean.share)} of {found.clean.of:,} images are answered rightly as they are"
        f" ({interval(found.clean)}), {percent(found.mean)} on average over {len(STRENGTHS)} changes in five strengths"
    )


def corruption_document(found: Corrupted, sample: Sample, *, subject: str, seed: int) -> dict[str, Any]:
    """JSON values."""
    return {
        **_begun(sample, subject, "corruptions", seed),
        "clean": share_document(found.clean),
        "mean": found.mean,
        "corruptions": [
            {"kind": kind, "strength": number, "amount": amount, **share_document(share)}
            for kind, shares in found.shares.items()
            for number, (amount, share) in enumerate(zip(STRENGTHS[kind], shares, strict=True), 1)
        ],
    }


def patch_table(found: Patched) -> Table:
    """Accuracy without a patch and with each."""
    columns = (
        Column(heading="images", is_text=True), Column(heading="right"), Column(heading="95% interval"),
    )  # fmt: skip
    named = (("as they are", found.clean), ("with a grey patch", found.grey), ("with this patch", found.patched))
    rows = tuple((name, percent(share.share), interval(share)) for name, share in named)
    return Table(title="", columns=columns, rows=rows)


def patch_summary(found: Patched) -> str:
    """The figures in a sentence."""
    side = found.patch.shape[0]
    return (
        f"a patch of some {side}x{side} pixels, in any place, leaves {percent(found.patched.share)} of the answers"
        f" right, and a grey one in the same places {percent(found.grey.share)}"
    )


def patch_document(found: Patched, sample: Sample, *, subject: str, seed: int, source: str) -> dict[str, Any]:
    """JSON values."""
    return {
        **_begun(sample, subject, "patch", seed),
        "gradients": source,
        "side": int(found.patch.shape[0]),
        "clean": share_document(found.clean),
        "grey": share_document(found.grey),
        "patched": share_document(found.patched),
    }


def _begun(sample: Sample, subject: str, method: str, seed: int) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "depthwise": depthwise.__version__,
        "subject": {"path": subject},
        "data": str(sample.data),
        "images": len(sample.items),
        "settings": {"method": method, "seed": seed},
    }
