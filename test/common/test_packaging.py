# SPDX-License-Identifier: Apache-2.0
"""What the package says of itself: its requirements, its files, its ROS manifest."""

import ast
import importlib.metadata
import importlib.util
import os
import re
import runpy
import subprocess
import sys
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path

import pydantic
import pytest
import yaml

from turret_ai import requirements, share
from turret_ai.ros.dds import config

ROOT = Path(__file__).resolve().parents[2]
OF_ROS = {"launch", "launch_ros", "rclpy", "rcl_interfaces", "robomaster_msgs", "turret_ai"}
ONLY_IF_THERE = {"wandb", "ttspico"}
"""Looked for and used where the user installed them; nothing of ours asks for them."""

NAMES = {"cv2": "opencv-python-headless", "llama_cpp": "llama-cpp-python"}
"""Modules whose distribution is called otherwise, should it not be installed."""


def imported() -> set[str]:
    """Top-level names of all packages that the sources import, those of functions too."""
    found = set()
    for file in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            elif isinstance(node, ast.Call) and node.args:
                called = getattr(node.func, "id", getattr(node.func, "attr", ""))
                first = node.args[0]
                if called in ("require", "import_module") and isinstance(first, ast.Constant):
                    names = [first.value]
            found |= {name.split(".")[0] for name in names}
    return found - set(sys.stdlib_module_names) - {"compression"}  # Python's own from 3.14 on


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def declared() -> set[str]:
    """Every distribution that the core or an extra asks for."""
    extras = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = extras[extras.index("[project.optional-dependencies]") :].split("\n[", 1)[0]
    names = re.findall(r'"([A-Za-z0-9._-]+)', section)
    return {canonical(name) for name in [*names, *requirements.names()]}


@pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="needs the source tree")
def test_every_package_that_is_imported_is_declared():
    brings = importlib.metadata.packages_distributions()
    undeclared = {
        module
        for module in imported() - OF_ROS - ONLY_IF_THERE
        if not declared()
        & {canonical(name) for name in brings.get(module, [NAMES.get(module, module)])}
    }
    assert not undeclared


def test_an_installation_without_its_packages_says_which_are_missing():
    """In an isolated Python that sees the sources alone, as in a ROS workspace without pip."""
    script = (
        "import sys; sys.path[:] = [p for p in sys.path if 'site-packages' not in p]; "
        f"sys.path.insert(0, {str(ROOT / 'src')!r}); "
        "from turret_ai.{module} import main; sys.exit(main({words}))"
    )

    def run(module, words, runtime="dds"):
        code = script.replace("{module}", module).replace("{words}", repr(words))
        return subprocess.run(
            [sys.executable, "-I", "-S", "-c", code],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "TURRET_AI_RUNTIME": runtime},
        )

    node = run("nodes.main", ["locator"], runtime="rclpy")
    assert (node.returncode, node.stderr.count("\n")) == (2, 1)
    assert "source ROS 2 first" in node.stderr
    node = run("nodes.main", ["locator"])
    assert node.returncode == 2
    assert node.stderr.count("\n") == 1
    assert "numpy" in node.stderr and "requirements/core.txt" in node.stderr
    command = run("cli.app", ["demo"])
    assert (command.returncode, command.stderr.count("\n")) == (2, 1)
    doctor = run("cli.app", ["doctor"])
    assert doctor.returncode == 1
    assert "typer" in doctor.stdout and "Traceback" not in doctor.stderr


