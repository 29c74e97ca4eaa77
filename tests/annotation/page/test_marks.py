"""What a coder marks before it is saved: key-frames, units, fragments, undo."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from expression.keyframes import KeyFrames


def run(page: Page, body: str, *arguments: Any) -> Any:
    return page.evaluate(f"async (given) => {{ const m = await import('/marks.js'); {body} }}", list(arguments))


def marks(onset: int | None, apex: int | None, offset: int | None) -> dict[str, Any]:
    return {"none": False, "onset": onset, "apex": apex, "offset": offset, "several": False, "note": ""}


def test_undo_goes_back_over_every_change_and_redo_forth(modules: Page) -> None:
    seen = run(
        modules,
        """
        const history = new m.History({a: 1});
        const seen = [];
        history.set({a: 2}); history.set({a: 2}); history.set({a: 3});
        while (history.undo()) seen.push(history.value.a);
        while (history.redo()) seen.push(history.value.a);
        history.undo(); history.set({a: 9}); seen.push(history.redo());
        return seen;
        """,
    )
    assert seen == [2, 1, 2, 3, False]


def test_undo_keeps_the_note(modules: Page) -> None:
    seen = run(
        modules,
        """
        const history = new m.History({a: 1, note: ""});
        history.set({a: 2, note: ""}); history.set({a: 3, note: ""}); history.undo();
        history.amend({note: "blink"});
        const here = history.value;
        history.undo(); const before = history.value;
        history.redo(); history.redo();
        return [here, before, history.value];
        """,
    )
    assert seen == [{"a": a, "note": "blink"} for a in (2, 1, 3)]


def test_what_was_not_saved_goes_on_from_what_was_unless_somebody_changed_it(modules: Page) -> None:
    def kept(version: int, sent: Any, saved: Any) -> Any:
        return run(
            modules, "return m.draftOn(given[0], given[1])", {"version": version, "sent": sent, "value": 7}, saved
        )

    assert kept(0, None, None) == 7
    assert kept(2, None, {"version": 2, "answer": {"a": 1}}) == 7
    assert kept(2, None, {"version": 3, "answer": {"a": 1}}) is None
    assert kept(2, {"a": 1, "b": [2]}, {"version": 3, "answer": {"b": [2], "a": 1}}) == 7
    assert kept(2, {"a": 1}, {"version": 3, "answer": {"a": 2}}) is None
    assert run(modules, "return m.draftOn(null, null)") is None


def test_marks_out_of_order_and_missing_ones_are_named(modules: Page) -> None:
    def problems(given: dict[str, Any]) -> list[str]:
        result: list[str] = run(modules, "return m.keyFrameProblems(given[0])", given)
        return result

    assert problems(marks(10, 20, 30)) == []
    assert problems(marks(20, 20, 20)) == []
    assert problems(marks(10, None, 30)) == ["apex is not marked"]
    assert problems(marks(25, 20, 30)) == ["apex (20) lies before onset (25)"]
    assert problems(marks(40, 45, 30)) == ["offset (30) lies before apex (45)", "offset (30) lies before onset (40)"]
    assert problems({**marks(None, None, None), "none": True}) == []


def test_no_expression_clears_the_marks_and_a_mark_takes_it_back(modules: Page) -> None:
    none = run(modules, "return m.withoutExpression(given[0])", marks(10, 20, 30))
    assert none == {**marks(None, None, None), "none": True}
    assert run(modules, "return m.withKeyFrame(given[0], 'apex', 7)", none) == marks(None, 7, None)


@pytest.mark.parametrize("rate_fps", [200, 300, 500])
def test_the_page_tells_micro_from_macro_by_the_domains_rule(modules: Page, rate_fps: int) -> None:
    edge, rise = rate_fps // 2, rate_fps // 4
    cases = [(0, a, f) for a in (rise - 2, rise - 1, rise, rise + 1) for f in (edge - 2, edge - 1, edge, edge + 40)]
    cases = [case for case in cases if case[1] <= case[2]]
    told = run(
        modules,
        "return given[0].map(([onset, apex, offset]) => m.isMicro({none: false, onset, apex, offset}, given[1]))",
        cases,
        rate_fps,
    )
    assert told == [KeyFrames(*case).is_micro(rate_fps) for case in cases]
    assert set(told) == {True, False}


def test_a_unit_is_on_one_side_or_both(modules: Page) -> None:
    def toggled(*steps: tuple[int, str]) -> list[str]:
        result: list[str] = run(
            modules,
            "let units = []; for (const [n, s] of given[0]) units = m.toggleUnit(units, n, s); return units",
            steps,
        )
        return result

    assert toggled((12, "L")) == ["L-AU12"]
    assert toggled((12, "L"), (12, "R")) == ["AU12"]
    assert toggled((12, "L"), (12, "L")) == []
    assert toggled((12, "B"), (12, "R")) == ["R-AU12"]
    assert toggled((12, "L"), (12, "B"), (12, "B")) == []
    assert toggled((57, "B"), (4, "B"), (12, "L")) == ["AU4", "L-AU12", "M57"]


def test_fragments_stay_in_order_and_apart(modules: Page) -> None:
    body = """
        let fragments = [];
        const wrong = [];
        for (const [first, last, instead] of given[0]) {
          try {
            fragments = m.withFragment(fragments, first, last, "", instead ?? -1);
          } catch (error) {
            wrong.push(error.message);
          }
        }
        return [fragments.map((each) => [each.first_frame, each.last_frame]), wrong];
    """
    fragments, wrong = run(modules, body, [[100, 200], [10, 50], [50, 60], [90, 80], [20, 55, 0], [None, 5]])
    assert fragments == [[20, 55], [100, 200]]
    assert wrong == [
        "overlaps the fragment 10 to 50",
        "the last frame (80) lies before the first (90)",
        "mark the first (i) and the last frame (o) of the fragment",
    ]
