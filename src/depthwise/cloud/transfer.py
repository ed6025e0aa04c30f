"""Starting from the weights of another model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from depthwise.cloud.module import Network
from depthwise.errors import Refused
from depthwise.network.model import Model, expected_weights
from depthwise.network.names import same_names

# How many new classes are named.
NAMED = 3


def start_from(network: Network, labels: tuple[str, ...], source: Model) -> str:
    """Copy the weights of another model, in place; of the classifier the rows of classes that both have by name.

    Resolution, padding and strides may differ: no weight depends on them.

    Returns: one sentence that says what was taken.
    Raises: Refused, when the networks differ in more than the classifier.
    """
    wanted = expected_weights(network.spec)
    given = {
        name: array
        for name, array in source.weights.items()
        if wanted.get(name) == array.shape and not name.startswith("classifier.")
    }
    missing = [name for name in wanted if name not in given and not name.startswith("classifier.")]
    spare = [name for name in source.weights if name not in wanted]
    if spare:
        raise Refused(
            f"the weights to start from do not fit: {spare[0]} has no place in this network; train in the form of that"
            " network, or with --pretrained none"
        )
    if missing:
        name = missing[0]
        found = source.weights[name].shape if name in source.weights else "not there"
        raise Refused(
            f"the weights to start from do not fit: {name} needs {wanted[name]} and is {found}; train with the width"
            f" {source.spec.width:g} and the form of that network, or with --pretrained none"
        )
    state = network.state_dict()
    state.update({name: torch.from_numpy(array.copy()) for name, array in given.items()})
    rows = same_names(labels, source.labels)
    for name in ("classifier.weight", "classifier.bias"):
        for index, place in rows.items():
            state[name][index] = torch.from_numpy(source.weights[name][place : place + 1].copy())[0]
    network.load_state_dict(state)
    return f"starting from the weights of a network of {source.spec.classes:,} classes, {_kept(labels, rows)}"


def _kept(labels: tuple[str, ...], rows: Mapping[int, int]) -> str:
    """What became of the classifier."""
    new = [label for index, label in enumerate(labels) if index not in rows]
    if not new:
        return "its classifier included"
    if not rows:
        return "with a new classifier"
    more = f" and {len(new) - NAMED} more" if len(new) > NAMED else ""
    alike = "one class" if len(rows) == 1 else f"{len(rows):,} classes"
    return f"with the classifier of {alike} of the same name; new: {', '.join(new[:NAMED])}{more}"


def measure_norms(network: nn.Module, batches: Iterable[Tensor]) -> int:
    """Give batch normalisations that do nothing the statistics of real images, in place; outputs stay what they are.

    A network that was read from a format without batch normalisation has mean 0 and variance 1 in their place. Training
    goes by the statistics of each batch instead, and would change every feature at its first step.

    Args:
        batches: normalised images (B, C, H, W), all of which are looked at.
    Returns: how many were measured.
    """
    idle = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d) and _does_nothing(module)]
    if not idle:
        return 0
    sums: dict[nn.Module, Tensor] = {
        norm: torch.zeros(3, norm.num_features, dtype=torch.float64, device=norm.weight.device) for norm in idle
    }

    def look(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        x = inputs[0].double()
        sums[norm] += torch.stack([torch.ones_like(x), x, x.square()]).sum((1, 3, 4))

    network.eval()
    handles = [norm.register_forward_pre_hook(look) for norm in idle]
    with torch.no_grad():
        for x in batches:
            network(x)
        for norm in idle:
            count, total, squares = sums[norm]
            mean = total / count
            variance = (squares / count - mean.square()).clamp(min=0)
            norm.load_state_dict(
                {
                    "running_mean": mean,
                    "running_var": variance,
                    "weight": (variance + norm.eps).sqrt(),
                    "bias": norm.bias.double() + mean,
                    "num_batches_tracked": torch.tensor(0),
                }
            )
    for handle in handles:
        handle.remove()
    return len(idle)


def _does_nothing(norm: nn.BatchNorm2d) -> bool:
    """Whether the output is the input plus the bias."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    same = torch.equal(norm.weight, torch.ones_like(norm.weight)) and not norm.running_mean.any()
    return same and bool((norm.running_var + norm.eps == 1).all())
