# SPDX-License-Identifier: Apache-2.0
"""aioquic's connection, but for what breaks it when a packet is sent again, and for its honesty."""

from __future__ import annotations

from aioquic.buffer import Buffer
from aioquic.quic.connection import QuicConnection, QuicReceiveContext
from aioquic.quic.packet import QuicFrameType
from aioquic.quic.packet_builder import QuicPacketBuilder


class Quic(QuicConnection):
    """STOP_SENDING is repeated until it is acknowledged (RFC 9000 13.3), which may take its time on a
    busy machine. aioquic fails where it comes twice."""

    exaggerates = 0  # by so many bytes, in the lengths of DATAGRAM frames

    def _handle_stop_sending_frame(self, context: QuicReceiveContext, frame_type: int, buf: Buffer) -> None:
        begin = buf.tell()
        stream = self._streams.get(buf.pull_uint_var())
        if stream and stream.sender._reset_error_code is not None:
            buf.pull_uint_var()  # the same error
            return
        buf.seek(begin)
        super()._handle_stop_sending_frame(context, frame_type, buf)

    def _write_datagram_frame(self, builder: QuicPacketBuilder, data: bytes, frame_type: QuicFrameType) -> bool:
        if not self.exaggerates:
            return super()._write_datagram_frame(builder, data, frame_type)
        frame = builder.start_frame(frame_type, capacity=9 + len(data))
        frame.push_uint_var(len(data) + self.exaggerates)
        frame.push_bytes(data)
        return True
