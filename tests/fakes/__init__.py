"""One fake per port, each as small as the port: in memory, told the time, counting its callers."""

from tests.fakes.clock import START, FakeClock, until
from tests.fakes.emergency_stops import FakeEmergencyLink
from tests.fakes.reports import FakeReports
from tests.fakes.storage import (
    FakeReadingWriter,
    FakeStorage,
    FakeUnitOfWork,
)
from tests.fakes.world import (
    FakeCommandLink,
    FakeEventStream,
    FakeLibraries,
    FakePasswords,
    FakeTokens,
)

__all__ = [
    "START",
    "FakeClock",
    "FakeCommandLink",
    "FakeEmergencyLink",
    "FakeEventStream",
    "FakeLibraries",
    "FakePasswords",
    "FakeReadingWriter",
    "FakeReports",
    "FakeStorage",
    "FakeTokens",
    "FakeUnitOfWork",
    "until",
]
