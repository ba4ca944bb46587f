# SPDX-License-Identifier: Apache-2.0
"""gazebo.launch.py, with ROS's own launch where it is there, and stand-ins for Gazebo."""

import ast
import importlib
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest
import yaml

from turret_ai import graph, share
from turret_ai.errors import ConfigError
from turret_ai.graph import GRAPHS
from turret_ai.graph.gazebo_preflight import FORTRESS, Report
from turret_ai.nodes.registry import NODES

GAZEBO = GRAPHS["gazebo"]
LAUNCH_FILE = share.root() / "launch" / "gazebo.launch.py"
SLEEPER = """#!{python}
import os, pathlib, sys, time
log = pathlib.Path(os.environ["STAND_IN_LOG"])
words = [pathlib.Path(sys.argv[0]).name, *sys.argv[1:]]
(log / f"{{os.getpid()}}.start").write_text(" ".join(words))
try:
    time.sleep(60)
except KeyboardInterrupt:
    pass
"""
FAKE_GZ = """#!{python}
import os, pathlib, sys, time
if "--versions" in sys.argv:
    print("{version}")
    sys.exit(0)
log = pathlib.Path(os.environ["STAND_IN_LOG"])
(log / "gazebo.start").write_text(" ".join(sys.argv[1:]))
(log / "gazebo.env").write_text(os.environ["GZ_SIM_RESOURCE_PATH"])
try:
    time.sleep({seconds})
except KeyboardInterrupt:
    sys.exit(0)
sys.exit({code})
"""


def test_the_launch_file_asks_for_what_the_graph_offers():
    tree = ast.parse(LAUNCH_FILE.read_text())
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert names == ["generate_launch_description"]
    imported = [n for node in tree.body if isinstance(node, ast.ImportFrom) for n in node.names]
    source = Path(graph.__file__).with_name("gazebo_launch.py").read_text()
    for name in imported:
        assert f"def {name.name}(" in source


@pytest.mark.parametrize("speech", ["scene", "files", "microphone", "none"])
def test_the_graph_runs_the_stages_on_simulated_time(speech):
    plan = GAZEBO.plan({"speech": speech, "audio": "x.wav"})
    names = [entry.executable for entry in plan.nodes]
    assert {"transcriber", "commander", "locator", "controller"} <= set(names) <= set(NODES)
    assert {"gazebo_gimbal", "gazebo_truth", "markers"} <= set(names)
    assert ("audio_source" in names) == (speech != "none")
    assert "simulator" not in names
    assert all(entry.parameters["use_sim_time"] is True for entry in plan.nodes)


def test_truth_and_markers_can_be_left_out():
    names = [e.executable for e in GAZEBO.plan({"truth": "false", "markers": "false"}).nodes]
    assert not {"gazebo_truth", "markers"} & set(names)


def test_nodes_can_be_left_to_other_hosts():
    names = [e.executable for e in GAZEBO.plan({"without": "locator, gazebo_truth"}).nodes]
    assert not {"locator", "gazebo_truth"} & set(names)
    with pytest.raises(ConfigError, match="locater"):
        GAZEBO.plan({"without": "locater"})


def test_rviz_and_foxglove_show_topics_of_the_interfaces():
    text = (Path(__file__).resolve().parents[2] / "docs" / "interfaces.md").read_text()
    known = set(re.findall(r"`([a-z_/]+)`", text))
    layout = yaml.safe_load(share.path("rviz/turret_ai.rviz").read_text())
    shown = [
        (each.get("Topic") or each.get("Description Topic"))["Value"]
        for each in layout["Visualization Manager"]["Displays"]
        if "Topic" in each or "Description Topic" in each
    ]
    assert set(shown) - {"robot_description"} <= known
    text = share.path("config/foxglove_layout.json").read_text()
    panels = set(re.findall(r'"/([a-z_/]+?)[".]', text)) - {"robot_description"}
    assert panels and panels <= known


class Recorded:
    """A stand-in for any action of ROS's launch: it keeps what it was given."""

    def __init__(self, *given, **named):
        self.given, self.named = given, named


@pytest.fixture
def launch_actions(monkeypatch, tmp_path):
    """The launch's actions for some arguments, with stand-ins where there is no ROS."""
    for name in ("gazebo_launch", "ros_launch"):
        monkeypatch.delitem(sys.modules, f"turret_ai.graph.{name}", raising=False)
    for name in ("launch", "launch.actions", "launch.substitutions", "launch_ros",
                 "launch_ros.actions", "launch_ros.parameter_descriptions"):  # fmt: skip
        module = types.ModuleType(name)
        module.__getattr__ = lambda _: Recorded
        module.__path__ = []
        monkeypatch.setitem(sys.modules, name, module)
    module = importlib.import_module("turret_ai.graph.gazebo_launch")
    fortress = Report(FORTRESS, (), (), "6.18.0")
    monkeypatch.setattr(module, "check", lambda **_: fortress)

    def make(**given):
        return module.launch_actions({**{a.name: a.default for a in GAZEBO.arguments}, **given})

    yield make
    for name in ("gazebo_launch", "ros_launch"):
        sys.modules.pop(f"turret_ai.graph.{name}", None)


def test_the_bridge_listens_before_gazebo_starts(launch_actions):
    # Fortress renders for a late subscriber every picture since time 0, and stands still meanwhile.
    actions = launch_actions(headless="true")
    bridge = next(k for k, a in enumerate(actions) if a.named.get("package") == "ros_gz_bridge")
    gazebo = next(k for k, a in enumerate(actions) if a.named.get("name") == "gazebo")
    assert bridge < gazebo
    said = " ".join(a.named["msg"] for a in actions if "msg" in a.named)
    assert "Gazebo 6.18.0 (Fortress)" in said


