"""Shards hold a folder of images byte for byte, are whole after a kill, and name what is damaged."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from depthwise.data.folder import Item, read_folder, read_split
from depthwise.data.sharding import Sharding, shard
from depthwise.data.shards import remote
from depthwise.data.shards.manifest import read_manifest
from depthwise.data.shards.reading import open_shards
from depthwise.data.shards.sound import damages, write_index
from depthwise.data.store import evaluation_store
from depthwise.data.unlabelled import every_picture
from depthwise.errors import Refused, Unreachable
from depthwise.network.preprocessing import default_preprocessing
from depthwise.progress import Silent

ImageFolder = Callable[..., Path]
# So that the small images of tests fill several shards.
SIZE = 20_000


@pytest.fixture
def folder(image_folder: ImageFolder) -> Path:
    return image_folder(images=6, splits=("train", "val"))


def written(data: Path, out: Path) -> Path:
    shard(Sharding(data=data, out=out, size=SIZE), Silent())
    return out


def described(items: tuple[Item, ...], root: Path) -> list[tuple[str, int, bytes]]:
    return [(item.name(root), item.label, item.path.open("rb").read()) for item in items]


@pytest.mark.parametrize("splits", [(), ("train", "val"), ("training", "validation", "test")])
def test_shards_are_read_as_the_folder_that_they_were_made_of(
    tmp_path: Path, image_folder: ImageFolder, splits: tuple[str, ...]
) -> None:
    data = image_folder(images=6, splits=splits)
    out = written(data, tmp_path / "shards")

    wanted, found = read_folder(data), read_folder(out)
    assert (wanted.labels, wanted.is_drawn) == (found.labels, found.is_drawn)
    for name, split in wanted.splits.items():
        assert described(split, data) == described(found.splits[name], out)
    assert len(read_manifest(out / "manifest.json").shards) > 1


def test_shards_are_measured_as_the_folder_that_they_were_made_of(tmp_path: Path, folder: Path) -> None:
    out = written(folder, tmp_path / "shards")
    labels = ("dog", "hat", "cat")

    assert described(read_split(folder, labels), folder) == described(read_split(out, labels), out)
    with pytest.raises(Refused, match="class 'dog' is not one of the classes trained on"):
        read_split(out, ("cat",))


def test_any_reader_of_webdataset_finds_image_and_class_side_by_side(tmp_path: Path, folder: Path) -> None:
    out = written(folder, tmp_path / "shards")
    held = open_shards(out)

    seen = []
    for one, index in zip(held.manifest.shards, held.indices, strict=True):
        with tarfile.open(out / one.name) as tar:
            names = tar.getnames()
            for at, (image, label) in enumerate(zip(names[::2], names[1::2], strict=True)):
                assert image.split(".")[0] == label.split(".")[0]
                assert tar.extractfile(image).read() == (folder / index.names[at]).read_bytes()  # type: ignore[union-attr]
                assert int(tar.extractfile(label).read()) == index.labels[at]  # type: ignore[union-attr]
                seen.append(index.names[at])
        assert hashlib.sha256((out / one.name).read_bytes()).hexdigest() == one.sha256
    assert sorted(seen) == sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))


class Killed(Silent):
    """Ends a writing after some images."""

    def __init__(self, after: int) -> None:
        self.left = after

    def advance(self, **figures: str) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def test_a_writing_that_was_killed_again_and_again_ends_in_the_same_bytes(tmp_path: Path, folder: Path) -> None:
    whole = written(folder, tmp_path / "whole")
    asked = Sharding(data=folder, out=tmp_path / "killed", size=SIZE)
    for after in (2, 9, 14):
        with pytest.raises(KeyboardInterrupt):
            shard(asked, Killed(after))
        assert not (asked.out / "manifest.json").exists()
    shard(asked, Silent())

    files = {path.name: path.read_bytes() for path in whole.iterdir()}
    assert files == {path.name: path.read_bytes() for path in asked.out.iterdir()}


def test_a_writing_goes_on_only_with_the_images_and_settings_that_it_began_with(tmp_path: Path, folder: Path) -> None:
    asked = Sharding(data=folder, out=tmp_path / "shards", size=SIZE)
    with pytest.raises(KeyboardInterrupt):
        shard(asked, Killed(14))

    with pytest.raises(Refused, match="begun with other settings"):
        shard(Sharding(data=folder, out=asked.out, size=SIZE, seed=1), Silent())
    for path in list((folder / "train").rglob("*.png"))[:8]:
        path.rename(path.with_stem(f"{path.stem}x"))
    with pytest.raises(Refused, match="holds other images than when"):
        shard(asked, Silent())


def test_an_image_that_cannot_be_decoded_is_kept_and_named(tmp_path: Path, folder: Path) -> None:
    bad = folder / "train" / "cat" / "000.png"
    bad.write_bytes(bad.read_bytes()[:60])
    (folder / "train" / "cat" / "lost.png").symlink_to("nowhere.png")
    out = written(folder, tmp_path / "shards")

    manifest = read_manifest(out / "manifest.json")
    assert (manifest.images, manifest.unreadable) == (24, 1)
    assert [name for name, _ in manifest.left_out] == ["train/cat/lost.png"]
    store = evaluation_store(read_folder(out).train, default_preprocessing(32, 3), tick=lambda: None)
    (entry,) = store.unreadable
    assert entry.item.name(out) == "train/cat/000.png"


def test_a_damaged_byte_is_found_in_its_image_and_no_other(tmp_path: Path, folder: Path) -> None:
    out = written(folder, tmp_path / "shards")
    held = open_shards(out)
    name, offset = held.indices[0].names[1], held.indices[0].offsets[1]
    with (out / held.manifest.shards[0].name).open("r+b") as file:
        file.seek(offset + 45)
        file.write(b"?")

    items = (*read_folder(out).train, *read_folder(out).validation)
    store = evaluation_store(items, default_preprocessing(32, 3), tick=lambda: None)
    (entry,) = store.unreadable
    assert entry.item.name(out) == name
    assert f"its bytes in {held.manifest.shards[0].name} are not those of the index" in entry.reason
    (sentence,), _ = damages(out, Silent())
    assert f"1 of its {held.manifest.shards[0].images} images are damaged, the first {name}" in sentence


def test_a_shard_that_was_cut_off_is_refused_by_name(tmp_path: Path, folder: Path) -> None:
    out = written(folder, tmp_path / "shards")
    with (out / "train-000000.tar").open("r+b") as file:
        file.truncate(3000)

    with pytest.raises(Refused, match=r"train-000000\.tar: has 3,000 bytes, and the manifest says"):
        read_folder(out)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"offsets": [10**9]}, "lies outside of its shard"),
        ({"labels": [7]}, "is of class 7"),
        ({"names": ["../../etc/passwd"]}, "is no name of an image"),
        ({"sizes": [1.5]}, "is no whole number"),
        ({"names": None}, "is damaged"),
    ],
)
def test_an_index_that_lies_is_refused(
    tmp_path: Path, folder: Path, change: dict[str, list[object] | None], reason: str
) -> None:
    out = written(folder, tmp_path / "shards")
    path = out / "train-000000.json"
    index = json.loads(path.read_text())
    ((column, values),) = change.items()
    index[column] = values and [*values, *index[column][len(values) :]]
    path.write_text(json.dumps(index))
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["shards"][0]["index_sha256"] = ""
    (out / "manifest.json").write_text(json.dumps(manifest))

    with pytest.raises(Refused, match=reason):
        read_folder(out)


def foreign(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def test_shards_of_another_program_are_read_without_a_manifest(tmp_path: Path, folder: Path) -> None:
    cat, dog = ((folder / "train" / name / "001.png").read_bytes() for name in ("cat", "dog"))
    place = tmp_path / "others"
    place.mkdir()
    foreign(
        place / "birds-train-0.tar",
        {"./a.b.png": cat, "./a.b.cls": b"0\n", "__MACOSX/a.png": b"", "c.PNG": dog, "c.cls": b"1"},
    )
    foreign(place / "birds-val-0.tar", {"d.json": b'{"label": 1}', "d.png": dog})
    (place / "classes.txt").write_text("owl\neagle\n")

    found = read_folder(place)
    assert found.labels == ("owl", "eagle")
    assert [(item.name(place), item.label) for item in found.train] == [
        ("birds-train-0/a.b.png", 0),
        ("birds-train-0/c.PNG", 1),
    ]
    assert [item.path.read_bytes() for item in found.validation] == [dog]
    before = [described(split, place) for split in found.splits.values()]
    assert write_index(place, check=True, reporter=Silent()).images == 3
    assert before == [described(split, place) for split in read_folder(place).splits.values()]


def test_files_of_a_sample_need_not_lie_together_and_a_key_may_come_twice(tmp_path: Path, folder: Path) -> None:
    """As other programs sort them, and as a writer leaves them that was started again."""
    cat, dog = ((folder / "train" / name / "001.png").read_bytes() for name in ("cat", "dog"))
    files = [("x.png", cat), ("y.seg.png", dog), ("x.png", dog), ("x.cls", b"0"), ("y.cls", b"1"), ("x.cls", b"1")]
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))

    (_, items), *_ = open_shards(tmp_path / "a.tar").each()
    assert [(item.path.name, item.label) for item in items] == [("x.png", 0), ("y.seg.png", 1), ("x~.png", 1)]
    assert [path.name for path in every_picture(tmp_path / "a.tar")] == ["x.png", "y.seg.png", "x~.png"]


def test_an_image_without_a_class_beside_others_that_have_one_is_refused_by_name(tmp_path: Path, folder: Path) -> None:
    image = (folder / "train" / "cat" / "001.png").read_bytes()
    foreign(tmp_path / "a.tar", {"x.png": image, "x.cls": b"0", "y.png": image})

    with pytest.raises(Refused, match=r"a\.tar: y\.png has no class, and others have"):
        read_folder(tmp_path / "a.tar")


def test_no_tar_at_all_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"\x1f\x8b" + bytes(600))
    with pytest.raises(Refused, match=r"a\.tar: is no sound tar"):
        read_folder(tmp_path)


@pytest.fixture
def elsewhere(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of shards that fsspec keeps in memory."""
    import fsspec

    monkeypatch.setenv("DEPTHWISE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(remote, "PAUSE", 0.0)
    out = written(folder, tmp_path / "shards")
    system = fsspec.filesystem("memory")
    if system.exists("/far"):  # from a test before
        system.rm("/far", recursive=True)
    system.put(str(out), "/far", recursive=True)
    return "memory://far"


def test_shards_elsewhere_are_fetched_once_and_read_as_the_folder(elsewhere: str, folder: Path) -> None:
    import fsspec

    found = remote.fetch(elsewhere, Silent())
    wanted = read_folder(folder)
    assert [described(split, folder) for split in wanted.splits.values()] == [
        described(split, found) for split in read_folder(found).splits.values()
    ]
    for path in fsspec.filesystem("memory").glob("/far/*.tar"):
        fsspec.filesystem("memory").rm(path)
    assert remote.fetch(f"{elsewhere}/manifest.json", Silent()) == found


def test_shards_elsewhere_that_the_disk_has_no_room_for_are_read_in_parts(
    elsewhere: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "MARGIN", 2**60)
    found = remote.fetch(elsewhere, Silent())
    assert not list(found.glob("*.tar"))
    assert described(read_folder(folder).train, folder) == described(read_folder(found).train, found)

    # What does not come is no damaged image, which a training would go on without.
    shutil.rmtree(found.parent / "none", ignore_errors=True)
    monkeypatch.setattr(remote, "_tried", refuse)
    with pytest.raises(Unreachable):
        evaluation_store(read_folder(found).train, default_preprocessing(32, 3), tick=lambda: None)


def refuse(address: str, *_: object) -> None:
    raise Unreachable(f"{address}: does not come")


def test_a_server_that_gives_whole_files_for_parts_makes_no_image_count_as_damaged(
    elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    monkeypatch.setattr(remote, "MARGIN", 2**60)
    found = remote.fetch(elsewhere, Silent())
    whole = MemoryFileSystem.cat_file
    monkeypatch.setattr(MemoryFileSystem, "cat_file", lambda self, path, **_: whole(self, path))
    with pytest.raises(Unreachable, match="as servers do that know no parts of files"):
        read_folder(found).train[0].path.read_bytes()


def test_a_shard_elsewhere_with_other_bytes_is_refused(elsewhere: str) -> None:
    import fsspec

    system = fsspec.filesystem("memory")
    content = bytearray(system.cat_file("/far/train-000000.tar"))
    content[700] ^= 1
    system.pipe_file("/far/train-000000.tar", bytes(content))

    with pytest.raises(Refused, match=r"train-000000\.tar: its SHA-256 is not the one of the manifest"):
        remote.fetch(elsewhere, Silent())
    with pytest.raises(Unreachable, match="there is no such file"):
        remote.fetch("memory://nowhere", Silent())
