"""Who sent a request: the peer of the socket, or whom a trusted proxy names."""

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)

Networks = Sequence[IPv4Network | IPv6Network]


def is_trusted(host: str, proxies: Networks) -> bool:
    """Tell whether an address is one of the proxies; what is no address is not."""
    address = _address(host)
    return address is not None and any(address in network for network in proxies)


def client_of(peer: str, forwarded_for: str, proxies: Networks) -> str:
    """Walk X-Forwarded-For from the right to the first hop that is no proxy of ours.

    What stands left of that hop was written by the client, who may write anything.
    """
    client = peer
    for hop in reversed(forwarded_for.split(",")):
        if not is_trusted(client, proxies):
            break
        address = _address(hop.strip())
        if address is None:
            break
        client = str(address)
    return client


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address; one that IPv6 wraps around IPv4 is the IPv4 address.

    A socket that listens on both families shows each IPv4 peer so. A zone (``%eth0``)
    means something on one machine only, and may hold any text.
    """
    if "%" in text:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
