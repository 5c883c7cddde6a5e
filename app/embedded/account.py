"""Whom a child runs as: a greenhouse often starts as root, and servers refuse to be root."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from app.errors import EmbeddedError


@dataclass(frozen=True, slots=True)
class Account:
    """The system user whom a child runs as."""

    uid: int
    gid: int
    name: str

    @classmethod
    def owning(cls, directory: Path, names: Sequence[str]) -> Self:
        """Choose the user for a directory of data.

        Only root has a choice, and must not run servers as itself: then it is the owner of the
        directory, so that data stays with whoever made it, or the first of some names where
        there is no directory yet.

        Args:
            directory: Where the data is or will be.
            names: Users in order of preference; the last must exist everywhere.

        Returns:
            The user.
        """
        if os.geteuid() != 0:
            return cls._named(os.geteuid(), os.getegid())
        if directory.exists() and (owner := directory.stat()).st_uid != 0:
            return cls._named(owner.st_uid, owner.st_gid)
        known = {entry.pw_name: entry for entry in pwd.getpwall()}
        entry = next(known[name] for name in names if name in known)
        return cls(entry.pw_uid, entry.pw_gid, entry.pw_name)

    @classmethod
    def _named(cls, uid: int, gid: int) -> Self:
        try:
            return cls(uid, gid, pwd.getpwuid(uid).pw_name)
        except KeyError:
            return cls(uid, gid, str(uid))

    def own(self, directory: Path) -> None:
        """Make a directory that is this user's alone; one that exists is handed over."""
        directory.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(directory, self.uid, self.gid)

    def may(self, access: str, path: Path) -> bool:
        """Try whether this user has an access of test(1), `-x` or `-r`, to a path.

        Tried by the kernel, as that user: permission bits alone do not tell (access control
        lists, file systems mounted for one user).
        """
        if os.geteuid() != 0:
            return os.access(path, os.X_OK if access == "-x" else os.R_OK)
        tried = subprocess.run(  # noqa: S603 - our own words and a path, no shell expansion
            ["/bin/sh", "-c", 'test "$0" "$1"', access, str(path)],
            user=self.uid,
            group=self.gid,
            extra_groups=[],
            cwd="/",
            check=False,
            timeout=10,
        )
        return tried.returncode == 0

    def check_reaches(self, directory: Path) -> None:
        """Refuse a directory that this user cannot enter.

        Raises:
            EmbeddedError: Names the first directory on the way that is closed.
        """
        if self.may("-x", directory):
            return
        for path in reversed([directory, *directory.parents]):
            if not self.may("-x", path):
                raise EmbeddedError(
                    f"KAISER_DATA_DIR: the system user {self.name}, as whom the embedded parts "
                    f"run, cannot enter {path}; choose a directory such as "
                    f"/var/lib/god-kaiser, or allow it: chmod o+x {path}"
                )
