# SPDX-License-Identifier: Apache-2.0
"""The chain spread over two hosts: two network namespaces joined by a virtual cable."""

import os
import shutil
import subprocess
import sys

import pytest
from probe import free_domain

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="needs ip (package iproute2)"),
]


def ip(*words):
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True, timeout=20)


@pytest.fixture
def hosts():
    """Names of two namespaces that reach one another at 10.213.7.1 and .2."""
    names = [f"turret{os.getpid()}{side}" for side in "ab"]
    try:
        for name in names:
            ip("netns", "add", name)
        ends = [f"v{os.getpid()}{side}" for side in "ab"]
        ip("link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
        for number, (name, end) in enumerate(zip(names, ends, strict=True), start=1):
            ip("link", "set", end, "netns", name)
            ip("-n", name, "addr", "add", f"10.213.7.{number}/24", "dev", end)
            ip("-n", name, "link", "set", end, "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield names
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no network namespaces here: {error.stderr.strip()}")
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, timeout=20)


def test_turns_complete_with_the_locator_on_another_host(hosts, tmp_path):
    environment = {
        **os.environ,
        "ROS_DOMAIN_ID": str(free_domain()),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET",
    }
    environment.pop("ROS_LOCALHOST_ONLY", None)
    far = subprocess.Popen(
        ["ip", "netns", "exec", hosts[1], sys.executable, "-m", "turret_ai.nodes.main", "locator"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        near = subprocess.run(
            [
                *("ip", "netns", "exec", hosts[0], sys.executable, "-m", "turret_ai.cli.app"),
                *("demo", "--scene", "harbour", "--turns", "2"),
                *("--report", str(tmp_path / "report"), "without:=locator"),
            ],
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
        )
    finally:
        far.terminate()
        log = far.communicate(timeout=10)[0]
    assert near.returncode == 0, near.stdout + near.stderr + log
    assert "FOUND" in log
    assert near.stdout.count("AIMED") >= 1
