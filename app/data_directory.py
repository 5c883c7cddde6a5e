"""The directory that KAISER_DATA_DIR names: all that outlives the process, and nothing else."""

import os
import secrets
from pathlib import Path

from app.errors import StartError

_KEY_BYTES = 48
_SHORTEST_KEY = 32  # bytes; RFC 7518, section 3.2: as long as the hash that signs


def make_data_directory(path: Path) -> None:
    """Make the directory with its parents, and make sure that it can be written.

    What root makes is open to pass through, for PostgreSQL and the broker run as other users.

    Args:
        path: Absolute.

    Raises:
        StartError: It cannot be made or written.
    """
    mode = 0o711 if os.geteuid() == 0 else 0o700
    trial = path / f".trial-{os.getpid()}"
    try:
        for part in reversed([path, *path.parents]):
            if not part.exists():
                part.mkdir(mode=mode, exist_ok=True)
                part.chmod(mode)
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise StartError(
            f"KAISER_DATA_DIR: cannot write in {path}: {error.strerror}; choose another directory"
            f", or make this one yours: sudo install -d -o {os.geteuid()} {path}"
        ) from None


def kept_secret_key(directory: Path) -> str:
    """Return the key that signs tokens, made at the first start.

    Args:
        directory: An existing data directory.

    Returns:
        The key.

    Raises:
        StartError: The file cannot be read, or was cut short.
    """
    path = directory / "secret-key"
    try:
        if not path.exists():
            _write_once(path, secrets.token_urlsafe(_KEY_BYTES))
        key = path.read_text().strip()
    except OSError as error:
        raise StartError(f"KAISER_SECRET_KEY: cannot use {path}: {error.strerror}") from None
    if len(key.encode()) < _SHORTEST_KEY:
        raise StartError(
            f"KAISER_SECRET_KEY: {path} holds fewer than {_SHORTEST_KEY} bytes; remove it for a "
            "new key (everybody has to log in again)"
        )
    return key


def _write_once(path: Path, text: str) -> None:
    """Put a file in place whole; where another process was faster, its file stays."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        os.fsync(descriptor)
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
