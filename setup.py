# SPDX-License-Identifier: Apache-2.0
"""Ships the ROS resources (messages, configuration, launch files, models, scenes) with the wheel.

They land in `<prefix>/share/turret_ai`, where a colcon install puts them too, so that
`turret_ai.share` looks in one place for both.
"""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
SHARED = (
    *("msg", "config", "launch", "models", "scenes", "description", "worlds", "rviz"),
    "requirements",
)


def resources() -> list[tuple[str, list[str]]]:
    """One (target folder, files) pair for each folder below the shared ones."""
    found: dict[str, list[str]] = {"share/turret_ai": ["package.xml"]}
    for name in SHARED:
        for file in sorted((ROOT / name).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                relative = file.relative_to(ROOT)
                found.setdefault(f"share/turret_ai/{relative.parent}", []).append(str(relative))
    return sorted(found.items())


setup(
    packages=find_packages("src"),
    package_dir={"": "src"},
    package_data={"turret_ai": ["py.typed", "**/*.j2", "**/*.msg", "**/*.pyi", "console/page/*"]},
    data_files=resources(),
)
