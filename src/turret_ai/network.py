# SPDX-License-Identifier: Apache-2.0
"""What this host allows to sockets: an uncompressed image has 4 MB."""

from __future__ import annotations

from pathlib import Path

BUFFER_WANTED = 16 * 1024 * 1024
"""Bytes with which such images cross hosts, and reach ROS's tools, without loss."""

_LIMIT = Path("/proc/sys/net/core/rmem_max")


def buffer_limit() -> int | None:
    """The largest receive buffer that a socket may ask for, bytes; None where Linux isn't asked."""
    try:
        return int(_LIMIT.read_text().strip())
    except (OSError, ValueError):
        return None


def buffer_hint() -> str | None:
    """What to do for larger buffers, None where they are large enough."""
    limit = buffer_limit()
    if limit is None or limit >= BUFFER_WANTED:
        return None
    return (
        f"this host limits receive buffers to {limit / 1024:.0f} KiB: uncompressed images may be "
        f"lost between hosts and to ROS's tools; sudo sysctl -w net.core.rmem_max={BUFFER_WANTED}, "
        "or subscribe to camera/image_raw/compressed (docs/runtime.md)"
    )
