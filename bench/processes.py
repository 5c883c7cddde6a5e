"""How much CPU the measured processes use: says which of them bounds a figure."""

import os
from collections import defaultdict
from pathlib import Path

_PPID, _UTIME, _STIME, _CUTIME, _CSTIME = 1, 11, 12, 13, 14
"""Fields of /proc/<pid>/stat behind the name, counted from 0 (proc_pid_stat(5))."""


def cpu_seconds(root: int) -> float:
    """Return what a process and its living descendants have used so far."""
    ticks: dict[int, int] = {}
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(") ")[2].split()
        except OSError:  # it ended meanwhile
            continue
        pid = int(entry.name)
        children[int(fields[_PPID])].append(pid)
        ticks[pid] = int(fields[_UTIME]) + int(fields[_STIME])
    total, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        total += ticks.get(pid, 0)
        waiting += children[pid]
    return total / os.sysconf("SC_CLK_TCK")


def ended_children_cpu_seconds(pid: int) -> float:
    """Return what the children of a process used that are gone: PostgreSQL's old connections."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[_CUTIME]) + int(fields[_CSTIME])) / os.sysconf("SC_CLK_TCK")
