"""The table of forms: what a compiled network can be written as. Help reads it, so it loads nothing."""

from __future__ import annotations

from dataclasses import dataclass

from depthwise.compiler.targets import Target
from depthwise.errors import Refused


@dataclass(frozen=True, kw_only=True)
class Form:
    """One row of the table: what `--form` takes, and one line for help."""

    name: str
    about: str


FORMS = (
    Form(name="library", about="a shared library, which programs in any language load and call"),
    Form(name="static", about="a folder with a static library and its headers for C and C++"),
    Form(name="program", about="a program that labels PPM pictures, and frames on standard input"),
    Form(name="source", about="a folder of C, which is a CMake package too"),
    Form(name="wheel", about="a package for pip with a command of its own; --out is NAME-VERSION"),
)


def form_of(name: str | None, row: Target) -> str:
    """The form of a name; without one what is usual for a target.

    Raises: Refused, when there is none, or the target has no such form.
    """
    usual = "library" if row.zig is not None else "source"
    found = name or usual
    if found not in (form.name for form in FORMS):
        raise Refused(f"there is no form {name!r}; there are {', '.join(form.name for form in FORMS)}")
    if row.gpu and found != "library":
        raise Refused(f"target {row.name} has no form {name}; leave --form away for a library")
    if row.zig is None and found != "source":
        raise Refused(f"target {row.name} has no form {name}; choose a target that is compiled, such as host")
    return found
