"""W&B: offline runs, written here byte by byte after the specification, and what it exports."""

import json
import struct
import zlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from empirics.readers import read_curves
from empirics.readers.wandb_records import read_wandb_records
from empirics.store import Store

SEED = 11
BLOCK = 32768


def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n % 128 + 128]), n // 128
    return out + bytes([n])


def sub(number, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(8 * number + 2) + varint(len(content)) + content


def frame(kind, content):
    crc = zlib.crc32(bytes([kind]) + content)
    return struct.pack("<IHB", crc, len(content), kind) + content


def file_of(*payloads, version=0):
    """Return a file of records, each cut at the ends of blocks as LevelDB has it."""
    out = b":W&B" + struct.pack("<HB", 0xBEE1, version)
    for payload in payloads:
        first, left = True, payload
        while first or left:
            room = BLOCK - len(out) % BLOCK
            if room < 7:
                out += bytes(room)
                continue
            piece, left = left[: room - 7], left[room - 7 :]
            out += frame((1 if first else 4) if not left else (2 if first else 3), piece)
            first = False
    return out


def item(key, value):
    """Return an item as all versions up to 0.31 write it; a tuple is a nested key."""
    parts = sub(1, key) if isinstance(key, str) else b"".join(sub(2, part) for part in key)
    return sub(1, parts + sub(16, json.dumps(value)))


def history(step, **values):
    return sub(2, b"".join(item(k, v) for k, v in values.items()) + sub(2, b"\x08" + varint(step)))


def run(config, **texts):
    numbers = {"run_id": 1, "project": 3, "group": 6, "name": 8}
    parts = [sub(numbers[name], text) for name, text in texts.items()]
    return sub(17, b"".join(parts) + sub(4, b"".join(item(k, v) for k, v in config.items())))


END = sub(18, b"\x08\x00")


def points(found, observable):
    (curve,) = found.of(observable)
    return list(zip(curve.t.tolist(), curve.y.tolist(), strict=True))


ROWS = [history(10 * i, _step=10 * i, _runtime=i / 4, loss=2.0**-i, n=i) for i in range(200)]


def test_an_offline_run_has_its_curves_and_conditions(written):
    config = {"lr": 0.5, "env_id": "Cart", "seed": 3, "net": {"width": [8, 8]}, "_wandb": {"t": 1}}
    late = sub(5, item("seed", 4) + sub(2, sub(1, "gone")))
    content = file_of(run({**config, "gone": 1}, project="p", name="swift"), *ROWS, late)
    found = read_curves(written(content, "run-1.wandb"))
    assert points(found, "loss") == [(10 * i, 2.0**-i) for i in range(200)]
    assert found.runs[0].run == "swift"
    assert dict(found.runs[0].conditions) == {
        "project": "p",
        "learning_rate": 0.5,
        "environment": "Cart",
        "seed": 4,
        "net.width": "[8, 8]",
    }
    assert found.runs[0].config["settings"]["lr"] == 0.5
    assert {curve.observable for curve in found.curves} == {"loss", "n"}
    over = read_curves(written(content, "run-1.wandb"), t="_runtime", y="n")
    assert points(over, "n")[:3] == [(0, 0), (0.25, 1), (0.5, 2)]


def test_typed_fields_and_nested_keys_are_read(written):
    typed = [
        sub(1, "none") + b"\x18\x00",
        sub(1, "flag") + b"\x20\x01",
        sub(1, "below") + b"\x28" + varint(2 * 5 - 1),  # zigzag of -5
        sub(2, "a") + sub(2, "b") + b"\x31" + struct.pack("<d", 0.1),
        sub(1, "text") + sub(7, "words"),
        sub(1, "deep") + sub(8, '{"x": 3, "y": {"z": NaN}}'),
    ]
    row = sub(2, b"".join(sub(1, each) for each in typed) + sub(2, b"\x08\x07"))
    more = history(8, **{"flag": False, "deep": {"y": {"z": 2}}})
    found = read_curves(written(file_of(row, more), "run-1.wandb"))
    assert points(found, "flag") == [(7, 1), (8, 0)]
    assert points(found, "below") == [(7, -5)]
    assert points(found, "a.b") == [(7, 0.1)]
    assert points(found, "deep.x") == [(7, 3)]
    assert points(found, "deep.y.z") == [(8, 2)]
    assert any(note.endswith("text.") and "1 key left out" in note for note in found.notes)


def test_numbers_inside_media_are_no_curves(written):
    nested = [
        sub(1, sub(2, "image") + sub(2, k) + sub(16, v))
        for k, v in (("_type", '"image-file"'), ("width", "64"))
    ]
    row = sub(2, b"".join(nested) + item("loss", 1.5) + sub(2, b""))
    whole = history(1, hist={"_type": "histogram", "bins": 3}, loss=1)
    found = read_curves(written(file_of(row, whole, END), "run-1.wandb"))
    assert [curve.observable for curve in found.curves] == ["loss"]
    said = "2 keys left out (words, lists, histograms or media): hist, image."
    assert found.notes == (said,)


def test_an_axis_of_the_run_comes_before_the_step_of_wandb(written):
    """CleanRL logs `global_step` in every row; where it is not in every row, `_step` is the one."""
    rows = [history(i, global_step=64 * i, loss=i) for i in range(3)]
    found = read_curves(written(file_of(*rows), "run-1.wandb"))
    assert points(found, "loss") == [(0, 0), (64, 1), (128, 2)]
    assert found.curves[0].progress == "env_steps"
    found = read_curves(written(file_of(*rows, history(3, other=1)), "run-1.wandb"))
    assert points(found, "loss") == [(0, 0), (1, 1), (2, 2)]


@pytest.mark.parametrize("size", [BLOCK - 14, BLOCK - 15, BLOCK - 20, 3 * BLOCK])
def test_records_that_cross_blocks_are_whole(size):
    payloads = (bytes(size - 1) + b"\x01", b"ab")
    assert read_wandb_records(file_of(*payloads)).payloads == payloads


def test_zeros_at_the_end_of_a_file_are_no_record():
    found = read_wandb_records(file_of(b"ab") + bytes(2 * BLOCK))
    assert found.payloads == (b"ab",) and not found.fault


def test_mutated_files_give_a_prefix_and_say_so():
    content = file_of(*ROWS)
    whole = read_wandb_records(content).payloads
    rng = np.random.default_rng(SEED)
    for trial in range(60):
        mutated = bytearray(content)
        at = int(rng.integers(7, len(content)))
        if trial % 2:
            del mutated[at:]
        else:
            mutated[at] ^= 1 << int(rng.integers(8))
        found = read_wandb_records(bytes(mutated))
        assert found.payloads == whole[: len(found.payloads)]
        ends_between = len(file_of(*found.payloads)) == len(mutated)
        assert (len(found.payloads) < len(whole)) and bool(found.fault) != ends_between


def test_a_killed_run_is_kept_up_to_its_last_whole_record(written):
    content = file_of(*ROWS)
    found = read_curves(written(content[:-5], "run-1.wandb"))
    assert points(found, "n") == [(10 * i, i) for i in range(199)]
    size = len(file_of(*ROWS[-1:])) - 7
    said = f"record 200 is cut off or damaged: {size - 5} bytes not read."
    assert found.notes == (said,)


@pytest.mark.parametrize("ended", [True, False])
def test_a_run_without_an_end_is_said(written, ended):
    content = file_of(*ROWS, *([END] if ended else []))
    said = "the file says no end of the run, which was stopped or still goes on."
    assert read_curves(written(content, "run-1.wandb")).notes == (() if ended else (said,))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b":W&B", "it ends after 4 bytes, within the header of a .wandb file."),
        (b":W&Bxxxxxx", "it does not begin as a .wandb file does."),
        (file_of(version=1), "version 1 of .wandb files is not known; 0 is."),
        (file_of(run({"lr": 1})), "it holds no number in its history."),
    ],
    ids=["short", "other", "version", "empty"],
)
def test_what_is_no_run_is_one_sentence(written, sentence, content, said):
    assert sentence(read_curves, written(content, "run-1.wandb")).endswith(said)


