"""A package for pip that holds artifacts and the device side: no depthwise, no compiler and no numpy beside it."""

from __future__ import annotations

import base64
import hashlib
import io
import keyword
import re
import sys
import sysconfig
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from depthwise import __version__
from depthwise.compiler.outputs.compilers import work_folder
from depthwise.compiler.targets import Target
from depthwise.errors import Refused
from depthwise.files import write_file
from depthwise.places import Kind, end
from depthwise.processor import processor

_STEP = 1 << 20
_MARK = b"a wheel of depthwise compile"
WHEEL = Kind(name="a wheel that depthwise wrote", is_one=lambda path: end(path, len(_MARK)) == _MARK)
ROOM = Path(__file__).parents[2]
_OF_GROUND = re.compile(r"^from depthwise\.(\w+) import", re.MULTILINE)
_IMPORT = re.compile(r"^(\s*(?:from|import)) depthwise\b", re.MULTILINE)
# Where a wheel may be installed, and what Python there says (sys.platform and `processor()`), by system and processor
# of a target. Artifacts need no C library; 2.17 is the oldest that has a name for all of these.
_PLATFORMS = {
    ("linux", "x86_64"): ("manylinux_2_17_x86_64", "linux x86_64"),
    ("linux", "aarch64"): ("manylinux_2_17_aarch64", "linux aarch64"),
    ("linux", "arm"): ("manylinux_2_17_armv7l", "linux armv7l"),
    ("linux", "riscv64"): ("manylinux_2_31_riscv64", "linux riscv64"),
    ("windows", "x86_64"): ("win_amd64", "win32 amd64"),
    ("windows", "aarch64"): ("win_arm64", "win32 arm64"),
    ("macos", "x86_64"): ("macosx_11_0_x86_64", "darwin x86_64"),
    ("macos", "aarch64"): ("macosx_11_0_arm64", "darwin arm64"),
}
_VERSION = re.compile(r"\d+(\.\d+)*((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?")
_CODE = '''"""NAME: labels of images; `label("photo.jpg")` gives one. Written by depthwise, and needs nothing of it."""

from __future__ import annotations

from PACKAGE._depthwise.edge.packaged import Packaged

__all__ = ["artifact", "label", "top"]
__version__ = "VERSION"

# The artifact of each platform, by sys.platform and the processor that Python is for.
_ARTIFACTS = ARTIFACTS

_packaged = Packaged(__name__, __version__, __file__, _ARTIFACTS)
artifact = _packaged.artifact
label = _packaged.label
main = _packaged.main
top = _packaged.top
'''


@dataclass(frozen=True, kw_only=True)
class Name:
    """What a wheel is called.

    Attributes:
        package: what is imported, and the command.
        tags: of the platforms that it is for.
    """

    package: str
    version: str
    tags: tuple[str, ...]

    @property
    def file(self) -> str:
        """The name of the file, which pip reads."""
        return f"{self.package}-{self.version}-py3-none-{'.'.join(self.tags)}.whl"


def wheel_place(out: Path, rows: Sequence[Target]) -> tuple[Path, Name]:
    """Where a wheel is written, and what it is called: `out` is its path, or that path up to the version or the name.

    Raises: Refused, when the name is none that can be imported, the version none that pip knows, two targets are for
        one platform, or the rest of a whole name is for other platforms.
    """
    stem = out.name.removesuffix(".whl")
    package, _, rest = stem.partition("-")
    version, _, tags = rest.partition("-")
    version = version or "1.0"
    package = re.sub(r"[-_.]+", "_", package)
    if not package.isidentifier() or not package.isascii() or keyword.iskeyword(package):
        raise Refused(f"{out}: {package!r} is no name that Python imports; call it NAME-VERSION, as in hats-1.0")
    if package in sys.stdlib_module_names:
        raise Refused(f"{out}: {package!r} is a module of Python itself; choose another name")
    if not _VERSION.fullmatch(version):
        raise Refused(f"{out}: {version!r} is no version; call it NAME-VERSION, as in hats-1.0")
    machines = [platform_of(row)[1] for row in rows]
    if twice := next((machine for machine in machines if machines.count(machine) > 1), ""):
        raise Refused(f"{out}: a wheel holds one artifact for {twice}; name one of the targets that are for it")
    name = Name(package=package, version=version, tags=tuple(sorted(platform_of(row)[0] for row in rows)))
    if tags and f"{stem}.whl" != name.file:
        raise Refused(
            f"{out}: for these targets it is called {name.file}; name it so, or {package}-{version} for short"
        )
    return out.with_name(name.file), name


def platform_of(row: Target) -> tuple[str, str]:
    """The tag of a target's platform, and what Python calls it.

    Raises: Refused, when pip knows no such platform.
    """
    if not row.system:
        here = re.sub(r"[-.]", "_", sysconfig.get_platform())
        return here, f"{sys.platform} {processor()}"
    found = _PLATFORMS.get((row.system, row.processor))
    if found is None:
        raise Refused(f"pip has no name for the platform of target {row.name}; compile a library for it")
    return found


