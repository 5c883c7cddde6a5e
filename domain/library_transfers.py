"""One library on its way to one device: what to send next, and what the answers mean.

Pure and told the time. One message is under way at a time, and none is repeated for ever. Meant to
be thrown away while the device is gone: another one goes on from what its installation says.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from domain.library_installations import InstallationStatus, LibraryInstallation
from domain.library_messages import (
    ChunkAck,
    ChunkRequest,
    DownloadAbort,
    DownloadComplete,
    DownloadReady,
    DownloadStart,
    DownloadStatus,
    LibraryAnswer,
    LibraryChunk,
    LibraryError,
    LibraryInstalled,
    LibraryMessage,
)

START_TIMEOUT = timedelta(seconds=60)
"""How long a device may take to make room (device protocol, section 1.12)."""

START_TRIES = 3
"""How often it is told within that time, since the message may have been lost."""

CHUNK_TIMEOUT = timedelta(seconds=30)
"""How long it may take to acknowledge a chunk (device protocol, section 1.12), or to install."""

CHUNK_TRIES = 4
"""How often one chunk is sent: once, and three times more (device protocol, section 1.12)."""

_START = -1
_COMPLETE = -2
"""Beside the numbers of the chunks: what tells one message of a transfer from the others."""

_UNDER_WAY = {InstallationStatus.SENDING, InstallationStatus.VERIFYING}


@dataclass(slots=True, kw_only=True)
class LibraryTransfer:
    """A library on its way.

    Attributes:
        installation: How far it has come. One that is SENDING or VERIFYING goes on after the chunks
            that it says were sent; everything else begins anew.
        content: The bytes of the library, those that the installation names.
    """

    installation: LibraryInstallation
    content: bytes
    _left: deque[int] = field(init=False)
    _tries: Counter[int] = field(default_factory=Counter, init=False)
    _deadline: datetime | None = field(default=None, init=False)
    _verified: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        goes_on = self.installation.status in _UNDER_WAY
        done = self.installation.chunks_sent if goes_on else 0
        self._left = deque(range(done, self._total))
        if goes_on:
            self._progressed()
        else:
            self._change(InstallationStatus.WAITING, chunks_sent=0)

    @property
    def over(self) -> bool:
        """Whether nothing more is to be sent or heard."""
        return self.installation.status.over

    # ------------------------------------------------------------ what is said

    def due(self, now: datetime) -> LibraryMessage | None:
        """Return the message to be sent now; None: an answer is waited for, or all is over.

        The same message is due until `sent` says that it went out.
        """
        self._expire(now)
        if self.over or self._deadline is not None:
            return None
        tries = START_TRIES if self._current == _START else CHUNK_TRIES
        if self._tries[self._current] >= tries:
            self.fail(f"{self._unanswered()}, asked {tries} times", now)
            return None
        return self._message(self._current)

    def sent(self, now: datetime) -> None:
        """Note that the broker has, or is about to have, the message that was due."""
        self._tries[self._current] += 1
        starting = self._current == _START
        self._deadline = now + (START_TIMEOUT / START_TRIES if starting else CHUNK_TIMEOUT)

    def not_sent(self) -> None:
        """Note that the broker did not take the message after all; it is due again."""
        if self._deadline is not None:
            self._tries[self._current] -= 1
            self._deadline = None

    def fail(self, reason: str, now: datetime) -> None:
        """End the transfer."""
        self._end(InstallationStatus.FAILED, now, reason)

    def expire(self, now: datetime) -> None:
        """End the transfer, because it took too long altogether."""
        self._deadline = None
        self.installation = self.installation.expired(now)

    def anew(self) -> "LibraryTransfer":
        """Return the same transfer from its beginning: the device lost what it had."""
        begun = replace(self.installation, status=InstallationStatus.PENDING)
        return LibraryTransfer(installation=begun, content=self.content)

    # ------------------------------------------------------------ what is heard

    def answered(self, answer: LibraryAnswer, now: datetime) -> None:
        """Take in what the device says; what belongs to nothing that was sent changes nothing."""
        self._expire(now)
        download_id = getattr(answer, "download_id", self._download_id)
        if self.over or download_id != self._download_id:
            return
        match answer:
            case DownloadReady():
                self._ready(answer, now)
            case ChunkAck():
                self._acknowledged(answer)
            case ChunkRequest(chunk_index=index):
                self._send_again([index])
            case DownloadStatus():
                self._status(answer, now)
            case LibraryInstalled():
                self._installed(answer, now)
            case LibraryError():
                said = ": ".join(filter(None, (answer.error_type, answer.message)))
                self.fail(f"the device reports {said}", now)
            case DownloadAbort():
                reason = answer.reason or "without a reason"
                self._end(InstallationStatus.ABORTED, now, f"the device gave up: {reason}")

    def _ready(self, answer: DownloadReady, now: datetime) -> None:
        if self.installation.status is not InstallationStatus.WAITING:
            return
        if not answer.ready:
            free = answer.free_heap_bytes
            room = "" if free is None else f", only {free} bytes are free"
            self.fail(f"the device has no room for the library{room}", now)
            return
        self._deadline = None
        self._change(InstallationStatus.SENDING)

    def _acknowledged(self, answer: ChunkAck) -> None:
        if answer.chunk_index == self._current and self._deadline is not None:
            self._deadline = None
            if answer.received and answer.crc_valid:
                self._left.popleft()
                self._progressed()

    def _send_again(self, indexes: Iterable[int]) -> None:
        """Put chunks first that the device misses; never one that it was not sent yet."""
        known = {index for index in indexes if self._tries[index] or index < self._acknowledged_to}
        if self.installation.status in _UNDER_WAY and known:
            self._left = deque(sorted(known | set(self._left)))
            self._deadline = None
            self._verified = False
            self._tries[_COMPLETE] = 0
            self._progressed()

    def _status(self, answer: DownloadStatus, now: datetime) -> None:
        if self.installation.status is not InstallationStatus.VERIFYING:
            return
        if answer.success and answer.crc_valid:
            self._verified = True
            if answer.installed:
                self._end(InstallationStatus.INSTALLED, now)
        elif answer.request_retransmit:
            missing = [index for index in answer.failed_chunks if index < self._total]
            self._send_again(missing or range(self._total))
        else:
            reason = answer.error or "the checksum of the whole library does not hold"
            self.fail(f"the device could not take the library: {reason}", now)

    def _installed(self, answer: LibraryInstalled, now: datetime) -> None:
        installation = self.installation
        mine = answer.library_name == installation.library_name and answer.version in {
            "",
            installation.version,
        }
        if not mine or installation.status is not InstallationStatus.VERIFYING:
            return
        if answer.success:
            self._end(InstallationStatus.INSTALLED, now)
        else:
            self.fail("the device could not install the library", now)

    # ------------------------------------------------------------ where it stands

    @property
    def _total(self) -> int:
        return self.installation.total_chunks

    @property
    def _download_id(self) -> str:
        return str(self.installation.id)

    @property
    def _acknowledged_to(self) -> int:
        return self._left[0] if self._left else self._total

    @property
    def _current(self) -> int:
        if self.installation.status is InstallationStatus.WAITING:
            return _START
        return self._left[0] if self._left else _COMPLETE

    def _progressed(self) -> None:
        self._change(
            InstallationStatus.SENDING if self._left else InstallationStatus.VERIFYING,
            chunks_sent=self._acknowledged_to,
        )

    def _expire(self, now: datetime) -> None:
        if self._deadline is not None and now >= self._deadline:
            self._deadline = None

    def _unanswered(self) -> str:
        if self._current == _START:
            return "the device did not say that it has room"
        if self._current >= 0:
            return f"the device did not acknowledge chunk {self._current + 1} of {self._total}"
        if self._verified:
            return "the device has the library, but never said that it installed it"
        return "the device did not say whether all of the library arrived"

    def _change(self, status: InstallationStatus, chunks_sent: int | None = None) -> None:
        sent = self.installation.chunks_sent if chunks_sent is None else chunks_sent
        self.installation = replace(self.installation, status=status, chunks_sent=sent)

    def _end(self, status: InstallationStatus, now: datetime, error: str | None = None) -> None:
        self._deadline = None
        self.installation = replace(self.installation, status=status, error=error, completed_at=now)

    def _message(self, number: int) -> LibraryMessage:
        known = self.installation
        names = {
            "esp_id": known.esp_id,
            "kaiser_id": "",
            "download_id": self._download_id,
            "library_name": known.library_name,
        }
        if number == _START:
            return DownloadStart(
                **names,
                request_id=known.request_id or self._download_id,
                version=known.version,
                total_size=known.size,
                chunk_size=known.chunk_size,
                crc32=known.crc32,
            )
        if number == _COMPLETE:
            return DownloadComplete(**names, total_chunks=self._total, crc32=known.crc32)
        place = number * known.chunk_size
        return LibraryChunk(
            **names,
            chunk_index=number,
            total_chunks=self._total,
            data=self.content[place : place + known.chunk_size],
        )
