"""The beginning and the end of a process's work."""

import gc
from threading import Event

_draining = Event()


def start_draining() -> None:
    """Tell load balancers, by readiness, to send nothing more."""
    _draining.set()


def is_draining() -> bool:
    return _draining.is_set()


def settle_memory() -> None:
    """Collect garbage from now on, but leave alone what was made to begin with.

    It stays for good. It is not collected before, for that takes long and finds next
    to nothing; commands import with the collector off.
    """
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    gc.enable()
