# SPDX-License-Identifier: Apache-2.0
"""CONNECT-IP (RFC 9484) above aioquic: written from the RFCs, knowing nothing of gateway/tunnel."""
