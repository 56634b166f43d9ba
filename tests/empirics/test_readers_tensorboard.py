"""Event files, written here byte by byte after the specification, and read without TensorBoard."""

import struct

import numpy as np
import pytest

from empirics.readers import read_curves
from empirics.readers.crc32c import crc32c
from empirics.readers.events import read_events
from empirics.store import Store

SEED = 5


def after_byte(register):
    """Divide by the polynomial of CRC-32C bit by bit."""
    for _ in range(8):
        register = (register >> 1) ^ (0x82F63B78 if register & 1 else 0)
    return register


TABLE = [after_byte(byte) for byte in range(256)]


def plain_crc(content):
    crc = 0xFFFFFFFF
    for byte in content:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def checked(content):
    crc = plain_crc(content)
    rotated = ((crc >> 15) | (crc << 17)) & 0xFFFFFFFF
    return struct.pack("<I", (rotated + 0xA282EAD8) & 0xFFFFFFFF)


def varint(n):
    n %= 1 << 64
    out = b""
    while n > 127:
        out, n = out + bytes([n % 128 + 128]), n // 128
    return out + bytes([n])


def sub(number, content):
    return varint(8 * number + 2) + varint(len(content)) + content


def record(payload):
    length = struct.pack("<Q", len(payload))
    return length + checked(length) + payload + checked(payload)


def event(step, *values, wall=0.0, rest=b""):
    summary = sub(5, b"".join(sub(1, value) for value in values)) if values else b""
    head = b"\x09" + struct.pack("<d", wall) + b"\x10" + varint(step)
    return record(head + summary + rest)


def simple(tag, y):
    return sub(1, tag.encode()) + b"\x15" + struct.pack("<f", y)


def tensor(tag, dtype, rest, shape=b""):
    return sub(1, tag.encode()) + sub(8, b"\x08" + varint(dtype) + sub(2, shape) + rest)


@pytest.fixture
def folder(tmp_path):
    """Give a function that writes event files into a folder."""

    def write(*files, name="run"):
        (tmp_path / name).mkdir(parents=True)
        for i, content in enumerate(files):
            (tmp_path / name / f"events.out.tfevents.{i}").write_bytes(content)
        return tmp_path / name

    return write


def points(found, observable):
    (curve,) = found.of(observable)
    return list(zip(curve.t.tolist(), curve.y.tolist(), strict=True))


def test_checksums_are_those_of_the_polynomial():
    assert plain_crc(b"123456789") == 0xE3069283  # the check value of CRC-32C
    content = np.random.default_rng(SEED).integers(0, 256, 9000, dtype=np.uint8)
    ends = 300 + np.array([*range(60), 63, 64, 65, 127, 128, 129, 255, 300, 4096, 8200])
    expected = [plain_crc(content[300:end].tobytes()) for end in ends]
    np.testing.assert_array_equal(crc32c(content, np.full(ends.size, 300), ends), expected)


def test_twenty_thousand_points_of_a_tag_are_all_read(folder):
    y = np.random.default_rng(SEED).normal(size=(20_000, 2)).astype(np.float32)
    content = b"".join(event(7 * i, simple("a", u), simple("b/c", v)) for i, (u, v) in enumerate(y))
    found = read_curves(folder(content))
    for observable, column in zip(("a", "b/c"), y.T, strict=True):
        (curve,) = found.of(observable)
        np.testing.assert_array_equal(curve.t, 7 * np.arange(20_000))
        np.testing.assert_array_equal(curve.y, column)
    assert found.rejected == ()


