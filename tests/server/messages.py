"""Requests as they are on the wire."""

HOST = b"Host: localhost\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"


def post(*headers: bytes, body: bytes = b"", path: bytes = b"/") -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return b"POST " + path + b" HTTP/1.1\r\n" + HOST + lines + b"\r\n" + body


def get(*headers: bytes, target: bytes = b"/", host: bytes = HOST) -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return b"GET " + target + b" HTTP/1.1\r\n" + host + lines + b"\r\n"


CHUNKED = b"Transfer-Encoding: chunked"

BROKEN = {
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "the hello of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "noise": bytes(range(256)),
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/2.0 in the request line": b"GET / HTTP/2.0\r\n" + HOST + b"\r\n",
    "an unknown version": b"GET / HTTP/1.2\r\n" + HOST + b"\r\n",
    "an unknown method": b"BREW / HTTP/1.1\r\n" + HOST + b"\r\n",
    "no host": get(host=b""),
    "two hosts": get(b"Host: elsewhere"),
    "the same host twice": get(b"Host: localhost"),
    "two hosts in HTTP/1.0": b"GET / HTTP/1.0\r\n" + HOST + HOST + b"\r\n",
    "two hosts by an absolute target": get(target=b"http://elsewhere/"),
    "a user before the host": get(target=b"http://me@localhost/"),
    "an absolute target without a path": get(target=b"http://localhost"),
    "another scheme": get(target=b"ftp://localhost/"),
    "CONNECT": b"CONNECT localhost:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    "CONNECT to a path": b"CONNECT / HTTP/1.1\r\n" + HOST + b"\r\n",
    "OPTIONS for the server": b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    "a target without a slash": get(target=b"localhost:80"),
    "a fragment in the target": get(target=b"/a#b"),
    "a raw byte in the target": get(target=b"/\xff"),
    "NUL in the target": get(target=b"/\x00"),
    "NUL in a header": get(b"A: b\x00c"),
    "NUL in a header's name": get(b"A\x00: b"),
    "CR in a header": get(b"A: b\rc"),
    "a folded header": get(b"A: b\r\n c"),
    "a space before the colon": get(b"A : b"),
    "a header without a name": get(b": b"),
    "bare line feeds": b"GET / HTTP/1.1\nHost: localhost\n\n",
    "a bare line feed after a header": get(b"A: b\nB: c"),
    "two lengths": post(b"Content-Length: 1", b"Content-Length: 1", body=b"a"),
    "a list of lengths": post(b"Content-Length: 1, 1", body=b"a"),
    "a negative length": post(b"Content-Length: -1"),
    "a signed length": post(b"Content-Length: +1", body=b"a"),
    "an empty length": post(b"Content-Length:"),
    "a huge length": post(b"Content-Length: " + b"9" * 30),
    "length and chunks": post(b"Content-Length: 5", CHUNKED, body=b"0\r\n\r\n"),
    "chunks and length": post(CHUNKED, b"Content-Length: 5", body=b"0\r\n\r\n"),
    "chunks twice": post(CHUNKED, CHUNKED, body=b"0\r\n\r\n"),
    "chunks that are not last": post(b"Transfer-Encoding: chunked, gzip"),
    "an unknown coding": post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
    "a second coding": post(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
    "chunks in HTTP/1.0": b"POST / HTTP/1.0\r\n" + CHUNKED + b"\r\n\r\n0\r\n\r\n",
    "a bad chunk size": post(CHUNKED, body=b"zz\r\n"),
    "a negative chunk size": post(CHUNKED, body=b"-1\r\n"),
    "a huge chunk size": post(CHUNKED, body=b"f" * 17 + b"\r\n"),
    "a chunk longer than its size": post(CHUNKED, body=b"1\r\nab\r\n0\r\n\r\n"),
    "chunks with bare line feeds": post(CHUNKED, body=b"1\na\n0\n\n"),
}