def test_the_folder_of_a_run_is_one_log(tmp_path, written):
    folder = tmp_path / "wandb" / "offline-run-20260101_000000-abc"
    (folder / "files").mkdir(parents=True)
    written("numpy==2.0\n", "wandb/offline-run-20260101_000000-abc/files/requirements.txt")
    written(file_of(*ROWS, END), "wandb/offline-run-20260101_000000-abc/run-abc.wandb")
    found = read_curves(tmp_path)
    assert found.notes == (f"{tmp_path} holds W&B run (1).",)
    assert {curve.run for curve in found.curves} == {folder.name}


def test_files_of_one_run_that_was_started_again_are_named(tmp_path, written):
    for name, own in (("run-1.wandb", "abc"), ("run-2.wandb", "abc"), ("run-3.wandb", "xyz")):
        rows = ROWS[:150] if name == "run-1.wandb" else ROWS
        content = file_of(run({"lr": 0.5}, run_id=own, name=name), *rows, END)
        (tmp_path / "wandb" / f"offline-{name}").mkdir(parents=True)
        written(content, f"wandb/offline-{name}/{name}")
    found = read_curves(tmp_path)
    said = [note for note in found.notes if "again" in note]
    assert said == [
        "run-1.wandb, run-2.wandb are of one run, 'abc', that was started again; each is read as a "
        "run of its own."
    ]
    assert {curve.run for curve in found.curves} == {"run-1.wandb", "run-2.wandb", "run-3.wandb"}


