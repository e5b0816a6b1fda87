# SPDX-License-Identifier: Apache-2.0
"""Messages that have been read in more than one way by somebody, for test_differential.py.

Each is what a client sends on a connection of its own; `LAST` follows it. `allow` says for which
oracle another reading than ours is expected, and why ours stands: ours is then the only one that
the message may have by RFC 9110 and 9112, or the oracle takes more out of it than it must.
"""

from __future__ import annotations

from typing import NamedTuple

LAST = b"GET /last HTTP/1.1\r\nHost: a.internal\r\nConnection: close\r\n\r\n"
HOST = b"Host: a.internal\r\n"


class Case(NamedTuple):
    """One of the table."""

    data: bytes
    allow: dict[str, str] = {}


def get(fields: bytes = b"", target: bytes = b"/x", version: bytes = b"1.1") -> bytes:
    return b"GET " + target + b" HTTP/" + version + b"\r\n" + HOST + fields + b"\r\n"


def post(fields: bytes, body: bytes = b"", version: bytes = b"1.1") -> bytes:
    return b"POST /x HTTP/" + version + b"\r\n" + HOST + fields + b"\r\n" + body


CHUNKED = b"Transfer-Encoding: chunked\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a.internal\r\n\r\n"
END = b"0\r\n\r\n"
HIDDEN = b"%x\r\n" % len(SMUGGLED) + SMUGGLED + b"\r\n" + END


def chunks(*lines: bytes) -> bytes:
    return post(CHUNKED, b"".join(lines))


TABS = {"nginx": "takes no tabs around a value, which RFC 9110 5.6.3 has as blanks"}

