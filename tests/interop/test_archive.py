"""Zip archives of strangers: read within limits, and refused in one sentence."""

from __future__ import annotations

import io
import zipfile

import pytest

from depthwise.errors import Refused
from depthwise.interop.archive import foreign_zip, member

TEXT = bytes(range(256)) * 8
NAME = "folder/text.txt"


def archive(method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as whole:
        whole.writestr(NAME, TEXT)
    return buffer.getvalue()


def changed(data: bytes, place: int, value: int) -> bytes:
    return data[:place] + bytes([value]) + data[place + 1 :]


def read(data: bytes, limit: int = len(TEXT)) -> bytes:
    with foreign_zip(io.BytesIO(data)) as whole:
        return member(whole, NAME, limit)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_member_as_large_as_the_limit_is_read_behind_other_bytes_too(method: int) -> None:
    assert read(archive(method)) == read(b"in front" + archive(method)) == TEXT


def test_a_member_above_the_limit_is_refused() -> None:
    with pytest.raises(Refused, match=r"its folder/text\.txt has more than 2,047 bytes; no MobileNet V1 needs"):
        read(archive(), limit=len(TEXT) - 1)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_compressed_in_a_way_that_may_take_any_memory_are_refused(method: int) -> None:
    with pytest.raises(Refused, match=r"its folder/text\.txt is neither stored nor deflated"):
        read(archive(method))


def test_an_encrypted_member_is_refused() -> None:
    data = archive()
    data = changed(changed(data, 6, 1), data.index(b"PK\x01\x02") + 8, 1)
    with pytest.raises(Refused, match=r"it is a damaged zip file \(.*encrypted"):
        read(data)


def test_an_archive_with_any_byte_changed_is_read_or_refused() -> None:
    data = archive()
    refused = 0
    for place in range(len(data)):
        try:
            read(changed(data, place, data[place] ^ 0xFF))
        except Refused:
            refused += 1
    assert refused > len(data) // 2


@pytest.mark.parametrize("kept", [0, 1, 100, -1])
def test_an_archive_cut_short_is_refused(kept: int) -> None:
    with pytest.raises(Refused, match="it is a damaged zip file"):
        read(archive()[:kept])