@pytest.mark.parametrize(
    ("dtype", "rest", "y"),
    [
        (1, sub(4, struct.pack("<f", 0.3)), np.float32(0.3)),
        (1, sub(5, struct.pack("<f", 0.3)), np.float32(0.3)),
        (1, b"\x2d" + struct.pack("<f", 0.3), np.float32(0.3)),
        (2, sub(4, struct.pack("<d", 0.3)), 0.3),
        (2, sub(6, struct.pack("<d", 0.3)), 0.3),
        (3, sub(7, varint(-5)), -5),
        (9, b"\x50" + varint(-(2**40)), -(2**40)),
        (9, sub(4, struct.pack("<q", 12)), 12),
        (19, sub(13, varint(int(np.float16(1.5).view(np.uint16)))), 1.5),
    ],
)
def test_scalars_of_tensorflow_2_are_read(folder, dtype, rest, y):
    n = 150  # more messages than are read one by one
    content = b"".join(event(i, tensor("loss", dtype, rest)) for i in range(n))
    assert points(read_curves(folder(content)), "loss") == [(i, y) for i in range(n)]
    assert (
        points(read_curves(folder(content[: 2 * len(content) // n], name="few")), "loss")[0][1] == y
    )


def test_all_tensors_of_a_tag_are_read(folder):
    """EventAccumulator keeps ten of them."""
    events = [event(i, tensor("loss", 1, b"\x2d" + struct.pack("<f", i / 2))) for i in range(100)]
    (curve,) = read_curves(folder(b"".join(events))).curves
    assert curve.y.tolist() == [i / 2 for i in range(100)]


def test_returns_of_dopamine_go_by_their_names(folder):
    """Its runner writes one point an iteration; nothing says how many steps that was."""
    tags = ("Train/AverageReturns", "Eval/AverageReturns", "Train/NumEpisodes")
    events = [event(i, *(simple(tag, i + k) for k, tag in enumerate(tags))) for i in range(3)]
    found = read_curves(folder(b"".join(events)))
    read = {curve.observable: curve.y.tolist() for curve in found.curves}
    assert read == {
        "episodic_return": [0, 1, 2],
        "eval_episodic_return": [1, 2, 3],
        "Train/NumEpisodes": [2, 3, 4],
    }
    assert {curve.progress for curve in found.curves} == {"unspecified"}
    assert found.runs[0].config["keys"]["episodic_return"] == "Train/AverageReturns"


def test_what_is_no_scalar_is_counted_by_kind(folder):
    image, histogram = sub(1, b"i") + sub(4, b"\x08\x01"), sub(1, b"h") + sub(5, b"")
    many = tensor("m", 1, sub(4, bytes(8)), shape=sub(2, b"\x08\x02"))
    found = read_curves(folder(event(0, image, histogram, many, simple("y", 1)) + event(1, image)))
    assert points(found, "y") == [(0, 1)]
    assert found.notes[1:] == (
        "1 tag left out (histograms).",
        "1 tag left out (images).",
        "1 tag left out (tensors of several numbers).",
    )


def test_a_run_that_went_on_in_a_second_file(folder, tmp_path):
    first = b"".join(event(i, simple("y", i), wall=i) for i in range(10))
    again = b"".join(event(i, simple("y", -i), wall=100 + i) for i in range(6, 12))
    path = folder(again, first)  # the order is that of the clock, not that of the names
    found = read_curves(path)
    assert points(found, "y") == [*((i, i) for i in range(6)), *((i, -i) for i in range(6, 12))]
    assert found.notes[1].startswith("4 rows left out: the run was resumed from an earlier t")
    store = Store(tmp_path / "store")
    store.append(found)
    assert store.curves().curves == found.curves
    over_time = read_curves(path, t="wall_time", y="y").curves[0]
    np.testing.assert_array_equal(over_time.t, [*range(6), *range(106, 112)])


def test_a_session_says_where_it_starts(folder):
    first = b"".join(event(i, simple("y", i), wall=i) for i in range(10))
    session = event(4, wall=100, rest=sub(7, b"\x08\x01"))
    found = read_curves(folder(first, session + event(8, simple("y", 0.5), wall=101)))
    assert points(found, "y") == [*((i, i) for i in range(4)), (8, 0.5)]
    assert "6 rows left out: a later session says it starts at an earlier step." in found.notes


def test_two_writers_at_once_are_two_runs(folder):
    one, other = (
        b"".join(event(i, simple("y", sign * i), wall=i + 0.5 * sign) for i in range(5))
        for sign in (1, -1)
    )
    found = read_curves(folder(one, other))
    assert len({curve.run_id for curve in found.curves}) == 2
    assert sorted(curve.y[-1] for curve in found.curves) == [-4, 4]


def test_nan_infinity_and_steps_that_repeat(folder):
    values = [np.nan, 1, 2, 4, np.nan, 5]
    steps = [0, 1, 2, 2, 3, 4]
    rows = [
        event(s, simple("y", v), simple("z", 1 / v if v == 2 else np.inf))
        for s, v in zip(steps, values, strict=True)
    ]
    found = read_curves(folder(b"".join(rows)))
    assert points(found, "y") == [(1, 1), (2, 3), (4, 5)]
    assert "2 rows left out: t or the value is NaN: y of run (2)." in found.notes
    assert [each.reason[:16] for each in found.rejected] == ["y must be finite"]


def test_episodes_that_end_together_are_one_run(folder, tmp_path):
    rows = [
        event(100 * i, *(simple("charts/episodic_return", i + k) for k in range(4)))
        for i in range(5)
    ]
    found = read_curves(folder(b"".join(rows)))
    assert points(found, "episodic_return") == [(100 * i, i + 1.5) for i in range(5)]
    assert any(note.startswith("15 rows at one t, where most rows are") for note in found.notes)
    store = Store(tmp_path / "store")
    store.append(found)
    assert store.curves().curves == found.curves


def test_a_run_of_cleanrl_says_its_conditions(folder):
    table = b"|param|value|\n|-|-|\n|gamma|0.99|\n|seed|3|\n|anneal_lr|True|"
    text = sub(1, b"hyperparameters/text_summary") + sub(8, b"\x08\x07" + sub(8, table))
    content = event(0, text) + event(5, simple("losses/approx_kl", 0.25))
    found = read_curves(folder(content, name="runs/CartPole-v1__ppo__3__1700000000"))
    (curve,) = found.of("approx_kl")
    assert dict(curve.conditions) == {
        "algorithm": "ppo",
        "anneal_lr": True,
        "environment": "CartPole-v1",
        "gamma": 0.99,
        "seed": 3,
    }
    (run,) = found.runs
    assert run.config["keys"] == {"approx_kl": "losses/approx_kl"}
    assert read_curves(folder(content, name="b"), y="losses/approx_kl").curves[0].y == [0.25]


def test_files_without_a_scalar_are_one_sentence(folder, sentence):
    assert sentence(read_curves, folder(b"") / "events.out.tfevents.0").endswith(
        "is empty (0 bytes)."
    )
    assert "holds no scalar" in sentence(read_curves, folder(event(0), name="b"))


def test_mutated_files_give_a_prefix_or_nothing():
    rows = [
        event(i, simple("y", i), tensor("z", 2, sub(4, struct.pack("<d", i)))) for i in range(40)
    ]
    assert len(set(map(len, rows))) == 1
    content = b"".join(rows)
    rng = np.random.default_rng(SEED)
    n_prefixes = 0
    for trial in range(200):
        mutated = bytearray(content)
        place = int(rng.integers(len(mutated) - 8))
        if trial % 3 == 0:
            del mutated[place:]
        elif trial % 3 == 1:
            mutated[place] ^= 1 << rng.integers(8)
        else:
            mutated[place : place + 8] = b"\xff" * 8  # a hostile length, where it hits one
        found = read_events(bytes(mutated))
        n = place // len(rows[0])  # the record that was hit, and all behind it, are gone
        assert found.y.size == 2 * n and found.n_broken == 0
        np.testing.assert_array_equal(found.y, np.repeat(np.arange(n), 2))
        np.testing.assert_array_equal(found.step, found.y)
        assert bool(found.fault) == (trial % 3 > 0 or place % len(rows[0]) > 0)
        n_prefixes += 0 < n < 40
    assert n_prefixes > 160


def test_messages_that_are_no_events_are_counted(folder):
    broken = record(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01") + record(b"\xff" * 30)
    found = read_curves(folder(event(0, simple("y", 1)) + broken + event(1, simple("y", 2))))
    assert points(found, "y") == [(0, 1), (1, 2)]
    assert "2 records that are no whole events." in found.notes
