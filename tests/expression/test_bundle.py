from __future__ import annotations

import numpy as np
import pytest

from expression.bundle import BUNDLE_FILE, ONNX_FILE, Bundle, BundleRecord
from expression.clip_input import ClipRecipe
from expression.emotions import BASIC_EMOTIONS, Emotion
from expression.errors import BadInput


@pytest.fixture
def bundle(tmp_path):
    (tmp_path / ONNX_FILE).write_bytes(b"network")
    return Bundle.seal(tmp_path, BundleRecord(name="small", recipe=ClipRecipe(), temperature=2.0, unsure_below=0.3))


def test_a_sealed_bundle_opens_as_it_was(bundle):
    assert Bundle.open(bundle.path) == bundle
    assert bundle.network() == bundle.network(int8=True) == bundle.path / ONNX_FILE


def test_a_changed_network_is_refused(bundle):
    (bundle.path / ONNX_FILE).write_bytes(b"another")
    with pytest.raises(BadInput, match="was changed"):
        Bundle.open(bundle.path)


def test_no_file_outside_the_folder_counts(bundle, tmp_path):
    text = (tmp_path / BUNDLE_FILE).read_text()
    (tmp_path / BUNDLE_FILE).write_text(text.replace(ONNX_FILE, "../" + ONNX_FILE))
    with pytest.raises(BadInput):
        Bundle.open(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"name": "x", "recipe": {}, "format": 9}', b'{"name":"x","recipe":{}}']
)
def test_what_is_no_bundle_is_refused_in_one_line(tmp_path, content):
    (tmp_path / BUNDLE_FILE).write_bytes(content)
    with pytest.raises(BadInput) as refusal:
        Bundle.open(tmp_path)
    assert "\n" not in str(refusal.value)


def test_probabilities_are_tempered_and_not_sure_is_an_answer(bundle):
    logits = np.zeros(7)
    assert bundle.read(logits).name == "not sure"
    logits[BASIC_EMOTIONS.index(Emotion.FEAR)] = 2 * np.log(6.0)
    reading = bundle.read(logits)
    assert reading.emotion is Emotion.FEAR
    assert reading.probabilities[Emotion.FEAR] == pytest.approx(0.5)
    assert sum(reading.probabilities.values()) == pytest.approx(1.0)
