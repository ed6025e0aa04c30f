"""The operators as torch sees them: gradients, shapes without values, autocast, compilation and export."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from depthwise.cloud.cuda import operators, reference

LAST = torch.channels_last


def depthwise_arguments(dtype: torch.dtype = torch.float64, *, gradients: bool = True) -> tuple[Any, ...]:
    made = torch.Generator().manual_seed(0)

    def values(*shape: int) -> Tensor:
        return torch.randn(shape, generator=made, dtype=torch.float64)

    kind = torch.promote_types(dtype, torch.float32)
    x = values(2, 3, 5, 4).to(dtype).contiguous(memory_format=LAST)
    rest = [one.to(kind) for one in (values(3), values(3) + 1, values(3, 1, 3, 3))]
    for one in (x, *rest):
        one.requires_grad_(gradients)
    return (x, *rest, 2, [1, 1, 0, 1], 6.0)


def pointwise_arguments(dtype: torch.dtype = torch.float64) -> tuple[Any, ...]:
    x, scale, shift, weight, *_ = depthwise_arguments(dtype)
    return x, scale, shift, weight.detach()[:, :, :, 0].permute(2, 0, 1)[..., None].clone().requires_grad_(), 6.0


CASES = {"depthwise": depthwise_arguments, "pointwise": pointwise_arguments}


@pytest.mark.parametrize("name", CASES)
def test_gradients_are_those_of_differences(name: str) -> None:
    given = CASES[name]()
    operator = getattr(operators, name)

    assert torch.autograd.gradcheck(lambda *tensors: operator(*tensors, *given[4:]), given[:4])


@pytest.mark.usefixtures("interpreted")
@pytest.mark.parametrize("name", CASES)
def test_gradients_of_the_kernels_are_those_of_differences(name: str) -> None:
    given = CASES[name]()
    operator = getattr(operators, name)

    # In one random direction, since the interpreter is slow; outputs that nobody uses are above.
    assert torch.autograd.gradcheck(
        lambda *tensors: operator(*tensors, *given[4:]), given[:4], fast_mode=True, check_undefined_grad=False
    )


@pytest.mark.parametrize("name", CASES)
def test_torch_finds_nothing_wrong_with_the_registration(name: str) -> None:
    torch.library.opcheck(getattr(operators, name), CASES[name]())


def test_torch_finds_nothing_wrong_with_the_operator_for_answers() -> None:
    x, _, _, weight, stride, padding, ceiling = depthwise_arguments(torch.float32, gradients=False)
    more = (torch.zeros(3), torch.ones(5, 3, 1, 1), torch.zeros(5))

    torch.library.opcheck(operators.separable, (x, weight, *more, stride, padding, ceiling))


def test_without_a_gpu_an_operator_is_the_reference_bit_for_bit() -> None:
    given = depthwise_arguments(torch.float32)

    for found, wanted in zip(operators.depthwise(*given), reference.depthwise(*given), strict=True):
        assert torch.equal(found, wanted)


def test_under_autocast_the_input_is_narrow_and_the_rest_is_not() -> None:
    given = depthwise_arguments(torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        y, mean, variance = operators.depthwise(*given)
    wanted = reference.depthwise(given[0].bfloat16(), *given[1:])

    assert (y.dtype, mean.dtype, variance.dtype) == (torch.bfloat16, torch.float32, torch.float32)
    assert torch.equal(y, wanted[0])
    (y.float().sum() + mean.sum()).backward()
    assert given[0].grad.dtype == given[1].grad.dtype == torch.float32


def test_gradients_may_come_in_any_order_in_memory() -> None:
    given = depthwise_arguments()
    y, _, _ = operators.depthwise(*given)
    slope = torch.randn(y.shape, dtype=torch.float64)
    (first,) = torch.autograd.grad(y, given[0], slope.contiguous(), retain_graph=True)
    (second,) = torch.autograd.grad(y, given[0], slope.contiguous(memory_format=LAST))

    assert torch.equal(first, second)


class Two(torch.nn.Module):
    """A depthwise layer and a pointwise one behind it."""

    def __init__(self) -> None:
        super().__init__()
        made = torch.Generator().manual_seed(1)
        self.first = torch.nn.Parameter(torch.randn((3, 1, 3, 3), generator=made))
        self.second = torch.nn.Parameter(torch.randn((4, 3, 1, 1), generator=made))

    def forward(self, x: Tensor) -> Tensor:
        y, mean, variance = operators.depthwise(x, None, None, self.first, 1, [1, 1, 1, 1], 6.0)
        scale = (variance + 1e-3).rsqrt()
        out: Tensor = operators.pointwise(y, scale, -mean * scale, self.second, 6.0)[0]
        return out


def test_a_compiled_network_has_one_graph_and_the_same_gradients() -> None:
    plain, x = Two(), torch.randn(2, 3, 6, 5).contiguous(memory_format=LAST)
    compiled = torch.compile(plain, backend="aot_eager", fullgraph=True)
    wanted, found = plain(x), compiled(x)
    slopes = [torch.autograd.grad(one.square().sum(), list(plain.parameters())) for one in (wanted, found)]

    assert torch.equal(found, wanted)
    assert all(torch.equal(a, b) for a, b in zip(*slopes, strict=True))


def test_an_exported_network_calls_the_operators_for_any_number_of_images() -> None:
    network = Two().eval()
    batch = torch.export.Dim("batch")
    exported = torch.export.export(network, (torch.randn(2, 3, 6, 5),), dynamic_shapes=({0: batch},))
    names = {str(node.target) for node in exported.graph.nodes if node.op == "call_function"}
    x = torch.randn(5, 3, 6, 5)

    assert {"depthwise.depthwise.default", "depthwise.pointwise.default"} <= names
    assert torch.equal(exported.module()(x), network(x))
