"""What the pages say exists: links, files, names in Python and C, commands and their options, decisions by number."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from depthwise.cli.main import COMMANDS

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "depthwise"
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "edge").glob("*.md"), *SOURCE.rglob("*.md")]
)
CODE = sorted(path for kind in ("*.py", "*.h", "*.c", "*.j2") for path in SOURCE.rglob(kind))
IDS = [str(page.relative_to(ROOT)) for page in PAGES]

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
FILE = re.compile(r"[\w.-]+(?:/[\w.-]+)+\.(?:py|h|c|md|toml|j2)")
# A dotted name is one of ours when it begins with the package or one of its rooms.
ROOMS = tuple(path.parent.name for path in SOURCE.glob("*/__init__.py"))
NAME = re.compile(rf"(?:depthwise\.)?(?:{'|'.join(ROOMS)})(?:\.\w+)+")
C_NAME = re.compile(r"\bdwk?_[a-z]\w+")
COMMAND = re.compile(rf"\bdepthwise ({'|'.join(COMMANDS)})\b([^\n|;&#`]*)")
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")
DECISION = re.compile(r"\bdecisions? (\d+)", re.IGNORECASE)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def spans_of(page: Path) -> list[str]:
    """What stands in `backticks`, outside of code blocks."""
    return SPAN.findall(FENCE.sub("", text_of(page)))


def anchors_of(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text_of(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_link_points_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    broken = []
    for link in LINK.findall(FENCE.sub("", text_of(page))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_file_named_in_a_page_exists(page: Path) -> None:
    # Other projects' files are named too; ours begin with a folder of ours.
    ours = {*ROOMS, "src", "tests", "docs", "scripts", "depthwise"}
    named = [span for span in spans_of(page) if FILE.fullmatch(span) and span.split("/")[0] in ours]

    assert [name for name in named if not is_file(name, page)] == []


def is_file(name: str, page: Path) -> bool:
    """Whether a file is there, seen from the page, the root, the package or the tests."""
    return any((place / name).exists() for place in (page.parent, ROOT, SOURCE, ROOT / "tests"))


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_name_in_our_code_that_a_page_gives_exists(page: Path) -> None:
    names = [match.group() for span in spans_of(page) if (match := NAME.fullmatch(span.removesuffix("()")))]

    assert [name for name in names if not is_file(name, page) and not is_defined(name)] == []


def is_defined(dotted: str) -> bool:
    """Whether a dotted name is a module, or a name that a module defines; nothing is imported."""
    *_, (module, rest) = ((SOURCE, dotted.removeprefix("depthwise.").split(".")), *modules(dotted))
    if not rest:
        return True
    file = module / "__init__.py" if module.is_dir() else module.with_suffix(".py")
    tree: ast.AST = ast.parse(text_of(file))
    for part in rest:
        found = [node for node in ast.iter_child_nodes(tree) if part in names_bound(node)]
        if not found:
            return False
        tree = found[0]
    return True


def modules(dotted: str) -> Iterator[tuple[Path, list[str]]]:
    """Each module along a dotted name, with what is left of the name."""
    parts, place = dotted.removeprefix("depthwise.").split("."), SOURCE
    while parts and ((place / parts[0]).is_dir() or (place / f"{parts[0]}.py").is_file()):
        place, parts = place / parts[0], parts[1:]
        yield place, parts


def names_bound(node: ast.AST) -> set[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
        case ast.ImportFrom(names=names):
            return {alias.asname or alias.name for alias in names}
        case _:
            return set()


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_python_example_parses_and_imports_what_exists(page: Path) -> None:
    for language, code in FENCE.findall(text_of(page)):
        if language != "python":
            continue
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("depthwise"):
                missing = [alias.name for alias in node.names if not is_defined(f"{node.module}.{alias.name}")]
                assert missing == []


# Decided on paper and not built yet (decision 73).
PLANNED = {"dw_begin", "dw_row", "dw_end"}


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_function_of_c_that_a_page_names_exists(page: Path) -> None:
    """`dw_` is what an artifact offers, `dwk_` a kernel. A kernel's tile and the like follow the name of its header."""
    known = {name for path in CODE for name in C_NAME.findall(text_of(path))}
    kernels = tuple(path.stem for path in SOURCE.rglob("dwk_*.h"))
    # A name that ends in an underscore is a family.
    named = {name for name in C_NAME.findall(text_of(page)) if not name.endswith("_")}

    assert sorted(name for name in named - known - PLANNED if not name.startswith(kernels)) == []


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_command_in_a_page_has_the_options_that_it_is_shown_with(page: Path) -> None:
    # A line that ends in a backslash goes on.
    text = text_of(page).replace("\\\n", " ")
    wrong = []
    for verb, rest in COMMAND.findall(text):
        wrong += [f"{verb} {option}" for option in OPTION.findall(rest) if option not in options_of(verb)]

    assert wrong == []


def options_of(verb: str) -> set[str]:
    command = importlib.import_module(f"depthwise.cli.{verb}").command
    assert isinstance(command, click.Command)
    own = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    return own | {"--help", "--version"}


def test_each_decision_has_a_number_of_its_own_and_those_cited_exist() -> None:
    page = text_of(ROOT / "docs" / "decisions.md")
    numbers = [int(n) for n in re.findall(r"^(\d+)\. \*\*", page, re.MULTILINE)]
    cited = {int(n) for path in (*CODE, *PAGES) for n in DECISION.findall(text_of(path))}
    cited |= {int(n) for n in re.findall(r"eplaced by (\d+)", page)}

    assert sorted(set(numbers)) == sorted(numbers)
    assert sorted(cited - set(numbers)) == []


def test_the_list_on_top_of_the_decisions_has_those_of_each_part() -> None:
    top, *parts = re.split(r"^## ", (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    listed = dict(re.findall(r"^- \[(.*?)\]\(#.*?\): ([\d, ]+)$", re.sub(r"\n  ", " ", top), flags=re.MULTILINE))
    found = {part.partition("\n")[0]: re.findall(r"^(\d+)\. \*\*", part, flags=re.MULTILINE) for part in parts}

    assert {part: ", ".join(sorted(numbers, key=int)) for part, numbers in found.items()} == listed


def test_every_page_that_the_code_names_exists() -> None:
    named = {(path, name) for path in CODE for name in re.findall(r"\bdocs/[\w./-]+\.md", text_of(path))}

    assert sorted(f"{path.relative_to(ROOT)}: {name}" for path, name in named if not (ROOT / name).is_file()) == []


def test_every_page_is_reached_from_the_index() -> None:
    linked = set(LINK.findall(text_of(ROOT / "docs" / "index.md")))
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"}

    assert sorted(pages - linked) == []


def test_the_readme_marks_the_two_commands_that_are_run() -> None:
    marked = re.findall(r"<!-- ci: (\w+) -->\n```sh\n(.+)\n```", text_of(ROOT / "README.md"))

    assert [name for name, _ in marked] == ["demo", "tests"]
    assert all("\n" not in command for _, command in marked)
