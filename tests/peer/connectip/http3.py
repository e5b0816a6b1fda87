# SPDX-License-Identifier: Apache-2.0
"""aioquic's HTTP/3 with SETTINGS as a test wants them, and what of it the tests look at."""

from __future__ import annotations

from aioquic.buffer import Buffer, encode_uint_var
from aioquic.h3.connection import (
    FrameType,
    H3Connection,
    Setting,
    StreamType,
    encode_frame,
    encode_settings,
)
from aioquic.quic.connection import QuicConnection

GREASE = 0x21  # 0x1f * N + 0x21: RFC 9114 7.2.8, 6.2.3, 7.2.4.1
GREASE_FAR = 0x1F * 1_000_000_007 + 0x21

CLIENT_SETTINGS = {Setting.H3_DATAGRAM: 1}
PROXY_SETTINGS = {Setting.ENABLE_CONNECT_PROTOCOL: 1, Setting.H3_DATAGRAM: 1}


class Http(H3Connection):
    """`settings` None: they are sent later, by send_settings."""

    def __init__(self, quic: QuicConnection, settings: dict[int, int] | None) -> None:
        self.settings = settings
        self.goaway: list[int] = []
        super().__init__(quic)

    @property
    def theirs(self) -> dict[int, int] | None:
        """The other side's settings, once they are here."""
        return self._received_settings

    @property
    def control(self) -> int:
        assert self._local_control_stream_id is not None
        return self._local_control_stream_id

    def _init_connection(self) -> None:
        self._local_control_stream_id = self._create_uni_stream(StreamType.CONTROL)
        self._local_encoder_stream_id = self._create_uni_stream(StreamType.QPACK_ENCODER)
        self._local_decoder_stream_id = self._create_uni_stream(StreamType.QPACK_DECODER)
        if self.settings is not None:
            self.send_settings(self.settings)

    def send_settings(self, settings: dict[int, int]) -> None:
        self._sent_settings = settings
        frame = encode_frame(FrameType.SETTINGS, encode_settings(settings))
        self._quic.send_stream_data(self.control, frame)

    def send_goaway(self, stream: int) -> None:
        self._quic.send_stream_data(self.control, encode_frame(FrameType.GOAWAY, encode_uint_var(stream)))

    def _handle_control_frame(self, frame_type: int, frame_data: bytes) -> None:
        super()._handle_control_frame(frame_type, frame_data)
        if frame_type == FrameType.GOAWAY:
            self.goaway.append(Buffer(data=frame_data).pull_uint_var())