def chart(key, *runs, bounds=("__MIN", "__MAX"), axis="Step"):
    names = [f"{run} - {key}{bound}" for run in runs for bound in ("", *bounds)]
    lines = [",".join(f'"{name}"' for name in (axis, *names))]
    for i in range(3):
        cells = [f'"{10 * i + k}"' for k in range(len(runs)) for _ in ("", *bounds)]
        lines.append(",".join([f'"{i}"', *cells]))
    return "\n".join(lines) + "\n"


def test_charts_of_a_folder_show_the_same_runs(tmp_path, written):
    written(chart("eval/return", "a", "b"), "one.csv")
    written(chart("loss/it", "b", "a"), "two.csv")
    found = read_curves(tmp_path)
    assert {run.run for run in found.runs} == {"a", "b"} and len(found.runs) == 2
    assert {(c.run, c.observable) for c in found.curves} == {
        (run, key) for run in "ab" for key in ("eval/return", "loss/it")
    }
    (a,) = [c for c in found.of("eval/return") if c.run == "a"]
    assert (a.t.tolist(), a.y.tolist()) == ([0, 1, 2], [0, 10, 20])
    said = "8 columns ignored (bounds of a chart export): a - eval/return__MIN, "
    assert sum(said in note for note in found.notes) == 1
    store = Store(tmp_path / "store")
    store.append(found)
    assert len(store.runs()) == 2


def test_charts_that_differ_about_one_run_are_of_several(tmp_path, written):
    written(chart("loss", "a"), "one.csv")
    written(chart("loss", "a").replace('"20"', '"21"'), "two.csv")
    found = read_curves(tmp_path)
    assert sorted(run.run for run in found.runs) == ["one/a", "two/a"]
    assert any("each is read for itself" in note for note in found.notes)
    written(chart("loss", "a"), "two.csv")
    assert [run.run for run in read_curves(tmp_path).runs] == ["a"]


def test_a_chart_over_another_axis_keeps_the_step(written):
    text = chart("loss", "a", axis="global_step").splitlines()
    text[0] += ',"a - _step","a - _step__MIN","a - _step__MAX"'
    text[1:] = [f'{line},"{7 * i}","{7 * i}","{7 * i}"' for i, line in enumerate(text[1:])]
    path = written("\n".join(text) + "\n", "chart.csv")
    found = read_curves(path)
    assert points(found, "loss") == [(0, 0), (1, 10), (2, 20)]
    assert found.curves[0].progress == "env_steps" and len(found.curves) == 1
    assert points(read_curves(path, t="_step"), "loss") == [(0, 0), (7, 10), (14, 20)]


def test_charts_as_parquet_and_words_in_them(written, tmp_path, sentence):
    frame = pl.read_csv(written(chart("loss", "a"), "x.csv"))
    frame.write_parquet(tmp_path / "x.parquet")
    assert points(read_curves(tmp_path / "x.parquet"), "loss") == [(0, 0), (1, 10), (2, 20)]
    path = written(chart("loss", "a").replace('"10"', '"ten"'), "bad.csv")
    said = "column 'a - loss' of bad.csv is not numbers; it says 'ten'."
    assert sentence(read_curves, path) == said


@pytest.mark.parametrize("n", [499, 500])
def test_an_export_as_long_as_a_sample_is_said(tmp_path: Path, n: int):
    steps = np.arange(n) * 3
    frame = pl.DataFrame(
        {"_step": steps, "_timestamp": steps + 1e9, "_runtime": steps, "loss": steps}
    )
    frame.write_parquet(tmp_path / "x.parquet")
    found = read_curves(tmp_path / "x.parquet")
    assert found.curves[0].t.tolist() == steps.tolist()
    assert any("a sample; scan_history()" in note for note in found.notes) == (n == 500)
    assert "2 columns ignored (other clocks): _timestamp, _runtime." in found.notes
