"""A few command lines a command, which its `--help` ends with; a test sees that each is understood."""

from __future__ import annotations

EXAMPLES = {
    "demo": ("depthwise demo", "depthwise demo photo.jpg"),
    "cost": ("depthwise cost --width 0.5 --resolution 128 --classes 10", "depthwise cost mymodel --html cost.html"),
    "shard": (
        "depthwise shard photos --out shards",
        "depthwise shard others --index",
        "depthwise shard shards --verify",
    ),
    "train": (
        "depthwise train photos --out mymodel --pretrained imagenet --width 0.5 --resolution 160",
        "depthwise train photos --out mymodel --epochs 60 --resume",
        "depthwise train https://example.org/shards --out mymodel",
    ),
    "sweep": (
        "depthwise sweep photos --out swept --widths 0.25,0.5,1 --resolutions 96,128,160",
        "depthwise sweep photos --out swept --storage sqlite:///swept.db --json",
    ),
    "quantize": (
        "depthwise quantize mymodel --data photos --out mymodel8",
        "depthwise quantize mymodel --data photos --out mymodel8 --max-drop 1 --html quantize.html",
    ),
    "evaluate": (
        "depthwise evaluate mymodel photos --html report.html",
        "depthwise evaluate mymodel.so photos --min-top1 0.8",
    ),
    "attack": (
        "depthwise attack mymodel8 photos --eps 4/255 --html attack.html",
        "depthwise attack mymodel.so photos --method square --images 200",
    ),
    "convert": ("depthwise convert net.tflite mymodel", "depthwise convert mymodel mymodel.onnx"),
    "compile": (
        "depthwise compile mymodel --out mymodel.so",
        "depthwise compile mymodel --target linux-aarch64 --out mymodel-arm.so",
        "depthwise compile mymodel --form wheel --target linux-x86_64,linux-aarch64 --out hats-1.0",
    ),
    "bench": ("depthwise bench mymodel --threads 1,2", "depthwise bench mymodel --against none --png bench.png"),
    "run": (
        "depthwise run mymodel.so photo.jpg",
        "depthwise run mymodel.so photos/ --csv --top 1",
        "depthwise run mymodel.so --camera 0",
    ),
    "classify": (
        "depthwise classify photos --with mymodel.so --out labels.parquet",
        "depthwise classify shards --with mymodel.so --out labels --ray auto",
    ),
    "verify": ("depthwise verify mymodel.so", "depthwise verify mymodel.so --json"),
}


def epilog(name: str, rest: str | None) -> str | None:
    """The examples of a command, as click keeps them (a line each), before what its help ends with anyway."""
    lines = EXAMPLES.get(name, ())
    shown = ["\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))] if lines else []
    return "\n\n".join([*shown, *([rest] if rest else [])]) or None
