"""Train on two hosts made of network namespaces, kill one of them in the middle of an epoch, and compare the weights.

    sudo python scripts/show_elastic.py photos

Each host has its own network, its own folder, and a loop that starts torchrun again when it ends, as a service would.
The second host is killed whole, its loop included, and starts anew some seconds later; nobody touches the first. Then
the same training runs undisturbed. Ends with 0 where both models are the same, byte for byte.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HOSTS = ("depthwise1", "depthwise2")
PORT = 29_400
SETTINGS = (
    "--width 0.25 --resolution 32 --unit-strides 0 --epochs 3 --batch 8 --precision float32 --threads 1"
    " --checkpoint-seconds 2 --resume --pretrained none"
)


def ip(*words: str) -> None:
    """One command of iproute2."""
    subprocess.run(["ip", *words], check=True)


def connect() -> None:
    """Two hosts and a cable."""
    for name in HOSTS:
        ip("netns", "add", name)
    ip("link", "add", "dw1", "netns", HOSTS[0], "type", "veth", "peer", "name", "dw2", "netns", HOSTS[1])
    for number, name in enumerate(HOSTS, 1):
        ip("-n", name, "addr", "add", f"10.77.0.{number}/24", "dev", f"dw{number}")
        ip("-n", name, "link", "set", f"dw{number}", "up")
        ip("-n", name, "link", "set", "lo", "up")


def kill(name: str) -> None:
    """End everything on a host, at once."""
    listed = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False).stdout
    for pid in listed.split():
        os.kill(int(pid), signal.SIGKILL)


def boot(number: int, data: Path, folder: Path) -> subprocess.Popen[bytes]:
    """Start a host: a loop that starts torchrun until it ends well."""
    folder.mkdir(parents=True, exist_ok=True)
    run = (
        f"{sys.executable} -m torch.distributed.run --nnodes=2 --nproc-per-node=1 --max-restarts=20 --rdzv-id=show"
        f" --rdzv-backend=c10d --rdzv-endpoint=10.77.0.1:{PORT}"
        f" --rdzv-conf=is_host={int(number == 1)},join_timeout=1800 --local-addr=10.77.0.{number}"
        f" -m depthwise train {data} --out model {SETTINGS}"
    )
    environment = {**os.environ, "GLOO_SOCKET_IFNAME": f"dw{number}", "OMP_NUM_THREADS": "1"}
    with (folder / "output.txt").open("ab") as output:
        return subprocess.Popen(
            ["ip", "netns", "exec", HOSTS[number - 1], "sh", "-c", f"until {run}; do sleep 1; done"],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=output,
        )


def progress(folder: Path) -> tuple[int, int]:
    """Epoch and step of the checkpoint of a host; (0, 0) without one."""
    path = folder / "model.run" / "checkpoint.safetensors"
    try:
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    except (OSError, ValueError):
        return 0, 0
    state = dict(json.loads(header["__metadata__"]["state"])["__pairs__"])
    return state["epoch"], state["step"]


def say(began: float, text: str) -> None:
    """A line of the log."""
    print(f"{time.monotonic() - began:6.1f} s  {text}", flush=True)


def together(data: Path, root: Path, *, disturbed: bool) -> Path:
    """One training over both hosts; the model."""
    began = time.monotonic()
    hosts = [boot(number, data, root / f"host{number}") for number in (1, 2)]
    say(began, f"two hosts train{', and the second will be killed' if disturbed else ', undisturbed'}")
    while disturbed:
        at = max(progress(root / f"host{number}") for number in (1, 2))
        if at[0] >= 1 and at[1] > 0:
            kill(HOSTS[1])
            hosts[1].wait()
            say(began, f"a checkpoint is of epoch {at[0] + 1}, step {at[1]}: the second host is killed")
            time.sleep(5)
            hosts[1] = boot(2, data, root / "host2")
            say(began, "the second host starts anew")
            break
        time.sleep(0.05)
    for host in hosts:
        host.wait()
    say(began, "both have ended")
    for number in (1, 2):
        for line in (root / f"host{number}" / "output.txt").read_text(errors="replace").splitlines():
            if line.startswith(("epoch ", "going on", "model:")):
                print(f"          host {number}: {line}")
    return next(root / f"host{n}" / "model" for n in (1, 2) if (root / f"host{n}" / "model" / "model.json").exists())


def main() -> int:
    """Show it."""
    data = Path(sys.argv[1]).resolve()
    connect()
    try:
        with tempfile.TemporaryDirectory() as folder:
            models = [together(data, Path(folder, name), disturbed=name == "killed") for name in ("killed", "whole")]
            same = len({(model / "weights.safetensors").read_bytes() for model in models}) == 1
            print(f"the weights of both trainings are {'the same, byte for byte' if same else 'NOT the same'}")
            return 0 if same else 1
    finally:
        for name in HOSTS:
            kill(name)
            ip("netns", "del", name)


if __name__ == "__main__":
    sys.exit(main())
