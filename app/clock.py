"""The system's clock: the only place where the time is asked for."""

import asyncio
import time
from datetime import UTC, datetime


class SystemClock:
    """Implements domain.ports.Clock."""

    def now(self) -> datetime:
        """Return the wall time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