@pytest.mark.parametrize("truth", ["true", "false"])
def test_without_truth_the_box_camera_is_not_rendered(launch_actions, truth):
    actions = launch_actions(truth=truth)
    bridge = next(a for a in actions if a.named.get("package") == "ros_gz_bridge")
    config = Path(bridge.named["parameters"][0]["config_file"])
    told = {entry["ros_topic_name"] for entry in yaml.safe_load(config.read_text())}
    assert "camera/image_raw" in told
    assert ("truth_boxes" in told) == (truth == "true")


@pytest.fixture
def stand_ins(tmp_path):
    """A prefix with every ROS package that the launch starts, and a Gazebo, all of them asleep."""
    ros2 = shutil.which("ros2")
    if ros2 is None:
        pytest.skip("no ROS 2 here: launch files can only be loaded where it is sourced")
    prefix, log = tmp_path / "prefix", tmp_path / "log"
    log.mkdir()
    index = prefix / "share/ament_index/resource_index/packages"
    index.mkdir(parents=True)
    programs = {
        "ros_gz_bridge": ["parameter_bridge"],
        "robot_state_publisher": ["robot_state_publisher"],
        "rviz2": ["rviz2"],
        "turret_ai": [*NODES, "chain"],
    }
    for package, names in programs.items():
        (index / package).touch()
        (prefix / "share" / package).mkdir(parents=True)
        for name in names:
            _script(prefix / "lib" / package / name, SLEEPER.format(python=sys.executable))

    def start(*arguments, version="8.9.0", seconds=60, code=3, packages=tuple(programs)):
        for package in set(programs) - set(packages):
            (index / package).unlink()
        gz = FAKE_GZ.format(python=sys.executable, version=version, seconds=seconds, code=code)
        _script(prefix / "bin/gz", gz)
        environment = {
            **os.environ,
            "PATH": f"{prefix / 'bin'}:{os.environ['PATH']}",
            "AMENT_PREFIX_PATH": f"{prefix}:{os.environ.get('AMENT_PREFIX_PATH', '')}",
            "PYTHONPATH": f"{share.root() / 'src'}:{os.environ.get('PYTHONPATH', '')}",
            "STAND_IN_LOG": str(log),
            "ROS_DISTRO": "jazzy",
            "ROS_LOG_DIR": str(tmp_path / "ros_log"),
        }
        popen = subprocess.Popen(
            [ros2, "launch", str(LAUNCH_FILE), *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        return popen, log

    return start


def _script(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def _wait(condition, seconds=25.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end and not condition():
        time.sleep(0.1)
    return condition()


@pytest.mark.ros
def test_everything_starts_and_ends_together(stand_ins):
    popen, log = stand_ins("headless:=true", "rviz:=true", "world:=harbour")
    expected = 9 + 3  # our nodes, and bridge, state publisher, RViz
    ready = _wait(lambda: len(list(log.glob("[0-9]*.start"))) == expected)
    if not ready:
        popen.send_signal(signal.SIGINT)
    assert ready, popen.communicate(timeout=30)[0]
    assert _wait(lambda: (log / "gazebo.env").exists())
    gazebo = (log / "gazebo.start").read_text()
    assert gazebo.startswith("sim -r -v 2 -s --headless-rendering --force-version 8 ")
    assert gazebo.endswith("/worlds/harbour.sdf")
    folders = (log / "gazebo.env").read_text().split(":")
    assert str(share.path("description")) in folders
    started = {f.read_text().split()[0] for f in log.glob("[0-9]*.start")}
    assert {"parameter_bridge", "robot_state_publisher", "rviz2", "gazebo_gimbal"} <= started
    popen.send_signal(signal.SIGINT)
    output = popen.communicate(timeout=30)[0]
    assert popen.returncode == 0, output
    for file in log.glob("[0-9]*.start"):
        assert not os.path.exists(f"/proc/{file.stem}")  # noqa: PTH110


@pytest.mark.ros
@pytest.mark.parametrize(
    ("code", "words"), [(3, "Gazebo ended with exit code 3"), (0, "Gazebo was closed")]
)
def test_when_gazebo_ends_the_launch_ends_and_says_how(stand_ins, code, words):
    popen, log = stand_ins("headless:=true", seconds=6, code=code)
    output = popen.communicate(timeout=60)[0]
    assert bool(popen.returncode) == bool(code)
    assert words in output
    for file in log.glob("[0-9]*.start"):
        assert not os.path.exists(f"/proc/{file.stem}")  # noqa: PTH110


@pytest.mark.ros
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"version": "9.2.0"}, "Gazebo 9.2.0 is installed, but needed is Harmonic"),
        ({"packages": ("turret_ai", "robot_state_publisher")}, "ros_gz_bridge is missing"),
    ],
)
def test_a_lack_is_named_with_exit_code_1_and_nothing_runs(stand_ins, options, words):
    popen, log = stand_ins("headless:=true", **options)
    output = popen.communicate(timeout=60)[0]
    assert popen.returncode == 1
    assert words in output
    assert "Traceback" not in output
    assert not list(log.iterdir())


@pytest.mark.ros
def test_an_unknown_world_is_named_with_those_that_exist(stand_ins):
    popen, log = stand_ins("headless:=true", "world:=atlantis")
    output = popen.communicate(timeout=60)[0]
    assert popen.returncode == 1
    assert "atlantis" in output and "airfield" in output
    assert not list(log.iterdir())
