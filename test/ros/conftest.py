"""Every test of this folder has a DDS domain of its own, kept to this machine."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import pytest

_domains = itertools.count(os.getpid() % 90 + 10)


@pytest.fixture(autouse=True)
def domain(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A private ROS_DOMAIN_ID; the plain runtime's default context is new for each test."""
    number = 10 + next(_domains) % 90
    monkeypatch.setenv("ROS_DOMAIN_ID", str(number))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    monkeypatch.delenv("CYCLONEDDS_URI", raising=False)
    yield number
    from turret_ai.ros import RUNTIME

    if RUNTIME == "dds":
        from turret_ai.ros.dds import context

        if context._default is not None:
            context._default.close()
            context.set_default_context(None)
