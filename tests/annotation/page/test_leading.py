"""The lead's work in the browser, with the keyboard alone, and what people with bad intentions try there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser
from sqlalchemy import select

from annotation.api_models import Fragment, Role
from annotation.rounds import add_clip
from annotation.store.schema import RecordingRow
from tests.annotation.page.coder import Coder
from tests.annotation.page.conftest import Study, served_study
from tests.annotation.page.sessions import write_session

HOSTILE = "<img src=x onerror=window.taken=1>"
"""Would run if any page took a name or a note for markup."""
CLIPS = ((0, 99), (100, 199), (200, 299))


@pytest.fixture(scope="module")
def study(chromium: Browser, until: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    root = tmp_path_factory.mktemp("study")
    write_session(root, "P07", [(300, ())])
    (root / "annotation.toml").write_text(
        f"name = {json.dumps(HOSTILE)}\nrepeat_share = 0.0\ndefault_rate_fps = 200\n[coders]\nkeyframes = 2\n"
    )
    coders = {"kim": [Role.KEYFRAME], "max": [Role.KEYFRAME]}
    with served_study(chromium, until, root, {"lea": [Role.LEAD], **coders}) as served:
        with served.context.database.write() as session:
            recording = session.scalars(select(RecordingRow.id)).one()
            for first, last in CLIPS:
                fragment = Fragment(first_frame=first, last_frame=last)
                add_clip(session, recording, fragment, origin="selection", by="sol")
        yield served


@pytest.fixture
def lead(study: Study) -> Coder:
    return study.at_work("lea")


def tab_to(coder: Coder, name: str) -> None:
    """Move on with Tab until the focused control has this name."""
    named = """(
      document.activeElement.getAttribute("aria-label")
      ?? (document.activeElement.closest("label") ?? document.activeElement).textContent
    ).trim()"""
    for _ in range(60):
        if coder.page.evaluate(named) == name:
            return
        coder.press("Tab")
    raise AssertionError(f"Tab does not come to {name!r}")


def told(coder: Coder, words: str) -> None:
    coder.until(f"document.querySelector('#message').textContent.includes({json.dumps(words)})")


def new_password(lead: Coder, name: str) -> str:
    lead.until(f"document.querySelector('.secret')?.textContent.startsWith('Password of {name}: ')")
    return lead.page.inner_text(".secret").split(": ")[1].split(" ")[0]


def test_the_lead_makes_a_user_who_takes_a_password_of_their_own(study: Study, lead: Coder) -> None:
    lead.go("users")
    tab_to(lead, "Name of the new user")
    lead.type("nina")
    lead.press("Enter")
    told(lead, "give the user a role first")
    tab_to(lead, "key-frame coder")
    lead.press("Space")
    tab_to(lead, "Make the user")
    lead.press("Enter")
    told(lead, "nina can log in now")
    first = new_password(lead, "nina")
    nina = study.at_work("nina", first)
    nina.go("password")
    for old, message in (("not this one", "the old password is wrong"), (first, "Your password is changed.")):
        nina.page.evaluate("document.querySelectorAll('input').forEach((field) => (field.value = ''))")
        nina.page.evaluate("document.querySelector('input').focus()")
        nina.type(old)
        nina.press("Tab")
        nina.type("nina's own long one")
        nina.press("Enter")
        told(nina, message)
    assert nina.api("GET", "me")[0] == 401, "a new password ends all log-ins"
    assert nina.api("POST", "login", {"name": "nina", "password": first})[0] == 401
    assert nina.api("POST", "login", {"name": "nina", "password": "nina's own long one"})[0] == 200


def test_the_lead_takes_roles_passwords_and_the_log_in_away(study: Study, lead: Coder) -> None:
    nina = study.at_work("nina")
    lead.go("users")
    tab_to(lead, "nina: emotion annotator")
    lead.press("Space")
    told(lead, "nina: changed")
    assert nina.api("GET", "me")[1]["roles"] == ["emotion", "keyframe"]
    tab_to(lead, "New password for nina")
    lead.press("Enter")
    given = new_password(lead, "nina")
    assert nina.api("GET", "me")[0] == 401
    assert nina.api("POST", "login", {"name": "nina", "password": given})[0] == 200
    lead.go("users")
    tab_to(lead, "nina may log in")
    lead.press("Space")
    told(lead, "nina: changed")
    assert nina.api("GET", "me")[0] == 401
    assert nina.api("POST", "login", {"name": "nina", "password": given})[0] == 401
    tab_to(lead, "lea may log in")
    lead.press("Space")
    told(lead, "last active lead")
    nina.page.reload()
    nina.until("document.querySelector('form.login')")


def test_recordings_that_come_later_are_found_by_a_button(study: Study, lead: Coder) -> None:
    folder = study.root / f"{HOSTILE}_01"
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"{number:03d}.png"), np.full((24, 32), 90, np.uint8))
    lead.go("recordings")
    lead.until("document.querySelector('caption').textContent === '1 recording'")
    tab_to(lead, "Look for new sessions")
    lead.press("Enter")
    lead.until("document.querySelector('caption').textContent === '2 recordings'")


def test_a_round_is_closed_settled_by_the_lead_and_a_clip_cut_anew(study: Study, lead: Coder) -> None:
    lead.go("rounds")
    tab_to(lead, "Open a round: Key-frames")
    lead.press("Enter")
    told(lead, "Key-frames: opened over 3 clips")
    for name in ("kim", "max"):
        coder = study.at_work(name)
        for item in coder.api("GET", "work")[1]["items"]:
            first = coder.api("GET", f"items/{item['item']}")[1]["first_frame"]
            if (first, name) == (0, "max"):
                continue
            expression = (first, name) != (200, "max")
            marks = {"onset": first + 10, "apex": first + 20, "offset": first + 60} if expression else {}
            answer = {"kind": "keyframes", "expression": expression, **marks, "several": first == 100, "note": HOSTILE}
            assert coder.api("POST", f"items/{item['item']}/answer", {"answer": answer})[0] == 200

    for accept in (False, True):
        tab_to(lead, "Close the round")
        with lead.page.expect_event("dialog") as asked:
            lead.press("Enter")
        assert asked.value.message == "1 answer still missing. A closed round takes no more. Close it?"
        asked.value.accept() if accept else asked.value.dismiss()
    told(lead, "Round 1 is closed")

    lead.go("results/1")
    lead.until("document.querySelector('caption')?.textContent === '2 wait for your decision'")
    tab_to(lead, "clip 2")
    lead.press("Enter")
    lead.until("document.body.dataset.screen === '#/decide/1/2'")
    tab_to(lead, "Cut this clip anew")
    lead.press("Enter")
    lead.until("document.body.dataset.screen === '#/decide/1/2/split'")
    for key, frame in (("i", 105), ("o", 140), ("i", 141), ("o", 190)):
        lead.go_to(frame)
        lead.press(key)
    lead.until("document.querySelectorAll('.fragments li').length === 2")
    lead.save()
    told(lead, "The clip is cut anew.")
    lead.until("document.querySelector('caption')?.textContent === '1 wait for your decision'")

    tab_to(lead, "clip 3")
    lead.press("Enter")
    lead.until("document.body.dataset.screen === '#/decide/1/3'")
    for key, frame in (("o", 215), ("a", 230), ("f", 250)):
        lead.go_to(frame)
        lead.press(key)
    lead.press("w")
    lead.type(HOSTILE)
    lead.press("Escape")
    lead.save()
    lead.until("document.querySelector('p.good')?.textContent === 'Nothing waits for a decision.'")
    (third,) = [one for one in lead.api("GET", "rounds/1/results")[1]["clips"] if one["clip"] == 3]
    assert (third["answer"]["onset"], third["answer"]["apex"], third["answer"]["offset"]) == (215, 230, 250)
    assert third["by"] == "lead"
    lead.go("rounds")
    lead.until("document.querySelector('[aria-label=\"Key-frames\"]').textContent.includes('2 clips ready')")


def test_names_and_notes_are_text_and_never_markup(study: Study, lead: Coder) -> None:
    texts = {
        "rounds": 1,
        "users": 1,
        "recordings": 2,
        "results/1": 2,
        "agreement/1": 1,
        "decide/1/1": 2,
        "decide/1/3": 3,
    }
    for address, least in texts.items():
        lead.go(address)
        shown = lead.page.evaluate("document.body.innerText").count(HOSTILE)
        assert shown >= least, f"{address} shows what was written"
        assert lead.page.evaluate("[window.taken ?? null, document.querySelectorAll('img[onerror]').length]") == [
            None,
            0,
        ]
    kim = study.at_work("kim")
    item = kim.api("GET", "work")[1]["items"][0]["item"]
    kim.go(f"item/{item}")
    assert kim.page.evaluate("document.querySelector('textarea').value") == HOSTILE
    assert kim.page.evaluate("window.taken ?? null") is None
    for name in (HOSTILE, "a b", "../x", "'; DROP TABLE users; --"):
        assert lead.api("POST", "users", {"name": name, "roles": ["emotion"]})[0] == 422


def test_pages_from_elsewhere_can_neither_act_nor_read_in_a_coders_name(
    study: Study, lead: Coder, static_files: str
) -> None:
    """Another port of this machine is the same site: the cookie goes along, and the server itself must refuse."""
    page = lead.page.context.new_page()
    page.goto(f"{static_files}/coding.css")
    before = lead.api("GET", "rounds")
    outcomes = page.evaluate(
        """async (url) => {
          const act = {method: "POST", mode: "no-cors", credentials: "include", body: '{"kind": "selection"}'};
          const tries = [
            fetch(`${url}/api/rounds`, act),
            fetch(`${url}/api/logout`, act),
            fetch(`${url}/api/rounds`, {credentials: "include"}),
          ];
          return (await Promise.allSettled(tries)).map((one) => one.status);
        }""",
        study.url,
    )
    assert outcomes == ["rejected"] * 3
    page.close()
    assert lead.api("GET", "rounds") == before
    assert before[0] == 200
    frame = lead.page.evaluate("""async () => (await fetch("/")).headers.get("content-security-policy")""")
    assert "frame-ancestors 'none'" in frame
