"""What the domain needs of the world, as protocols; the fakes in tests implement them."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar

from domain.actuators import Command, CommandResponse, Pin
from domain.config_rounds import Message
from domain.configs import DeviceConfig
from domain.devices import Device, FirmwareGeneration
from domain.emergency_stops import EmergencyStop
from domain.events import Event
from domain.library_installations import LibrarySource
from domain.library_messages import LibraryMessage
from domain.orders import DeviceOrder, OrderAnswer
from domain.parameters import Recipe
from domain.sensors import Measurement, Sample
from domain.system_events import EventKind, Severity
from domain.users import Identity, User

E = TypeVar("E", bound=Event)


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """Return the wall time in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SwitchOff(Protocol):
    """Switches off what is on, before its lease ends."""

    def __call__(self, pin: Pin, why: str, kind: EventKind, severity: Severity, /) -> None:
        """See to it that an actuator goes off, and tell people; return at once.

        Args:
            pin: The actuator; nothing is done where it is off.
            why: Half a sentence.
            kind: What kind of thing people are told.
            severity: How much it matters.
        """
        ...


class CommandExchange(Protocol):
    """One command on its way: an answer counts from before it is published."""

    async def publish(self, permit: Callable[[], None]) -> None:
        """Hand the command to the broker; return when the broker has it.

        Args:
            permit: Called in the very moment in which the command leaves: a command may have waited
                for its turn on the wire since it was judged. What it raises keeps it back.

        Raises:
            BrokerUnavailableError: The broker cannot be reached, or did not take it in time.
        """
        ...

    async def response(self) -> CommandResponse:
        """Wait for the device's answer.

        Raises:
            DeviceSilentError: No answer came in time.
        """
        ...


class CommandLink(Protocol):
    """The wire to the devices."""

    def exchange(
        self, command: Command, kaiser_id: str
    ) -> AbstractAsyncContextManager[CommandExchange]:
        """Open an exchange; until the block ends, answers to this command are listened for.

        At most one exchange may be open per pin.
        """
        ...


class LeaseLink(Protocol):
    """The wire that takes what switches off, ahead of all other commands."""

    async def switch_off(self, command: Command, kaiser_id: str) -> None:
        """Tell a device to switch off; return when the broker has it.

        Raises:
            BrokerUnavailableError: The broker cannot be reached, or did not take it in time.
        """
        ...


class EmergencyLink(Protocol):
    """The wire that emergency stops take, ahead of everything else.

    Every method returns when the broker has the message, and raises `BrokerUnavailableError` where
    it did not take it.
    """

    async def stop_all(self, stop: EmergencyStop) -> None:
        """Tell every device of every firmware generation to stop, known or not."""
        ...

    async def stop(self, device: Device, stop: EmergencyStop) -> None:
        """Tell a device to stop."""
        ...

    async def switch_off(self, pin: Pin, kaiser_id: str, stop: EmergencyStop) -> None:
        """Tell a device to switch one actuator off: no firmware stops just one."""
        ...

    async def clear(self, device: Device, stop: EmergencyStop) -> None:
        """Tell a device that its emergency is over; it must be 5 s old."""
        ...

    async def resume(self, device: Device) -> None:
        """Ask a device to go on, as far as its firmware can be asked."""
        ...

    def obstacle(self, device: Device) -> str | None:
        """Return why a device cannot be told to clear, and the cure; None: it can."""
        ...

    def doubt(self, device: Device) -> str | None:
        """Return why a device may never hear that it is to stop, and the cure; None: it will."""
        ...


class Receiver(NamedTuple):
    """What a device can take of a configuration, by its firmware.

    Attributes:
        limit: Bytes of one message.
        both_spellings: Whether the documented names must stand beside the firmware's.
        answers_removal: Whether it answers when it is taken out of its zone.
        knows_subzones: Whether it takes subzones.
        home: The topic level for a device that has none yet; empty: it stays without.
        firmware: What it was flashed with.
    """

    limit: int
    both_spellings: bool
    answers_removal: bool
    knows_subzones: bool
    home: str
    firmware: FirmwareGeneration = FirmwareGeneration.UNKNOWN


