"""What the figures were measured on."""

import os
import platform
from pathlib import Path


def described(postgres: str) -> dict[str, str]:
    """Cores, processor, memory, kernel and versions, for the head of the table."""
    return {
        "cores": str(os.cpu_count()),
        "processor": _first("/proc/cpuinfo", "model name") or platform.processor(),
        "memory": _first("/proc/meminfo", "MemTotal"),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "postgresql": postgres,
        "load before": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }


def cpu_seconds(pid: int) -> float:
    """What a process has used of the processor so far: all but untouched by who else runs."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _first(path: str, name: str) -> str:
    """The first line's value of a `name: value` file; empty where there is no such file."""
    file = Path(path)
    lines = file.read_text().splitlines() if file.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "")
