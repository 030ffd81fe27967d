"""What a process may open."""

from __future__ import annotations

SOCKETS = 4_096


def allow_sockets(wanted: int = SOCKETS) -> None:
    """Raise the soft limit of file descriptors where it is lower, as far as the hard one lets it."""
    import resource  # there is none on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
