"""A study from selection to emotion, over HTTP: what everybody sees, and what nobody sees too early."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.annotation.people import CODERS, PASSWORD


def marks(onset: int, apex: int, offset: int) -> dict[str, object]:
    return {"kind": "keyframes", "expression": True, "onset": onset, "apex": apex, "offset": offset}


def send(client, item: int, answer: dict[str, object], **more: object):
    return client.post(f"/api/items/{item}/answer", json={"answer": answer, **more})


def code_all(people, round_id: int, answer_of) -> None:
    """Every coder answers all of their items; `answer_of(name, item)` gives the answer."""
    for name in CODERS:
        for item in people.items(name, round_id):
            shown = people[name].get(f"/api/items/{item}").json()
            assert send(people[name], item, answer_of(name, shown)).status_code == 200


def test_selected_fragments_become_clips_when_the_round_closes(people):
    round_id = people.open_round("selection")
    for item, fragment in zip(people.items("sol", round_id), [(90, 200), (300, 390)], strict=True):
        shown = people["sol"].get(f"/api/items/{item}").json()
        assert (shown["first_frame"], shown["last_frame"], shown["label"]) == (
            0,
            399,
            f"recording {shown['position']} of 2",
        )
        answer = {"kind": "selection", "fragments": [{"first_frame": fragment[0], "last_frame": fragment[1]}]}
        assert send(people["sol"], item, answer).status_code == 200
        assert send(people["sol"], item, {**answer, "finished": True}).json()["version"] == 2
    lead = people["lena"]
    assert lead.get("/api/rounds").json()["rounds"][0]["progress"] == [{"coder": "sol", "done": 2, "total": 2}]

    assert lead.post(f"/api/rounds/{round_id}/close").json()["state"] == "closed"

    assert [one["clips"] for one in lead.get("/api/recordings").json()] == [1, 1]
    ready = {one["kind"]: one["clips"] for one in lead.get("/api/rounds").json()["ready"]}
    assert ready == {"selection": 0, "keyframes": 2, "units": 0, "crosscheck": 0, "emotion": 0}


def test_from_key_frames_to_emotion(people, clips):
    lead = people["lena"]
    shift = {"ana": 0, "ben": 4, "cem": -1}

    keyframes = people.open_round("keyframes")

    def mark(name, item):
        first = item["first_frame"]
        if first == 280:
            return {"kind": "keyframes", "expression": name == "ana"} | (
                {"onset": 300, "apex": 310, "offset": 320} if name == "ana" else {}
            )
        return marks(first + 10 + shift[name], first + 40 + shift[name], first + 90 + shift[name])

    code_all(people, keyframes, mark)
    assert lead.post(f"/api/rounds/{keyframes}/close").status_code == 200
    found = {one["clip"]: one for one in lead.get(f"/api/rounds/{keyframes}/results").json()["clips"]}
    assert [found[clip]["answer"]["expression"] for clip in clips] == [True, False, True, False]
    answer = found[clips[0]]["answer"]
    assert (answer["onset"], answer["apex"], answer["offset"], found[clips[0]]["micro"]) == (90, 120, 170, True)
    assert {one["coder"]: one["answer"]["onset"] for one in found[clips[0]]["answers"]} == {
        "ana": 90,
        "ben": 94,
        "cem": 89,
    }

    units = people.open_round("units")
    shown = people["ana"].get(f"/api/items/{people.items('ana', units)[0]}").json()
    assert shown["key_frames"] == {"onset": 90, "apex": 120, "offset": 170}
    assert shown["coder_units"] is None
    code_all(
        people, units, lambda name, item: {"kind": "units", "units": ["AU12"] if name == "ana" else ["AU6", "AU12"]}
    )
    lead.post(f"/api/rounds/{units}/close")
    states = lead.get(f"/api/rounds/{units}/results").json()["clips"]
    differ = [one for one in states if not one["settled"]]
    assert differ, "the deal pairs ana with somebody at least once"

    check = people.open_round("crosscheck")
    pair = sorted({answer["coder"] for answer in differ[0]["answers"]})
    for name in pair:
        for item in people.items(name, check):
            both = people[name].get(f"/api/items/{item}").json()["coder_units"]
            assert sorted(one["coder"] for one in both) == pair
            assert send(people[name], item, {"kind": "crosscheck", "units": ["12", "6"]}).status_code == 200
    for name in CODERS:
        for item in people.items(name, check):
            send(people[name], item, {"kind": "crosscheck", "units": ["AU6", "AU12"]})
    lead.post(f"/api/rounds/{check}/close")
    for number in (units, check):
        assert all(one["settled"] for one in lead.get(f"/api/rounds/{number}/results").json()["clips"])
        assert lead.get(f"/api/rounds/{number}").json()["disagreements"] == 0

    emotion = people.open_round("emotion")
    first = people["ben"].get(f"/api/items/{people.items('ben', emotion)[0]}").json()
    assert first["units"] == ["AU6", "AU12"]
    assert (first["stimulus"], first["stimulus_emotion"]) == ("17h", "happiness")
    votes = {"ana": "happiness", "ben": "happiness", "cem": "contempt"}
    code_all(people, emotion, lambda name, item: {"kind": "emotion", "emotion": votes[name]})
    lead.post(f"/api/rounds/{emotion}/close")
    labels = lead.get(f"/api/rounds/{emotion}/results").json()["clips"]
    assert [(one["answer"]["emotion"], one["reason"]) for one in labels] == [
        ("happiness", "2 happiness, 1 contempt")
    ] * 2
    report = lead.get(f"/api/rounds/{emotion}/agreement").json()
    assert report["coders"] == ["ana", "ben", "cem"]
    assert report["figures"][0]["key"] == "fleiss_kappa"
    assert lead.get(f"/api/rounds/{emotion}/plots/votes.svg").text.startswith("<?xml")
    assert lead.get(f"/api/clips/{clips[0]}").json()["emotion"] == "happiness"


def test_nobody_sees_answers_of_an_open_round_not_even_the_lead(people, clips):
    round_id = people.open_round("keyframes")
    for name in CODERS:
        for item in people.items(name, round_id):
            assert send(people[name], item, marks(301, 302, 303) if item else {}).status_code in (200, 422)
    lead = people["lena"]

    for path in ("results", "agreement", "plots/spread.svg"):
        assert lead.get(f"/api/rounds/{round_id}/{path}").status_code == 403
    decision = {"answer": {"kind": "keyframes", "expression": False}, "reason": "no"}
    assert lead.post(f"/api/rounds/{round_id}/clips/{clips[0]}/decision", json=decision).status_code == 409
    progress = lead.get(f"/api/rounds/{round_id}").json()
    assert "answer" not in str(progress).replace("answers", "")

    own = people.items("ana", round_id)
    others = people.items("ben", round_id)
    assert not set(own) & set(others)
    for item in (*others, 99_999):
        for path in ("", "/timeline", "/answers", "/frames/300.jpg"):
            assert people["ana"].get(f"/api/items/{item}{path}").status_code == 403
        assert send(people["ana"], item, marks(301, 302, 303)).status_code == 403
    for path in (
        "/api/rounds",
        f"/api/rounds/{round_id}/results",
        f"/api/clips/{clips[0]}",
        "/api/users",
        "/api/recordings",
    ):
        assert people["ana"].get(path).status_code == 403
    assert people["ana"].post(f"/api/rounds/{round_id}/close").status_code == 403


def test_nothing_is_given_without_a_log_in(people, clips):
    stranger = people.stranger()
    for path in people.app.openapi()["paths"]:
        if path == "/api/login":
            continue
        address = path.replace("{frame}", "300").replace("{name}", "votes")
        for parameter in ("item", "clip", "number", "user"):
            address = address.replace("{" + parameter + "}", "1")
        for method, call in (("get", stranger.get), ("post", stranger.post), ("patch", stranger.patch)):
            if method in people.app.openapi()["paths"][path] and path != "/api/logout":
                assert call(address).status_code == 401, (method, path)


def test_frames_are_the_recordings_and_only_those_around_the_clip(people, clips):
    round_id = people.open_round("keyframes")
    client = people["ana"]
    item = people.items("ana", round_id)[0]
    shown = client.get(f"/api/items/{item}").json()

    for frame in (shown["shown_first"], shown["first_frame"], shown["last_frame"], shown["shown_last"]):
        answer = client.get(f"/api/items/{item}/frames/{frame}.jpg")
        pixels = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert pixels.shape == (48, 64)
        assert abs(int(pixels[20, 30]) - frame % 256) <= 2
        assert answer.headers["vary"] == "Cookie"
    outside = [shown["shown_first"] - 1, shown["shown_last"] + 1, 10**9]
    assert {client.get(f"/api/items/{item}/frames/{frame}.jpg").status_code for frame in outside} <= {403, 422, 404}
    for trick in ("..%2f..%2fsession.json", "1.jpg%00", "-1", "1e3", "../../../etc/passwd"):
        assert client.get(f"/api/items/{item}/frames/{trick}").status_code in (403, 404, 422)
        assert client.get(f"/static/{trick}").status_code in (403, 404)
    for query, shape in (("side=32&quality=90", (24, 32)), ("crop=face", (40, 40))):
        small = client.get(f"/api/items/{item}/frames/{shown['first_frame']}.jpg?{query}")
        assert cv2.imdecode(np.frombuffer(small.content, np.uint8), cv2.IMREAD_GRAYSCALE).shape == shape
    assert shown["face"] == [8, 4, 40, 40]


def test_layers_are_shown_to_those_rounds_alone_that_may_see_them(people):
    selection = people.open_round("selection")
    item = people.items("sol", selection)[0]
    seen = people["sol"].get(f"/api/items/{item}/timeline").json()
    assert seen["stimulus"] == [{"first_frame": 50, "last_frame": 300, "name": "17h", "emotion": "happiness"}]
    assert [report["frame"] for report in seen["self_reports"]] == [120, 310]
    assert seen["candidates"] == [
        {"onset": 100, "apex": 125, "offset": 160, "emotion": "happiness", "probability": 0.7}
    ]
    assert (seen["motion"]["state"], seen["motion"]["frames"][:3]) == ("ready", [0, 5, 10])
    assert max(seen["motion"]["motion_px"]) == 0.4
    send(
        people["sol"],
        item,
        {"kind": "selection", "fragments": [{"first_frame": 90, "last_frame": 190}], "finished": True},
    )
    people["lena"].post(f"/api/rounds/{selection}/close")

    keyframes = people.open_round("keyframes")
    hidden = people["ana"].get(f"/api/items/{people.items('ana', keyframes)[0]}/timeline").json()
    assert (hidden["stimulus"], hidden["self_reports"], hidden["candidates"]) == (None, None, None)
    item = people["ana"].get(f"/api/items/{people.items('ana', keyframes)[0]}").json()
    assert (item["stimulus"], item["units"], item["coder_units"]) == (None, None, None)
    assert "P01" not in str(item)


def test_every_change_is_a_new_version_and_clashes_are_refused(people, clips):
    round_id = people.open_round("keyframes")
    client = people["ana"]
    item = people.items("ana", round_id)[0]
    first = client.get(f"/api/items/{item}").json()["first_frame"]
    one, two = marks(first, first + 5, first + 9), marks(first, first + 6, first + 9)

    assert send(client, item, one, frame_shown=first + 9).json()["version"] == 1
    assert send(client, item, two, version=2).json()["version"] == 2
    assert send(client, item, two, version=2).status_code == 409
    assert send(client, item, one).json()["version"] == 3

    versions = client.get(f"/api/items/{item}/answers").json()
    assert [each["answer"]["apex"] for each in versions] == [first + 5, first + 6, first + 5]
    assert versions[0]["frame_shown"] == first + 9
    people["lena"].post(f"/api/rounds/{round_id}/close")
    closed = send(client, item, two)
    assert (closed.status_code, "closed" in closed.json()["detail"]) == (409, True)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"kind": "keyframes", "expression": True, "onset": 90, "apex": 80, "offset": 100}, "not in this order"),
        ({"kind": "keyframes", "expression": True, "onset": 90, "apex": None, "offset": 100}, "mark all three"),
        ({"kind": "keyframes", "expression": False, "onset": 90}, "no key-frames"),
        ({"kind": "keyframes", "expression": True, "onset": 0, "apex": 1, "offset": 2}, "outside"),
        ({"kind": "emotion", "emotion": "fear"}, "takes no emotion answers"),
        ({"kind": "units", "units": ["AU99"]}, "AU99"),
        ({"kind": "nonsense"}, "kind"),
        ({}, "kind"),
    ],
)
def test_what_is_wrong_with_an_answer_is_said_in_one_line(people, clips, answer, words):
    round_id = people.open_round("keyframes")

    refused = send(people["ana"], people.items("ana", round_id)[0], answer)

    assert refused.status_code == 422
    assert words in refused.json()["detail"]
    assert len(refused.json()["detail"].splitlines()) == 1


def test_the_lead_decides_and_cuts_anew(people, clips):
    lead = people["lena"]
    round_id = people.open_round("keyframes")
    code_all(people, round_id, lambda name, item: {
        **marks(item["first_frame"], item["first_frame"] + 5, item["first_frame"] + 9), "several": name != "cem"
    })  # fmt: skip
    lead.post(f"/api/rounds/{round_id}/close")
    assert lead.get(f"/api/rounds/{round_id}").json()["disagreements"] == 4

    decision = {"answer": marks(85, 100, 120), "reason": "the second one is a blink"}
    decided = lead.post(f"/api/rounds/{round_id}/clips/{clips[0]}/decision", json=decision).json()
    assert (decided["settled"], decided["by"], decided["reason"]) == (True, "lead", "lena: the second one is a blink")
    assert len(decided["answers"]) == 3
    wrong = {"answer": {"kind": "emotion", "emotion": "fear"}, "reason": "x"}
    assert lead.post(f"/api/rounds/{round_id}/clips/{clips[0]}/decision", json=wrong).status_code == 422

    parts = {"fragments": [{"first_frame": 280, "last_frame": 330}, {"first_frame": 331, "last_frame": 399}]}
    views = lead.post(f"/api/clips/{clips[1]}/split", json=parts).json()
    assert [(view["first_frame"], view["last_frame"]) for view in views] == [(280, 330), (331, 399)]
    assert lead.post(f"/api/clips/{clips[1]}/split", json=parts).status_code == 409
    found = {one["clip"]: one for one in lead.get(f"/api/rounds/{round_id}/results").json()["clips"]}
    assert (found[clips[1]]["settled"], found[clips[1]]["by"], found[clips[1]]["answer"]) == (True, "lead", None)
    assert found[clips[1]]["reason"].startswith("cut anew")
    assert lead.get(f"/api/rounds/{round_id}").json()["disagreements"] == 2
    ready = {one["kind"]: one["clips"] for one in lead.get("/api/rounds").json()["ready"]}
    assert (ready["keyframes"], ready["units"]) == (2, 1)
    assert lead.get(f"/api/clips/{clips[0]}/frames/100.jpg").status_code == 200
    assert lead.get(f"/api/clips/{clips[0]}/timeline").json()["stimulus"] is not None


def test_a_round_without_enough_coders_says_what_is_needed(people, clips):
    lead = people["lena"]
    cem = next(user for user in lead.get("/api/users").json() if user["name"] == "cem")
    assert lead.patch(f"/api/users/{cem['id']}", json={"active": False}).json()["active"] is False

    refused = lead.post("/api/rounds", json={"kind": "keyframes"})

    assert refused.status_code == 422
    assert "needs 3 active users with the role 'keyframe', there are 2" in refused.json()["detail"]
    assert "nothing is ready" in lead.post("/api/rounds", json={"kind": "emotion"}).json()["detail"]


def test_users_log_in_and_out_and_change_their_password(people):
    client = people["ana"]
    assert client.get("/api/me").json() == {"name": "ana", "roles": ["au", "emotion", "keyframe"]}
    assert client.get("/api/study").json()["emotions"][0] == "anger"
    wrong = {"old": "nonsense", "new": "another long one"}
    assert client.post("/api/me/password", json=wrong).status_code == 403
    assert client.post("/api/me/password", json={**wrong, "old": PASSWORD}).status_code == 204
    assert client.get("/api/me").status_code == 401
    again = people.stranger()
    assert again.post("/api/login", json={"name": "ana", "password": PASSWORD}).status_code == 401
    answer = again.post("/api/login", json={"name": "ANA", "password": "another long one"})
    assert answer.status_code == 200
    assert {"HttpOnly", "SameSite=strict"} <= set(answer.headers["set-cookie"].split("; "))
    assert again.post("/api/logout").status_code == 204
    assert again.get("/api/me").status_code == 401


def test_the_lead_enters_users_and_their_passwords_are_shown_once(people):
    lead = people["lena"]
    made = lead.post("/api/users", json={"name": "dora", "roles": ["emotion"]}).json()
    assert people.stranger().post("/api/login", json={"name": "dora", "password": made["password"]}).status_code == 200
    assert all(user["password"] is None for user in lead.get("/api/users").json())
    assert lead.post("/api/users", json={"name": "Dora", "roles": ["emotion"]}).status_code == 422
    last = next(user for user in lead.get("/api/users").json() if user["name"] == "lena")
    assert "last active lead" in lead.patch(f"/api/users/{last['id']}", json={"active": False}).json()["detail"]


def test_guessing_passwords_is_braked(people):
    stranger = people.stranger()
    statuses = [
        stranger.post("/api/login", json={"name": "ana", "password": f"guess {i}"}).status_code for i in range(12)
    ]
    assert statuses == [401] * 10 + [429] * 2


def test_whoever_guesses_passwords_does_not_hold_up_those_who_answer(people):
    """Checking a password is slow on purpose; it goes on beside a writer, and so no writer waits for it."""
    stranger = people.stranger()
    with people.context.database.write():
        assert stranger.post("/api/login", json={"name": "ana", "password": "a wrong one"}).status_code == 401
        assert stranger.post("/api/login", json={"name": "nobody", "password": "a wrong one"}).status_code == 401


def test_a_log_in_takes_no_token_from_outside_and_ends_the_one_before(people):
    browser = people.stranger()
    planted = "chosen-by-somebody-else-and-put-into-the-browser"
    tokens = [planted]
    for name in ("ana", "ben"):
        answer = browser.post("/api/login", json={"name": name, "password": PASSWORD}, headers=cookie(tokens[-1]))
        tokens.append(answer.cookies["dfme_token"])
        assert tokens[-1] not in tokens[:-1]
    statuses = [people.stranger().get("/api/me", headers=cookie(token)).status_code for token in tokens]
    assert statuses == [401, 401, 200]


def cookie(token: str) -> dict[str, str]:
    return {"Cookie": f"dfme_token={token}"}


def test_requests_from_other_pages_are_refused(people):
    client = people["lena"]
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.post("/api/rounds", json={"kind": "selection"}, headers=headers).status_code == 403
    assert "default-src 'self'" in client.get("/api/me").headers["content-security-policy"]
