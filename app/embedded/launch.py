"""Becomes another program that ends when its parent does.

A small program of its own (`python -I -S launch.py ...`) because what it does has to happen
between fork and exec, and Python code in a forked copy of a process with threads can deadlock.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1  # from <linux/prctl.h>


def tie(parent: int, death_signal: int, uid: int, gid: int) -> None:
    """Give up root, and ask the kernel for a signal when the parent ends.

    The order matters: changing the user clears the wish for a signal.

    Args:
        parent: Process id of the parent.
        death_signal: Number of the signal.
        uid: The user to become; root only, anybody else stays who they are.
        gid: The group to become.

    Raises:
        OSError: The kernel refused.
        SystemExit: The parent had ended before the kernel was asked.
    """
    os.umask(0o077)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    if os.getppid() != parent:
        sys.exit("the parent ended first")


def main() -> None:
    """Read `parent signal uid gid program argument...` and become the program."""
    parent, death_signal, uid, gid = (int(word) for word in sys.argv[1:5])
    program = sys.argv[5:]
    tie(parent, death_signal, uid, gid)
    os.execv(program[0], program)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
