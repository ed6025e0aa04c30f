"""What tests of all rooms share: data packs, small models and folders of small images."""

from __future__ import annotations

import os
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# Networks of tests are too small to share among cores, which workers share already: threads that wait for each other
# only take processor time. Libraries read this when they are loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis
import numpy as np
import pytest

from depthwise.network.model import Model, random_weights
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.spec import Spec
from tools.caches import lasting

# What a run tells at its end.
pytest_plugins = ("tools.processor_time", "tools.skips")

ROOT = Path(__file__).parents[1]
# Where data packs lie when DEPTHWISE_DATA does not say: beside the clone.
BESIDE = ROOT.parent / "shared" / "data"

# What programs for other systems need of a C library takes seconds to build, and is the same for all tests.
os.environ.setdefault("ZIG_GLOBAL_CACHE_DIR", str(lasting("zig")))

# No test is timed: a machine may be busy.
hypothesis.settings.register_profile("tests", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("tests")

DataPack = Callable[[str], Path]
SmallModel = Callable[..., Model]
ImageFolder = Callable[..., Path]


def pytest_configure(config: pytest.Config) -> None:
    """A worker that dies fails its test and is not replaced, unless the command line says how often it may be.

    Under `--dist loadfile` its replacement may be given a file that is finished, and the run then waits for ever.
    """
    if getattr(config.option, "maxworkerrestart", "") is None:
        config.option.maxworkerrestart = "0"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` writes tests/golden anew; look at the difference before it is committed."""
    parser.addoption("--update-golden", action="store_true", help="write the files of tests/golden anew")


@pytest.fixture(scope="session")
def data_pack() -> DataPack:
    """`data_pack("clothing")` is the folder of real images of that name, unpacked once into the temporary folder.

    The pack is a folder, a .tar or a .tar.gz in the folder that DEPTHWISE_DATA names. Skips where there is none.
    """
    return find_pack


@pytest.fixture
def small_model() -> SmallModel:
    """`small_model(seed=0, labels=None, **fields)` is a model with random weights; fields are those of `Spec`.

    Without fields it is the narrowest network at 32 pixels with three classes.
    """
    return make_model


@pytest.fixture
def image_folder(tmp_path: Path) -> ImageFolder:
    """`image_folder(classes=("cat", "dog"), images=4, ...)` makes a folder of class folders; see `make_images`."""

    def make(name: str = "images", **settings: Any) -> Path:
        return make_images(tmp_path / name, **settings)

    return make


def find_pack(name: str) -> Path:
    """The folder of a data pack."""
    root = Path(os.environ.get("DEPTHWISE_DATA") or BESIDE)
    if (root / name).is_dir():
        return root / name
    for archive in (root / f"{name}.tar.gz", root / f"{name}.tar"):
        if archive.is_file():
            return _unpacked(archive, name)
    pytest.skip(f"data pack {name!r} is neither a folder nor a .tar in {root}; set DEPTHWISE_DATA to where it lies")


def _unpacked(archive: Path, name: str) -> Path:
    stamp = archive.stat()
    cache = lasting("data")
    place = cache / f"{name}-{stamp.st_size}-{stamp.st_mtime_ns}"
    if not place.is_dir():
        # Under another name first: a test run that is killed, or another that runs beside, never sees half a pack.
        with tempfile.TemporaryDirectory(dir=cache) as fresh, tarfile.open(archive) as pack:
            whole = Path(fresh) / "pack"
            pack.extractall(whole, filter="data")
            try:
                whole.rename(place)
            except OSError:
                # Another run was there first.
                if not place.is_dir():
                    raise
    return place / name


def make_model(seed: int = 0, labels: Sequence[str] | None = None, **fields: Any) -> Model:
    """A model with random weights."""
    spec = Spec(**{"width": 0.25, "resolution": 32, "classes": len(labels or "abc"), **fields})
    return Model(
        spec=spec,
        weights=random_weights(spec, seed),
        labels=tuple(labels or (f"class {index}" for index in range(spec.classes))),
        preprocessing=default_preprocessing(spec.resolution, spec.channels),
    )


def make_images(
    folder: Path,
    *,
    classes: Sequence[str] = ("cat", "dog"),
    images: int = 4,
    size: tuple[int, int] = (40, 34),
    splits: Sequence[str] = (),
    extension: str = "png",
    seed: int = 0,
) -> Path:
    """Class folders of noisy one-coloured images, no two alike; each class has a colour of its own.

    Args:
        images: number in each class folder.
        size: width and height in pixels.
        splits: names such as ("train", "validation"), each of which then gets all classes; none for a plain folder.
        extension: of the files, which says their format.
    """
    from PIL import Image

    rng = np.random.default_rng(seed)
    colours = np.random.default_rng(1).permutation(np.linspace(40, 215, 3 * len(classes))).reshape(-1, 3)
    for split in splits or (".",):
        for label, colour in zip(classes, colours, strict=True):
            place = folder / split / label
            place.mkdir(parents=True)
            for number in range(images):
                pixels = np.clip(rng.normal(colour, 20, (size[1], size[0], 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(place / f"{number:03}.{extension}")
    return folder
