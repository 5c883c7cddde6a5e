"""Conversions on demand, put together: one pipeline, and the door that early firmware knocks at."""

from collections.abc import Sequence

from starlette.routing import BaseRoute

from app import legacy_rest
from app.ground import Ground
from app.legacy_rest.emergencies import Emergencies
from app.legacy_rest.sensors import Sensors
from domain.resilience import TokenBuckets
from domain.services.accounts import Accounts
from domain.services.convert_samples import ConvertSamples
from domain.services.emergency import Emergency
from domain.services.process import ProcessReading
from sensor_libs.limits import LibraryLimits
from sensor_libs.processing import LibraryChips
from sensor_libs.runner import LibraryRunner

BURST_SECONDS = 2
"""How many seconds' requests may come at once: boards that were offline come back together."""


def processing(ground: Ground, libraries: LibraryRunner, convert: ConvertSamples) -> ProcessReading:
    """Make the pipeline that all doors share."""
    return ProcessReading(
        libraries=libraries,
        chips=LibraryChips(lambda: libraries.catalog),
        convert=convert,
        registry=ground.registry,
        library_limits=LibraryLimits(lambda: libraries.catalog),
        clock=ground.clock,
    )


def legacy_routes(
    ground: Ground, process: ProcessReading, rate: int, accounts: Accounts, emergency: Emergency
) -> Sequence[BaseRoute]:
    """Make the legacy REST interface.

    Args:
        ground: Knows the time.
        process: Converts.
        rate: Conversions a second for each address; 0: none.
        accounts: Knows who calls.
        emergency: Stops.
    """
    limit = TokenBuckets(rate=rate, burst=BURST_SECONDS * rate) if rate else None
    sensors = Sensors(process, process.chips, limit)
    return legacy_rest.routes(
        legacy_rest.LegacyServices(
            sensors=sensors,
            emergencies=Emergencies(emergency, ground.registry),
            accounts=accounts,
            clock=ground.clock,
            started=ground.ready,
        )
    )
