"""Messages that could not be read: kept with the reason, never an exception, never silence."""

from dataclasses import dataclass
from datetime import datetime

PAYLOAD_LIMIT = 4096
"""Bytes of a payload that are kept."""

TOPIC_LIMIT = 512
"""Characters of a topic that are kept."""

TABLE_LIMIT = 10_000
"""Dead letters that are kept; the oldest leave first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that could not be read. `id` is 0 until it is stored."""

    id: int = 0
    topic: str
    payload: bytes
    reason: str
    received_at: datetime

    def payload_text(self) -> str:
        """Return the payload as text; bytes that are none are escaped in hex."""
        return self.payload.decode("utf-8", errors="backslashreplace").replace("\x00", "\\x00")
