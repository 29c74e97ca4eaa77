"""Checking the lab's videos: what is found in a file, and what is said about it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import av
import pytest

from elicitation.errors import ManifestInvalid
from elicitation.placeholder import make_placeholder
from elicitation.probe import judge_loudness, judge_video, probe_video
from elicitation.stimuli import Stimulus
from expression import Emotion


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("probe") / "x.mp4"
    return make_placeholder(path, title="x", duration_s=3, rate_fps=Fraction(25), width_px=320, height_px=180)


@pytest.fixture(scope="module")
def facts(video):
    return probe_video(video)


def stimulus(**changes) -> Stimulus:
    return Stimulus(**{"stim_id": "02sa", "target_emotion": Emotion.SADNESS, "duration_s": 3, **changes})


def test_a_file_is_described_as_it_was_made(facts):
    assert (facts.width_px, facts.height_px, facts.frames) == (320, 180, 75)
    assert facts.rate_fps == pytest.approx(25, rel=1e-3)
    assert facts.duration_s == pytest.approx(3, abs=0.01)
    assert (facts.video_codec, facts.audio_codec) == ("h264", "aac")
    assert not facts.variable_rate
    assert not facts.damaged
    assert -45 < facts.loudness_lufs < -10


def test_a_good_file_on_a_fitting_screen_has_no_findings(facts):
    assert judge_video(stimulus(n_frames=75), facts, 50.0) == []


@pytest.mark.parametrize(
    ("changes", "described", "refresh_hz", "level", "text"),
    [
        ({}, {"duration_s": 9}, None, "error", "the manifest says 9 s"),
        ({}, {"n_frames": 74}, None, "error", "has 75 frames"),
        ({}, {}, 60.0, "warning", "do not divide"),
        ({}, {}, 24.0, "error", "frames would be lost"),
        ({"variable_rate": True}, {}, None, "warning", "varies"),
        ({"loudness_lufs": None}, {}, None, "warning", "no sound"),
        ({"loudness_lufs": float("-inf")}, {}, None, "warning", "silent"),
        ({"loudness_lufs": -5.0}, {}, None, "warning", "very loud"),
        ({"damaged": "damaged behind 1.0 s: x"}, {}, None, "error", "copy the file again"),
    ],
)
def test_what_is_wrong_is_said(facts, changes, described, refresh_hz, level, text):
    findings = judge_video(stimulus(**described), replace(facts, **changes), refresh_hz)
    assert [(finding.level, finding.stimulus) for finding in findings] == [(level, "02sa")]
    assert text in findings[0].text


def test_a_video_much_louder_than_the_others_is_named(facts):
    levels = {"a": -23.0, "b": -24.0, "c": -12.0, "d": None}
    findings = judge_loudness([(name, replace(facts, loudness_lufs=level)) for name, level in levels.items()])
    assert [finding.stimulus for finding in findings] == ["c"]
    assert "louder" in findings[0].text


def test_a_cut_file_is_found_out(video, tmp_path):
    cut = tmp_path / "cut.mp4"
    data = video.read_bytes()
    cut.write_bytes(data[: len(data) // 3])
    try:
        broken = probe_video(cut)
    except ManifestInvalid as error:
        message = str(error)
    else:
        message = judge_video(stimulus(), broken, None)[0].text
    assert message


def test_damaged_pictures_are_found_out_where_the_sound_is_whole(video, tmp_path):
    data = bytearray(video.read_bytes())
    with av.open(str(video)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.pts is not None]
    place, size = packets[len(packets) // 2]
    data[place + size // 2 : place + size] = bytes(byte ^ 0x5A for byte in data[place + size // 2 : place + size])
    (tmp_path / "hurt.mp4").write_bytes(data)
    whole, hurt = probe_video(video), probe_video(tmp_path / "hurt.mp4")
    assert hurt.damaged.startswith("damaged behind")
    assert (whole.damaged, whole.frames, whole.duration_s) == ("", hurt.frames, hurt.duration_s)


def test_what_is_no_video_is_refused(tmp_path):
    (tmp_path / "x.mp4").write_text("hello")
    with pytest.raises(ManifestInvalid, match="cannot be opened"):
        probe_video(tmp_path / "x.mp4")
