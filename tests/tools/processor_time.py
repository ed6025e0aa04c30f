"""Where the processor time of a run of the tests went: `pytest --processor-time 40`.

Time of user and system, of the test's own process and of those that it started and waited for. Other than the seconds
of `--durations` it does not depend on what else the machine does. What a fixture of many tests costs counts for the
first that asks for it.
"""

from __future__ import annotations

import resource
from collections import Counter
from collections.abc import Iterator

import pytest

TIME = "processor_time"


def spent() -> float:
    """Seconds of processor time of this process and of its ended children so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--processor-time N` names the N dearest tests, and what each file took."""
    parser.addoption(
        "--processor-time", type=int, default=0, metavar="N", help="name the N tests that took most processor time"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Note when a test begins."""
    item.config.stash[BEGUN] = spent()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Write into the report of each part of a test (setup, call, teardown) what it took."""
    report = yield
    now = spent()
    setattr(report, TIME, now - item.config.stash[BEGUN])
    item.config.stash[BEGUN] = now
    return report


BEGUN = pytest.StashKey[float]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the dearest tests, the files, and the whole."""
    shown = config.getoption("--processor-time")
    if not shown:
        return
    tests: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if hasattr(report, TIME):
                tests[report.nodeid] += getattr(report, TIME)
    files: Counter[str] = Counter()
    for name, seconds in tests.items():
        files[name.partition("::")[0]] += seconds
    terminalreporter.section("processor time")
    for name, seconds in [*files.most_common(), *tests.most_common(shown)]:
        terminalreporter.line(f"{seconds:7.2f} s  {name}")
    terminalreporter.line(f"{spent():7.2f} s  in all")
