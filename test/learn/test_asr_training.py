# SPDX-License-Identifier: Apache-2.0
"""A tiny recogniser trains, resumes to the same weights, exports and is heard by faster-whisper."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import yaml

from turret_ai.errors import ConfigError, InputError, ModelError
from turret_ai.hear import recogniser
from turret_ai.hear.settings import RecogniserSettings
from turret_ai.learn import config as configs
from turret_ai.learn.asr import (
    batches,
    calibration,
    ctc_task,
    export,
    export_ctc,
    export_whisper,
    features,
    from_ctranslate2,
    model,
    task,
    tokens,
)
from turret_ai.learn.asr.config import AsrConfig
from turret_ai.types import TranscriptStatus

TEXTS = ("heading is three two zero", "target is red drone", "deploy machine gun", "over")

TINY = """
out: {out}
frontend: {{hop_length: 240, n_fft: 480, chunk_length: 15}}
architecture:
  {{width: 32, heads: 2, encoder_layers: 1, decoder_layers: 1, feed_forward: 64, vocabulary: 300}}
data:
  train: [{data}]
  validation: [{data}]
  radio: {{}}
  variants: 1
  batch_seconds: 4
  curriculum: [[2, 1.5]]
  clean_until: 1
loss: {{ctc: 0.3, phones: 0.5}}
schedule:
  {{steps: 4, lr: 1.0e-3, validate_every: 4, save_every: 2, logger: none}}
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight short clips of coloured bursts with made-up phones: enough to move weights."""
    folder = tmp_path_factory.mktemp("clips")
    lines = []
    for i in range(8):
        rng = np.random.default_rng(i)
        seconds = 1.0 + 0.25 * i
        count = int(seconds * 16000)
        wave = rng.standard_normal(count) * np.abs(np.sin(np.arange(count) / 1500)) * 0.1
        soundfile.write(folder / f"audio_{i}.wav", wave, 16000)
        phones = " ".join(f"x/{'ab'[k % 2]}@{0.1 * k:.2f}" for k in range(30))
        line = {"key": i, "audio": f"audio_{i}.wav", "transcript": TEXTS[i % 4], "phones": phones}
        lines.append(json.dumps(line))
    (folder / "manifest.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def write_config(folder: Path, data: Path, name: str) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(TINY.format(out=folder / name, data=data))
    return path


TINY_CTC = "{kind: ctc, width: 32, blocks: 2, kernel: 3, expansion: 2}"


def write_ctc_config(folder: Path, data: Path, name: str) -> Path:
    """The same run for an acoustic model of phones."""
    path = write_config(folder, data, name)
    config = yaml.safe_load(path.read_text())
    config["architecture"] = yaml.safe_load(TINY_CTC)
    config["data"] |= {"warp": [0.9, 1.1], "filter_db": 3.0}
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.fixture(scope="module")
def trained_ctc(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ctc")
    config = str(write_ctc_config(folder, data, "whole"))
    return task.run(config, [], export=folder / "exported")


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    return task.run(str(write_config(folder, data, "whole")), [])


def weights(path: Path) -> dict:
    return torch.load(path, weights_only=True)["model"]


def test_a_resumed_run_gives_the_same_model(trained: Path, data: Path, tmp_path: Path) -> None:
    config = str(write_config(tmp_path, data, "cut"))
    _interrupt(config, after=2)
    task.run(config, ["resume=true"])
    whole = weights(trained.parent / "last.pt")
    resumed = weights(tmp_path / "cut" / "last.pt")
    assert whole.keys() == resumed.keys()
    for name in whole:
        torch.testing.assert_close(whole[name], resumed[name], rtol=0, atol=0, msg=name)


def test_a_training_ends_with_the_export(trained_ctc: Path) -> None:
    net, _ = export_ctc.load(trained_ctc)
    exported = trained_ctc.parents[1] / "exported" / "model.onnx"
    assert export_ctc.parity(net, exported, 80) < export_ctc.TOLERANCE["int8"]


def test_a_resumed_acoustic_model_is_the_same(
    trained_ctc: Path, data: Path, tmp_path: Path
) -> None:
    config = str(write_ctc_config(tmp_path, data, "cut"))
    _interrupt(config, after=2)
    task.run(config, ["resume=true"])
    whole, resumed = weights(trained_ctc.parent / "last.pt"), weights(tmp_path / "cut" / "last.pt")
    assert whole.keys() == resumed.keys()
    for name in whole:
        torch.testing.assert_close(whole[name], resumed[name], rtol=0, atol=0, msg=name)


def test_padding_does_not_change_what_the_acoustic_model_hears(trained_ctc: Path) -> None:
    net, _ = export_ctc.load(trained_ctc)
    rng = np.random.default_rng(0)
    clips = [rng.standard_normal((80, n)).astype(np.float32) for n in (60, 100)]
    together = net.encode(batches.pad(clips, 140), torch.tensor([30, 50]))
    for row, clip in zip(together, clips, strict=True):
        alone = net.encode(torch.from_numpy(clip)[None])[0]
        # The convolutions that halve the frames look one frame over the end.
        torch.testing.assert_close(row[: len(alone) - 8], alone[:-8], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("quantization", ["float32", "int8"])
def test_a_run_goes_on_from_an_exported_acoustic_model(
    trained_ctc: Path, data: Path, tmp_path: Path, quantization: str
) -> None:
    exported = tmp_path / "exported"
    difference = export_ctc.run(trained_ctc, exported, quantization)
    deeper = TINY_CTC.replace("blocks: 2", "blocks: 4")
    for architecture in (TINY_CTC, deeper):
        overrides = [f"architecture={architecture}", f"init={exported}"]
        path = str(write_ctc_config(tmp_path, data, "on"))
        net = ctc_task.CtcTask(configs.load(path, overrides, AsrConfig)).net.eval()
        assert export_ctc.parity(net, exported / "model.onnx", 80) <= difference + 1e-5
    wider = TINY_CTC.replace("width: 32", "width: 48")
    config = configs.load(path, [f"architecture={wider}", f"init={exported}"], AsrConfig)
    with pytest.raises(ModelError, match="of another size"):
        ctc_task.CtcTask(config)
    with pytest.raises(InputError, match="nowhere"):
        ctc_task.CtcTask(configs.load(path, ["init=nowhere"], AsrConfig))


@pytest.mark.parametrize("quantization", ["int8", "float32"])
def test_the_exported_acoustic_model_is_an_engine(
    trained_ctc: Path, data: Path, tmp_path: Path, quantization: str
) -> None:
    out = tmp_path / "model"
    assert export.run(str(trained_ctc), out, quantization) < export_ctc.TOLERANCE[quantization]
    ears = recogniser.load(RecogniserSettings(model=str(out), speech_gate=False))
    ears.warm_up()
    assert ears.describe()["engine"] == "ctc"
    # Four steps taught it nothing but blanks.
    heard = ears.transcribe(_samples(data))
    assert heard.status is TranscriptStatus.EMPTY
    assert heard.reason
    with pytest.raises(InputError, match="nothing was heard"):
        calibration.fit(out, data)
    with pytest.raises(InputError, match="float16"):
        export.run(str(trained_ctc), out, "float16")


def test_an_acoustic_model_of_other_phones_or_none_is_refused(
    trained_ctc: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    export.run(str(trained_ctc), out)
    card = yaml.safe_load((out / "model.yaml").read_text())
    card["phones"][0] = "zz"
    (out / "model.yaml").write_text(yaml.safe_dump(card))
    with pytest.raises(ModelError, match="phones"):
        recogniser.load(RecogniserSettings(model=str(out)))
    card["phones"][0] = "p"
    (out / "model.yaml").write_text(yaml.safe_dump(card))
    (out / "model.onnx").write_bytes(b"not a network")
    with pytest.raises(ModelError, match="can't be loaded"):
        recogniser.load(RecogniserSettings(model=str(out)))
    (out / "model.onnx").unlink()
    with pytest.raises(ModelError, match="kind ctc"):
        recogniser.load(RecogniserSettings(model=str(out)))


def test_a_warp_moves_a_tone_to_where_the_other_tone_is() -> None:
    extract = features.extractor(AsrConfig.model_validate(MINIMAL).frontend)
    seconds = np.arange(16000) / 16000

    def tone(hz: float) -> np.ndarray:
        return extract(np.sin(2 * np.pi * hz * seconds).astype(np.float32))

    for factor in (0.9, 1.12):
        moved = batches.warp(tone(1500), factor)[:, 40].argmax()
        assert abs(int(moved) - int(tone(1500 * factor)[:, 40].argmax())) <= 1
    np.testing.assert_array_equal(batches.warp(tone(700), 1.0), tone(700))


def test_a_random_filter_changes_the_colour_and_nothing_in_time() -> None:
    extract = features.extractor(AsrConfig.model_validate(MINIMAL).frontend)
    rng = np.random.default_rng(3)
    heard = extract(rng.standard_normal(16000).astype(np.float32) * 0.1)
    other = batches.colour(heard, rng, 5.0)
    difference = other - heard
    np.testing.assert_allclose(difference, difference[:, :1].repeat(heard.shape[1], 1), atol=1e-5)
    assert 2.0 < 40 * difference[:, 0].std() < 10.0
    np.testing.assert_array_equal(batches.colour(heard, rng, 0.0), heard)


MINIMAL = {
    "out": "x",
    "data": {"train": ["x"], "validation": ["x"]},
    "schedule": {"steps": 1, "lr": 1e-3},
}


def _interrupt(config_name: str, after: int) -> None:
    config = configs.load(config_name, [], AsrConfig)
    ctc = config.architecture.kind == "ctc"
    training = (
        ctc_task.CtcTask(config) if ctc else task.AsrTask(config, task.prepare_labels(config))
    )
    whole, calls = training.loss, []

    def stop(model, batch):
        calls.append(1)
        if len(calls) == after:
            os.kill(os.getpid(), signal.SIGINT)
        return whole(model, batch)

    training.loss = stop
    from turret_ai.learn import loop

    with pytest.raises(KeyboardInterrupt):
        loop.fit(training, config.schedule, config.out, False, config.model_dump(mode="json"))


def test_the_exported_model_is_heard_through_faster_whisper(
    trained: Path, data: Path, tmp_path: Path
) -> None:
    assert export.run(str(trained), tmp_path / "model") < export_whisper.TOLERANCE["int8"]
    calibration.fit(tmp_path / "model", data)
    ears = recogniser.load(
        RecogniserSettings(model=str(tmp_path / "model"), speech_gate=False, alternatives=2)
    )
    ears.warm_up()
    heard = ears.transcribe(_samples(data))
    assert 0.0 <= heard.confidence <= 1.0
    assert ears.describe()["engine"] == "whisper + ctc"


def _samples(data: Path) -> np.ndarray:
    samples, _ = soundfile.read(data / "audio_7.wav", dtype="float32")
    return samples


def test_the_tokenizer_has_whispers_specials_in_its_order_and_reads_what_it_writes() -> None:
    labels = tokens.Labels(tokens.train(TEXTS * 5, 300, 15))
    ids = [labels.tokenizer.token_to_id(special) for special in tokens.SPECIALS]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert labels.first_timestamp == ids[-1] + 1
    for text in TEXTS:
        sequence = labels.encode(text)
        assert sequence[:2] == labels.prompt
        assert labels.decode(sequence[2:]) == text
        assert labels.decode(labels.encode(text, 1.3)[1:]) == text
    assert labels.encode("") == [labels.start, labels.no_speech, labels.end]


def test_batches_are_a_function_of_their_number_and_short_clips_come_first(data: Path) -> None:
    config = AsrConfig.model_validate(
        {
            "out": "x",
            "data": {
                "train": [data],
                "validation": [data],
                "batch_seconds": 4,
                "curriculum": [[3, 1.6]],
            },
            "schedule": {"steps": 1, "lr": 1e-3},
        }
    )
    clips = features.read_manifest(data)
    forward, backward = batches.Epochs(clips, config), batches.Epochs(clips, config)
    assert backward[9] == forward[9]
    assert [forward[i] for i in range(9)] == [backward[i] for i in range(9)]
    assert all(clips[c].seconds <= 1.6 for i in range(3) for c, _ in forward[i])


def test_phones_fall_into_the_frames_where_they_sound() -> None:
    clip = features.Clip(Path("x"), "a", 1.0, {}, ((0.0, "x/a"), (0.5, "x/b")))
    table = {"_": 0, "x/a": 1, "x/b": 2}
    frames = batches.frame_phones(clip, (0.2, 2.0), table, 100, 0.03)
    at = [frames[int(t / 0.03)] for t in (0.1, 0.5, 1.5, 2.5)]
    assert at == [0, 1, 2, 0]


@pytest.mark.parametrize(
    ("break_it", "why"),
    [
        (lambda f: (f / "manifest.jsonl").unlink(), "no manifest"),
        (lambda f: (f / "audio_1.wav").unlink(), "missing"),
        (lambda f: (f / "manifest.jsonl").write_text("{}\n"), "line 1"),
        (lambda f: (f / "manifest.jsonl").write_text(""), "no clips"),
    ],
)
def test_broken_manifests_are_named(data: Path, tmp_path: Path, break_it, why: str) -> None:
    for source in data.iterdir():
        (tmp_path / source.name).write_bytes(source.read_bytes())
    break_it(tmp_path)
    with pytest.raises(InputError, match=why):
        features.read_manifest(tmp_path)


def test_an_unknown_key_is_refused(data: Path, tmp_path: Path) -> None:
    config = str(write_config(tmp_path, data, "a"))
    with pytest.raises(ConfigError, match="colour"):
        task.run(config, ["data.colour=3"])


def test_a_checkpoint_of_another_model_is_refused(trained: Path, tmp_path: Path) -> None:
    other = dict(torch.load(trained, weights_only=True), kind="detector")
    torch.save(other, tmp_path / "best.pt")
    with pytest.raises(ModelError, match="detector"):
        export.run(str(tmp_path / "best.pt"), tmp_path / "out")


@pytest.mark.parametrize(
    "name",
    ["asr_small", "asr_whisper", "whisper_phones", "whisper_small_2024", "whisper_medium_2024"],
)
def test_the_shipped_configurations_are_valid(name: str) -> None:
    assert configs.load(name, [], AsrConfig).schedule.steps > 1000


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like those of public Whispers, with untrained weights of a tiny size."""
    import transformers

    folder = tmp_path_factory.mktemp("public")
    made = tokens.train(TEXTS * 5, 300, 30)
    labels = tokens.Labels(made)
    transformers.WhisperForConditionalGeneration(
        transformers.WhisperConfig(
            vocab_size=labels.size,
            d_model=32,
            encoder_layers=1,
            decoder_layers=1,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=64,
            decoder_ffn_dim=64,
            pad_token_id=labels.end,
            bos_token_id=labels.end,
            eos_token_id=labels.end,
            decoder_start_token_id=labels.start,
            suppress_tokens=[],
            begin_suppress_tokens=[],
        )
    ).save_pretrained(folder)
    made.save(str(folder / "tokenizer.json"))
    transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        unk_token="<|endoftext|>",
        bos_token="<|endoftext|>",
        eos_token="<|endoftext|>",
    ).save_pretrained(folder)
    return folder


