"""What gradient attacks make larger: (B,) losses of logits (B, K) and right labels (B,); higher is nearer to fooled."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

# Below it a difference of logits is taken for none, so that nothing is divided by 0.
TINY = 1e-12


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Minus the logarithm of the right label's probability."""
    return F.cross_entropy(logits, labels, reduction="none")


def log_odds(logits: Tensor, labels: Tensor) -> Tensor:
    """Logarithm of the odds that the answer is wrong.

    It rises where the cross-entropy rises and its gradient points the same way, but does not vanish where a network is
    so sure that the right label's probability is 1 in float32.
    """
    own = logits.gather(1, labels[:, None])[:, 0]
    return logits.scatter(1, labels[:, None], -torch.inf).logsumexp(1) - own


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """The largest other logit less the right one: above 0 where the answer is wrong."""
    own = logits.gather(1, labels[:, None])[:, 0]
    others = logits.scatter(1, labels[:, None], -torch.inf).max(1).values
    return others - own


def dlr(logits: Tensor, labels: Tensor) -> Tensor:
    """Difference of logits ratio, which does not change with the scale of the logits.

    With two labels there is no third logit to divide by, and it is the margin.

    Source: arXiv:2003.01690, equation 6.
    """
    if logits.shape[1] < 3:
        return margin(logits, labels)
    ordered = logits.sort(1).values
    return margin(logits, labels) / (ordered[:, -1] - ordered[:, -3]).clamp_min(TINY)


def towards(logits: Tensor, labels: Tensor) -> Tensor:
    """Of attacks that want a certain wrong label: its logit less the right one.

    Args:
        labels: (B, 2), the right label and the wanted one.
    """
    own, wanted = (logits.gather(1, labels[:, place, None])[:, 0] for place in (0, 1))
    return wanted - own


def targeted_dlr(logits: Tensor, labels: Tensor) -> Tensor:
    """The same in the manner of `dlr`; with fewer than four labels the difference alone.

    Source: arXiv:2003.01690, equation 7.
    """
    if logits.shape[1] < 4:
        return towards(logits, labels)
    ordered = logits.sort(1).values
    return towards(logits, labels) / (ordered[:, -1] - (ordered[:, -3] + ordered[:, -4]) / 2).clamp_min(TINY)


def best_wrong(logits: Tensor, labels: Tensor, place: int) -> Tensor:
    """(N,) the wrong label with the (place + 1)th largest logit."""
    others = logits.scatter(1, labels[:, None], -torch.inf)
    ordered: Tensor = others.sort(stable=True, dim=1, descending=True).indices
    return ordered[:, place]