CASES: dict[str, Case] = {
    # What is plain.
    "get": Case(get()),
    "get-query": Case(get(target=b"/x?a=b&c=%20d")),
    "head": Case(b"HEAD /x HTTP/1.1\r\n" + HOST + b"\r\n"),
    "delete": Case(b"DELETE /x HTTP/1.1\r\n" + HOST + b"\r\n"),
    "own-method": Case(b"FROB /x HTTP/1.1\r\n" + HOST + b"\r\n"),
    "method-small": Case(
        b"get /x HTTP/1.1\r\n" + HOST + b"\r\n",
        {"nginx": "takes no small letters in a method, which any token may be"},
    ),
    "pipelined": Case(get() + get(target=b"/y") + get(target=b"/z")),
    "length": Case(post(b"Content-Length: 5\r\n", b"hello")),
    "length-zero": Case(post(b"Content-Length: 0\r\n")),
    "no-length": Case(post(b"")),
    "get-with-body": Case(get(b"Content-Length: 5\r\n") + b"hello"),
    "chunked": Case(chunks(b"5\r\nhello\r\n", END)),
    "chunked-many": Case(chunks(b"1\r\na\r\n", b"0a\r\n0123456789\r\n", b"00F\r\n0123456789abcde\r\n", END)),
    "trailer": Case(chunks(b"5\r\nhello\r\n0\r\nX-T: a\r\n\r\n")),
    "blanks-in-value": Case(get(b"X:  \t a b \t \r\n")),
    "empty-value": Case(get(b"X:\r\n")),
    "twice": Case(get(b"X: a\r\nX: b\r\n")),
    "latin-value": Case(get(b"X: \xe4\r\n")),
    "1.0": Case(get(version=b"1.0", fields=b"Connection: keep-alive\r\n")),
    "absolute": Case(get(target=b"http://a.internal/x?y")),
    "crlf-before": Case(b"\r\n" + get()),
    # Lengths.
    "length-twice": Case(post(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello")),
    "length-differs": Case(post(b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(SMUGGLED), SMUGGLED)),
    "length-list": Case(post(b"Content-Length: 5, 5\r\n", b"hello")),
    "length-plus": Case(post(b"Content-Length: +5\r\n", b"hello")),
    "length-minus": Case(post(b"Content-Length: -1\r\n")),
    "length-hex": Case(post(b"Content-Length: 0x5\r\n", b"hello")),
    "length-zeros": Case(post(b"Content-Length: 00000005\r\n", b"hello")),
    "length-empty": Case(post(b"Content-Length:\r\n", b"")),
    "length-fraction": Case(post(b"Content-Length: 5.0\r\n", b"hello")),
    "length-comma": Case(post(b"Content-Length: 5,\r\n", b"hello")),
    "length-huge": Case(post(b"Content-Length: 18446744073709551621\r\n", b"hello")),
    "length-underscore": Case(post(b"Content_Length: 5\r\n", b"")),
    "length-tab": Case(post(b"Content-Length:\t5\t\r\n", b"hello"), TABS),
    "length-feed": Case(post(b"Content-Length: 5\x0b\r\n", b"hello")),
    "length-blank-name": Case(post(b"Content-Length : 5\r\n", b"hello")),
    "length-nominated": Case(post(b"Connection: Content-Length\r\nContent-Length: %d\r\n" % len(SMUGGLED), SMUGGLED)),
    # Codings.
    "coding-and-length": Case(post(CHUNKED + b"Content-Length: 5\r\n", END)),
    "length-and-coding": Case(post(b"Content-Length: %d\r\n" % len(END + SMUGGLED) + CHUNKED, END + SMUGGLED)),
    "coding-twice": Case(post(CHUNKED + CHUNKED, END)),
    "coding-list": Case(post(b"Transfer-Encoding: chunked, chunked\r\n", END)),
    "coding-gzip": Case(post(b"Transfer-Encoding: gzip, chunked\r\n", END)),
    "coding-not-last": Case(post(b"Transfer-Encoding: chunked, gzip\r\n", END)),
    "coding-identity": Case(post(b"Transfer-Encoding: identity\r\n", b"")),
    "coding-identity-length": Case(post(b"Transfer-Encoding: identity\r\nContent-Length: 5\r\n", b"hello")),
    "coding-x": Case(post(b"Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n", END)),
    "coding-case": Case(post(b"transfer-encoding: CHUNKED\r\n", b"5\r\nhello\r\n" + END)),
    "coding-quoted": Case(post(b'Transfer-Encoding: "chunked"\r\n', END)),
    "coding-parameter": Case(post(b"Transfer-Encoding: chunked;a=b\r\n", END)),
    "coding-empty": Case(post(b"Transfer-Encoding:\r\n", END)),
    "coding-comma": Case(post(b"Transfer-Encoding: ,chunked\r\n", END)),
    "coding-tab": Case(post(b"Transfer-Encoding:\tchunked\r\n", b"5\r\nhello\r\n" + END), TABS),
    "coding-feed": Case(post(b"Transfer-Encoding: \x0bchunked\r\nContent-Length: 5\r\n", END)),
    "coding-blank-name": Case(post(b"Transfer-Encoding : chunked\r\nContent-Length: 5\r\n", END)),
    "coding-folded": Case(post(b"Transfer-Encoding:\r\n chunked\r\n", END)),
    "coding-underscore": Case(post(b"Transfer_Encoding: chunked\r\n")),
    "coding-1.0": Case(post(CHUNKED, END, version=b"1.0")),
    "coding-1.0-length": Case(post(CHUNKED + b"Content-Length: 5\r\n", END, version=b"1.0")),
    "coding-nominated": Case(post(CHUNKED + b"Connection: Transfer-Encoding\r\n", HIDDEN)),
    "coding-get": Case(get(CHUNKED) + b"5\r\nhello\r\n" + END),
    # Chunks.
    "chunk-0x": Case(chunks(b"0x5\r\nhello\r\n", END)),
    "chunk-plus": Case(chunks(b"+5\r\nhello\r\n", END)),
    "chunk-minus": Case(chunks(b"-1\r\n", END)),
    "chunk-blank-before": Case(chunks(b" 5\r\nhello\r\n", END)),
    "chunk-blank-behind": Case(chunks(b"5 \r\nhello\r\n", END)),
    "chunk-tab": Case(chunks(b"5\t\r\nhello\r\n", END)),
    "chunk-empty": Case(chunks(b"\r\nhello\r\n", END)),
    "chunk-word": Case(chunks(b"g\r\nhello\r\n", END)),
    "chunk-overflow": Case(chunks(b"10000000000000005\r\nhello\r\n", END)),
    "chunk-32-bits": Case(chunks(b"100000005\r\nhello\r\n", END)),
    "chunk-zeros": Case(chunks(b"000000000000005\r\nhello\r\n", END)),
    "chunk-long": Case(chunks(b"5\r\nhelloX\r\n", END)),
    "chunk-short": Case(chunks(b"5\r\nhell\r\n", END)),
    "chunk-lf": Case(chunks(b"5\nhello\n0\n\n")),
    "chunk-lf-end": Case(chunks(b"5\r\nhello\n0\r\n\r\n")),
    "chunk-cr": Case(chunks(b"5\rhello\r0\r\r")),
    "chunk-extension": Case(chunks(b"5;a=b\r\nhello\r\n", END)),
    "chunk-extension-bare": Case(chunks(b"5;a\r\nhello\r\n", END)),
    "chunk-extension-empty": Case(chunks(b"5;\r\nhello\r\n", END)),
    "chunk-extension-quoted": Case(chunks(b'5;a="b\\"c;d"\r\nhello\r\n', END)),
    "chunk-extension-lf": Case(chunks(b"5;a\nb\r\nhello\r\n", END)),
    "chunk-extension-cr": Case(chunks(b"5;a\rb\r\nhello\r\n", END)),
    "chunk-extension-blank": Case(chunks(b"5 ;a=b\r\nhello\r\n", END)),
    "chunk-extension-nul": Case(chunks(b"5;a=\0\r\nhello\r\n", END)),
    "last-extension": Case(chunks(b"5\r\nhello\r\n0;a=b\r\n\r\n")),
    "last-twice": Case(chunks(b"5\r\nhello\r\n00\r\n\r\n")),
    "trailer-length": Case(chunks(b"0\r\nContent-Length: 44\r\n\r\n")),
    "trailer-lf": Case(chunks(b"0\r\nX: a\nY: b\r\n\r\n")),
    "trailer-folded": Case(chunks(b"0\r\nX: a\r\n b\r\n\r\n")),
    "trailer-no-colon": Case(chunks(b"0\r\nGET /smuggled HTTP/1.1\r\n\r\n")),
    # Lines.
    "bare-lf": Case(b"GET /x HTTP/1.1\nHost: a.internal\n\n"),
    "bare-lf-field": Case(get(b"X: a\nY: b\r\n")),
    "bare-cr-field": Case(get(b"X: a\rY: b\r\n")),
    "bare-lf-end": Case(b"GET /x HTTP/1.1\r\nHost: a.internal\r\n\n"),
    "cr-cr": Case(b"GET /x HTTP/1.1\r\nHost: a.internal\r\n\r\r\n"),
    "folded": Case(get(b"X: a\r\n b\r\n")),
    "folded-first": Case(b"GET /x HTTP/1.1\r\n X: a\r\nHost: a.internal\r\n\r\n"),
    "no-colon": Case(get(b"X\r\n")),
    "no-name": Case(get(b": a\r\n")),
    "blank-before-colon": Case(get(b"X : a\r\n")),
    "blank-before-name": Case(get(b"Y: b\r\n X: a\r\n")),
    "nul-in-value": Case(get(b"X: a\0b\r\n")),
    "nul-in-name": Case(get(b"X\0: a\r\n")),
    "control-in-value": Case(get(b"X: a\x01b\r\n")),
    "delete-in-value": Case(get(b"X: a\x7fb\r\n")),
    "odd-name": Case(get(b"X[]: a\r\n")),
    "lf-before": Case(b"\n" + get()),
    "crlf-twice-before": Case(b"\r\n\r\n" + get()),
    "blank-line": Case(b"GET  /x HTTP/1.1\r\n" + HOST + b"\r\n"),
    "blank-at-end": Case(b"GET /x HTTP/1.1 \r\n" + HOST + b"\r\n"),
    "tabs-in-line": Case(b"GET\t/x\tHTTP/1.1\r\n" + HOST + b"\r\n"),
    "feed-in-line": Case(b"GET /x\x0bHTTP/1.1\r\n" + HOST + b"\r\n"),
    "blank-in-target": Case(get(target=b"/x y")),
    "no-version": Case(b"GET /x\r\n"),
    "version-2": Case(get(version=b"2.0")),
    "version-1.2": Case(get(version=b"1.2")),
    "version-01": Case(get(version=b"01.1")),
    "version-1.10": Case(get(version=b"1.10")),
    "version-small": Case(b"GET /x http/1.1\r\n" + HOST + b"\r\n"),
    "preface-h2": Case(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    # Hosts and targets.
    "no-host": Case(b"GET /x HTTP/1.1\r\n\r\n"),
    "no-host-1.0": Case(b"GET /x HTTP/1.0\r\n\r\n"),
    "host-twice": Case(get(b"Host: a.internal\r\n")),
    "host-differs": Case(get(b"Host: b.internal\r\n")),
    "host-empty": Case(b"GET /x HTTP/1.1\r\nHost:\r\n\r\n"),
    "host-user": Case(b"GET /x HTTP/1.1\r\nHost: u@a.internal\r\n\r\n"),
    "host-slash": Case(b"GET /x HTTP/1.1\r\nHost: a.internal/y\r\n\r\n"),
    "host-list": Case(b"GET /x HTTP/1.1\r\nHost: a.internal, b\r\n\r\n"),
    "host-port": Case(b"GET /x HTTP/1.1\r\nHost: a.internal:80\r\n\r\n"),
    "host-ports": Case(b"GET /x HTTP/1.1\r\nHost: a.internal:80:81\r\n\r\n"),
    "host-nominated": Case(get(b"Connection: Host\r\n")),
    "host-blank-name": Case(b"GET /x HTTP/1.1\r\nHost : a.internal\r\n\r\n"),
    "absolute-differs": Case(get(target=b"http://b.internal/x")),
    "absolute-user": Case(get(target=b"http://a.internal@b/x")),
    "absolute-case": Case(get(target=b"HTTP://A.internal/x")),
    "absolute-https": Case(get(target=b"https://a.internal/x")),
    "absolute-bare": Case(
        get(target=b"http://a.internal?y"),
        {"haproxy": "asks for a path, which RFC 3986 3.3 lets be empty behind an authority"},
    ),
    "absolute-other": Case(get(target=b"ftp://a.internal/x")),
    "authority": Case(get(target=b"a.internal:80")),
    "asterisk": Case(get(target=b"*")),
    "relative": Case(get(target=b"x")),
    "dots": Case(get(target=b"/a/../x")),
    "dots-escaped": Case(get(target=b"/a/%2e%2e/x")),
    "slashes": Case(get(target=b"//x//y")),
    "slash-escaped": Case(get(target=b"/a%2fx")),
    "backslash": Case(get(target=b"/a\\x")),
    "nul-escaped": Case(get(target=b"/a%00x")),
    "escape-cut": Case(get(target=b"/a%4")),
    "escape-none": Case(get(target=b"/a%zz")),
    "escape-letter": Case(get(target=b"/%61%7E%2D")),
    "fragment": Case(get(target=b"/x#y")),
    "latin-target": Case(get(target=b"/\xe4")),
    "latin-query": Case(get(target=b"/x?\xe4")),
    "quote-in-target": Case(get(target=b'/x"<y>')),
    "connect": Case(b"CONNECT a.internal:80 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "trace": Case(b"TRACE /x HTTP/1.1\r\n" + HOST + b"\r\n"),
    # What ends here.
    "expect": Case(post(b"Content-Length: 5\r\nExpect: 100-continue\r\n", b"hello")),
    "expect-other": Case(post(b"Content-Length: 5\r\nExpect: 200-ok\r\n", b"hello")),
    "expect-get": Case(get(b"Expect: 100-continue\r\n")),
    "upgrade-h2c": Case(get(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n")),
    "upgrade-body": Case(post(b"Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: %d\r\n" % len(SMUGGLED), SMUGGLED)),
    "close": Case(get(b"Connection: close\r\n")),
    "nominated": Case(
        get(b"Connection: X\r\nX: a\r\n"),
        dict.fromkeys(("nginx", "haproxy"), "passes what Connection names, against RFC 9110 7.6.1"),
    ),
    "range": Case(get(b"Range: bytes=0-1\r\nX: bytes\r\n")),
}  # fmt: skip