def test_a_public_whisper_is_tuned_and_exported(public: Path, data: Path, tmp_path: Path) -> None:
    overrides = [
        f"init={public}",
        f"out={tmp_path / 'run'}",
        f"data.train=[{data}]",
        f"data.validation=[{data}]",
        "data.validation_clips=2",
        "data.batch_seconds=3",
        "schedule.steps=2",
        "schedule.precision=fp32",
        "schedule.workers=0",
        "schedule.logger=none",
    ]
    best = task.run("whisper_small_2024", overrides)
    assert export.run(str(best), tmp_path / "tuned") < export_whisper.TOLERANCE["int8"]
    assert (
        export.run(str(public), tmp_path / "untuned", "float32")
        < export_whisper.TOLERANCE["float32"]
    )
    ears = recogniser.load(RecogniserSettings(model=str(tmp_path / "tuned"), speech_gate=False))
    assert ears.transcribe(_samples(data)).reason or ears.transcribe(_samples(data)).text


def test_the_encoder_of_a_whisper_becomes_an_acoustic_model(
    public: Path, data: Path, tmp_path: Path
) -> None:
    size = "{kind: whisper_phones, width: 32, heads: 2, layers: 1, feed_forward: 64}"
    path = str(write_ctc_config(tmp_path, data, "encoder"))
    overrides = [f"architecture={size}", f"init={public}", "frozen=[encoder.conv]"]
    overrides += ["frontend={chunk_length: 15}", "data.resample=[1,1]"]
    config = configs.load(path, overrides, AsrConfig)
    net = ctc_task.CtcTask(config).net
    whisper = model.AsrModel(model.public(str(public)), config.loss)
    features = torch.randn(1, 80, 100)
    torch.testing.assert_close(net.encode(features), whisper.encode(features))
    padded = torch.cat([features, torch.randn(1, 80, 40)], 2)
    known = net.encode(padded, torch.tensor([50]))[:, :48]
    torch.testing.assert_close(known, net.encode(features)[:, :48], rtol=1e-3, atol=1e-3)

    best = task.run(path, overrides)
    kept = weights(best)["net.encoder.conv1.weight"]
    torch.testing.assert_close(kept, net.state_dict()["encoder.conv1.weight"])
    assert export.run(str(best), tmp_path / "phones") < export_ctc.TOLERANCE["int8"]
    ears = recogniser.load(RecogniserSettings(model=str(tmp_path / "phones"), speech_gate=False))
    assert ears.describe()["engine"] == "ctc"
    for seconds in (0.5, 3.0, 14.9):
        noise = np.random.default_rng(0).standard_normal(int(16000 * seconds)) * 0.1
        assert ears.transcribe(noise.astype(np.float32)).status is TranscriptStatus.EMPTY

    trained = weights(best)["net.encoder.layers.0.fc1.weight"]
    for init, error in ((best, 0.0), (tmp_path / "phones", 0.02)):
        on = ctc_task.CtcTask(configs.load(path, [*overrides, f"init={init}"], AsrConfig)).net
        begun = on.state_dict()["encoder.layers.0.fc1.weight"]
        torch.testing.assert_close(begun, trained, rtol=0, atol=error * float(trained.abs().max()))

    wider = size.replace("width: 32", "width: 48")
    with pytest.raises(ModelError, match="doesn't fit"):
        ctc_task.CtcTask(configs.load(path, [*overrides, f"architecture={wider}"], AsrConfig))
    with pytest.raises(ModelError, match="can't be loaded"):
        ctc_task.CtcTask(configs.load(path, [*overrides, "init=nowhere"], AsrConfig))


