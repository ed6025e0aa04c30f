#!/usr/bin/env python3
"""The measurements of docs/bench.md: python scripts/bench_page.py measure FOLDER, then ... tables FOLDER.

`measure` runs `depthwise bench` on networks with random weights, about ten minutes in all on a machine that should do
nothing else, and leaves one JSON document a run in FOLDER; `tables` prints what the page has of them, under each table
at which level ours ran and who asked for tiles.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from depthwise.bench.subject import random_subject
from depthwise.network.model import Model
from depthwise.network.spec import Spec

NETWORKS = {"1.0-224": (1.0, 224), "0.5-160": (0.5, 160), "0.25-128": (0.25, 128)}
PEERS = ("onnxruntime", "openvino", "litert", "ncnn")
PRECISIONS = {
    "int8": ("--rounds", "40", "--starts", "10", "--twin"),
    "bf16": ("--rounds", "30", "--starts", "3"),
    "float32": (
        "--rounds",
        "30",
        "--starts",
        "3",
        "--twin",
        "--against",
        "no-strassen,onnxruntime,openvino,litert,ncnn",
    ),
}
GRID = ("--grid", "--precision", "int8", "--against", "onnxruntime,openvino,litert", "--rounds", "20", "--starts", "1")
SHIPPED = Path(__file__).parents[1] / "src" / "depthwise" / "shipped" / "everyday-200"
SHIPPED_PRECISIONS = ("float32", "bf16")
OURS = ("depthwise", "no-strassen")


def main(arguments: list[str]) -> int:
    """Measure, or print the tables."""
    match arguments:
        case ["measure", folder]:
            measure(Path(folder))
        case ["tables", folder]:
            print("\n\n".join("\n".join(table) for table in tables(Path(folder))))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


def measure(folder: Path) -> None:
    """Run everything, one after the other."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (width, resolution) in NETWORKS.items():
        model = random_subject(Spec(width=width, resolution=resolution), "float32").model
        assert isinstance(model, Model)
        model.save(folder / name)
        for precision, options in PRECISIONS.items():
            threads = ("--keep-dead", "--threads", "1,2", "--precision", precision)
            _bench(folder / f"{precision} {name}.json", str(folder / name), *threads, *options)
    _bench(folder / "grid.json", *GRID)
    for precision in SHIPPED_PRECISIONS:
        _bench(folder / f"{precision} shipped.json", str(SHIPPED), "--precision", precision, "--starts", "10")


def tables(folder: Path) -> Iterator[list[str]]:
    """Lines of Markdown, table by table."""
    found = {file.stem: json.loads(file.read_text()) for file in folder.glob("*.json")}
    yield _grid(found["grid"])
    yield _precisions(found)
    yield _kinds(found)
    yield _twins(found)
    yield _shipped(found)
    yield _first_answers(found)


def _bench(out: Path, *arguments: str) -> None:
    command = (str(Path(sys.executable).parent / "depthwise"), "bench", *arguments, "--json")
    print(out.stem, file=sys.stderr)
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    out.write_text(done.stdout)


def _grid(grid: dict[str, Any]) -> list[str]:
    numbers = ("ours, ms", "median", "share of peak", "fastest peer", "its ms", "times ours", "by median", "by rounds")
    lines = _head("network", *numbers)
    for network in grid["networks"]:
        ours, *peers = network["results"]
        best = min(peers, key=_least)
        name = f"{float(network['spec']['width'])}-{network['spec']['resolution']}"
        by_median, by_rounds = min(map(_median, peers)) / _median(ours), network["lead_by_rounds"]["1"]
        ratios = f"{_least(best) / _least(ours):.2f}", f"{by_median:.2f}", f"{by_rounds:.2f}"
        times = f"{_least(ours):.4g}", f"{_median(ours):.4g}", f"{ours['share_of_peak']:.1%}"
        lines.append(_row(name, *times, best["name"], f"{_least(best):.4g}", *ratios))
    means = f"geometric mean {grid['geometric_mean']['1']:.2f}, least {grid['least']['1']:.2f}"
    by_rounds = f"by rounds geometric mean {grid['geometric_mean_by_rounds']['1']:.2f}"
    return [*lines, "", f"{means}, {by_rounds}", *_machine(grid, grid["networks"])]


