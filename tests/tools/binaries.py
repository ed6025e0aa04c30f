"""What a library says of itself in its headers: ELF, PE, Mach-O and archives of Mach-O, all of little endian."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

_ELF_MACHINES = {40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv64"}
_PE_MACHINES = {0x8664: "x86_64", 0xAA64: "aarch64"}
_MACHO_MACHINES = {0x01000007: "x86_64", 0x0100000C: "aarch64"}
_MACHO_PLATFORMS = {1: "macos", 2: "ios"}
Segment = tuple[int, int, int, int, int, int]
# Of ELF: kinds and flags of segments, and tags of the dynamic table.
LOAD, DYNAMIC, THREAD, STACK = 1, 2, 7, 0x6474E551
RUN, WRITE = 1, 2
TEXT_RELOCATIONS, FLAGS, FLAG_TEXT_RELOCATIONS, PACKED_RELOCATIONS, VERSIONS = 22, 30, 4, 36, 0x6FFFFFFE
# What a symbol is for: external, private to what is linked together, and the kind "not here".
_EXTERNAL, _PRIVATE, _KIND = 0x01, 0x10, 0x0E


@dataclass(frozen=True, kw_only=True)
class Binary:
    """A library, or the objects of an archive taken together.

    Attributes:
        form: of the file.
        processor: as zig calls it.
        exports, imports: names of functions, as C has them.
        hidden: names that only what is linked together may use.
        libraries: that the loader is to load with it.
        page: the largest page of memory, in bytes, that its segments are laid out for; 0 where that is not said.
        system: the system and its least version, where the file says it.
        demands: of ELF, what loaders of some systems refuse, or give to few libraries.
    """

    form: str
    processor: str
    exports: frozenset[str]
    imports: frozenset[str]
    hidden: frozenset[str] = frozenset()
    libraries: tuple[str, ...] = ()
    page: int = 0
    system: str = ""
    demands: frozenset[str] = frozenset()


def binary(path: Path) -> Binary:
    """Read a file by its first bytes."""
    data = path.read_bytes()
    if data.startswith(b"\x7fELF"):
        return _elf(data)
    if data.startswith(b"MZ"):
        return _pe(data)
    return _archive(data) if data.startswith(b"!<arch>\n") else _macho(data)


def _text(data: bytes, at: int) -> str:
    return data[at : data.index(b"\0", at)].decode()


def _elf(data: bytes) -> Binary:
    is_wide = data[4] == 2
    (machine,) = struct.unpack_from("<H", data, 18)
    segments, rows = _headers(data)
    loaded = [found for found in segments if found[0] == LOAD]
    table = dict(rows)

    def at(address: int) -> int:
        return next(
            address - place + start for _, _, start, place, bytes_, _ in loaded if 0 <= address - place < bytes_
        )

    strings = at(table[5])
    (symbols,) = struct.unpack_from("<I", data, at(table[4]) + 4)
    exports: set[str] = set()
    imports: set[str] = set()
    for number in range(1, symbols):
        form, width = ("<IBBH", 24) if is_wide else ("<IIIBBH", 16)
        name, *_, section = struct.unpack_from(form, data, at(table[6]) + width * number)
        (exports if section else imports).add(_text(data, strings + name))
    return Binary(
        form="elf",
        processor=_ELF_MACHINES[machine],
        exports=frozenset(exports),
        imports=frozenset(imports),
        libraries=tuple(_text(data, strings + value) for tag, value in rows if tag == 1),
        page=min(page for *_, page in loaded),
        demands=frozenset(_demands(data)),
    )


def demands(path: Path) -> frozenset[str]:
    """Of an ELF library, what loaders of some systems refuse, or give to few."""
    return frozenset(_demands(path.read_bytes()))


def _headers(data: bytes) -> tuple[list[Segment], list[tuple[int, int]]]:
    """The segments, and the rows of the dynamic table."""
    is_wide = data[4] == 2
    (start,) = struct.unpack_from("<Q" if is_wide else "<I", data, 32 if is_wide else 28)
    size, count = struct.unpack_from("<HH", data, 54 if is_wide else 42)
    segments = [_segment(data, start + size * number, is_wide) for number in range(count)]
    (dynamic,) = [found for found in segments if found[0] == DYNAMIC]
    rows = struct.iter_unpack("<qQ" if is_wide else "<iI", data[dynamic[2] : dynamic[2] + dynamic[4]])
    return segments, [(tag, value) for tag, value in rows]


def _demands(data: bytes) -> Iterator[str]:
    segments, rows = _headers(data)
    flags, table = {found[0]: found[1] for found in segments}, dict(rows)
    # Where no segment speaks of the stack, loaders take it that code may lie there.
    if flags.get(STACK, RUN) & RUN:
        yield "an executable stack"
    if THREAD in flags:
        yield "memory for each thread"
    if any(one[0] == LOAD and one[1] & WRITE and one[1] & RUN for one in segments):
        yield "code that can be written"
    if TEXT_RELOCATIONS in table or table.get(FLAGS, 0) & FLAG_TEXT_RELOCATIONS:
        yield "code that is changed as it is loaded"
    if VERSIONS in table:
        yield "versions of functions"
    if PACKED_RELOCATIONS in table:
        yield "relocations as newer loaders know them"


def _segment(data: bytes, at: int, is_wide: bool) -> Segment:
    """Kind, flags, place in the file, address, bytes in the file, and alignment, which place and address agree in."""
    if is_wide:
        kind, flags, offset, address, _, size, _, page = struct.unpack_from("<IIQQQQQQ", data, at)
    else:
        kind, offset, address, _, size, _, flags, page = struct.unpack_from("<IIIIIIII", data, at)
    assert kind != LOAD or offset % page == address % page
    return kind, flags, offset, address, size, page


def _pe(data: bytes) -> Binary:
    (head,) = struct.unpack_from("<I", data, 60)
    machine, sections, *_, optional, _ = struct.unpack_from("<HHIIIHH", data, head + 4)
    exports_at, _, imports_at, _ = struct.unpack_from("<IIII", data, head + 24 + 112)
    rows = [struct.unpack_from("<8xIIII", data, head + 24 + optional + 40 * number) for number in range(sections)]

    def at(address: int) -> int:
        return next(int(address - place + at) for size, place, _, at in rows if 0 <= address - place < size)

    count, _, names = struct.unpack_from("<III", data, at(exports_at) + 24)
    pointers = struct.unpack_from(f"<{count}I", data, at(names))
    libraries: list[str] = []
    imports: set[str] = set()
    while imports_at:
        first, _, _, library, _ = struct.unpack_from("<5I", data, at(imports_at))
        if not library:
            break
        libraries.append(_text(data, at(library)))
        entries = (value for (value,) in struct.iter_unpack("<Q", data[at(first) :][: 8 * 256]))
        imports |= {_text(data, at(value) + 2) for value in takewhile(bool, entries)}
        imports_at += 20
    return Binary(
        form="pe",
        processor=_PE_MACHINES[machine],
        exports=frozenset(_text(data, at(pointer)) for pointer in pointers),
        imports=frozenset(imports),
        libraries=tuple(libraries),
    )


def _macho(data: bytes) -> Binary:
    magic, machine, _, _, commands, _ = struct.unpack_from("<IIIIII", data)
    assert magic == 0xFEEDFACF
    at, libraries, system = 32, [], ""
    exported, hidden, imports = frozenset[str](), frozenset[str](), frozenset[str]()
    listed: frozenset[str] | None = None
    for _ in range(commands):
        command, size = struct.unpack_from("<II", data, at)
        if command == 0x0C:  # a library to load
            libraries.append(_text(data, at + struct.unpack_from("<I", data, at + 8)[0]))
        elif command == 0x32:  # what it was built for
            platform, least = struct.unpack_from("<II", data, at + 8)
            system = f"{_MACHO_PLATFORMS[platform]} {least >> 16}.{least >> 8 & 255}"
        elif command == 0x80000022:  # names for the loader, as a tree
            start, _ = struct.unpack_from("<II", data, at + 40)
            listed = frozenset(name.removeprefix("_") for name in _tree(data, start, start, ""))
        elif command == 0x02:
            exported, hidden, imports = _symbols(data, *struct.unpack_from("<IIII", data, at + 8))
        at += size
    return Binary(
        form="mach-o",
        processor=_MACHO_MACHINES[machine],
        exports=listed or exported,
        imports=imports,
        hidden=hidden,
        libraries=tuple(libraries),
        page=16384 if machine == 0x0100000C else 4096,
        system=system,
    )


def _symbols(data: bytes, start: int, count: int, strings: int, size: int) -> tuple[frozenset[str], ...]:
    """Names that anybody may use, those for what is linked together, and those that are looked for elsewhere."""
    assert strings + size <= len(data)
    rows = (struct.unpack_from("<IBBHQ", data, start + 16 * number) for number in range(count))
    known = [(_text(data, strings + name).removeprefix("_"), kind) for name, kind, *_ in rows]
    here = [(name, kind) for name, kind in known if kind & _EXTERNAL and kind & _KIND]
    return (
        frozenset(name for name, kind in here if not kind & _PRIVATE),
        frozenset(name for name, kind in here if kind & _PRIVATE),
        frozenset(name for name, kind in known if kind & _EXTERNAL and not kind & _KIND),
    )


def _tree(data: bytes, root: int, at: int, name: str) -> Iterator[str]:
    """Names below a node: its own, then those of its children, each with what it adds to the name."""
    size, at = _number(data, at)
    if size:
        yield name
    at += size
    children, at = data[at], at + 1
    for _ in range(children):
        more = _text(data, at)
        child, at = _number(data, at + len(more) + 1)
        yield from _tree(data, root, root + child, name + more)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    value, shift = 0, 0
    while True:
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            return value, at


def _archive(data: bytes) -> Binary:
    at, objects = 8, []
    while at < len(data):
        name, size = data[at : at + 16].decode().strip(), int(data[at + 48 : at + 58])
        body = data[at + 60 : at + 60 + size]
        # Long names stand before what they name.
        skipped = int(name[3:]) if name.startswith("#1/") else 0
        if body[skipped : skipped + 4] == b"\xcf\xfa\xed\xfe":
            objects.append(_macho(body[skipped:]))
        at += 60 + size + size % 2
    exports = frozenset[str]().union(*(each.exports for each in objects))
    hidden = frozenset[str]().union(*(each.hidden for each in objects))
    imports = frozenset[str]().union(*(each.imports for each in objects)) - exports - hidden
    return Binary(
        form="archive",
        processor=objects[0].processor,
        exports=exports,
        imports=imports,
        hidden=hidden,
        system=" and ".join(sorted({each.system for each in objects})),
    )
