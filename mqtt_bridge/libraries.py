"""Libraries on the wire: told piece by piece, answered piece by piece."""

from dataclasses import dataclass
from typing import Protocol, get_args

from domain.errors import BadInputError
from domain.library_messages import LibraryMessage, LibraryReport
from mqtt_bridge.control import Control, Sender


class LibraryWatch(Protocol):
    """Who wants to know what devices say about libraries."""

    def heard(self, report: LibraryReport) -> None:
        """Take in what a device says."""
        ...


@dataclass(slots=True, kw_only=True)
class LibraryWire:
    """Implements domain.ports.LibraryLink."""

    sender: Sender

    @staticmethod
    def attach(control: Control, watch: LibraryWatch) -> None:
        """Let somebody hear what devices say."""
        for kind in get_args(LibraryReport):
            control.on_answer(kind, watch.heard)

    async def tell(self, message: LibraryMessage) -> None:
        """Send a part of a transfer; see domain.ports.LibraryLink."""
        try:
            await self.sender.send(message)
        except ValueError as error:
            raise BadInputError(f"no device could read this: {error}") from error