def test_an_init_that_is_no_whisper_is_named(data: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "out").mkdir()
    tokens.train(TEXTS, 300, 30).save(str(tmp_path / "out" / "tokenizer.json"))
    with pytest.raises(ModelError, match="can't be loaded"):
        task.run(
            str(write_config(tmp_path, data, "a")),
            [f"init={tmp_path / 'empty'}", f"out={tmp_path / 'out'}"],
        )


def test_a_whisper_of_ctranslate2_comes_back_with_the_same_weights(
    trained: Path, tmp_path: Path
) -> None:
    export.run(str(trained), tmp_path / "model", "float32")
    back = from_ctranslate2.load(tmp_path / "model").state_dict()
    for name, value in weights(trained).items():
        if name.startswith("whisper.model."):
            torch.testing.assert_close(back[name.removeprefix("whisper.")], value, msg=name)


@pytest.mark.parametrize("content", [b"", b"\x06\x00\x00\x00\x0c\x00WhisperSpec\x00\x03\x00"])
def test_a_broken_model_of_ctranslate2_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.bin"):
        from_ctranslate2.read_variables(tmp_path / "model.bin")


def test_a_quantised_whisper_comes_back_nearly_the_same(trained: Path, tmp_path: Path) -> None:
    export.run(str(trained), tmp_path / "model", "int8")
    back = from_ctranslate2.load(tmp_path / "model").state_dict()
    name = "model.encoder.layers.0.fc1.weight"
    true = weights(trained)[f"whisper.{name}"]
    assert float((back[name] - true).abs().max()) < 0.01 * float(true.abs().max())
    assert not torch.equal(back[name], true)


