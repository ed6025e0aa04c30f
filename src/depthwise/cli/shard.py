"""`depthwise shard`: a folder of images as shards, and what such shards hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from depthwise.cli.places import Place
from depthwise.errors import Refused, Unmet

if TYPE_CHECKING:
    from depthwise.data.shards.manifest import Manifest


@click.command("shard")
@click.argument("data", type=Place())
@click.option("--out", type=click.Path(path_type=Path), help="Folder of shards to write.")
@click.option("--index", "as_index", is_flag=True, help="DATA is shards of another program: write their manifest.")
@click.option("--verify", is_flag=True, help="DATA is shards: read every byte, and name what is damaged.")
@click.option(
    "--megabytes", type=click.IntRange(1, 2**20), default=256, show_default=True, help="Size of a shard, at most."
)
@click.option("--check/--no-check", default=True, show_default=True, help="Decode each image, to name those that fail.")
@click.option("--seed", default=0, show_default=True, help="Seed of the order of the images.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    data: Path, out: Path | None, as_index: bool, verify: bool, megabytes: int, check: bool, seed: int, as_json: bool
) -> None:
    """Write the images of DATA into tar files in the form of WebDataset, their bytes as they are.

    DATA is what `train` takes, or a plain folder of pictures. The same command goes on where it was killed. The folder
    OUT can then be given to `train`, `evaluate`, `quantize` and `classify`, also by its address: https://, s3://.
    """
    from depthwise.cli.output import print_json
    from depthwise.cli.progress import make_reporter

    if (out is not None) + as_index + verify != 1:
        raise Refused("give one of --out FOLDER (write shards), --index (of shards that are there) and --verify")
    reporter = make_reporter()
    if verify:
        _verify(data, as_json)
        return
    if out is None:
        from depthwise.data.shards.sound import write_index

        manifest, place = write_index(data, check=check, reporter=reporter), data
    else:
        from depthwise.data.sharding import Sharding, shard

        asked = Sharding(data=data, out=out, size=megabytes << 20, check=check, seed=seed)
        manifest, place = shard(asked, reporter), out
    if as_json:
        print_json({"schema": 1, "folder": str(place), **_document(manifest)})
    else:
        _print(manifest, place)


def _document(manifest: Manifest) -> dict[str, object]:
    return {
        "images": manifest.images,
        "shards": len(manifest.shards),
        "bytes": sum(shard.bytes for shard in manifest.shards),
        "labels": manifest.labels,
        "counts": manifest.counts,
        "unreadable": manifest.unreadable,
        "left_out": manifest.left_out,
    }


def _print(manifest: Manifest, place: Path) -> None:
    from depthwise.cli.output import notice, printable

    size = sum(shard.bytes for shard in manifest.shards)
    classes = f" of {len(manifest.labels):,} classes" if manifest.labels else ""
    click.echo(f"{manifest.images:,} images{classes} in {len(manifest.shards):,} shards, {size / 1e6:,.1f} MB")
    for split, counts in manifest.counts.items():
        click.echo(f"{split}: {sum(counts.values()):,}")
    for name, why in manifest.left_out[:5]:
        notice(f"left out: {printable(name)}: {printable(why)}")
    if len(manifest.left_out) > 5:
        notice(f"and {len(manifest.left_out) - 5:,} more, which manifest.json names")
    if manifest.unreadable:
        click.echo(f"{manifest.unreadable:,} of them cannot be decoded, and are named in the index of their shard")
    click.echo(f"shards: {printable(str(place))}")


def _verify(root: Path, as_json: bool) -> None:
    from depthwise.cli.output import print_json, printable
    from depthwise.cli.progress import make_reporter
    from depthwise.data.shards.sound import damages

    found, images = damages(root, make_reporter())
    if as_json:
        print_json({"schema": 1, "folder": str(root), "images": images, "damages": found})
    for line in [] if as_json else found:
        click.echo(printable(line))
    if found:
        raise Unmet(f"{root}: {len(found):,} shards are damaged; copy them again")
    if not as_json:
        click.echo(f"every byte of {images:,} images is as it was written")
