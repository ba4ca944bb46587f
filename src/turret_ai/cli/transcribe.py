# SPDX-License-Identifier: Apache-2.0
"""`turret-ai transcribe`: audio files to text."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="A setting of the recogniser, such as beam_size=1 (repeatable)."),
]


def clips_of(files: Iterable[Path]) -> list[tuple[Path, dict[str, Any]]]:
    """(audio file, what its output line begins with) for files and for manifests' lines.

    Raises:
        InputError: a manifest is missing or broken, or a line of it names no audio.
    """
    from turret_ai.errors import InputError
    from turret_ai.prove.records import read_jsonl

    found: list[tuple[Path, dict[str, Any]]] = []
    for path in files:
        if path.suffix != ".jsonl":
            found.append((path, {"audio": str(path)}))
            continue
        for record in read_jsonl(path):
            if not isinstance(record.get("audio"), str):
                raise InputError(f"{path}: {record} names no audio")
            kept: dict[str, Any] = {k: record[k] for k in ("key", "audio") if k in record}
            found.append((path.parent / record["audio"], kept))
    return found


def transcribe(
    files: Annotated[
        list[Path], typer.Argument(help="Audio files, or manifests (JSONL with `audio`).")
    ],
    model: Annotated[str, typer.Option(help="Shipped name, folder or hub name of a Whisper.")] = "",
    engine: Annotated[str, typer.Option(help="auto, whisper or sphinx.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    allow_download: Annotated[
        bool, typer.Option("--allow-download", help="Fetch a hub name that is not here.")
    ] = False,
    save_scores: Annotated[
        Path | None, typer.Option(help="Write every reading with its score here.")
    ] = None,
    overrides: Set = None,
) -> None:
    """Hear audio files: one JSON object a line with audio, transcript, confidence, seconds.

    Each file is one utterance. A file that can't be read gives a line with `error`, the others are
    heard all the same, and the exit code is 1.
    """
    from turret_ai.errors import InputError
    from turret_ai.hear import files as audio_files
    from turret_ai.hear import recogniser
    from turret_ai.hear.settings import RecogniserSettings
    from turret_ai.overrides import apply, check
    from turret_ai.prove.records import write_jsonl

    tree: dict[str, Any] = {"engine": engine, "device": device, "allow_download": allow_download}
    if model:
        tree["model"] = model
    apply(tree, overrides or [])
    clips = clips_of(files)
    ears = recogniser.load(check(tree, RecogniserSettings, "--set"))
    ears.warm_up()
    console = Console(stderr=True)
    described = ", ".join(f"{key} {value}" for key, value in ears.describe().items())
    console.print(described)
    failed = False
    scores: list[dict[str, Any]] = []
    for clip in clips:
        path, name = clip
        try:
            sound = audio_files.load(path)
            samples = sound.at_16_khz()
            started = time.perf_counter()
            heard = ears.transcribe(samples)
        except InputError as error:
            failed = True
            print(json.dumps({**name, "error": str(error)}, ensure_ascii=False), flush=True)
            continue
        line = {
            **name,
            "transcript": heard.text,
            "confidence": round(heard.confidence, 4),
            "seconds": round(time.perf_counter() - started, 4),
            "status": heard.status.name,
        }
        if heard.reason:
            line["reason"] = heard.reason
        if sound.remark:
            line["remark"] = sound.remark
        print(json.dumps(line, ensure_ascii=False), flush=True)
        readings = [{"text": h.text, "score": round(h.score, 4)} for h in heard.alternatives]
        scores.append({**name, "alternatives": readings})
    if save_scores is not None:
        write_jsonl(save_scores, scores)
    if failed:
        raise typer.Exit(1)
