"""Shards on another machine: fetched once into the cache, or read in parts where the disk has no room for them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from depthwise.beside import Busy, lock
from depthwise.cache import cache_folder
from depthwise.data.shards.manifest import INDEX, LARGEST, MANIFEST, NAME, Shard, read_manifest
from depthwise.errors import Refused, Unreachable
from depthwise.files import write_file
from depthwise.places import Kind
from depthwise.progress import Reporter

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
# Says, in a folder of the cache, where its shards are from.
ORIGIN = "origin.json"
_ORIGIN = Kind(name="the address of shards", is_one=lambda path: True)
TRIES, PAUSE = 4, 1.0
# Bytes that stay free on the disk.
MARGIN = 2**31


def is_address(text: str) -> bool:
    """Whether a text is a place on another machine."""
    return bool(_ADDRESS.match(text))


def fetch(address: str, reporter: Reporter) -> Path:
    """A folder of the cache that stands for shards elsewhere: manifest, indices, and the shards where there is room.

    What is there from before is not fetched again. Processes that want the same wait for one another.

    Args:
        address: of the folder or of its manifest, in a form that fsspec takes: https://, s3://, gs://.
    Raises: Unreachable, when it does not answer; Refused, when it is no manifest, or what came is not what it names.
    """
    base = address.removesuffix(NAME).rstrip("/")
    content = _whole(f"{base}/{NAME}")
    name = re.sub(r"[^A-Za-z0-9._-]", "_", base.rsplit("/", 1)[-1])
    folder = cache_folder() / "shards" / f"{name}-{hashlib.sha256(content).hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        write_file(folder / NAME, content, MANIFEST)
        manifest = read_manifest(folder / NAME)
        write_file(folder / ORIGIN, json.dumps({"base": base}).encode(), _ORIGIN)
        for shard in manifest.shards:
            _index(base, folder, shard)
        missing = [shard for shard in manifest.shards if not (folder / shard.name).exists()]
        needed = sum(shard.bytes for shard in missing)
        if needed + MARGIN > shutil.disk_usage(folder).free:
            reporter.notice(
                f"{address}: {needed / 1e9:,.1f} GB are not kept on this machine, which has no room for them; images"
                " are read from there one by one, which is slow"
            )
            return folder
        _fetch_all(base, folder, missing, reporter)
    return folder


def origin(folder: Path) -> str | None:
    """Where the shards of a folder of the cache are from; None for any other folder."""
    path = folder / ORIGIN
    return json.loads(path.read_bytes())["base"] if path.is_file() else None


def read_there(address: str, offset: int, size: int) -> bytes:
    """Bytes of a file elsewhere, from a place on.

    Raises: Unreachable, when they do not come, or the server gives no parts of files.
    """
    content: bytes = _tried(address, lambda system, path: system.cat_file(path, start=offset, end=offset + size))
    if len(content) != size:
        raise Unreachable(
            f"{address}: gives {len(content):,} bytes where {size:,} are asked for, as servers do that know no parts of"
            f" files; free room for the shards in {cache_folder()}, or put them on another server"
        )
    return content


def _fetch_all(base: str, folder: Path, missing: list[Shard], reporter: Reporter) -> None:
    if missing:
        reporter.begin("fetching shards", len(missing))
    try:
        for shard in missing:
            _fetch(f"{base}/{shard.name}", folder / shard.name, shard)
            reporter.advance()
    finally:
        reporter.end()


def _fetch(address: str, target: Path, shard: Shard) -> None:
    """One shard, which appears whole and only with the bytes that the manifest names."""
    part = target.with_name(f".{target.name}.part")

    def copy(system: Any, path: str) -> str:
        """Fetch it from its beginning, in a stream, which a server without ranges gives as well; its SHA-256."""
        system.get_file(path, str(part))
        with part.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    digest = _tried(address, copy)
    if shard.sha256 and digest != shard.sha256:
        part.unlink()
        raise Refused(f"{address}: its SHA-256 is not the one of the manifest; write that shard there again")
    part.replace(target)


def _index(base: str, folder: Path, shard: Shard) -> None:
    path = folder / shard.index
    if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == shard.index_sha256:
        return
    write_file(path, _whole(f"{base}/{shard.index}"), INDEX)


def _whole(address: str) -> bytes:
    content: bytes = _tried(address, lambda system, path: system.cat_file(path))
    if len(content) > LARGEST:
        raise Refused(f"{address}: has {len(content):,} bytes; is it a manifest of `depthwise shard`?")
    return content


def _tried(address: str, work: Callable[[Any, str], Any]) -> Any:
    """What some work on a file elsewhere gives, tried again where the network fails."""
    system, path = _system(address)
    for left in range(TRIES - 1, -1, -1):
        try:
            return work(system, path)
        except FileNotFoundError:
            raise Unreachable(f"{address}: there is no such file; give the folder with {NAME}") from None
        except Exception as problem:  # of as many kinds as there are libraries for networks
            if not left:
                reason = " ".join(str(problem).split())[:200] or type(problem).__name__
                raise Unreachable(f"{address}: does not come ({reason}); try again") from None
            time.sleep(PAUSE * (TRIES - left))
    raise AssertionError("the last try returned or raised")


def _system(address: str) -> tuple[Any, str]:
    """What fsspec reads an address with."""
    advice = "run: pip install 'depthwise[remote]'"
    try:
        import fsspec
    except ModuleNotFoundError:
        raise Refused(f"{address}: is on another machine, for which fsspec is not installed; {advice}") from None
    try:
        system, path = fsspec.core.url_to_fs(address)
    except ImportError as missing:
        raise Refused(f"{address}: cannot be read ({missing}); {advice}") from None
    except ValueError as problem:
        raise Refused(f"{address}: is no address that fsspec knows ({problem})") from None
    return system, path


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder; wait for it where another process has it."""
    with contextlib.ExitStack() as held:
        while True:
            try:
                held.enter_context(lock(folder))
                break
            except Busy:
                time.sleep(0.1)
        yield
