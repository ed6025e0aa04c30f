"""Starting from the weights of another model."""

from __future__ import annotations

import torch
from torch import nn

from depthwise.cloud.module import Network
from depthwise.cloud.transfer import measure_norms
from depthwise.network.spec import Spec

SPEC = Spec(width=0.25, resolution=32, classes=5, unit_strides=(0,), bn_epsilon=2.0**-17)


def folded() -> Network:
    """A network as a format without batch normalisation gives it: biases, and norms that do nothing else."""
    torch.manual_seed(0)
    network = Network(SPEC)
    with torch.no_grad():
        for norm in norms(network):
            norm.running_var.fill_(1 - norm.eps)  # type: ignore[union-attr]
            norm.bias.normal_(std=0.5)
        nn.init.normal_(network.classifier.weight)
    return network


def norms(network: Network) -> list[nn.BatchNorm2d]:
    return [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]


def test_measured_norms_change_no_output_and_no_output_changes_when_training_goes_by_a_batch() -> None:
    network = folded().eval()
    x = torch.randn(16, 3, 32, 32)
    with torch.no_grad():
        before = network(x)
        careless = network.train()(x)
    network = folded()

    assert measure_norms(network, [x[:8], x[8:]]) == len(norms(network))

    with torch.no_grad():
        after, training = network.eval()(x), network.train()(x)
    largest = before.abs().max()
    assert (after - before).abs().max() < 1e-5 * largest
    assert (training - before).abs().max() < 1e-4 * largest
    # What happens without.
    assert (careless - before).abs().max() > 0.1 * largest


def test_norms_that_do_something_are_left_alone() -> None:
    network = Network(SPEC)
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}

    assert measure_norms(network, []) == 0
    assert all(torch.equal(tensor, network.state_dict()[name]) for name, tensor in state.items())
