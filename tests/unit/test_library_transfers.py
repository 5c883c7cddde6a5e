"""A library arrives whole, or the transfer ends with a reason; it never goes on for ever."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from typing_extensions import override

from domain.library_installations import InstallationStatus, LibraryInstallation, LibrarySource
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
    LibraryReady,
)
from domain.library_transfers import CHUNK_TRIES, START_TIMEOUT, LibraryTransfer
from mqtt_bridge import payloads, topics
from mqtt_bridge.topics import Topic
from simulator.libraries import Libraries
from tests.fakes import START

ESP = "ESP_12AB34"
CONTENT = bytes(range(256)) * 10
CHUNK = 512
CHUNKS = 5


def installation(**changes: object) -> LibraryInstallation:
    source = LibrarySource("ph", "1.0.0", CONTENT)
    known = LibraryInstallation(
        id=UUID(int=9),
        esp_id=ESP,
        library_name=source.name,
        version=source.version,
        size=len(CONTENT),
        chunk_size=CHUNK,
        crc32=source.crc32,
        started_at=START,
    )
    return replace(known, **changes)  # type: ignore[arg-type]  # any field


class Conversation:
    """A transfer at some second, and a device that says whatever a test lets it say."""

    def __init__(self, **changes: object) -> None:
        self.transfer = LibraryTransfer(installation=installation(**changes), content=CONTENT)
        self.seconds = 0.0

    def due(self, after: float = 0.0) -> object:
        """Return what is sent once time has passed; None: nothing."""
        self.seconds += after
        now = START + timedelta(seconds=self.seconds)
        message = self.transfer.due(now)
        if message is not None:
            self.transfer.sent(now)
        return message

    def hear(self, kind: type[LibraryAnswer], **fields: object) -> None:
        origin = {"esp_id": ESP, "kaiser_id": "god", "received_at": START}
        if kind not in {LibraryInstalled, LibraryError}:
            fields = {"download_id": str(UUID(int=9))} | fields
        now = START + timedelta(seconds=self.seconds)
        self.transfer.answered(kind(**origin, **fields), now)  # type: ignore[arg-type]  # any field

    def begin(self) -> "Conversation":
        self.due()
        self.hear(DownloadReady, ready=True)
        return self

    def chunk(self, index: int) -> None:
        """Take the chunk that is due, which must be this one, and acknowledge it."""
        message = self.due()
        assert isinstance(message, LibraryChunk)
        assert message.chunk_index == index
        self.hear(ChunkAck, chunk_index=index, received=True, crc_valid=True)

    def sent_all(self) -> "Conversation":
        self.begin()
        for index in range(CHUNKS):
            self.chunk(index)
        assert isinstance(self.due(), DownloadComplete)
        return self

    def stands(self, status: InstallationStatus) -> bool:
        return self.transfer.installation.status is status

    @property
    def error(self) -> str:
        return self.transfer.installation.error or ""


def test_a_transfer_says_what_follows_then_each_chunk_then_that_it_was_all() -> None:
    talk = Conversation()
    start = talk.due()
    assert isinstance(start, DownloadStart)
    assert (start.total_size, start.chunk_size, start.version) == (len(CONTENT), CHUNK, "1.0.0")
    assert talk.stands(InstallationStatus.WAITING)
    assert talk.due() is None, "nothing is sent before the device has room"
    talk.hear(DownloadReady, ready=True)
    for index in range(CHUNKS):
        assert talk.transfer.installation.chunks_sent == index
        talk.chunk(index)
    assert isinstance(talk.due(), DownloadComplete)
    assert talk.stands(InstallationStatus.VERIFYING)
    talk.hear(DownloadStatus, library_name="ph", success=True, crc_valid=True, installed=True)
    assert talk.stands(InstallationStatus.INSTALLED)
    assert talk.due(100) is None
    assert talk.transfer.installation.completed_at is not None


def test_a_device_without_room_gets_no_chunk() -> None:
    talk = Conversation()
    talk.due()
    talk.hear(DownloadReady, ready=False, free_heap_bytes=900)
    assert talk.stands(InstallationStatus.FAILED)
    assert talk.due() is None
    assert "900 bytes" in talk.error


def test_a_device_that_never_makes_room_is_given_up_after_a_minute() -> None:
    talk = Conversation()
    sent = [talk.due(after=1) for _ in range(int(START_TIMEOUT.total_seconds()) + 2)]
    assert sum(isinstance(message, DownloadStart) for message in sent) == 3
    assert talk.stands(InstallationStatus.FAILED)
    assert "room" in talk.error


def test_a_chunk_is_repeated_three_times_and_then_the_transfer_fails() -> None:
    talk = Conversation().begin()
    talk.chunk(0)
    for _ in range(CHUNK_TRIES):
        message = talk.due()
        assert isinstance(message, LibraryChunk)
        assert message.chunk_index == 1
        assert talk.due(after=29.9) is None
        talk.seconds += 0.2
    assert talk.due() is None
    assert talk.stands(InstallationStatus.FAILED)
    assert "chunk 2 of 5" in talk.error


@pytest.mark.parametrize("verdict", [(True, False), (False, False)])
def test_a_spoiled_chunk_is_sent_again_at_once(verdict: tuple[bool, bool]) -> None:
    talk = Conversation().begin()
    talk.due()
    talk.hear(ChunkAck, chunk_index=0, received=verdict[0], crc_valid=verdict[1])
    talk.chunk(0)
    talk.chunk(1)


def test_what_belongs_to_another_chunk_or_transfer_changes_nothing() -> None:
    talk = Conversation().begin()
    talk.due()
    talk.hear(ChunkAck, chunk_index=4, received=True, crc_valid=True)
    talk.hear(ChunkAck, chunk_index=0, received=True, crc_valid=True, download_id="other")
    talk.hear(DownloadAbort, download_id="other")
    talk.hear(ChunkRequest, chunk_index=3)
    talk.hear(LibraryInstalled, library_name="ph", version="1.0.0", success=True)
    talk.hear(DownloadStatus, library_name="ph", success=True, crc_valid=True, installed=True)
    assert talk.stands(InstallationStatus.SENDING)
    assert talk.transfer.installation.chunks_sent == 0


def test_an_earlier_chunk_that_the_device_asks_for_is_sent_again() -> None:
    talk = Conversation().begin()
    talk.chunk(0)
    talk.chunk(1)
    talk.hear(ChunkRequest, chunk_index=0, reason="crc_error")
    talk.chunk(0)
    talk.chunk(2)


def test_failed_chunks_are_sent_again_and_the_end_is_said_again() -> None:
    talk = Conversation().sent_all()
    talk.hear(
        DownloadStatus,
        library_name="ph",
        success=False,
        crc_valid=False,
        request_retransmit=True,
        failed_chunks=(1, 3),
    )
    talk.chunk(1)
    talk.chunk(3)
    assert isinstance(talk.due(), DownloadComplete)


def test_a_library_that_is_there_but_never_installed_has_failed() -> None:
    talk = Conversation().sent_all()
    talk.hear(DownloadStatus, library_name="ph", success=True, crc_valid=True)
    for _ in range(CHUNK_TRIES):
        talk.due(after=31)
    assert talk.stands(InstallationStatus.FAILED)
    assert "never said that it installed" in talk.error


def test_a_separate_word_that_it_is_installed_counts() -> None:
    talk = Conversation().sent_all()
    talk.hear(DownloadStatus, library_name="ph", success=True, crc_valid=True)
    talk.hear(LibraryInstalled, library_name="ph", version="1.0.0", success=True)
    assert talk.stands(InstallationStatus.INSTALLED)


@pytest.mark.parametrize(
    ("kind", "fields", "status", "reason"),
    [
        (DownloadAbort, {"reason": "no flash"}, InstallationStatus.ABORTED, "no flash"),
        (
            LibraryError,
            {"error_type": "storage", "message": "full"},
            InstallationStatus.FAILED,
            "storage: full",
        ),
        (
            DownloadStatus,
            {"library_name": "ph", "success": False, "crc_valid": False, "error": "crc_mismatch"},
            InstallationStatus.FAILED,
            "crc_mismatch",
        ),
        (
            LibraryInstalled,
            {"library_name": "ph", "version": "", "success": False},
            InstallationStatus.FAILED,
            "could not install",
        ),
    ],
)
def test_the_reason_of_a_device_is_shown(
    kind: type[LibraryAnswer], fields: dict[str, object], status: InstallationStatus, reason: str
) -> None:
    talk = Conversation().sent_all()
    talk.hear(kind, **fields)
    assert talk.stands(status)
    assert reason in talk.error


def test_what_the_broker_did_not_take_costs_no_try() -> None:
    talk = Conversation().begin()
    for _ in range(CHUNK_TRIES * 2):
        assert isinstance(talk.due(), LibraryChunk)
        talk.transfer.not_sent()
    talk.chunk(0)


def test_another_transfer_goes_on_after_what_was_stored() -> None:
    talk = Conversation(status=InstallationStatus.SENDING, chunks_sent=3)
    talk.chunk(3)
    talk.chunk(4)
    assert isinstance(talk.due(), DownloadComplete)
    again = Conversation(status=InstallationStatus.VERIFYING, chunks_sent=CHUNKS)
    assert isinstance(again.due(), DownloadComplete)


class Lossy(RuleBasedStateMachine):
    """Both sides, with a network between them that loses, doubles, reorders and spoils."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.stored = installation()
        self.transfer = LibraryTransfer(installation=self.stored, content=CONTENT)
        self.device = Libraries()
        self.to_device: list[tuple[Topic, bytes]] = []
        self.to_server: list[tuple[Topic, bytes]] = []

    @initialize()
    def begin(self) -> None:
        self.device.connected()

    # ------------------------------------------------------------ both sides speak

    def server_speaks(self) -> None:
        message = self.transfer.due(self.now)
        if message is not None:
            self.transfer.sent(self.now)
            out = payloads.encode(replace(message, kaiser_id="god"))
            self.to_device.append((parsed(out.topic), out.payload))

    def device_speaks(self) -> None:
        for said in self.device.due(self.now.timestamp()):
            topic = Topic(said.kind, "god", ESP)
            self.to_server.append((topic, msgspec.json.encode(said.fields)))

    def device_hears(self, letter: tuple[Topic, bytes]) -> None:
        self.device.hear(letter[0].kind, letter[1], self.now.timestamp())

    def server_hears(self, letter: tuple[Topic, bytes]) -> None:
        message = payloads.decode(*letter, self.now)
        if isinstance(message, LibraryReady):
            if self.transfer.installation.chunks_sent:
                self.anew()
        elif isinstance(message, LibraryAnswer):
            self.transfer.answered(message, self.now)

    def anew(self) -> None:
        if not self.transfer.over:
            self.transfer = self.transfer.anew()

    # ------------------------------------------------------------ what may happen

    @rule(seconds=st.sampled_from([0.0, 1.0, 11.0, 31.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.server_speaks()
        self.device_speaks()

    @precondition(lambda self: self.to_device)
    @rule(
        place=st.integers(0, 99),
        fate=st.sampled_from(["arrive", "arrive", "arrive", "lose", "double", "spoil"]),
    )
    def something_reaches_the_device(self, place: int, fate: str) -> None:
        letter = take(self.to_device, place, fate)
        if fate == "spoil":
            spoiled = letter[1].replace(b'"chunk_data":"', b'"chunk_data":"AAAA')
            self.device_hears((letter[0], spoiled))
        elif fate != "lose":
            self.device_hears(letter)
        self.device_speaks()

    @precondition(lambda self: self.to_server)
    @rule(place=st.integers(0, 99), fate=st.sampled_from(["arrive", "arrive", "lose", "double"]))
    def something_reaches_the_server(self, place: int, fate: str) -> None:
        letter = take(self.to_server, place, fate)
        if fate != "lose":
            self.server_hears(letter)
        self.server_speaks()

    @rule()
    def progress_is_stored(self) -> None:
        self.stored = self.transfer.installation

    @rule()
    def the_server_restarts(self) -> None:
        if not self.transfer.over:
            self.transfer = LibraryTransfer(installation=self.stored, content=CONTENT)

    @rule()
    def the_device_restarts(self) -> None:
        self.device.restart()
        self.device.connected()

    @rule()
    def the_device_gives_up(self) -> None:
        self.device.abort("no flash")

    # ------------------------------------------------------------ what must hold

    @invariant()
    def what_is_installed_is_what_was_sent(self) -> None:
        known = self.transfer.installation
        if known.status is InstallationStatus.INSTALLED:
            assert self.device.installed == {"ph": ("1.0.0", CONTENT)}
        assert (known.error is not None) == (
            known.status.over and known.status is not InstallationStatus.INSTALLED
        )
        assert 0 <= known.chunks_sent <= CHUNKS

    @override
    def teardown(self) -> None:
        """From now on the network is good: the transfer must end, and soon."""
        for _ in range(400):
            if self.transfer.over:
                break
            self.time_passes(1.0)
            while self.to_device and not self.transfer.over:
                self.something_reaches_the_device(0, "arrive")
            while self.to_server and not self.transfer.over:
                self.something_reaches_the_server(0, "arrive")
        assert self.transfer.over
        self.what_is_installed_is_what_was_sent()


def parsed(name: str) -> Topic:
    topic = topics.parse(name)
    assert topic is not None
    return topic


def take(letters: list[tuple[Topic, bytes]], place: int, fate: str) -> tuple[Topic, bytes]:
    """Return one of the letters under way; it stays there, too, if it is doubled."""
    letter = letters.pop(place % len(letters))
    if fate == "double":
        letters.append(letter)
    return letter


TestLossy = Lossy.TestCase
TestLossy.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
