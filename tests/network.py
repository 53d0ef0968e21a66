"""Machines of their own on this one: network namespaces that can lose their network.

    with machine("one") as one, machine("two") as two:
        subprocess.Popen(one.command([sys.executable, "manage.py", "worker"]))
        one.cut()

A machine reaches this host at `host_address`, which is the same for all machines of a process,
and nothing else. What is cut drops every packet, both ways, and tells nobody: connections hang,
as they do when a cable is pulled or a virtual machine is moved.
"""

import fcntl
import functools
import itertools
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

SUBNETS = 250
LOCK = Path(tempfile.gettempdir()) / f"hummbl-network-{os.getuid()}.lock"


@contextmanager
def unchanged(*, mode: int = fcntl.LOCK_SH) -> Iterator[None]:
    """While nobody makes machines or cuts them off: a browser breaks its requests off otherwise."""
    with LOCK.open("a") as lock:
        fcntl.flock(lock, mode)
        yield


def available() -> str | None:
    """Why there are no machines here; None where there are."""
    if shutil.which("ip") is None:
        return "Network namespaces need the command `ip` (package iproute2)."
    if os.geteuid() != 0:
        return "Network namespaces need root."
    return _refusal()


@functools.cache
def _refusal() -> str | None:
    try:
        with machine("probe"):
            return None
    except subprocess.CalledProcessError as error:
        return f"No network namespaces here: {error.stderr.strip()}"


class Machine:
    """A network namespace, joined to this host by a cable."""

    def __init__(self, name: str, bridge: "Bridge", number: int) -> None:
        self.name = name
        self.address = bridge.address_of(number)
        self.host_address = bridge.address
        self._bridge = bridge
        self._namespace = f"{bridge.name}-{name}"
        self._cable = f"{bridge.name}v{number}"

    def command(self, command: list[str]) -> list[str]:
        """The command that runs `command` on this machine; its process is the one started."""
        return ["ip", "netns", "exec", self._namespace, *command]

    def cut(self) -> None:
        """Lose the network, silently."""
        _ip("link", "set", self._cable, "nomaster")

    def heal(self) -> None:
        """Have the network back."""
        _ip("link", "set", self._cable, "master", self._bridge.name)

    def _open(self) -> None:
        _ip("netns", "add", self._namespace)
        inside = ["-n", self._namespace]
        _ip("link", "add", self._cable, "type", "veth", "peer", "eth0", "netns", self._namespace)
        _ip(*inside, "address", "add", f"{self.address}/24", "dev", "eth0")
        _ip(*inside, "link", "set", "lo", "up")
        _ip(*inside, "link", "set", "eth0", "up")
        _ip("link", "set", self._cable, "master", self._bridge.name, "up")
        # Who need not ask for the other's hardware address is not told that nobody answers: a
        # packet is lost as it is behind a broken switch, and connections neither fail nor move.
        outside = ["dev", self._bridge.name]
        _ip("neighbour", "add", self.address, "lladdr", self._hardware(inside, "eth0"), *outside)
        there = self._hardware([], self._bridge.name)
        _ip(*inside, "neighbour", "add", self.host_address, "lladdr", there, "dev", "eth0")

    @staticmethod
    def _hardware(where: list[str], device: str) -> str:
        found = re.search(r"link/ether (\S+)", _ip(*where, "link", "show", device))
        assert found
        return found[1]

    def _close(self) -> None:
        with suppress(subprocess.CalledProcessError):
            _ip("link", "delete", self._cable)
        with suppress(subprocess.CalledProcessError):
            _ip("netns", "delete", self._namespace)


class Bridge:
    """What the machines of this process are plugged into; there while there are machines."""

    name: str
    address: str

    def __init__(self) -> None:
        self._numbers = itertools.count(2)
        self._machines: list[Machine] = []
        self._change = ExitStack()

    def plug_in(self, name: str) -> Machine:
        """A new machine."""
        if not self._machines:
            self._change.enter_context(unchanged(mode=fcntl.LOCK_EX))
            _sweep()
            self._open()
        machine = Machine(name, self, next(self._numbers))
        self._machines.append(machine)
        return machine

    def unplug(self, machine: Machine) -> None:
        """Take a machine away, and the bridge with the last one."""
        machine._close()
        self._machines.remove(machine)
        if not self._machines:
            _ip("link", "delete", self.name)
            self._change.close()
            self._numbers = itertools.count(2)

    def address_of(self, number: int) -> str:
        """The address of a machine."""
        return self.address.removesuffix("1") + str(number)

    def _open(self) -> None:
        for subnet in range(SUBNETS):
            name = f"hb{os.getpid()}n{subnet}"
            address = f"10.213.{subnet}.1"
            if f" {address}/" in _ip("-4", "address", "show"):
                continue  # another process's bridge
            # Fixed, because a bridge otherwise takes on the address of what is plugged in.
            hardware = f"02:68:62:{subnet:02x}:00:01"
            _ip("link", "add", name, "address", hardware, "type", "bridge")
            _ip("address", "add", f"{address}/24", "dev", name)
            _ip("link", "set", name, "up")
            self.name, self.address = name, address
            return
        raise RuntimeError("All subnets are in use. Delete the bridges `hb…` of dead processes.")


def _sweep() -> None:
    """Remove what a process that was killed has left."""
    for found in re.finditer(r"^(hb(\d+)n\d+)-\S+", _ip("netns", "list"), re.MULTILINE):
        if not Path(f"/proc/{found[2]}").exists():
            _ip("netns", "delete", found[0])
    for found in re.finditer(r"^\d+: (hb(\d+)n\d+):", _ip("link", "show"), re.MULTILINE):
        if not Path(f"/proc/{found[2]}").exists():
            _ip("link", "delete", found[1])


def _ip(*arguments: str) -> str:
    command = ["ip", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


_bridge = Bridge()


@contextmanager
def machine(name: str) -> Iterator[Machine]:
    """A machine whose network works, until it is cut. A process inside must be ended first."""
    machine = _bridge.plug_in(name)
    try:
        machine._open()
        yield machine
    finally:
        _bridge.unplug(machine)
