"""The page in a real browser: where things lie on the screen, and what a pointer and a keyboard do."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthwise.evaluate.page import page
from depthwise.progress import Silent
from tools.answers import report_of

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
CLASSES, WIDTHS = (2, 9, 43, 200), (400, 1000, 1600)
NAMES = ("Lime", "Brown-Cap-Mushroom", "a class with quite a long name indeed", "O")
HARNESS = Path(__file__).with_name("browser.js")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[int, int], dict[str, Any]]:
    """What the browser says of pages of so many classes, so many pixels wide: one start for all of them."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("chromium is not installed; pages are not looked at in a browser")
    folder = tmp_path_factory.mktemp("pages")
    frames = "".join(
        f'<iframe id="{count}-{width}" width="{width}" height="900" srcdoc="{html.escape(_page(count))}"></iframe>'
        for count in CLASSES
        for width in WIDTHS
    )
    whole = folder / "all.html"
    script = HARNESS.read_text(encoding="utf-8")
    whole.write_text(f"<!doctype html>{frames}<pre></pre><script>{script}</script>", encoding="utf-8")
    flags = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}")
    command = [browser, *flags, "--virtual-time-budget=20000", "--dump-dom", whole.as_uri()]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=300, check=False)
    found = re.search(r"<pre>(.*)</pre>", done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    told = json.loads(html.unescape(found.group(1)))
    return {(count, width): told[f"{count}-{width}"] for count in CLASSES for width in WIDTHS}


def _page(count: int) -> str:
    """A page of `count` classes, with cells of one to five digits."""
    labels = tuple(f"{NAMES[index % len(NAMES)]} {index}" if index else "Lime" for index in range(count))
    rng = np.random.default_rng(count)
    truth = list(range(count)) * 3 + [0] * 1200
    answers = rng.dirichlet(np.full(count, 0.1), len(truth))
    answers[-1200:] = np.eye(count)[1]
    return page(report_of(answers.tolist(), truth, labels), Silent())


CASES = [(count, width) for count in CLASSES for width in WIDTHS]


@pytest.mark.parametrize(("count", "width"), CASES)
def test_the_whole_map_is_whole_and_names_lie_beside_it(
    seen: dict[tuple[int, int], dict[str, Any]], count: int, width: int
) -> None:
    found = seen[count, width]["whole"]

    assert found["scrolls"] is False
    # Every cell within the box of the map, no name over a cell, no name over another.
    assert found["outside"] == []
    assert found["covered"] == []
    assert found["overlapping"] == []
    assert found["names"] >= min(count, 8)


@pytest.mark.parametrize(("count", "width"), CASES)
def test_numbers_fit_into_their_cells_and_names_stay_when_it_is_scrolled(
    seen: dict[tuple[int, int], dict[str, Any]], count: int, width: int
) -> None:
    found = seen[count, width]["close"]

    assert found["numbers"] > 0
    assert found["spilling"] == []
    # The last row and column can be reached, and their names then stand beside them.
    assert found["covered"] == []
    assert found["last"] == [True, True]


@pytest.mark.parametrize(("count", "width"), CASES)
def test_pointer_and_keys_tell_what_a_cell_holds(
    seen: dict[tuple[int, int], dict[str, Any]], count: int, width: int
) -> None:
    found = seen[count, width]

    assert re.fullmatch(r"Lime taken for \S.* 1: 1[0-9]{3} of 12[0-9]{2} \([\d.]+%\)", found["pointed"])
    assert found["keyed"] == found["pointed"]
    assert found["opened"] == found["pointed"]


@pytest.mark.parametrize(("count", "width"), CASES)
def test_no_label_of_the_diagram_is_cut(seen: dict[tuple[int, int], dict[str, Any]], count: int, width: int) -> None:
    assert seen[count, width]["cut"] == []
