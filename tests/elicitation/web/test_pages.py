"""The participant's pages in a real browser, served by the process that a session starts."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest

from capture.recording.reader import Recording
from capture.session.self_report import read_self_report
from capture.session.stimulus_frames import STIMULUS_FRAMES_FILE, StimulusFrame, write_stimulus_frames
from capture.simulator.stamp import read_stamp
from expression import BASIC_EMOTIONS

SCALE = {"step": 3, "trial": "trial-001", "stim_id": "13f", "text": "How strongly did you feel each of these?"}
QUESTIONS = [{"text": f"Question {n}?", "answers": ["never", "often"]} for n in range(6)]
PIXELS = """
(size) => new Promise((resolve) => {
  const canvas = document.querySelector("canvas.face");
  const viewer = document.getElementById("page").viewer;
  viewer.zoomTo(1, 0, 0);
  requestAnimationFrame(() => requestAnimationFrame(() => {
    const { x, y } = viewer.view;
    const rows = Math.min(size[1], canvas.height - y), columns = Math.min(size[0], canvas.width - x);
    const data = canvas.getContext("2d").getImageData(x, y, columns, rows).data;
    let grey = "";
    for (let i = 0; i < data.length; i += 4) grey += String.fromCharCode(data[i]);
    resolve({ columns, rows, grey: btoa(grey) });
  }));
})
"""


@pytest.fixture
def open_page(chromium) -> Callable[..., Any]:
    """Opens a page at 1280x720, or as a tablet held upright with `touch`."""
    contexts = []

    def opened(url: str, *, touch: bool = False) -> Any:
        size = {"width": 800, "height": 1280} if touch else {"width": 1280, "height": 720}
        contexts.append(chromium.new_context(viewport=size, has_touch=touch))
        page = contexts[-1].new_page()
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()


def wait_page(page: Any, until: Callable[..., None], kind: str) -> None:
    until(page, f"document.getElementById('page').className.split(' ')[0] === '{kind}'")


def test_a_scale_is_answered_by_mouse(tmp_path, serve, open_page, until) -> None:
    pages = serve()
    page = open_page(pages.url)
    pages.show("scale", **SCALE)
    wait_page(page, until, "scale")
    assert page.locator("footer button").is_disabled()

    for grade, emotion in enumerate(BASIC_EMOTIONS):
        page.click(f".row[data-emotion='{emotion}'] .choice[data-value='{grade % 6}']")
    said = [pages.heard("answer") for _ in BASIC_EMOTIONS]
    page.click("footer button")
    done = pages.heard("done")

    assert [(one["item"], one["value"]) for one in said] == [(e.value, n % 6) for n, e in enumerate(BASIC_EMOTIONS)]
    assert {one["trial"] for one in said} == {"trial-001"}
    assert (done["page"], done["step"], done["stim_id"]) == ("scale", 3, "13f")
    grades = read_self_report(tmp_path).of_trial("trial-001").grades
    assert {one.emotion: one.grade for one in grades} == {e.value: n % 6 for n, e in enumerate(BASIC_EMOTIONS)}


def test_a_scale_is_answered_by_touch_in_the_protocols_language(tmp_path, serve, open_page, until) -> None:
    pages = serve()
    page = open_page(pages.url, touch=True)
    pages.show("scale", **SCALE, grades=8, language="de", words={"fear": "Furcht", "next": "Weiter"})
    wait_page(page, until, "scale")

    assert page.locator("html").get_attribute("lang") == "de"
    assert page.locator(".row[data-emotion='fear'] .name").text_content() == "Furcht"
    target = page.locator(".row[data-emotion='fear'] .choice[data-value='8']").bounding_box()
    assert min(target["width"], target["height"]) >= 44
    page.tap(".row[data-emotion='fear'] .choice[data-value='8']")
    pages.heard("answer")
    page.tap(".row[data-emotion='fear'] .choice[data-value='6']")
    changed = pages.heard("answer")

    assert (changed["item"], changed["value"], changed["revision"]) == ("fear", 6, 1)
    (grade,) = read_self_report(tmp_path).of_trial("trial-001").grades
    assert (grade.grade, grade.of, [one.grade for one in grade.revised]) == (6, 8, [8])


def test_what_is_written_from_right_to_left_is_laid_out_so_but_time_is_not(
    serve, open_page, until, recording, film
) -> None:
    pages = serve()
    page = open_page(pages.url)
    pages.show("scale", **SCALE, language="ar", words={"fear": "الخوف"})
    wait_page(page, until, "scale")

    def left(place: str) -> float:
        return page.locator(place).bounding_box()["x"]

    assert page.locator("html").get_attribute("dir") == "rtl"
    fear = ".row[data-emotion='fear'] "
    assert left(fear + ".choice[data-value='5']") < left(fear + ".choice[data-value='0']") < left(fear + ".name")

    pages.show("self_report", step=5, trial=recording.stem, recording=str(recording), stimulus=str(film), language="ar")
    wait_page(page, until, "self_report")
    assert left("aside") < left(".face-box")
    assert page.locator(".track input").evaluate("range => getComputedStyle(range).direction") == "ltr"
    assert left(".set button >> nth=0") < left(".set .play")


def test_a_scale_is_answered_by_keys_alone(serve, open_page, until) -> None:
    pages = serve()
    page = open_page(pages.url)
    pages.show("scale", **SCALE)
    wait_page(page, until, "scale")

    for key in "0123450":
        page.keyboard.press(key)
    assert [pages.heard("answer")["value"] for _ in range(7)] == [0, 1, 2, 3, 4, 5, 0]
    page.keyboard.press("Enter")
    assert pages.heard("done")["page"] == "scale"


def test_reloading_and_killing_the_server_lose_no_answer(tmp_path, serve, open_page, until) -> None:
    pages = serve(token="kept")
    port = pages.port
    page = open_page(pages.url)
    pages.show("scale", **SCALE)
    wait_page(page, until, "scale")
    page.click(".row[data-emotion='anger'] .choice[data-value='2']")
    pages.heard("answer")

    page.reload()
    wait_page(page, until, "scale")
    checked = "document.querySelector(\".row[data-emotion='%s'] input[value='%d']\")?.checked === true"
    until(page, checked % ("anger", 2))

    pages.kill()
    # Answered while nobody is there to take it: the page says so, and keeps it.
    page.click(".row[data-emotion='fear'] .choice[data-value='5']")
    until(page, "document.getElementById('notice').textContent === 'Not saved yet. Please wait a moment.'")

    again = serve(port=port, token="kept")
    assert again.heard("browser")["state"] == "connected"
    # The server is back and knows of no page yet: nothing is taken from the participant's screen, or thrown away.
    assert page.locator("main.scale").count() == 1
    again.show("scale", **SCALE)
    answer = again.heard("answer")
    assert (answer["item"], answer["value"]) == ("fear", 5)
    until(page, "document.getElementById('notice').hidden")
    until(page, checked % ("anger", 2))
    grades = read_self_report(tmp_path).of_trial("trial-001").grades
    assert {one.emotion: one.grade for one in grades} == {"anger": 2, "fear": 5}


def test_a_mark_comes_back_as_the_frame_that_was_on_the_canvas(serve, open_page, until, recording, film) -> None:
    session = recording.parent.parent
    known = Recording.open(recording)
    pages = serve(session)
    page = open_page(pages.url)
    pages.show(
        "self_report",
        step=5,
        trial=recording.stem,
        stim_id="13f",
        recording=f"recordings/{recording.name}",
        stimulus=str(film),
        in_step=[[20, 0.0], [140, 2.0]],
        lossless=True,
    )
    wait_page(page, until, "self_report")
    until(page, "document.getElementById('page').viewer?.frame === 0")
    assert page.locator(".nothing").is_visible()

    page.keyboard.press("PageDown")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    until(page, "document.getElementById('page').viewer.frame === 89")
    # 69 of 120 frames behind the first picture of the stimulus, which has 60.
    until(page, "document.getElementById('page').film.frame === 34")
    seen = page.evaluate(PIXELS, [known.width_px, 1])
    row = np.frombuffer(base64.b64decode(seen["grey"]), np.uint8)
    stamp = read_stamp(np.concatenate([row[:64], np.zeros(64, np.uint8)]))
    assert stamp is not None
    assert stamp.frame_id == known.frame_id[89]

    page.keyboard.press("m")
    page.keyboard.press("3")
    page.keyboard.press("4")
    page.keyboard.press("Enter")
    answer = pages.heard("answer")

    assert (answer["mark"], answer["frame"], answer["item"], answer["value"]) == (1, 89, "disgust", 4)
    (mark,) = read_self_report(session).of_trial(recording.stem).marks
    assert (mark.frame, mark.emotion, mark.intensity) == (89, "disgust", 4)
    assert mark.host_ns == known.times_ns()[89]
    assert mark.stimulus_time_s == pytest.approx(69 / 60)
    assert mark.recording == f"recordings/{recording.name}"

    page.reload()
    until(page, "document.querySelector('li[data-mark=\"1\"]') !== null")
    page.click("li[data-mark='1'] .edit")
    until(page, "document.getElementById('page').viewer.frame === 89")
    page.keyboard.press("m")  # only the form's own keys count here
    page.click("button:text-is('+10')")
    until(page, "!document.querySelector('.move').disabled")
    page.click(".move")
    page.click(".strengths .choice[data-value='1']")
    page.click(".save")
    answer = pages.heard("answer")
    assert (answer["mark"], answer["frame"], answer["value"], answer["revision"]) == (1, 99, 1, 1)

    page.click("li[data-mark='1'] .edit")
    page.click(".remove")
    assert pages.heard("answer")["value"] is None
    report = read_self_report(session).of_trial(recording.stem)
    assert (report.marks, [one.number for one in report.removed]) == ((), [1])
    # Without a mark, being done is asked once more.
    until(page, "document.querySelector('.marks .none') !== null")
    page.click(".done")
    assert page.locator(".list .notice").is_visible()
    page.click(".done")
    assert pages.heard("done")["page"] == "self_report"


def test_marks_are_made_by_touch(serve, open_page, until, recording, tmp_path) -> None:
    pages = serve()
    page = open_page(pages.url, touch=True)
    pages.show("self_report", step=5, trial="trial-001", recording=str(recording))
    wait_page(page, until, "self_report")
    until(page, "document.getElementById('page').viewer?.frame === 0")

    page.tap("button:text-is('+10')")
    page.tap("button:text-is('+1')")
    until(page, "document.getElementById('page').viewer.frame === 11")
    page.tap(".mark")
    page.tap(".emotions .choice[data-value='surprise']")
    page.tap(".strengths .choice[data-value='5']")
    page.tap(".save")

    answer = pages.heard("answer")
    assert (answer["frame"], answer["item"], answer["value"], answer["stimulus_time_s"]) == (11, "surprise", 5, None)
    # A recording from elsewhere keeps its whole path.
    assert read_self_report(tmp_path).of_trial("trial-001").marks[0].recording == str(recording)


def test_the_stimulus_follows_what_the_player_logged(serve, open_page, until, recording, film) -> None:
    session = recording.parent.parent
    times_ns = Recording.open(recording).times_ns()
    rows = [
        StimulusFrame(
            stim_id="13f",
            trial=recording.stem,
            stim_frame=number,
            pts_s=number / 30,
            due_ns=int(times_ns[50]) + number * 33_333_333,
            # One picture was left out; the one before it stayed.
            host_ns=0 if number == 2 else int(times_ns[50]) + number * 33_333_333,
            source="swap return",
            late=False,
            dropped=number == 2,
        )
        for number in range(5)
    ]
    write_stimulus_frames(session / STIMULUS_FRAMES_FILE, rows)
    pages = serve(session)
    page = open_page(pages.url)
    pages.show("self_report", step=5, trial=recording.stem, stim_id="13f", recording=str(recording), stimulus=str(film))
    wait_page(page, until, "self_report")
    until(page, "document.getElementById('page').viewer?.frame === 0")

    # 200 frames a second beside 30: a picture lasts 6.7 frames.
    for frame, picture in ((51, 0), (57, 1), (64, 1), (71, 3), (78, 4)):
        page.evaluate(f"document.getElementById('page').viewer.seek({frame})")
        until(page, f"document.getElementById('page').film.frame === {picture}")
        assert page.locator(".nothing").is_hidden()
    page.evaluate("document.getElementById('page').viewer.seek(49)")
    until(page, "!document.querySelector('.nothing').hidden")


def test_a_long_questionnaire_is_kept_page_by_page(tmp_path, serve, open_page, until) -> None:
    pages = serve()
    page = open_page(pages.url)
    pages.show("questionnaire", step=8, text="Please answer every question.", questions=QUESTIONS)
    wait_page(page, until, "questionnaire")

    for number in range(4):
        page.click(f".item[data-question='{number}'] .choice[data-value='{number % 2}']")
    page.click("footer .primary")
    page.reload()
    # It goes on where it was left.
    until(page, "document.querySelector('.item[data-question=\"4\"]') !== null")
    assert page.locator("footer .primary").is_disabled()
    for number in (4, 5):
        page.click(f".item[data-question='{number}'] .choice[data-value='1']")
    page.click("footer .primary")
    assert pages.heard("done")["step"] == 8

    (form,) = read_self_report(tmp_path).questionnaires
    assert [one.answer for one in form.answers] == ["never", "often", "never", "often", "often", "often"]


def test_texts_count_down_or_wait_for_the_participant(serve, open_page, until) -> None:
    pages = serve()
    page = open_page(pages.url)
    pages.show("text", step=1, text="Please rest.", seconds=30, button=False)
    wait_page(page, until, "text")
    assert 25 <= int(page.locator(".count").text_content()) <= 30
    assert page.locator("footer").count() == 0

    pages.show("text", step=2, text="Welcome.\n\nSit upright.")
    until(page, "document.querySelectorAll('.said').length === 2")
    page.keyboard.press("Enter")
    assert pages.heard("done")["step"] == 2

    pages.show("blank")
    wait_page(page, until, "blank")
    assert page.locator("main").text_content() == ""


def test_orders_that_cannot_be_carried_out_leave_the_page_as_it_was(serve, open_page, until, film) -> None:
    pages = serve()
    page = open_page(pages.url)
    pages.show("text", step=2, text="Welcome.")
    wait_page(page, until, "text")

    pages.show("self_report", trial="trial-001", recording="recordings/absent.zarr")
    assert "absent.zarr" in pages.heard("failed")["error"]
    pages.show("self_report", trial="trial-001")
    assert "needs the recording" in pages.heard("failed")["error"]
    pages.show("dance")
    assert "not an order" in pages.heard("failed")["error"]
    assert page.locator(".said").text_content() == "Welcome."


def test_nothing_but_the_page_of_now_is_to_be_had(serve, recording, tmp_path) -> None:
    pages = serve()
    with httpx.Client(base_url=pages.url.split("/enter")[0], follow_redirects=True) as client:
        for path in ("/", "/api/state", "/static/participant.js", "/frames/any/0.jpg"):
            assert client.get(path).status_code == 403
        assert client.get("/enter?token=guess").status_code == 403

        assert client.get(pages.url).status_code == 200
        for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2f..%2fcli.py"):
            assert client.get(path).status_code == 404
        assert client.get("/frames/any").status_code == 503
        pages.show("self_report", step=5, trial="trial-001", recording=str(recording))
        state = client.get("/api/state").json()
        source = state["recording"]
        assert client.get(f"{source['before']}0{source['behind']}").status_code == 200
        assert client.get("/frames/any/0.jpg").status_code == 404

        given = {"page": "self_report", "step": 5, "trial": "trial-001"}
        mark = {**given, "frame": 5, "emotion": "fear", "intensity": 3}
        for wrong in ({"frame": 10**9}, {"emotion": "envy"}, {"intensity": 6}, {"frame": -1}, {"more": 1}):
            assert client.post("/api/marks", json={**mark, **wrong}).status_code == 422
        assert client.post("/api/marks", json={**mark, "step": 4}).status_code == 409
        assert client.post("/api/grade", json={**given, "emotion": "fear", "grade": 1}).status_code == 409
        assert client.put("/api/marks/7", json=mark).status_code == 404
        assert client.post("/api/marks", json=mark, headers={"Origin": "https://elsewhere.example"}).status_code == 403
        assert not (tmp_path / "self_report.json").exists()

        pages.show("blank")
        while state["page"] != "blank":
            state = client.get("/api/state", params={"after": state["sequence"]}).json()
        assert client.get(f"{source['before']}0{source['behind']}").status_code == 404


def test_a_damaged_report_is_not_overwritten(tmp_path, serve) -> None:
    (tmp_path / "self_report.json").write_text("{")

    pages = serve()

    assert "restore it from a copy" in pages.heard("failed")["error"]
    assert pages.process.wait(20) == 1
    assert (tmp_path / "self_report.json").read_text() == "{"
