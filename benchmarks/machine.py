"""What the figures were measured on."""

import importlib.metadata
import os
import platform
from pathlib import Path


def description(databases: list[str], folder: Path) -> str:
    """Two lines: the software, then the machine and how busy it was."""
    django = importlib.metadata.version("django")
    software = [f"Python {platform.python_version()}", f"Django {django}", *databases]
    system = f"{platform.system()} {platform.release()}"
    machine = [
        f"{_cpus()} CPUs ({_processor()})",
        system,
        f"temporary files on {_filesystem(folder)}",
    ]
    if hasattr(os, "getloadavg"):
        machine.append(f"load average before {os.getloadavg()[0]:.1f}")
    return ", ".join(software) + "\n" + ", ".join(machine)


def _cpus() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    for line in info.read_text().splitlines() if info.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _filesystem(folder: Path) -> str:
    """The kind of file system that holds a folder; tmpfs would make every commit free."""
    mounts = Path("/proc/mounts")
    lines = mounts.read_text().splitlines() if mounts.exists() else []
    kinds = {Path(line.split()[1]): line.split()[2] for line in lines}
    return next((kinds[place] for place in (folder, *folder.parents) if place in kinds), "a disk")