class ConfigLink(Protocol):
    """The wire that configurations and zones take; answers come in by another way."""

    def receiver(self, device: Device) -> Receiver:
        """Return what a device can take."""
        ...

    def parts(self, config: DeviceConfig, receiver: Receiver) -> Sequence[DeviceConfig]:
        """Put a configuration into the device's words, and cut it between items so that it fits."""
        ...

    async def tell(self, message: Message) -> None:
        """Hand a message to the broker; return when the broker has it.

        Raises:
            BrokerUnavailableError: The broker cannot be reached, or did not take it in time.
            BadInputError: No device could read it, so it was not sent.
        """
        ...


class OrderLink(Protocol):
    """The wire that orders to devices themselves take."""

    def obstacle(self, order: DeviceOrder, device: Device) -> str | None:
        """Say why a device's firmware cannot carry out an order, with the cure; None: it may."""
        ...

    async def carry_out(self, order: DeviceOrder, kaiser_id: str) -> OrderAnswer:
        """Tell a device, and wait for its answer; at most one order may be open per device.

        Raises:
            BrokerUnavailableError: The broker cannot be reached, or did not take it in time.
            DeviceSilentError: No answer came in time.
        """
        ...


class LibraryLink(Protocol):
    """The wire that libraries take; answers come in by another way."""

    async def tell(self, message: LibraryMessage) -> None:
        """Hand a message to the broker; return when the broker has it.

        Raises:
            BrokerUnavailableError: The broker cannot be reached, or did not take it in time.
            BadInputError: No device could read it, so it was not sent.
        """
        ...


class LibrarySources(Protocol):
    """The text of the libraries in the catalog."""

    def find(self, name: str, version: str | None) -> LibrarySource | None:
        """Return a library as it can be sent; None: the catalog has no such one in use.

        Args:
            name: Its name.
            version: Which; None: the one in use.
        """
        ...


class SensorLibraries(Protocol):
    """Turns samples into measurements; never raises."""

    @property
    def edition(self) -> object:
        """Another object whenever other libraries came into use."""
        ...

    def recipe(self, sensor_type: str) -> Recipe | None:
        """Return what the conversion of a sensor type depends on; None: no library reads it."""
        ...

    async def measure_all(
        self, samples: Sequence[tuple[Sample, Mapping[str, float] | None]]
    ) -> Sequence[Measurement]:
        """Convert samples, or pass their raw values through with the reason.

        Args:
            samples: As devices sent them, each with the parameters that are known of its sensor;
                None: the library's defaults hold.

        Returns:
            One measurement for each, in the same order.
        """
        ...


class EventStream(Protocol):
    """Live events, fanned out to any number of listeners."""

    async def publish(self, event: Event) -> None:
        """Tell every listener; never waits for one."""
        ...

    def listen(self, kind: type[E]) -> AbstractAsyncContextManager[AsyncIterator[E]]:
        """Listen to one kind of event until the block ends.

        The iterator raises `EventStreamLostError` when the listener fell too far behind, or when
        the stream lost events that it cannot bring back.
        """
        ...


class Passwords(Protocol):
    """Slow hashes of passwords."""

    async def hash(self, password: str) -> str:
        """Return a salted hash."""
        ...

    async def verify(self, password: str, password_hash: str) -> bool:
        """Say whether the password is the one that was hashed."""
        ...


class TokenIssuer(Protocol):
    """Signed proofs of identity."""

    def access(self, user: User, now: datetime) -> tuple[str, datetime]:
        """Return a token for requests and the time it ends."""
        ...

    def refresh(self, user: User, now: datetime) -> str:
        """Return a token that only buys new tokens."""
        ...

    def read_access(self, token: str, now: datetime) -> Identity:
        """Return whom a request token stands for.

        Raises:
            UnauthenticatedError: It is not ours, of another kind, or expired.
        """
        ...

    def read_refresh(self, token: str, now: datetime) -> str:
        """Return the user name a refresh token stands for.

        Raises:
            UnauthenticatedError: It is not ours, of another kind, or expired.
        """
        ...