@pytest.mark.parametrize("merges", ["null", "5"])
def test_a_public_whisper_is_tuned_in_part_and_exported(
    trained: Path, data: Path, tmp_path: Path, merges: str
) -> None:
    export.run(str(trained), tmp_path / "public", "float32")
    config = str(write_config(tmp_path, data, "tuned"))
    best = task.run(
        config,
        [
            f"init={tmp_path / 'public'}",
            f"merges={merges}",
            "frozen=[model.encoder, model.decoder.embed_tokens]",
            "data.texts=written",
            "data.times=[2]",
            "data.radio.squelch=1.0",
            "loss.ctc=0.0",
            "loss.phones=0.0",
        ],
    )
    before, after = weights(trained), weights(best)
    moved = {
        name for name in before if name in after and not torch.equal(before[name], after[name])
    }
    assert moved
    assert all("encoder." not in name and "embed_tokens" not in name for name in moved)
    export.run(str(best), tmp_path / "model")
    card = yaml.safe_load((tmp_path / "model" / "model.yaml").read_text())
    assert card["any_length"]
    assert not card["primed"]
    ears = recogniser.load(RecogniserSettings(model=str(tmp_path / "model"), engine="whisper"))
    ears.warm_up()


def test_what_is_to_be_frozen_must_exist(trained: Path, data: Path, tmp_path: Path) -> None:
    export.run(str(trained), tmp_path / "public", "float32")
    with pytest.raises(ModelError, match="nosuch"):
        task.run(
            str(write_config(tmp_path, data, "tuned")),
            [f"init={tmp_path / 'public'}", "frozen=[nosuch]"],
        )


def test_a_cpu_is_not_asked_for_float16(trained: Path, tmp_path: Path) -> None:
    export.run(str(trained), tmp_path / "model", "int8")
    settings = RecogniserSettings(model=str(tmp_path / "model"), device="cpu", second="")
    assert recogniser.load(settings).describe()["device"] == "cpu (int8)"
    with pytest.raises(ModelError, match="float16"):
        recogniser.load(settings.model_copy(update={"compute_type": "float16"}))
