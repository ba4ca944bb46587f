# SPDX-License-Identifier: Apache-2.0
"""The command line as a whole: its list, its errors, its doctor."""

import json
import subprocess
import sys

import pytest

from turret_ai.cli.app import COMMANDS, main


def turret_ai(*words):
    return subprocess.run(
        [sys.executable, "-m", "turret_ai.cli.app", *words],
        capture_output=True,
        text=True,
        timeout=90,
    )


def test_the_list_of_commands_imports_nothing_heavy():
    script = (
        "import sys; from turret_ai.cli.app import main; main(['--help']); "
        "print([m for m in ('cv2', 'onnxruntime', 'torch', 'cyclonedds') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.rstrip().endswith("[]")
    assert "demo" in done.stdout


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(name, capsys):
    assert main([name, "--help"]) == 0
    assert "Usage" in capsys.readouterr().out


def test_an_error_is_one_line_and_exit_code_2():
    done = turret_ai("launch", "finals", "sceen:=harbour")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: finals has no argument sceen")


def test_an_unknown_graph_is_refused_with_the_known_ones():
    done = turret_ai("launch", "finale")
    assert done.returncode == 2
    assert "finals" in done.stderr


def test_the_doctor_names_what_is_optional_and_how_to_get_it():
    done = turret_ai("doctor", "--json")
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    assert {finding["level"] for finding in findings} <= {"ok", "note", "missing"}
    subjects = {finding["subject"]: finding for finding in findings}
    assert subjects["core packages"]["level"] == "ok"
    assert done.returncode == int(any(f["level"] == "missing" for f in findings))
    hint = subjects["extra gpu"]
    assert hint["level"] == "ok" or "turret_ai[gpu]" in hint["text"]


@pytest.mark.parametrize(
    "words", [("doctor", "--json"), ("--help",), ("parse", *["heading zero six five"] * 400)]
)
def test_a_reader_that_goes_away_ends_a_command_quietly(words):
    command = [sys.executable, "-m", "turret_ai.cli.app", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    _, told = process.communicate(timeout=90)
    assert "Traceback" not in told and "BrokenPipe" not in told
    assert process.returncode in (0, 1)
