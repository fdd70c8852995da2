"""What can an engine process still do once it is confined?

Linux only: elsewhere every step is skipped and ``Ready.alone`` says so. Each layer is cheap and
unprivileged; DuckDB's own settings come on top (``database``).
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
# Python, DuckDB's code, thread stacks and allocator arenas, above DuckDB's own memory limit.
OVERHEAD_MB = 1_536
MOST_FILES = 64
MEGABYTE = 1_048_576


def at_start(parent: int, memory_mb: int) -> bool:
    """Die with the parent, no new privileges, no core, bounded memory; whether without network.

    Must run before any thread is started.
    """
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_NOFILE, MOST_FILES)
    limit(resource.RLIMIT_AS, (memory_mb + OVERHEAD_MB) * MEGABYTE)
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)
    # A root process may leave the network alone; others need a user namespace for it.
    unshare: Callable[[int], int] = libc.unshare
    return unshare(CLONE_NEWNET) == 0 or unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0


def after_loading() -> None:
    """No file can be opened or grown any more, and nobody may look into this process."""
    limit(resource.RLIMIT_FSIZE, 0)
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    lowest = os.dup(0)
    os.close(lowest)
    limit(resource.RLIMIT_NOFILE, lowest)


def cpu(seconds: int) -> None:
    """End this process when it uses ``seconds`` more of processor time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    total = int(used.ru_utime + used.ru_stime) + seconds + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (total, hard))


def limit(which: int, most: int) -> None:
    """Bound one resource for good; never raises a bound that is already lower."""
    _, hard = resource.getrlimit(which)
    value = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(which, (value, value))
