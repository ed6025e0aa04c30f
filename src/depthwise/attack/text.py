"""What attacks found, in plain words, for the terminal and the page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from depthwise.attack.findings import Findings
from depthwise.evaluate.metrics import Share
from depthwise.evaluate.text import interval, percent
from depthwise.tables import Column, Table

# With more classes only those that lose most are listed.
MOST_CLASSES = 20


def bound(findings: Findings) -> str:
    """What was allowed: "8/255, linf"."""
    budget = findings.settings.budget
    note = ""
    if budget.norm == "linf" and budget.whole and budget.radius < round(budget.eps * 255, 6):
        note = f"; whole levels of a byte, so {budget.radius:g}/255"
    return f"eps {budget.text}, {budget.norm}{note}"


def summary(findings: Findings) -> tuple[str, ...]:
    """The figures in sentences."""
    clean, robust = findings.clean_share, findings.robust_share
    lost = clean.count - robust.count
    lines = [
        f"{percent(clean.share)} of {clean.of:,} images are answered rightly as they are, {percent(robust.share)} under"
        f" attack ({bound(findings)}): {lost:,} {'answer was' if lost == 1 else 'answers were'} changed"
    ]
    if not findings.settings.budget.radius:
        lines.append("nothing may change at this bound, so nothing was attacked")
    if (took := findings.questions) is not None:
        lines.append(f"questions until the first wrong answer: median {took[0]:,.0f}, 95% within {took[1]:,.0f}")
    return tuple(lines)


def headline(findings: Findings) -> Table:
    """Clean and attacked, and each attack in its order."""
    rows = [("as they are", findings.judge, "", _shown(findings.clean_share), interval(findings.clean_share))]
    standing = findings.clean_share.count
    for place, one in enumerate(findings.stages):
        gained = int((findings.by == place).sum())
        at_eps = one.stage.attack.budget.eps == findings.settings.budget.eps
        if not at_eps and not gained:
            continue
        standing -= gained
        share = Share(standing, len(findings.labels))
        name = one.stage.attack.name if at_eps else f"{one.stage.attack.name} ({one.stage.attack.budget.text})"
        rows.append((name, one.stage.source, f"{gained:,} of {one.images:,}", _shown(share), interval(share)))
    return _table("", ("attack", "gradients or answers of"), ("fooled", "right after it", "95% interval"), rows)


def curve(findings: Findings) -> Table:
    """Accuracy over the bound."""
    budget = findings.settings.budget
    rows = [(budget.at(eps).text if eps else "0", _shown(share), interval(share)) for eps, share in findings.curve]
    return _table("Accuracy by eps", ("eps",), ("right", "95% interval"), rows)


def smallest(findings: Findings) -> Table:
    """Right images by the smallest change known that fools."""
    rows = [(name, f"{count:,}", _bar(count, int(findings.right.sum()))) for name, count in histogram(findings)]
    return _table("Smallest eps that fools", ("eps",), ("images",), rows, last=("",))


def histogram(findings: Findings) -> tuple[tuple[str, int], ...]:
    """How many right images are fooled by at most each bound of the curve, and not by the one before."""
    budget, found, before = findings.settings.budget, [], 0.0
    sizes = findings.smallest[findings.right]
    for eps, _ in findings.curve[1:]:
        inside = (sizes > before + 1e-9) & (sizes <= eps + 1e-9)
        found.append((f"up to {budget.at(eps).text}", int(inside.sum())))
        before = eps
    return (*found, ("more", int((sizes > before + 1e-9).sum())))


def classes(findings: Findings, labels: tuple[str, ...]) -> Table:
    """Each class, clean and attacked, beside the other forms of the network."""
    others = list(findings.classes()[0].beside)
    found = sorted(findings.classes(), key=lambda one: (one.robust - one.clean) / one.images)
    title = "Classes" if len(found) <= MOST_CLASSES else f"The {MOST_CLASSES} classes that lose most"
    rows = [
        (
            labels[one.label],
            f"{one.images:,}",
            _part(one.clean, one.images),
            *(_part(one.beside[name], one.images) for name in others),
            _part(one.robust, one.images),
        )
        for one in found[:MOST_CLASSES]
    ]
    headings = ("images", f"right, {findings.judge}", *(f"right, {name}" for name in others), "under attack")
    return _table(title, ("class",), headings, rows)


def unknown(findings: Findings, threshold: float | None) -> tuple[str, ...]:
    """What saying "unknown" below a probability does to right, wrong and fooled answers."""
    if threshold is None:
        return ()
    fooled, right = findings.by >= 0, findings.right
    found = [
        f"answers below {threshold:.3f} are said to be unknown: {_kept(findings.sure[right], threshold)} of the right"
        f" answers as they are, {_kept(findings.sure[~right], threshold)} of the wrong ones"
    ]
    if fooled.any():
        found.append(
            f"of the {int(fooled.sum()):,} fooled images {_kept(findings.changed_sure[fooled], threshold)} are said to"
            " be unknown; the attacks did not know of that threshold, and one that does needs to change no more"
        )
    return tuple(found)


def _kept(sure: np.ndarray, threshold: float) -> str:
    return percent(float((sure < threshold).mean())) if len(sure) else "–"


def _shown(share: Share) -> str:
    return percent(share.share)


def _part(count: int, of: int) -> str:
    return percent(count / of)


def _bar(count: int, of: int) -> str:
    return "█" * round(30 * count / max(of, 1))


def _table(
    title: str,
    names: tuple[str, ...],
    numbers: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    last: tuple[str, ...] = (),
) -> Table:
    columns = [Column(heading=heading, is_text=True) for heading in names]
    columns += [Column(heading=heading) for heading in numbers]
    columns += [Column(heading=heading, is_text=True) for heading in last]
    return Table(title=title, columns=tuple(columns), rows=tuple(rows))
