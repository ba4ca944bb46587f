# SPDX-License-Identifier: Apache-2.0
"""What the Gazebo tests share: the SDF checker."""

import os
import shutil
import subprocess

import pytest

from turret_ai import share


@pytest.fixture(scope="session")
def sdf_errors():
    """A function from an SDF file to what `ign sdf -k` (or `gz sdf -k`) complains about.

    The command returns 0 also for some files that it finds errors in: its text counts.
    """
    tool = shutil.which("gz") or shutil.which("ign")
    if tool is None:
        pytest.skip("no SDF checker: apt install ignition-tools libsdformat-dev sdformat-sdf")
    folders = os.pathsep.join(str(share.path(name)) for name in ("description", "worlds"))
    environment = {**os.environ, "SDF_PATH": folders, "GZ_SIM_RESOURCE_PATH": folders}

    def check(file):
        done = subprocess.run(
            [tool, "sdf", "-k", str(file)],
            capture_output=True,
            text=True,
            timeout=60,
            env=environment,
            check=False,
        )
        lines = (done.stdout + done.stderr).splitlines()
        bad = [line for line in lines if line.startswith(("Error", "Warning"))]
        if done.returncode or not any("Valid" in line for line in lines):
            bad += lines or ["no answer"]
        return bad

    return check
