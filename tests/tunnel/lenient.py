# SPDX-License-Identifier: Apache-2.0
"""aioquic's connection, but for what breaks it when a packet is sent again."""

from __future__ import annotations

from aioquic.buffer import Buffer
from aioquic.quic.connection import QuicConnection, QuicReceiveContext


class Quic(QuicConnection):
    """STOP_SENDING is repeated until it is acknowledged (RFC 9000 13.3), which may take its time on a
    busy machine. aioquic fails where it comes twice."""

    def _handle_stop_sending_frame(self, context: QuicReceiveContext, frame_type: int, buf: Buffer) -> None:
        begin = buf.tell()
        stream = self._streams.get(buf.pull_uint_var())
        if stream and stream.sender._reset_error_code is not None:
            buf.pull_uint_var()  # the same error
            return
        buf.seek(begin)
        super()._handle_stop_sending_frame(context, frame_type, buf)
