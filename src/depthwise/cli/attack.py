"""`depthwise attack`: how little a picture must change to be taken for something else."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depthwise.cli.places import Place
from depthwise.errors import Refused

if TYPE_CHECKING:
    from depthwise.attack.plan import Settings
    from depthwise.jobs.attack.images import Attacked

OTHERS = ("patch", "corruptions")
METHODS = ("auto", "fgsm", "pgd", "apgd", "square", "patch", "corruptions")


@click.command("attack")
@click.argument("subject", metavar="MODEL|ARTIFACT", type=Place())
@click.argument("data", type=Place())
@click.option("--eps", default="4/255", show_default=True, help="How far pixels may change, as a share of their range.")
@click.option("--norm", default="linf", show_default=True, help="linf, each pixel by EPS; or l2, all pixels together.")
@click.option(
    "--method",
    default="auto",
    show_default=True,
    help=f"One of {', '.join(METHODS)}. `auto` is the strongest: APGD, targeted APGD, FAB and Square.",
)
@click.option("--images", type=click.IntRange(min=0), default=1000, show_default=True, help="Images, 0 for all.")
@click.option(
    "--gradients",
    multiple=True,
    type=Place(),
    metavar="MODEL",
    help="Also try the gradients of this model folder: of what an artifact was made from, or of the float model.",
)
@click.option("--frames", is_flag=True, help="Change pictures at the size of their files, before they are resized.")
@click.option("--targets", default="9", show_default=True, help="Wrong labels tried for each image, or `all`.")
@click.option(
    "--steps", type=click.IntRange(min=0), default=0, help="Steps along the gradient  [default: the method's]"
)
@click.option("--restarts", type=click.IntRange(min=1), default=1, show_default=True, help="Random starts.")
@click.option(
    "--queries", type=click.IntRange(min=1), default=5000, show_default=True, help="Most questions about an image."
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of everything random.")
@click.option("--processes", type=click.IntRange(min=1), help="Processes to work in  [default: one a core]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables.")
@click.option("--html", type=click.Path(path_type=Path), help="Also write one page with the images, readable offline.")
@click.option("--save", type=click.Path(path_type=Path), help="Also write the changed images, for `evaluate`.")
def command(
    subject: Path,
    data: Path,
    eps: str,
    norm: str,
    method: str,
    images: int,
    gradients: tuple[Path, ...],
    frames: bool,
    targets: str,
    steps: int,
    restarts: int,
    queries: int,
    seed: int,
    processes: int | None,
    as_json: bool,
    html: Path | None,
    save: Path | None,
) -> None:
    """Attack a model folder or an artifact with the labelled images of DATA, as `evaluate` takes them.

    An attack that was stopped goes on where it was when the same command is given again.
    """
    if method in OTHERS:
        _check_goes_with(method, html, save)
        _other(method, subject, data, save, as_json, images=images, seed=seed, steps=steps, gradients=gradients)
        return
    settings = _settings(eps, norm, method, targets, steps=steps, restarts=restarts, queries=queries, seed=seed)
    _check_places(html, save)
    from depthwise.cli.progress import make_reporter
    from depthwise.cores import cores
    from depthwise.jobs.attack.images import attack

    found = attack(
        subject,
        data,
        settings=settings,
        images=images,
        gradients=gradients,
        processes=processes or cores(),
        reporter=make_reporter(),
        frames=frames,
    )
    document = _document(found, save)
    if save is not None:
        _save(save, found, document)
    _print(found, document, as_json)
    if html is not None:
        _write_page(html, found)


def _check_goes_with(method: str, html: Path | None, save: Path | None) -> None:
    """See that nothing is to be written that a method does not make, and that the rest can be.

    Raises: Refused, when it is not so.
    """
    for name, given in (("--html", html), ("--save", None if method == "patch" else save)):
        if given is not None:
            raise Refused(f"{name} does not go with --method {method}; leave it out")
    _check_places(html, save)


def _check_places(html: Path | None, save: Path | None) -> None:
    """See that what is asked for can be written, before the work that it is for.

    Raises: Refused, when something else lies there.
    """
    from depthwise.attack import saved
    from depthwise.cli.output import check_page

    check_page(html)
    if save is not None:
        saved.check(save)


def _other(
    method: str,
    subject: Path,
    data: Path,
    save: Path | None,
    as_json: bool,
    *,
    images: int,
    seed: int,
    steps: int,
    gradients: tuple[Path, ...],
) -> None:
    """What is about all images together: a patch, or changes without an enemy."""
    from depthwise.attack import others, saved
    from depthwise.cli.output import console, print_json, print_table, printable
    from depthwise.cli.progress import make_reporter
    from depthwise.jobs.attack import together

    reporter, named = make_reporter(), str(subject)
    if method == "corruptions":
        sample, corrupted = together.corrupt(subject, data, images=images, seed=seed, reporter=reporter)
        document = others.corruption_document(corrupted, sample, subject=named, seed=seed)
        table, line = others.corruption_table(corrupted), others.corruption_summary(corrupted)
    else:
        sample, patched, source = together.patch(
            subject, data, images=images, seed=seed, steps=steps, gradients=gradients, reporter=reporter
        )
        document = others.patch_document(patched, sample, subject=named, seed=seed, source=source)
        table, line = others.patch_table(patched), others.patch_summary(patched)
        if save is not None:
            saved.save_patch(save, patched.patch, patched.example, document)
            reporter.notice(f"wrote {printable(str(save))}")
    if as_json:
        print_json(document)
        return
    print_table(table)
    console().print(printable(line), soft_wrap=True)


def _save(path: Path, found: Attacked, document: dict[str, Any]) -> None:
    from depthwise.attack import saved
    from depthwise.cli.output import notice, printable

    saved.check_labels(found.labels)
    pixels, resize = (found.frames, None) if found.frames else (found.findings.changed, found.resize)
    saved.save(path, found.sample, pixels, found.labels, resize=resize, description=document)
    notice(f"wrote {printable(str(path))}")


def _write_page(path: Path, found: Attacked) -> None:
    from depthwise.attack.page import page
    from depthwise.cli.output import write_page

    write_page(path, page(found.findings, found.sample, found.labels, subject=found.subject, threshold=found.threshold))


def _settings(eps: str, norm: str, method: str, targets: str, **numbers: int) -> Settings:
    from depthwise.attack.budget import Budget, parse_eps
    from depthwise.attack.plan import Settings

    if method not in METHODS:
        raise Refused(f"--method is {method!r}; it must be one of {', '.join(METHODS)}")
    if targets != "all" and not (targets.isdecimal() and int(targets)):
        raise Refused(f"--targets is {targets!r}; give a number from 1, or `all`")
    budget = Budget(norm=norm, eps=parse_eps(eps))  # type: ignore[arg-type]
    return Settings(method=method, budget=budget, targets=0 if targets == "all" else int(targets), **numbers)  # type: ignore[arg-type]


def _document(found: Attacked, save: Path | None) -> dict[str, Any]:
    from depthwise.attack.document import document

    return document(
        found.findings,
        found.sample,
        found.labels,
        subject=found.subject,
        kind=found.kind,
        threshold=found.threshold,
        saved=None if save is None else str(save),
    )


def _print(found: Attacked, document: dict[str, Any], as_json: bool) -> None:
    from depthwise.attack import text
    from depthwise.cli.output import console, notice, print_json, print_table, printable

    findings = found.findings
    for warning in findings.warnings:
        notice(f"warning: {printable(warning)}")
    if as_json:
        print_json(document)
        return
    out = console()
    title = f"{found.subject}: {found.kind}, {len(findings.labels):,} images"
    out.print(printable(title), style="bold", soft_wrap=True)
    tables = [
        text.headline(findings),
        text.curve(findings),
        text.smallest(findings),
        text.classes(findings, found.labels),
    ]
    for table in tables:
        rows = tuple(tuple(map(printable, row)) for row in table.rows)
        print_table(dataclasses.replace(table, rows=rows))
    for line in (*text.summary(findings), *text.unknown(findings, found.threshold)):
        out.print(printable(line), soft_wrap=True)
