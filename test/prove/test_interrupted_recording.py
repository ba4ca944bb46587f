# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C completes a recording, whatever still waits for the disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from turret_ai.prove.bag import Bag
from turret_ai.ros import RUNTIME, Context, Node, qos, spin_until
from turret_ai.ros.interfaces import Transcript

DOMAIN = os.getpid() % 90 + (101 if RUNTIME == "dds" else 1)


def test_ctrl_c_completes_the_bag(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "turret_ai.cli.app", "record", "--quiet"]
    process = subprocess.Popen(
        [*command, "--output", str(tmp_path / "bag")],
        env={**os.environ, "ROS_DOMAIN_ID": str(DOMAIN)},
    )
    context = Context(domain_id=DOMAIN)
    try:
        sender = Node("sender", context=context)
        publisher = sender.create_publisher(Transcript, "transcript", qos.STAGE)
        assert spin_until(publisher.get_subscription_count, sender, timeout=30.0)
        for i in range(50):
            publisher.publish(Transcript(utterance_id=f"u{i}"))
        spin_until(lambda: False, sender, timeout=1.0)
        process.send_signal(signal.SIGINT)
        assert process.wait(30.0) == 0
    finally:
        process.kill()
        context.close()
    time.sleep(0.1)
    with Bag(tmp_path / "bag") as bag:
        assert bag.problems == []
        assert bag.topics["/transcript"].count == 50
