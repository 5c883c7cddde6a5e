"""The backend for several processes: Redis pub/sub, watched closely.

Pub/sub forgets what it could not deliver, redis-py connects again without a word, and
broadcaster's own Redis backend ends for good at the first error. So every message is numbered by
its publisher, every publisher shows that it lives, and whatever may have lost an event is told.
"""

import asyncio
from collections.abc import Awaitable, Callable, Container
from contextlib import suppress
from random import Random
from typing import Any, NoReturn
from uuid import uuid4

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from structlog.typing import FilteringBoundLogger
from typing_extensions import override

from app.event_stream import codec
from app.event_stream.codec import Message, Notice
from app.event_stream.limits import Limits
from app.event_stream.memory_backend import Lost, MemoryBackend, Restored
from app.event_stream.outbox import Outbox
from app.event_stream.peers import Heard, Peers
from domain.events import Event
from domain.ports import Clock
from domain.resilience import Backoff

TOGETHER = 16
"""Messages sent in one go: as much as is encoded without holding up other tasks."""

_log: FilteringBoundLogger = structlog.get_logger()


class RedisBackend(MemoryBackend):
    """Hands events to the relay of this process and, through Redis, to those of the others.

    Own events take no detour through Redis. While Redis is away nothing is promised to anybody,
    since other processes may be saying something that cannot be heard.
    """

    def __init__(
        self,
        url: str,
        wanted: Container[type[object]],
        clock: Clock,
        random: Random,
        limits: Limits,
    ) -> None:
        """Prepare; `run` connects.

        Args:
            url: Where Redis is.
            wanted: The kinds of events that somebody listens to now; no others are decoded.
            clock: Times the ticks and the waits between attempts to connect.
            random: Spreads those waits.
            limits: What may wait, and for how long.

        Raises:
            ValueError: The URL is none for Redis.
        """
        super().__init__(wanted, limits)
        self._url = url
        # Pub/sub ignores the database number; whoever chose another one wants to be apart.
        self._channel = f"god-kaiser:{parse_url(url).get('db', 0)}:events"
        self._clock = clock
        self._random = random
        self._backoff = Backoff()
        self._failures = 0
        self._publisher = uuid4().hex
        self._outbox = Outbox(self._publisher, limits.outbox)
        self._outbox_filled = asyncio.Event()
        self._peers = Peers(limits.silence)

    @property
    @override
    def dropped(self) -> int:
        return self._dropped + self._outbox.dropped

    @override
    async def publish(self, channel: str, message: Event) -> None:
        await super().publish(channel, message)
        self._post(message)

    @override
    async def run(self) -> None:
        """Stay connected until cancelled."""
        while True:
            try:
                await self._session()
            except (RedisError, OSError) as error:
                reason = str(error) or type(error).__name__
            self._failures += 1
            wait = self._backoff.wait(self._failures, self._random)
            await self._told.put(Lost("the connection to Redis was lost", away=True))
            _log.warning("events.redis_lost", reason=reason, retry_in=round(wait, 2))
            await self._clock.sleep(wait)

    async def _session(self) -> NoReturn:
        """Connect, then send and receive until something fails."""
        async with (
            Redis.from_url(
                self._url,
                # Version 3 of the Redis protocol logs every message that is pushed.
                protocol=2,
                # Trying again is for `run`: a connection that heals in secret hides a gap.
                retry=Retry(NoBackoff(), 0, supported_errors=()),
                # Deadlines are ours: redis-py's lose cancellations (wait_for before Python 3.12).
                socket_timeout=None,
                socket_connect_timeout=None,
            ) as redis,
            redis.pubsub() as pubsub,
        ):
            async with asyncio.timeout(self._limits.answer):
                await pubsub.subscribe(self._channel)
                await pubsub.get_message(timeout=None)
            self._peers.forget_all()
            await self._told.put(Restored())
            _log.info("events.redis_connected", channel=self._channel)
            try:
                raise await _first_error(
                    self._show_life,
                    lambda: self._send(redis),
                    lambda: self._receive(pubsub),
                )
            except asyncio.CancelledError:
                await self._say_goodbye(redis)
                raise

    def _post(self, what: Event | Notice) -> None:
        self._outbox.add(what)
        self._outbox_filled.set()

    async def _show_life(self) -> NoReturn:
        while True:
            self._post(Notice.TICK)
            await self._clock.sleep(self._limits.tick)

    async def _send(self, redis: Redis) -> NoReturn:
        while True:
            await self._send_all(redis)
            self._outbox_filled.clear()
            await self._outbox_filled.wait()

    async def _send_all(self, redis: Redis) -> None:
        while batch := self._outbox.oldest(TOGETHER):
            pipeline = redis.pipeline(transaction=False)
            for outgoing in batch:
                pipeline.publish(self._channel, self._outbox.encode(outgoing))
            async with asyncio.timeout(self._limits.answer):
                await pipeline.execute()
            self._outbox.sent(batch)
            self._failures = 0

    async def _say_goodbye(self, redis: Redis) -> None:
        # Otherwise the others could not tell an end from a crash that took events with it.
        with suppress(RedisError, OSError):
            async with asyncio.timeout(self._limits.farewell):
                self._post(Notice.GOODBYE)
                await self._send_all(redis)

    async def _receive(self, pubsub: PubSub) -> NoReturn:
        while True:
            said: dict[str, Any] | None = await pubsub.get_message(timeout=self._limits.silence)
            if said is None:
                raise RedisConnectionError(
                    f"not even our own ticks came for {self._limits.silence:.0f} s"
                )
            if said["type"] != "message":
                raise RedisConnectionError("redis-py connected again by itself")
            try:
                await self._hear(codec.open_message(said["data"]))
            except ValueError as error:
                self._note_unreadable(error)

    async def _hear(self, message: Message) -> None:
        if message.publisher == self._publisher:
            if self._peers.forget_silent(self._clock.monotonic()):
                await self._told.put(Lost("another server process went away without a word"))
            return
        heard = self._peers.hear(message, self._clock.monotonic())
        if heard is Heard.GAP:
            await self._told.put(Lost("events of another server process were lost"))
        kind = codec.event_kind(message)
        if kind is None or kind not in self._wanted or heard is Heard.AGAIN:
            return
        try:
            event = codec.decode(message, kind)
        except ValueError:
            await self._told.put(Lost("an event of another server process cannot be read"))
            raise
        await self._told.put(event)

    def _note_unreadable(self, error: ValueError) -> None:
        self.unreadable += 1
        if self.unreadable == 1:
            _log.warning("events.unreadable", channel=self._channel, reason=str(error))


async def _first_error(*jobs: Callable[[], Awaitable[NoReturn]]) -> Exception:
    """Run jobs until one of them loses Redis, and return its error.

    A plain TaskGroup would raise that error even when it was cancelled at the same moment, as
    happens when server and Redis are stopped together, and the cancellation would be forgotten.
    """
    broken: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    async def run(job: Callable[[], Awaitable[NoReturn]]) -> None:
        try:
            await job()
        except (RedisError, OSError) as error:
            if not broken.done():
                broken.set_result(error)

    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(run(job)) for job in jobs]
        error = await broken
        for task in running:
            task.cancel()
    return error
