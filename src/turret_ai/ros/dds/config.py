# SPDX-License-Identifier: Apache-2.0
"""What the environment says about the domain, and the settings that we give to Cyclone DDS."""

from __future__ import annotations

import os
import socket
import sys
from xml.sax.saxutils import quoteattr

from turret_ai.errors import ConfigError

RECEIVE_BUFFER = "16MB"
"""Asked of the socket; the host grants up to net.core.rmem_max. An image has 4 MB."""

BASE = (
    "<CycloneDDS><Domain><General>"
    "<MaxMessageSize>65500B</MaxMessageSize><FragmentSize>64000B</FragmentSize>"
    "</General><Internal>"
    # only `max`: with `min` above the host's limit no participant could be created
    f'<SocketReceiveBufferSize max="{RECEIVE_BUFFER}"/>'
    "</Internal></Domain></CycloneDDS>"
)
"""Large fragments: an image is 63 datagrams, not 3000."""

_LOOPBACK = (
    '<Interfaces><NetworkInterface autodetermine="true"/>'
    '<NetworkInterface address="127.0.0.1"/></Interfaces>'
)
"""ROS 2 Jazzy's Cyclone announces itself to 127.0.0.1 only; ours ignores what comes in by an
interface that it doesn't use, so a ROS process that starts later would never be found."""

RANGES = ("SUBNET", "LOCALHOST", "OFF", "SYSTEM_DEFAULT")


def domain_id() -> int:
    """ROS_DOMAIN_ID, 0 if unset.

    Raises:
        ConfigError: it is not a number in 0..232.
    """
    text = os.environ.get("ROS_DOMAIN_ID", "").strip() or "0"
    if not text.isdecimal() or int(text) > 232:
        raise ConfigError(f"ROS_DOMAIN_ID={text}: must be a number in 0..232")
    return int(text)


def discovery_range() -> str:
    """ROS_AUTOMATIC_DISCOVERY_RANGE, or LOCALHOST where the older ROS_LOCALHOST_ONLY is 1.

    Raises:
        ConfigError: it is none of ROS's values.
    """
    text = os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "").strip().upper()
    if os.environ.get("ROS_LOCALHOST_ONLY", "").strip() == "1":
        return "LOCALHOST"
    if text and text not in RANGES:
        raise ConfigError(
            f"ROS_AUTOMATIC_DISCOVERY_RANGE={text}: must be one of {', '.join(RANGES)}"
        )
    return text or "SUBNET"


def static_peers() -> list[str]:
    """The hosts of ROS_STATIC_PEERS; one that can't be used is said on stderr and left out.

    Cyclone would end the process at a name that it can't resolve.
    """
    found = []
    for peer in os.environ.get("ROS_STATIC_PEERS", "").split(";"):
        peer = peer.strip()
        problem = _problem(peer) if peer else ""
        if problem:
            print(f"ROS_STATIC_PEERS: {peer[:80]!r} is left out: {problem}", file=sys.stderr)
        elif peer:
            found.append(peer)
    return found


def _problem(peer: str) -> str:
    """Why Cyclone would not take a peer's address, "" if it would."""
    host, colon, port = peer.removeprefix("udp/").partition(":")
    if colon and not (port.isdecimal() and int(port) < 65536):
        return "it is neither HOST nor HOST:PORT (IPv4)"
    try:
        socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_DGRAM)
    except (OSError, ValueError) as error:  # ValueError: a name that no host can have
        return f"no host of that name is known here ({getattr(error, 'strerror', None) or error})"
    return ""


def cyclone_config(loopback: bool = True) -> str:
    """Cyclone's configuration: our defaults, then discovery as ROS asks, then the user's own.

    What comes later wins, so CYCLONEDDS_URI overrides everything here.

    loopback: with LOCALHOST, listen on the loopback interface too. Not possible where it is the
        only interface.

    Raises:
        ConfigError: ROS_AUTOMATIC_DISCOVERY_RANGE is none of ROS's values.
    """
    reach = discovery_range()
    peers = []
    if reach in ("SUBNET", "LOCALHOST"):
        peers = static_peers()
    own = os.environ.get("CYCLONEDDS_URI", "").strip()
    general = discovery = ""
    if reach in ("LOCALHOST", "OFF"):
        general = "<AllowMulticast>false</AllowMulticast>"
    if loopback and reach == "LOCALHOST" and "NetworkInterface" not in own:
        general += _LOOPBACK
    if reach == "OFF":
        # A tag of our own hides the process from everybody.
        discovery = (
            f"<ParticipantIndex>none</ParticipantIndex><Tag>ros_discovery_off_{os.getpid()}</Tag>"
        )
    elif reach in ("SUBNET", "LOCALHOST"):
        discovery = (
            "<ParticipantIndex>auto</ParticipantIndex>"
            "<MaxAutoParticipantIndex>32</MaxAutoParticipantIndex>"
        )
        if reach == "LOCALHOST":
            peers = ["127.0.0.1", *peers]
    if peers:
        listed = "".join(f"<Peer address={quoteattr(peer)}/>" for peer in peers)
        discovery += f"<Peers>{listed}</Peers>"
    parts = [BASE]
    if general or discovery:
        parts.append(
            f"<CycloneDDS><Domain><General>{general}</General>"
            f"<Discovery>{discovery}</Discovery></Domain></CycloneDDS>"
        )
    if own:
        parts.append(own)
    return ",".join(parts)
