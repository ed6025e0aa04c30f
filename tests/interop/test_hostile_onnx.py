"""ONNX files made to fill a memory, or with attributes of another type than their node asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import make_model
from depthwise.errors import Refused
from depthwise.interop.onnx import file as onnx_file
from depthwise.interop.onnx import format as ours
from depthwise.interop.onnx.wire import MOST_INTEGERS, MOST_PARTS, check_parts

onnx = pytest.importorskip("onnx")


def inside(field: int, content: bytes) -> bytes:
    """A message as a field of another."""
    return varint(field << 3 | 2) + varint(len(content)) + content


def varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


MANY = MOST_PARTS + 1
NODE, TENSOR = inside(1, b""), inside(5, b"")


@pytest.mark.parametrize(
    "data",
    [
        inside(7, NODE * MANY),
        inside(7, TENSOR * MANY),
        inside(7, inside(1, inside(1, b"") * MANY)),
        inside(7, inside(1, inside(5, inside(6, NODE * MANY)))),
        inside(7, inside(5, inside(13, b"") * MANY)),
        inside(14, b"") * MANY,
        inside(25, inside(7, b"") * MANY),
    ],
    ids=["nodes", "tensors", "names", "nodes in an attribute", "places of data", "properties", "nodes of a function"],
)
def test_parts_are_counted_before_the_parser_makes_objects_of_them(data: bytes) -> None:
    with pytest.raises(Refused, match=f"it has more than {MOST_PARTS:,} parts; a MobileNet V1 has some thousands"):
        check_parts(data)


def test_whole_numbers_of_a_byte_each_are_counted_too() -> None:
    inside_of_nodes = inside(7, inside(1, inside(5, inside(8, b"\0" * (MOST_INTEGERS + 1)))))
    for data in (inside(7, inside(5, inside(7, b"\0" * (MOST_INTEGERS + 1)))), inside_of_nodes):
        with pytest.raises(Refused, match="it has more than 33,554,432 whole numbers"):
            check_parts(data)


def test_tensors_that_share_their_bytes_are_counted_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "network.onnx"
    model = make_model(width=0.03)
    ours.write(model, path)
    monkeypatch.setattr(onnx_file, "MOST_BYTES", sum(array.nbytes for array in model.weights.values()) // 2)
    with pytest.raises(Refused, match=r"its constants take more than [\d,]+ bytes"):
        ours.read(path)


def test_what_the_parser_takes_is_counted_as_it_takes_it(tmp_path: Path) -> None:
    ours.write(make_model(width=0.03), tmp_path / "whole.onnx")
    data = (tmp_path / "whole.onnx").read_bytes()
    check_parts(data)
    for end in (1, 5, 100, len(data) - 1):
        with pytest.raises(Refused, match="it is not an ONNX file, or damaged"):
            check_parts(data[:end])


def test_an_attribute_of_any_other_type_is_refused_or_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "network.onnx"
    ours.write(make_model(width=0.01, shallow=True), path)
    whole = onnx.load(path)
    values = (float("inf"), 2**62, "text", [2**40] * 3, onnx.TensorProto())
    # One node of each kind.
    for node in {node.op_type: node for node in whole.graph.node}.values():
        names = [attribute.name for attribute in node.attribute] + ["axes", "axis", "auto_pad"]
        for name in names:
            for value in values:
                before = node.SerializeToString()
                kept = [attribute for attribute in node.attribute if attribute.name != name]
                del node.attribute[:]
                node.attribute.extend([*kept, onnx.helper.make_attribute(name, value)])
                path.write_bytes(whole.SerializeToString())
                node.ParseFromString(before)
                try:
                    ours.read(path)
                except Refused as refusal:
                    assert str(path) in str(refusal)  # noqa: PT017