def wheel(artifacts: Mapping[Target, Path], labels: Sequence[str], name: Name, out: Path) -> int:
    """Write a wheel; the same artifacts give the same bytes.

    Args:
        artifacts: the library of each target, with its trailer.
        labels: of the network, for its description.
    Raises: Refused, when it cannot be written.
    """
    files: dict[str, bytes | Path] = {**_device(name.package), **_artifacts(artifacts, name)}
    files |= {f"{name.package}/__main__.py": _main(name).encode(), **_about(name, labels)}
    with work_folder() as folder:
        made = folder / "wheel"
        _zip(files, f"{name.package}-{name.version}.dist-info/RECORD", made)
        write_file(out, made, WHEEL)
        return made.stat().st_size


def _device(package: str) -> dict[str, bytes]:
    """The device side as a part of the package, which no other version of depthwise can disturb."""
    inner = f"{package}/_depthwise"
    files = {f"{inner}/__init__.py": f'"""The device side of depthwise."""\n\n__version__ = "{__version__}"\n'.encode()}
    texts = {path: path.read_text(encoding="utf-8") for path in sorted((ROOM / "edge").rglob("*.py"))}
    ground = {ROOM / f"{name}.py" for text in texts.values() for name in _OF_GROUND.findall(text)}
    texts |= {path: path.read_text(encoding="utf-8") for path in sorted(ground) if path.is_file()}
    for path, text in texts.items():
        own = _IMPORT.sub(rf"\1 {package}._depthwise", text)
        files[f"{inner}/{path.relative_to(ROOM).as_posix()}"] = own.encode()
    return files


def _artifacts(artifacts: Mapping[Target, Path], name: Name) -> dict[str, bytes | Path]:
    """The artifacts, and the module that knows which is for which machine."""
    files = {f"{name.package}/{row.name}.artifact": path for row, path in artifacts.items()}
    places = sorted((platform_of(row)[1], f"{row.name}.artifact") for row in artifacts)
    table = "{" + ", ".join(f'"{machine}": "{place}"' for machine, place in places) + "}"
    code = _CODE.replace("PACKAGE", name.package).replace("VERSION", name.version).replace("NAME", name.package)
    return files | {f"{name.package}/__init__.py": code.replace("= ARTIFACTS", f"= {table}").encode()}


def _main(name: Name) -> str:
    return f'"""The command."""\n\nfrom {name.package} import main\n\nmain()\n'


def _about(name: Name, labels: Sequence[str]) -> dict[str, bytes]:
    """What pip reads of the package."""
    place = f"{name.package}-{name.version}.dist-info"
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name.package}",
        f"Version: {name.version}",
        f"Summary: Labels of images, {len(labels)} of them",
        "Requires-Python: >=3.11",
        # For photos; PPM files and frames of cameras are read without it.
        "Requires-Dist: pillow>=12",
        "Provides-Extra: live",
        'Requires-Dist: av>=14; extra == "live"',
    ]
    wheel_lines = ["Wheel-Version: 1.0", f"Generator: depthwise {__version__}", "Root-Is-Purelib: false"]
    wheel_lines += [f"Tag: py3-none-{tag}" for tag in name.tags]
    entry = f"[console_scripts]\n{name.package} = {name.package}:main\n"
    files = {
        f"{place}/METADATA": "\n".join((*lines, "", "")).encode(),
        f"{place}/WHEEL": "\n".join((*wheel_lines, "")).encode(),
        f"{place}/entry_points.txt": entry.encode(),
    }
    return files | {f"{place}/licenses/depthwise-{key}": content for key, content in _licences().items()}


def _licences() -> dict[str, bytes]:
    """The licence of the device side, as it was installed or lies in the repository."""
    try:
        installed = metadata.files("depthwise") or []
    except metadata.PackageNotFoundError:
        installed = []
    places = {Path(str(file)).name: Path(str(file.locate())) for file in installed}
    places |= {name: ROOM.parents[1] / name for name in ("LICENSE", "NOTICE") if (ROOM.parents[1] / name).is_file()}
    return {key: places[key].read_bytes() for key in ("LICENSE", "NOTICE") if key in places and places[key].is_file()}


def _zip(files: Mapping[str, bytes | Path], record: str, out: Path) -> None:
    """Write a zip file with its list of contents and their hashes, as wheels have it, without times and owners."""
    lines = []
    with zipfile.ZipFile(out, "w") as archive:
        for path, content in files.items():
            digest, size = _put(archive, path, content)
            lines.append(f"{path},sha256={digest},{size}")
        _put(archive, record, "\n".join((*lines, f"{record},,", "")).encode())
        archive.comment = _MARK


def _put(archive: zipfile.ZipFile, name: str, content: bytes | Path) -> tuple[str, int]:
    """Add a file, a part at a time; returns its hash as wheels write it, and its bytes."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o100644 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    digest = hashlib.sha256()
    with content.open("rb") if isinstance(content, Path) else io.BytesIO(content) as given:
        entry.file_size = given.seek(0, io.SEEK_END)
        given.seek(0)
        with archive.open(entry, "w") as put:
            while part := given.read(_STEP):
                digest.update(part)
                put.write(part)
        return base64.urlsafe_b64encode(digest.digest()).decode().rstrip("="), given.tell()
