"""The manifest of stimuli: the paper's fifteen, reading and writing, and finding the lab's files."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elicitation.errors import ManifestInvalid
from elicitation.stimuli import Manifest, Stimulus, file_sha256
from expression import BASIC_EMOTIONS, Emotion


def test_the_papers_fifteen_cover_all_emotions():
    manifest = Manifest.of_paper()
    assert len(manifest.stimuli) == 15
    assert {stimulus.target_emotion for stimulus in manifest.stimuli} == set(BASIC_EMOTIONS)
    assert manifest.by_id["02sa"].duration_s == 224
    assert manifest.by_id["10a"].score == 4.33
    assert not any(stimulus.present for stimulus in manifest.stimuli)


def test_a_manifest_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "stimuli.tsv"
    manifest = Manifest.of_paper()
    manifest.save(path)
    assert Manifest.load(path).stimuli == manifest.stimuli
    assert path.read_text().splitlines()[0].split("\t")[:3] == ["stim_id", "target_emotion", "duration_s"]


def test_files_are_found_by_name_checksum_and_duration(tmp_path):
    for name, content in (
        ("a.mp4", b"a"),
        ("sub/renamed.mkv", b"b"),
        ("c.mov", b"c"),
        ("d1.avi", b"d"),
        ("d2.avi", b"e"),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    checksum = file_sha256(tmp_path / "sub/renamed.mkv")
    common = {"target_emotion": Emotion.FEAR}
    manifest = Manifest(
        [
            Stimulus(stim_id="a", duration_s=9, **common),
            Stimulus(stim_id="b", duration_s=9, sha256=checksum, **common),
            Stimulus(stim_id="x", duration_s=60, **common),
            Stimulus(stim_id="y", duration_s=30, **common),
            Stimulus(stim_id="z", duration_s=9, file="none.mp4", **common),
            Stimulus(stim_id="v", duration_s=9, file="a.mp4", sha256="1" * 64, **common),
            Stimulus(stim_id="w", duration_s=9, sha256="0" * 64, **common),
        ]
    )
    durations = {tmp_path / "c.mov": 60.4, tmp_path / "d1.avi": 30.0, tmp_path / "d2.avi": 30.2}
    found = {one.stimulus.stim_id: one for one in manifest.locate(tmp_path, durations)}
    assert found["a"].path == tmp_path / "a.mp4"
    assert found["b"].path == tmp_path / "sub/renamed.mkv"
    assert (found["x"].path, found["x"].how) == (tmp_path / "c.mov", "duration")
    assert found["y"].path is None
    assert found["v"].path is None
    assert "only a.mp4, with another checksum" in found["v"].how
    assert "2 videos" in found["y"].how
    assert "none.mp4" in found["z"].how
    assert "checksum" in found["w"].how


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "column names"),
        ("stim_id\tduration_s\n", "target_emotion"),
        ("stim_id\ttarget_emotion\tduration_s\tcolour\n", "unknown column 'colour'"),
        ("stim_id\ttarget_emotion\tduration_s\n", "no stimulus"),
        ("stim_id\ttarget_emotion\tduration_s\na\tjoyful?\t3\n", "line 2, column target_emotion"),
        ("stim_id\ttarget_emotion\tduration_s\na\tfear\tlong\n", "line 2, column duration_s"),
        ("stim_id\ttarget_emotion\tduration_s\na\tfear\t3\na\tfear\t4\n", "line 3: a stands there twice"),
        ("stim_id\ttarget_emotion\tduration_s\n../a\tfear\t3\n", "column stim_id"),
        ("stim_id\ttarget_emotion\tduration_s\na\tfear\n", "line 2: 2 columns"),
    ],
)
def test_a_wrong_manifest_is_refused_with_its_place(tmp_path, text, message):
    path = tmp_path / "stimuli.tsv"
    path.write_text(text)
    with pytest.raises(ManifestInvalid, match=message) as caught:
        Manifest.load(path)
    assert "\n" not in str(caught.value)


def test_a_missing_manifest_is_named(tmp_path):
    with pytest.raises(ManifestInvalid, match="No such file"):
        Manifest.load(tmp_path / "none.tsv")


@given(st.binary(max_size=400))
def test_no_bytes_do_harm(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("manifest") / "stimuli.tsv"
    path.write_bytes(data)
    with contextlib.suppress(ManifestInvalid):
        Manifest.load(path)
