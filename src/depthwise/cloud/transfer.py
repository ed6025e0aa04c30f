"""Starting from the weights of another model."""

from __future__ import annotations

import torch

from depthwise.cloud.module import Network
from depthwise.errors import Refused
from depthwise.network.model import Model, expected_weights


def start_from(network: Network, labels: tuple[str, ...], source: Model) -> str:
    """Copy the weights of another model, in place; the classifier only where its labels are `labels`.

    Resolution, padding and strides may differ: no weight depends on them.

    Returns: one sentence that says what was taken.
    Raises: Refused, when the networks differ in more than the classifier.
    """
    wanted = expected_weights(network.spec)
    same = labels == source.labels
    given = {
        name: array
        for name, array in source.weights.items()
        if wanted.get(name) == array.shape and (same or not name.startswith("classifier."))
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
    network.load_state_dict(state)
    kept = "its classifier included" if same else "with a new classifier"
    return f"starting from the weights of a network of {source.spec.classes:,} classes, {kept}"
