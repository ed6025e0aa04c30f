"""Starting from the weights of another model."""

from __future__ import annotations

import torch

from depthwise.cloud.module import Network
from depthwise.errors import Refused
from depthwise.network.model import Model, expected_weights


def start_from(network: Network, source: Model) -> str:
    """Copy all weights that fit, in place; the classifier only where the number of classes is the same.

    Resolution, padding and strides may differ: no weight depends on them.

    Returns: one sentence that says what was taken.
    Raises: Refused, when the networks differ in more than the classifier.
    """
    wanted = expected_weights(network.spec)
    given = {name: array for name, array in source.weights.items() if wanted.get(name) == array.shape}
    missing = [name for name in wanted if name not in given and not name.startswith("classifier.")]
    if missing:
        name = missing[0]
        found = source.weights[name].shape if name in source.weights else "not there"
        raise Refused(
            f"the weights to start from do not fit: {name} needs {wanted[name]} and is {found}; train with the width"
            f" {source.spec.width:g} and the form of that network, or with --pretrained none"
        )
    state = network.state_dict()
    state.update({name: torch.from_numpy(array.copy()) for name, array in given.items()})
    network.load_state_dict(state)
    kept = "classifier included" if "classifier.weight" in given else "with a new classifier"
    return f"starting from the weights of a network of {source.spec.classes} classes, {kept}"
