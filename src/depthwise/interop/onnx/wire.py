"""How many parts an ONNX file has, counted in its bytes before the parser makes an object of each.

Two bytes are enough for a node of nothing, and the parser takes 160 for it; so a small file could fill a memory.
Source of the format: protobuf's encoding (https://protobuf.dev/programming-guides/encoding), and onnx.proto for the
numbers of fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from depthwise.errors import Refused

# Nodes, tensors, attributes, names, dimensions: a MobileNet V1 has some thousands.
MOST_PARTS = 200_000
# Whole numbers that are written one after the other, in a byte or more each, and take up to eight in memory.
MOST_INTEGERS = 2**25
_PACKED = {("tensor", 1), ("tensor", 5), ("tensor", 7), ("tensor", 11), ("attribute", 8)}
# Fields that are messages with parts of their own, by message. What is not named is counted and not looked into.
_WITHIN: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 8: "pair", 14: "pair", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph", 3: "pair", 4: "pair"},
    "function": {7: "node", 9: "pair", 11: "attribute", 12: "value", 14: "pair"},
    "graph": {1: "node", 5: "tensor", 11: "value", 12: "value", 13: "value", 14: "quantised", 15: "sparse", 16: "pair"},
    "node": {5: "attribute", 9: "pair", 10: "pair"},
    "attribute": {
        5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 14: "type", 15: "type", 22: "sparse", 23: "sparse",
    },
    "tensor": {3: "pair", 13: "pair", 16: "pair"},
    "sparse": {1: "tensor", 2: "tensor"},
    "quantised": {2: "pair"},
    "value": {2: "type", 4: "pair"},
    "type": {1: "shaped", 4: "type", 5: "type", 8: "shaped", 9: "type"},
    "shaped": {2: "shape"},
    "shape": {1: "pair"},
    "pair": {},
}  # fmt: skip


def check_parts(data: bytes) -> None:
    """Refuse a file of more parts than any MobileNet V1 has.

    Raises: Refused, also where the bytes are no protobuf.
    """
    count, integers, waiting = 0, 0, [("model", 0, len(data))]
    try:
        while waiting:
            message, start, end = waiting.pop()
            within = _WITHIN[message]
            for field, begin, stop in _fields(data, start, end):
                count += 1
                if count > MOST_PARTS:
                    raise Refused(f"it has more than {MOST_PARTS:,} parts; a MobileNet V1 has some thousands")
                if (message, field) in _PACKED and begin >= 0:
                    # The last byte of each number is below 128.
                    integers += int((np.frombuffer(data, np.uint8)[begin:stop] < 128).sum())
                    if integers > MOST_INTEGERS:
                        raise Refused(f"it has more than {MOST_INTEGERS:,} whole numbers; no MobileNet V1 has so many")
                if field in within and begin >= 0:
                    waiting.append((within[field], begin, stop))
    except (IndexError, ValueError) as problem:
        raise Refused(f"it is not an ONNX file, or damaged ({problem})") from None


def _fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Number, begin and end of each field of a message; the begin is -1 where the field is a number."""
    while at < end:
        key, at = _varint(data, at)
        begin = -1
        match key & 7:
            case 0:
                _, at = _varint(data, at)
            case 1:
                at += 8
            case 2:
                size, begin = _varint(data, at)
                at = begin + size
            case 5:
                at += 4
            case kind:
                raise ValueError(f"a field of kind {kind} at byte {at:,}")
        if at > end:
            raise ValueError(f"a field that leaves its message at byte {end:,}")
        yield key >> 3, begin, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    number = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
    raise ValueError(f"a number of more than ten bytes at byte {at:,}")
