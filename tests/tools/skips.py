"""What a run of the tests left out, and whether the machine had a reason for it.

At the end of every run each reason is named once with the number of tests that it kept from running. With
`--refuse-skips`, as .ci/run gives it, a reason that is not in `MAY_BE_MISSING` fails the run: what the README's own
command installs must be there, and a test that quietly stops running is noticed.
"""

from __future__ import annotations

import re
from collections import Counter

import pytest

# Reasons that a good machine may have, each as the beginning of a sentence, or a part of one.
MAY_BE_MISSING = (
    r"data pack '.*' is neither a folder nor",  # a clone without the real images
    r" is not in .*; the figures of that file are not checked",
    r"photos\.tsv, which says what the photos show",
    r" is not among the published networks; ",
    r"this processor (is no|has no|lacks) ",
    r"this machine lacks __\w+__",
    r"qemu-\w+ is not installed; ",
    r"qemu(-\w+)? or gcc( for .*)? is not installed; ",
    r" not installed; forms for .* are not run",
    r"(cmake|g\+\+) is not installed; ",
    r" is not installed; the page's programs in that language are not compiled",
    r" is not there or not allowed; ",  # strace, unshare
    r"wine is not installed; ",
    r"clang(-\d+)? is not installed; ",
    r"(pyarrow|Ray|Optuna) is not installed; ",
    r"chromium is not installed; ",
    r"Python has no tkinter",
    r"Xvfb (is not installed|does not start here); ",
    r"this Pillow cannot read a screen",
    r"TensorBoard is not installed",
    r"the superuser may write anywhere",
    r"this user may read everything",
    r"this process may not make namespaces",
    r"this file system takes (only names|no names)",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--refuse-skips` fails a run that left out what this machine should run."""
    parser.addoption("--refuse-skips", action="store_true", help="fail when a test is skipped without a good reason")


def reasons(reporter: pytest.TerminalReporter) -> Counter[str]:
    """How many tests each reason kept from running."""
    said = (report.longrepr for report in reporter.stats.get("skipped", []))
    texts = (part[-1] if isinstance(part, tuple) else str(part) for part in said)
    return Counter(text.removeprefix("Skipped: ") for text in texts)


def is_good(reason: str) -> bool:
    """Whether a machine may have this reason."""
    return any(re.search(pattern, reason) for pattern in MAY_BE_MISSING)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name what was not run."""
    found = reasons(terminalreporter)
    if not found:
        return
    refuse = config.getoption("--refuse-skips")
    terminalreporter.section("not run")
    for reason, count in sorted(found.items()):
        mark = " (REFUSED: this machine should run it)" if refuse and not is_good(reason) else ""
        terminalreporter.line(f"{count} x {reason}{mark}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run where that was asked for."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not session.config.getoption("--refuse-skips"):
        return
    if not all(map(is_good, reasons(reporter))):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
