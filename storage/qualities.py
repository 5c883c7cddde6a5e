"""How qualities of readings are stored: also for a process that needs the numbers and no tables."""

from collections.abc import Mapping

from domain.sensors import TRUSTED, Quality

QUALITIES: Mapping[Quality, int] = {
    Quality.UNKNOWN: 0,
    Quality.EXCELLENT: 1,
    Quality.GOOD: 2,
    Quality.FAIR: 3,
    Quality.POOR: 4,
    Quality.BAD: 5,
    Quality.STALE: 6,
    Quality.SUSPECT: 7,
    Quality.ERROR: 8,
}
"""These numbers are on disk: add, but never change."""

QUALITY_OF: Mapping[int, Quality] = {number: quality for quality, number in QUALITIES.items()}

TRUSTED_NUMBERS = ", ".join(str(QUALITIES[quality]) for quality in sorted(TRUSTED))
"""Of readings that decisions may rest on, as a list for SQL."""
