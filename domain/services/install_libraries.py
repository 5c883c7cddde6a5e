"""Libraries are handed over to devices, however often either side goes away.

What was decided waits in the outbox of the database, in order and with an expiry; how far it has
come is stored with the installation. The text is read from the catalog when it is sent.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple, Protocol
from uuid import UUID

from domain.configs import Errand, OutboxEntry
from domain.errors import BadInputError, BrokerUnavailableError, NotFoundError
from domain.library_installations import (
    FITTING_CHUNK,
    INSTALLATION_LIFETIME,
    KEPT_PER_DEVICE,
    LARGEST_LIBRARY,
    LibraryInstallation,
    LibrarySource,
    chunk_size_for,
)
from domain.library_messages import LibraryError, LibraryReady, LibraryReport, LibraryRequest
from domain.library_transfers import LibraryTransfer
from domain.ports import Clock, LibraryLink, LibrarySources
from domain.repositories import Storage, UnitOfWork
from domain.services.guard import Guard
from domain.services.registry import Registry

MOST_AT_ONCE = 8
"""Devices that take a library at the same time; further ones wait."""

MOST_NEWS = 1000
"""Devices that may wait to be known as takers, and requests for a library; more are dropped."""

SAVE_EVERY = 16
"""Chunks after which progress is stored: what a restart of the server sends again at most."""

TICK = 0.25
"""Seconds between two looks at deadlines and at who came back."""

SWEEP = timedelta(seconds=60)
"""Time between two looks at what expired."""

BROKER_PAUSE = 1.0
"""Seconds until a message is tried again that the broker did not take."""

REQUEST_PAUSE = timedelta(seconds=60)
"""How long a device must wait before it is sent the same library again at its own request."""

_LIBRARIES = frozenset({Errand.LIBRARY})


class LibraryReports(Protocol):
    """Where growers are told how libraries fare."""

    def library_ended(self, installation: LibraryInstallation) -> None:
        """An installation came to its end, well or not."""
        ...

    def library_trouble(self, esp_id: str, about: str, sentence: str) -> None:
        """Something about libraries is wrong with a device, and belongs to no installation."""
        ...


class _Next(NamedTuple):
    """What is to be handed over, and until when."""

    entry: OutboxEntry
    installation: LibraryInstallation


@dataclass(slots=True, kw_only=True)
class InstallLibraries:
    """Decides about installations, and drives those of all devices.

    Attributes:
        fitting_chunk: Bytes of a chunk, 1 to 1024; more where there would be too many chunks.
        dropped: Announcements and requests that came while too many waited.
    """

    storage: Storage
    registry: Registry
    link: LibraryLink
    sources: LibrarySources
    clock: Clock
    guard: Guard
    new_id: Callable[[], UUID]
    reports: LibraryReports
    fitting_chunk: int = FITTING_CHUNK
    dropped: int = field(default=0, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _news: deque[LibraryReady | LibraryRequest] = field(default_factory=deque, init=False)
    _early: OrderedDict[str, LibraryReady] = field(default_factory=OrderedDict, init=False)
    _anew: set[str] = field(default_factory=set, init=False)
    _waiting: set[str] = field(default_factory=set, init=False)
    _active: dict[str, asyncio.Event] = field(default_factory=dict, init=False)
    _transfers: dict[str, LibraryTransfer] = field(default_factory=dict, init=False)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _sweep_at: datetime | None = field(default=None, init=False)

    # ------------------------------------------------------------ what people and devices want

    async def install(
        self, library_name: str, version: str | None = None, esp_ids: Sequence[str] | None = None
    ) -> Sequence[LibraryInstallation]:
        """Decide that devices take a library; one that is on its way already is not sent twice.

        Args:
            library_name: Its name in the catalog.
            version: Which; None: the one in use.
            esp_ids: To these devices; None: to all that take libraries.

        Returns:
            An installation per device.

        Raises:
            NotFoundError: The library, that version of it, or a device is not known.
            BadInputError: A device cannot take libraries, or this one is too large.
        """
        source = self.sources.find(library_name, version)
        if source is None:
            which = library_name if version is None else f"{library_name} {version}"
            raise NotFoundError(f"no library {which} is in the catalog")
        _check_size(source)
        async with self._turn, self.storage.unit_of_work() as work:
            takers = self._takers(esp_ids, await work.library_installations.receivers())
            ordered = await self._order(work, takers, source)
        self._waiting.update(takers)
        self._arrived.set()
        return ordered

    def heard(self, report: LibraryReport) -> None:
        """Take in what a device says about libraries; returns at once."""
        if isinstance(report, LibraryReady | LibraryRequest):
            if isinstance(report, LibraryReady):
                self._begin_anew(report.esp_id)
            if len(self._news) >= MOST_NEWS:
                self.dropped += 1
                return
            self._news.append(report)
            self._arrived.set()
            return
        transfer = self._transfers.get(report.esp_id)
        if transfer is not None:
            transfer.answered(report, self.clock.now())
            self._active[report.esp_id].set()
        elif isinstance(report, LibraryError):
            said = ": ".join(filter(None, (report.error_type, report.message)))
            self.reports.library_trouble(report.esp_id, report.error_type, f"it reports {said}")

    def _begin_anew(self, esp_id: str) -> None:
        """Note that a device has just connected: what it had of a library may be lost."""
        if self.registry.device(esp_id) is not None:
            self._anew.add(esp_id)
            if esp_id in self._active:
                self._active[esp_id].set()

    def _takers(self, esp_ids: Sequence[str] | None, receivers: Sequence[str]) -> Sequence[str]:
        if esp_ids is None:
            takers = [esp_id for esp_id in receivers if self._approved(esp_id)]
            if not takers:
                raise BadInputError("no device has said that it takes libraries (library/ready)")
            return takers
        for esp_id in esp_ids:
            if self.registry.device(esp_id) is None:
                raise NotFoundError(f"no device {esp_id} is known")
            if not self._approved(esp_id):
                raise BadInputError(f"{esp_id} is not let in yet: approve it first")
            if esp_id not in receivers:
                raise BadInputError(
                    f"{esp_id} never said that it takes libraries (library/ready): its firmware "
                    "cannot; the server converts its values instead"
                )
        return list(dict.fromkeys(esp_ids))

    async def _order(
        self,
        work: UnitOfWork,
        esp_ids: Sequence[str],
        source: LibrarySource,
        request_id: str | None = None,
    ) -> Sequence[LibraryInstallation]:
        now = self.clock.now()
        known = {
            installation.esp_id: installation
            for installation in await work.library_installations.open(esp_ids)
            if installation.library_name == source.name and installation.of(source)
        }
        new = {
            esp_id: LibraryInstallation(
                id=self.new_id(),
                esp_id=esp_id,
                library_name=source.name,
                version=source.version,
                request_id=request_id,
                size=len(source.content),
                chunk_size=chunk_size_for(len(source.content), self.fitting_chunk),
                crc32=source.crc32,
                started_at=now,
            )
            for esp_id in esp_ids
            if esp_id not in known
        }
        if not new:
            return [known[esp_id] for esp_id in esp_ids]
        await work.library_installations.add(list(new.values()))
        await work.outbox.add(
            [
                OutboxEntry(
                    esp_id=installation.esp_id,
                    errand=Errand.LIBRARY,
                    body={"installation_id": str(installation.id)},
                    created_at=now,
                    expires_at=now + INSTALLATION_LIFETIME,
                )
                for installation in new.values()
            ]
        )
        return [(known | new)[esp_id] for esp_id in esp_ids]

    # ------------------------------------------------------------ all devices

    async def run(self) -> None:
        """Hand libraries over until cancelled; first those that a restart cut off."""
        await self.guard.insist(self._load)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tell_the_time(), name="deadlines of libraries")
            while True:
                self._arrived.clear()
                await self._take_in()
                await self._sweep()
                for esp_id in sorted(self._waiting - self._active.keys()):
                    if len(self._active) < MOST_AT_ONCE and self._reachable(esp_id):
                        self._waiting.discard(esp_id)
                        self._active[esp_id] = asyncio.Event()
                        tasks.create_task(self._drive(esp_id), name=f"library for {esp_id}")
                await self._arrived.wait()

    async def _load(self) -> None:
        async with self.storage.autocommit() as work:
            self._waiting.update(await work.outbox.waiting(_LIBRARIES))

    async def _tell_the_time(self) -> None:
        while True:
            await self.clock.sleep(TICK)
            for woken in self._active.values():
                woken.set()
            for esp_id in [esp_id for esp_id in self._early if self.registry.device(esp_id)]:
                self._news.append(self._early.pop(esp_id))
            self._arrived.set()

    async def _take_in(self) -> None:
        while self._news:
            news = self._news.popleft()
            device = self.registry.device(news.esp_id)
            if device is None and isinstance(news, LibraryReady):
                # A device says this before its first heartbeat: until then nobody knows it.
                self._early[news.esp_id] = news
                if len(self._early) > MOST_NEWS:
                    self._early.popitem(last=False)
                    self.dropped += 1
            elif device is not None:
                await self.guard.insist(partial(self._note, news))

    async def _note(self, news: LibraryReady | LibraryRequest) -> None:
        esp_id = news.esp_id
        async with self._turn, self.storage.unit_of_work() as work:
            await work.library_installations.save_receiver(esp_id, news.received_at)
            if isinstance(news, LibraryRequest) and self._approved(esp_id):
                await self._grant(work, news)

    async def _grant(self, work: UnitOfWork, request: LibraryRequest) -> None:
        name, esp_id = request.library_name, request.esp_id
        source = self.sources.find(name, None)
        if source is None or not 0 < len(source.content) <= LARGEST_LIBRARY:
            sentence = f"it asks for the library {name}, which the server cannot send"
            self.reports.library_trouble(esp_id, name, sentence)
            return
        for last in await work.library_installations.newest(1, esp_ids=[esp_id], library_name=name):
            ended = last.completed_at
            if ended is not None and self.clock.now() - ended < REQUEST_PAUSE:
                return
        await self._order(work, [esp_id], source, request.request_id)
        self._waiting.add(esp_id)

    async def _sweep(self) -> None:
        """Look at what expired for devices that are not there."""
        now = self.clock.now()
        if self._sweep_at is not None and now < self._sweep_at:
            return
        self._sweep_at = now + SWEEP
        for esp_id in sorted(self._waiting - self._active.keys()):
            if await self._next(esp_id) is None:
                self._waiting.discard(esp_id)

    def _approved(self, esp_id: str) -> bool:
        device = self.registry.device(esp_id)
        return device is not None and device.approved

    def _reachable(self, esp_id: str) -> bool:
        device = self.registry.device(esp_id)
        return device is not None and device.approved and device.online

    # ------------------------------------------------------------ one device

    async def _drive(self, esp_id: str) -> None:
        try:
            while self._reachable(esp_id):
                following = await self._next(esp_id)
                if following is None:
                    return
                await self._hand_over(esp_id, following)
            self._waiting.add(esp_id)
        finally:
            del self._active[esp_id]
            self._arrived.set()

    async def _next(self, esp_id: str) -> _Next | None:
        """Return what waits for a device; what expired is ended on the way."""
        following, expired = await self.guard.insist(lambda: self._look(esp_id))
        for installation in expired:
            self.reports.library_ended(installation)
        return following

    async def _look(self, esp_id: str) -> tuple[_Next | None, Sequence[LibraryInstallation]]:
        expired: list[LibraryInstallation] = []
        now = self.clock.now()
        async with self.storage.unit_of_work() as work:
            for entry in await work.outbox.of_device(esp_id, _LIBRARIES):
                number = UUID(str(entry.body["installation_id"]))
                installation = await work.library_installations.by_id(number)
                if installation is not None and not installation.status.over:
                    if now < entry.expires_at:
                        return _Next(entry, installation), expired
                    installation = installation.expired(now)
                    await work.library_installations.save(installation)
                    expired.append(installation)
                await work.outbox.remove([entry.id])
        return None, expired

    async def _hand_over(self, esp_id: str, following: _Next) -> None:
        entry, installation = following
        source = self.sources.find(installation.library_name, installation.version)
        if source is None or not installation.of(source):
            reason = "the library changed before all of it was sent: install it again"
            now = self.clock.now()
            transfer = LibraryTransfer(installation=installation, content=b"")
            transfer.fail(reason, now)
        else:
            transfer = LibraryTransfer(installation=installation, content=source.content)
            transfer = await self._carry_out(esp_id, transfer, entry.expires_at)
        await self.guard.insist(lambda: self._save(transfer.installation, entry))
        if transfer.over:
            self.reports.library_ended(transfer.installation)

    async def _carry_out(
        self, esp_id: str, transfer: LibraryTransfer, expires_at: datetime
    ) -> LibraryTransfer:
        """Send and hear until the transfer is over or the device is gone; return it."""
        woken, saved = self._active[esp_id], transfer.installation
        try:
            while self._reachable(esp_id) and not transfer.over:
                if esp_id in self._anew:
                    self._anew.discard(esp_id)
                    transfer = transfer.anew()
                self._transfers[esp_id] = transfer
                now = self.clock.now()
                if now >= expires_at:
                    transfer.expire(now)
                    break
                woken.clear()
                if not await self._say(esp_id, transfer):
                    await woken.wait()
                if _noteworthy(saved, transfer.installation):
                    saved = transfer.installation
                    await self.guard.insist(partial(self._save, saved))
        finally:
            self._transfers.pop(esp_id, None)
        return transfer

    async def _say(self, esp_id: str, transfer: LibraryTransfer) -> bool:
        """Send what is due; say whether there was anything."""
        message = transfer.due(self.clock.now())
        device = self.registry.device(esp_id)
        if message is None or device is None:
            return transfer.over
        # Noted before: an answer may outrun the broker's word that it has the message.
        transfer.sent(self.clock.now())
        try:
            await self.link.tell(replace(message, kaiser_id=device.kaiser_id))
        except BrokerUnavailableError:
            transfer.not_sent()
            await self.clock.sleep(BROKER_PAUSE)
        except BadInputError as error:
            transfer.fail(str(error), self.clock.now())
        return True

    async def _save(
        self, installation: LibraryInstallation, entry: OutboxEntry | None = None
    ) -> None:
        async with self.storage.unit_of_work() as work:
            await work.library_installations.save(installation)
            if entry is not None and installation.status.over:
                await work.outbox.remove([entry.id])
                await work.library_installations.trim(installation.esp_id, KEPT_PER_DEVICE)


def _check_size(source: LibrarySource) -> None:
    if not 0 < len(source.content) <= LARGEST_LIBRARY:
        raise BadInputError(
            f"{source.name} has {len(source.content)} bytes; a device takes 1 to {LARGEST_LIBRARY}"
        )


def _noteworthy(saved: LibraryInstallation, now: LibraryInstallation) -> bool:
    ahead = now.chunks_sent - saved.chunks_sent
    return now.status is not saved.status or not 0 <= ahead < SAVE_EVERY