def test_the_requirements_of_a_workspace_are_the_core_with_the_numpy_of_ros():
    text = (ROOT / "requirements" / "ros.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines == ["-r core.txt", "numpy<2"]


def test_the_manifest_names_what_the_launch_files_start():
    manifest = ET.parse(ROOT / "package.xml").getroot()
    depends = {e.text for e in manifest if e.tag in ("depend", "exec_depend")}
    started = set()
    for file in (ROOT / "src/turret_ai/graph").glob("*.py"):
        started |= set(re.findall(r'package="([a-z0-9_]+)"', file.read_text(encoding="utf-8")))
    assert started - {"turret_ai"} <= depends
    assert manifest.findtext("version") == importlib.metadata.version("turret_ai")


def test_files_left_out_without_an_extra_exist():
    text = (ROOT / "test" / "conftest.py").read_text(encoding="utf-8")
    names = re.findall(r'"([\w/]+\.py)": \(', text)
    assert names
    assert [name for name in names if not (ROOT / "test" / name).is_file()] == []


def test_the_changelog_becomes_what_ros_reads():
    convert = runpy.run_path(str(ROOT / "scripts" / "write_changelog"))["converted"]
    text = convert(
        "# Changelog\n\nAll that users notice.\n\n"
        "## 0.2.0 (unreleased)\n\n* `x`: new, see [y](z.md)\n\n"
        "## 0.1.0 (2026-11-26)\n\n* first\n"
    )
    assert "Changelog for package turret_ai" in text.splitlines()[1]
    assert "Forthcoming\n-----------\n\n* ``x``: new, see `y <z.md>`__\n" in text
    assert "0.1.0 (2026-11-26)\n------------------\n\n* first\n" in text
    assert "All that users notice" not in text


def test_every_package_of_the_core_is_on_the_page_of_licences():
    text = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    listed = {canonical(name) for name in re.findall(r"^\| ([\w.-]+) \| \d", text, re.MULTILINE)}
    assert {canonical(name) for name in requirements.names()} <= listed
    assert "x264, x265" in text


def test_the_settings_for_ros_tools_are_those_of_the_nodes():
    def settings(text):
        root = ET.fromstring(re.sub(r' xmlns="[^"]*"| Id="any"', "", text))
        leaves = [e for e in root.iter() if len(e) == 0]
        return {e.tag: (e.text or e.attrib.get("max")) for e in leaves}

    file = share.path("config/cyclonedds.xml").read_text(encoding="utf-8")
    assert settings(file.split("?>", 1)[1]) == settings(config.BASE)


@pytest.mark.skipif(not (ROOT / "src").is_dir(), reason="needs the source tree")
def test_every_source_file_names_its_licence():
    script = runpy.run_path(str(ROOT / "scripts" / "add_licence_lines"))
    without = [str(file.relative_to(ROOT)) for file in script["sources"]() if script["lacks"](file)]
    assert not without, "run scripts/add_licence_lines"


def test_no_file_of_tests_skips_at_its_head():
    """ROS's pytest plugins would take it for everything: test/conftest.py leaves files out."""
    heads = re.compile(r"^(\w+ = )?pytest\.(importorskip|skip)\(", re.MULTILINE)
    files = sorted((ROOT / "test").rglob("*.py"))
    assert not [f.name for f in files if heads.search(f.read_text(encoding="utf-8"))]


EXTRAS = (
    "torch transformers accelerate peft onnx onnxscript tensorboard espeakng_loader pocketsphinx "
    "matplotlib huggingface_hub fastapi uvicorn starlette httpx playwright zmq llguidance"
)


def test_without_the_extras_every_test_file_can_be_collected():
    """As `colcon test` does, in whose workspace only the core is installed."""
    code = (
        "import importlib.abc, importlib.util, sys\n"
        "import pytest\n"
        f"names, real = set({EXTRAS!r}.split()), importlib.util.find_spec\n"
        "class Absent(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in names:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "importlib.util.find_spec = lambda name, *rest: (\n"
        "    None if name in names else real(name, *rest)\n"
        ")\n"
        "words = ['--collect-only', '-qq', '-p', 'no:cacheprovider', 'test']\n"
        "sys.exit(pytest.main(words))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=110
    )
    assert done.returncode == 0, done.stdout[done.stdout.find("= ERRORS =") :] + done.stderr


@pytest.mark.parametrize("module", ["ros_launch", "bag_launch", "gazebo_launch"])
def test_the_system_s_python_reads_the_launch_files_with_the_virtual_environment_s_packages(
    module: str, tmp_path: Path
) -> None:
    """`ros2` is run by a Python that has none of our packages."""
    code = (
        "import sys, unittest.mock as mock\n"
        "names = 'launch launch.actions launch.event_handlers launch.events '\n"
        "names += 'launch.substitutions launch_ros launch_ros.actions '\n"
        "names += 'launch_ros.parameter_descriptions'\n"
        "sys.modules.update({name: mock.MagicMock() for name in names.split()})\n"
        f"sys.path[:0] = [{str(ROOT / 'src')!r}, {str(tmp_path / 'system')!r}]\n"
        f"import turret_ai.graph.{module}\n"
    )
    (tmp_path / "system").mkdir()
    (tmp_path / "system/yaml").symlink_to(Path(yaml.__file__).parent)  # ROS brings it
    packages = tmp_path / f"lib/python{sys.version_info.major}.{sys.version_info.minor}"
    packages.mkdir(parents=True)
    (packages / "site-packages").symlink_to(Path(pydantic.__file__).parents[1])
    for virtual_environment in (str(tmp_path), ""):
        done = subprocess.run(
            [sys.executable, "-S", "-c", code],
            capture_output=True,
            text=True,
            env={"VIRTUAL_ENV": virtual_environment, "TURRET_AI_RUNTIME": "dds"},
        )
        if virtual_environment or module != "bag_launch":
            assert not done.returncode, done.stderr
        else:
            assert "ConfigError" in done.stderr and "pip install -r" in done.stderr
