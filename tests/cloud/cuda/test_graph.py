"""Recorded steps, on the CPU: a recording is stood in for by the work itself, done again into the same memory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from depthwise.cloud.cuda.graph import WARM_UP, Graphs, Tensors
from depthwise.cloud.learner import Learner
from depthwise.cloud.loader import Batch
from depthwise.cloud.module import Network
from depthwise.cloud.processes import World
from depthwise.cloud.recipe import Recipe
from depthwise.network.preprocessing import default_preprocessing
from depthwise.network.spec import Spec

HERE = World(rank=0, size=1, device=torch.device("cpu"))


def network_of() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def work_of(network: nn.Module) -> Callable[[Tensors], Tensors]:
    def work(given: Tensors) -> Tensors:
        loss = network(given[0]).square().sum() * given[1]
        loss.backward()
        return (loss.detach(),)

    return work


def recorder(network: nn.Module) -> Callable[[Callable[[], Tensors]], tuple[Tensors, Callable[[], object]]]:
    """What `record` does on a GPU: results and gradients of every repetition lie where the first put them."""

    def record(work: Callable[[], Tensors]) -> tuple[Tensors, Callable[[], object]]:
        found = work()
        gradients = [weight.grad for weight in network.parameters()]

        def replay() -> None:
            for weight in network.parameters():
                weight.grad = None
            for place, value in zip(found, work(), strict=True):
                place.copy_(value)
            for kept, weight in zip(gradients, network.parameters(), strict=True):
                assert kept is not None
                assert weight.grad is not None
                kept.copy_(weight.grad)

        return found, replay

    return record


def test_recorded_steps_of_two_shapes_are_the_steps_themselves() -> None:
    plain, recorded = network_of(), network_of()
    step = work_of(plain)
    graphs = Graphs(recorded, work_of(recorded), record=recorder(recorded), aside=lambda work: work())
    for count, share in ((5, 1.0), (3, 0.5), (5, 0.25), (3, 1.0)):
        given: tuple[Tensor, ...] = (torch.randn(count, 3), torch.tensor(share))
        plain.zero_grad()
        wanted, found = step(given), graphs(given)

        assert torch.equal(found[0], wanted[0])
        for one, other in zip(recorded.parameters(), plain.parameters(), strict=True):
            assert one.grad is not None
            assert other.grad is not None
            assert torch.equal(one.grad, other.grad)
    # Running statistics too: the steps before a recording leave no trace in them.
    assert all(map(torch.equal, recorded.buffers(), plain.buffers()))


def test_a_shape_is_recorded_once_and_anew_when_recordings_are_dropped() -> None:
    network, calls = network_of(), []
    work = work_of(network)

    def counted(given: Tensors) -> Tensors:
        calls.append(len(given[0]))
        return work(given)

    graphs = Graphs(network, counted, record=recorder(network), aside=lambda work: work())
    given = (torch.randn(5, 3), torch.tensor(1.0))
    for _ in range(3):
        graphs(given)
    assert len(calls) == WARM_UP + 1 + 3
    graphs.forget()
    graphs(given)
    assert len(calls) == 2 * (WARM_UP + 1) + 4


def test_a_learner_that_records_its_steps_learns_the_same() -> None:
    spec = Spec(width=0.25, resolution=32, classes=3)
    recipe = Recipe(precision="float32", kernels="torch", average=0.0)
    learners = []
    for _ in range(2):
        torch.manual_seed(0)
        preprocessing = default_preprocessing(32, 3)
        learners.append(Learner(Network(spec), recipe, preprocessing, steps=9, counts=[1, 1, 1], world=HERE))
    plain, recorded = learners
    stand_in = recorder(recorded.network)
    recorded._graphs = Graphs(recorded.network, recorded._learn_from, record=stand_in, aside=lambda work: work())
    for learner in learners:
        learner.prepare(frozen=False)
    for share in (1.0, 0.25):
        pixels = torch.randint(0, 256, (4, 32, 32, 3), dtype=torch.uint8)
        batch = Batch(pixels, torch.tensor([0, 1, 2, 0]), torch.tensor([1, 1, 0, 2]), share)
        torch.testing.assert_close(recorded.step(batch), plain.step(batch))
    torch.testing.assert_close(recorded.network.state_dict(), plain.network.state_dict())
