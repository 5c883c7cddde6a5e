"""What libraries say is believable of their chips, as the judge of readings wants it."""

from collections.abc import Callable

from domain.limits import Band, QualityLimits
from sensor_libs.api import SensorLibrary
from sensor_libs.loader import Catalog


class LibraryLimits:
    """Limits by sensor type, of whatever libraries are in use right now.

    Each library is translated once: who asks for every reading gets the same object until the
    library changes.
    """

    def __init__(self, catalog: Callable[[], Catalog]) -> None:
        self._catalog = catalog
        self._known: dict[str, tuple[SensorLibrary, QualityLimits]] = {}

    def __call__(self, sensor_type: str) -> QualityLimits | None:
        """Return the limits of a sensor type; None: no library reads it."""
        library = self._catalog().by_type.get(sensor_type)
        if library is None:
            return None
        known = self._known.get(library.name)
        if known is None or known[0] is not library:
            known = self._known[library.name] = (library, _limits(library))
        return known[1]

    def unit(self, sensor_type: str) -> str | None:
        """Return in which unit a sensor type is measured; None: no library reads it."""
        limits = self(sensor_type)
        return None if limits is None else limits.unit


def _limits(library: SensorLibrary) -> QualityLimits:
    return QualityLimits(
        unit=library.unit,
        valid=Band(*library.valid),
        typical=Band(*library.typical),
        max_rate=library.max_rate,
        stuck_after=library.stuck_after,
        warm_up=library.warm_up or None,
    )
