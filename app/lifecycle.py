"""Whether this process is on its way out."""

from threading import Event

_draining = Event()


def start_draining() -> None:
    """Tell load balancers, by readiness, to send nothing more."""
    _draining.set()


def is_draining() -> bool:
    return _draining.is_set()
