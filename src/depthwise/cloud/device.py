"""Where to train and in which precision: found by looking and by measuring."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import time
from pathlib import Path

import torch
from torch import nn

from depthwise.errors import Refused
from depthwise.network.memory import training_bytes
from depthwise.network.spec import Spec

# Each trial times both precisions, one after the other, so that what else runs on the machine slows both.
TRIALS = 4
# bfloat16 has 8 bits of precision to float32's 24, and a choice that another moment would make otherwise gives other
# weights: it must be quicker by so much in every trial.
GAIN = 1.2
# Where Linux says how much memory a container may take; "max" is no limit.
GROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
# mallopt parameters of glibc's malloc.h.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4


def find_device() -> torch.device:
    """CUDA where torch can use it, else the CPU."""
    return torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")


def keep_large_blocks() -> None:
    """Let malloc reuse the memory of large activations instead of giving it back to the system after every step.

    Each activation above the mmap threshold is otherwise mapped anew, and the page faults cost more than the layer:
    figures in docs/training.md. Only glibc has the setting; elsewhere nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt.argtypes, mallopt.restype = (ctypes.c_int, ctypes.c_int), ctypes.c_int
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(M_TOP_PAD, 256 * 2**20)


def check_memory(spec: Spec, images: int, device: torch.device) -> None:
    """Refuse a training that cannot fit into memory.

    Args:
        images: a step, in this process.
    Raises: Refused, when what it takes at the least, in bfloat16, is more than the device has.
    """
    least, has = training_bytes(spec, images, value_bytes=2), memory_of(device)
    if least > has:
        raise Refused(
            f"training with {images} images at {spec.resolution} pixels at a time takes {least / 1e9:.1f} GB of memory"
            f" at the least, and there are {has / 1e9:.1f}; give a lower --batch or --resolution"
        )


def memory_of(device: torch.device) -> int:
    """Bytes that a device has, in use or not; of a CPU, what the system and its control group allow."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")] if hasattr(os, "sysconf") else [sys.maxsize]
    with contextlib.suppress(OSError, ValueError):
        found.append(int(GROUP_LIMIT.read_text(encoding="ascii")))
    return min(found)


def faster_precision(network: nn.Module, side: int, channels: int, batch: int, device: torch.device) -> str:
    """ "bfloat16" where passes forward and backward under autocast are always clearly quicker than in float32, else
    "float32".

    The network's weights are left as they were, and without gradients.
    """
    x = torch.zeros(batch, channels, side, side, device=device).to(memory_format=torch.channels_last)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    for name in ("float32", "bfloat16"):  # what is only done once is not timed
        _seconds(network, x, name)
    quicker = all(_seconds(network, x, "float32") > GAIN * _seconds(network, x, "bfloat16") for _ in range(TRIALS))
    network.zero_grad(set_to_none=True)
    network.load_state_dict(before)
    return "bfloat16" if quicker else "float32"


def _seconds(network: nn.Module, x: torch.Tensor, precision: str) -> float:
    """Seconds of a pass forward and backward."""
    start = time.perf_counter()
    with autocast(x.device, precision):
        loss = network(x).float().square().mean()
    loss.backward()
    if x.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """The context in which the forward pass runs."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")
