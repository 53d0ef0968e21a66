"""What processes hold in memory, in megabytes of 10^6 bytes. Linux only, from /proc."""

from pathlib import Path

PROC = Path("/proc")


def peak_megabytes(pid: int | str = "self") -> float:
    """The most that a process has had resident since it began; 0 where /proc does not tell.

    Not `getrusage`: that one begins with the peak of whoever started the process.
    """
    return _field(PROC / str(pid) / "status", "VmHWM:")


def proportional_megabytes(pid: int) -> float:
    """The proportional set size of a process and all that it started."""
    children = (PROC / str(pid) / "task").glob("*/children")
    below = [int(child) for listed in children for child in listed.read_text().split()]
    own = _field(PROC / str(pid) / "smaps_rollup", "Pss:")
    return own + sum(proportional_megabytes(child) for child in below)


def is_measurable() -> bool:
    """Whether this system tells the proportional set size."""
    return (PROC / "self" / "smaps_rollup").exists()


def _field(path: Path, name: str) -> float:
    if not path.exists():
        return 0.0
    for line in path.read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0