def _precisions(found: dict[str, Any]) -> list[str]:
    ratios = ("times ours", "by median", "by rounds")
    lines = _head("network", "threads", "ours", "plain", "share of peak", *PEERS, *ratios)
    under: list[str] = []
    for precision in PRECISIONS:
        documents = [found[f"{precision} {name}"] for name in NETWORKS]
        under += [f"{precision}: {line}" for line in _machine(documents[0], documents)]
        for name in NETWORKS:
            for threads in (1, 2):
                results = found[f"{precision} {name}"]["results"]
                at = {result["name"]: result for result in results if result["threads"] == threads}
                peers = [result for key, result in at.items() if key not in OURS]
                ours = at["depthwise"]
                times = [f"{_least(at[key]):.4g}" if key in at else "-" for key in ("no-strassen", *PEERS)]
                by = [min(map(of, peers)) / of(ours) for of in (_least, _median)]
                by.append(found[f"{precision} {name}"]["lead_by_rounds"][str(threads)])
                cells = (str(threads), f"{_least(ours):.4g}", times[0], f"{ours['share_of_peak']:.1%}", *times[1:])
                lines.append(_row(f"{precision} {name}", *cells, *(f"{ratio:.2f}" for ratio in by)))
    return [*lines, "", *under]


def _kinds(found: dict[str, Any]) -> list[str]:
    lines = _head("network", "1x1", "depthwise", "stem", "classifier", "all else")
    for precision in ("int8", "float32"):
        for name in NETWORKS:
            kinds = {kind["kind"]: kind for kind in found[f"{precision} {name}"]["kinds"]}
            named = [kinds.pop(kind) for kind in ("pointwise", "depthwise", "stem", "classifier")]
            shares = [f"{kind['share']:.1%} ({kind['macs_share']:.1%})" for kind in named]
            lines.append(_row(f"{precision} {name}", *shares, f"{sum(kind['share'] for kind in kinds.values()):.1%}"))
    return lines


def _twins(found: dict[str, Any]) -> list[str]:
    lines = _head("network", "the formula promises", "int8", "float32")
    for name in NETWORKS:
        twins = [found[f"{precision} {name}"]["twin"] for precision in ("int8", "float32")]
        measured = [
            f"{twin['measured']:.2f} times: {_least(twin['separable']):.4g} and {_least(twin['standard']):.4g} ms"
            for twin in twins
        ]
        lines.append(_row(name, f"{twins[0]['promised']:.2f} times", *measured))
    return lines


def _shipped(found: dict[str, Any]) -> list[str]:
    """Least times of the model that ships, on one thread."""
    lines = _head("the shipped model", "contender", "ms", "times ours")
    for precision in SHIPPED_PRECISIONS:
        results = [result for result in found[f"{precision} shipped"]["results"] if result["threads"] == 1]
        [ours] = [result for result in results if result["name"] == "depthwise"]
        for result in results:
            times = f"{_least(result):.4g}", f"{_least(result) / _least(ours):.2f}"
            lines.append(_row(precision, result["name"], *times))
    return lines


def _first_answers(found: dict[str, Any]) -> list[str]:
    """Least and median of first answers, and memory; in ms and MB."""
    lines = _head("network", "contender", "first answer", "median", "memory")
    for key in (*(f"int8 {name}" for name in NETWORKS), "float32 shipped"):
        for result in found[key]["results"]:
            if result["threads"] == 1 and result["first"] is not None:
                first = (f"{result['first'][which]:.1f}" for which in ("fastest", "median"))
                lines.append(_row(key, result["name"], *first, f"{result['memory_bytes'] / 1e6:.1f}"))
        program = found[key]["program"]
        first = (f"{program['first'][which]:.2f}" for which in ("fastest", "median"))
        lines.append(_row(key, "a C program", *first, f"{program['memory_bytes'] / 1e6:.2f}"))
    return lines


def _machine(document: dict[str, Any], networks: list[dict[str, Any]]) -> list[str]:
    """What lines under a table say: the machine, the level of ours, and who asked for tiles."""
    here = document["machine"]
    levels = sorted({network["level"] for network in networks})
    told = {result["name"]: result["asked_for_tiles"] for network in networks for result in network["results"]}
    asked = ", ".join(name for name, has in told.items() if has) or "nobody"
    on = f"{here['processor']}, {here['cores']} cores, {here['date']}, load before {here['load']}"
    return [f"{on}; ours ran at level {', '.join(levels)}; tiles were asked for by {asked}"]


def _least(result: dict[str, Any]) -> float:
    return float(result["times"]["fastest"])


def _median(result: dict[str, Any]) -> float:
    return float(result["times"]["median"])


def _head(*names: str) -> list[str]:
    return [_row(*names), _row(*["---"] * len(names))]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
