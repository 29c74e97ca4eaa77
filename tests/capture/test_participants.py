"""The registry of participants: what was agreed to, when it was taken back, and that nothing is forgotten."""

from __future__ import annotations

import contextlib
import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.errors import BadInput, CaptureError, RecordingInvalid
from capture.participants import REGISTRY_FILE, Registry, new_pseudonym

FORM = {"form": "consent-v1", "form_text": "I agree …", "items": {"recording": True, "sharing": False}}


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path)


def test_nobody_may_be_recorded_without_consent(registry):
    pseudonym = registry.add()
    assert not registry.participant(pseudonym).may_be_recorded
    registry.consent(pseudonym, **{**FORM, "items": {"recording": False}}, publish_images=True)
    assert not registry.participant(pseudonym).may_be_recorded
    registry.consent(pseudonym, **FORM, publish_images=False)
    participant = registry.participant(pseudonym)
    assert participant.may_be_recorded
    assert not participant.may_be_published


def test_a_consent_names_the_text_that_was_signed_and_what_was_asked(registry):
    registry.add("P07")
    consent = registry.consent("P07", **FORM, publish_images=True, witness="AB").consent
    assert consent.form_sha256 == hashlib.sha256("I agree …".encode()).hexdigest()
    assert consent.items == {"recording": True, "sharing": False}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", consent.time)


def test_withdrawal_ends_what_was_agreed_and_stays_on_record(registry):
    registry.add("P07")
    registry.consent("P07", **FORM, publish_images=True)
    registry.withdraw("P07", "publication")
    assert registry.participant("P07").may_be_recorded
    assert not registry.participant("P07").may_be_published
    registry.withdraw("P07")
    assert not registry.participant("P07").may_be_recorded
    registry.erased("P07", sessions=2, files=40, size_bytes=10**9)
    assert [type(entry).__name__ for entry in registry.entries()] == [
        "Added",
        "Consented",
        "Withdrawn",
        "Withdrawn",
        "Erased",
    ]
    with pytest.raises(BadInput, match="erased"):
        registry.consent("P07", **FORM, publish_images=False)


def test_pseudonyms_are_unique_whatever_their_case(registry):
    registry.add("P07")
    with pytest.raises(BadInput, match="already"):
        registry.add("p07")
    with pytest.raises(BadInput, match="letters, digits"):
        registry.add("../x")
    with pytest.raises(BadInput, match="enter them first"):
        registry.withdraw("P08")


def test_pseudonyms_are_random():
    assert len({new_pseudonym() for _ in range(200)}) > 195


def test_the_registry_of_a_session_is_found_above_it(registry, tmp_path):
    registry.add("P07")
    session = tmp_path / "study" / "session"
    session.mkdir(parents=True)
    assert Registry.around(session).path == registry.path
    assert Registry(tmp_path / "study").participants() == {}


def test_a_line_torn_by_a_power_cut_costs_only_itself(registry):
    registry.add("P07")
    whole = registry.path.read_bytes()
    for cut in range(1, len(whole)):
        registry.path.write_bytes(whole + whole[:cut])
        assert list(registry.participants()) == ["P07"]
    registry.add("P08")
    assert list(registry.participants()) == ["P07", "P08"]


def test_a_damaged_line_is_named(registry):
    registry.add("P07")
    with registry.path.open("ab") as file:
        file.write(b'{"what":"added"}\n')
    with pytest.raises(RecordingInvalid, match="line 2"):
        registry.participants()


@given(st.binary(max_size=300))
def test_no_bytes_do_harm(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("registry")
    (folder / REGISTRY_FILE).write_bytes(data)
    with contextlib.suppress(CaptureError):
        Registry(folder).participants()
