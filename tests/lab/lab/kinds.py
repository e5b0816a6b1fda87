# SPDX-License-Identifier: Apache-2.0
"""The labs, by what carries the packets, and by whether Cloudflare's client is there for it."""

from __future__ import annotations

from lab.client import ClientLab
from lab.lab import Lab
from lab.masque import MasqueLab
from lab.relay import RelayLab

KINDS: dict[str, type[Lab]] = {"relay": RelayLab, "masque": MasqueLab}
WITH_CLIENT: dict[str, type[Lab]] = {"relay": RelayLab, "masque": ClientLab}
