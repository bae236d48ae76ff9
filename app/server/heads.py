"""What a request's head must not leave open to interpretation."""

from app.errors import BadRequest

Headers = list[tuple[bytes, bytes]]


def check_head(version: str, target: bytes, headers: Headers) -> None:
    """Refuse a head that a proxy could read in another way (RFC 9112, 3.2 and 11.2).

    The parser has already refused folded lines, bare line feeds, control characters
    and contradicting lengths.
    """
    names = [name for name, _ in headers]
    if version not in ("1.1", "1.0"):
        raise BadRequest("Only HTTP/1.1 and HTTP/1.0 are spoken here.")
    if names.count(b"host") != 1 and (version == "1.1" or b"host" in names):
        raise BadRequest("A request has one Host header.")
    if b"transfer-encoding" in names:
        _check_transfer_encoding(version, headers)
    if target[:1] != b"/":
        _check_absolute_form(target, dict(headers).get(b"host"))
    if b"#" in target:
        raise BadRequest("A request target has no fragment.")


def _check_transfer_encoding(version: str, headers: Headers) -> None:
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    if version == "1.0" or [c.strip().lower() for c in codings] != [b"chunked"]:
        raise BadRequest("The only transfer encoding is chunked, in HTTP/1.1.")


def _check_absolute_form(target: bytes, host: bytes | None) -> None:
    scheme, separator, rest = target.partition(b"://")
    authority, slash, _ = rest.partition(b"/")
    if scheme.lower() not in {b"http", b"https"} or not separator or not slash:
        raise BadRequest("A request target begins with a slash.")
    if host is not None and authority.lower() != host.strip().lower():
        raise BadRequest("The request target and the Host header name two hosts.")


def without_upgrade(
    method: bytes, target: bytes, version: str, headers: Headers
) -> bytes:
    """Write a head anew, but for the header that a server may ignore."""
    fields = [b"%s: %s\r\n" % field for field in headers if field[0] != b"upgrade"]
    line = b"%s %s HTTP/%s\r\n" % (method, target, version.encode())
    return b"".join([line, *fields, b"\r\n"])
