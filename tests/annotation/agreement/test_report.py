"""Reports of closed rounds, over coders whose habits are known."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from annotation import catalogue
from annotation.agreement.plots import draw
from annotation.agreement.report import RoundAnswers, report
from annotation.api_models import Fragment, KeyFrameAnswer, Role, RoundKind
from annotation.outcomes import Outcomes
from annotation.rounds import add_clip
from annotation.store.schema import AssignmentRow, RecordingRow, RoundRow
from annotation.study import CoderNumbers
from annotation.users import add_user
from tests.annotation.people import small_study
from tests.annotation.studies import code_study, rounds_of, run_round


def figures_of(found):
    return {figure.key: figure for figure in found.figures}


def table_of(found, key: str) -> dict[str, dict[str, object]]:
    table = next(table for table in found.tables if table.key == key)
    return {str(row[0]): dict(zip(table.columns, row, strict=True)) for row in table.rows}


@pytest.fixture
def coded(sqlite, study_folder):
    study = small_study(bootstrap_draws=200)
    outcomes = code_study(sqlite, study_folder, study)
    with sqlite.read() as session:
        rows = {RoundKind(row.kind): row for row in rounds_of(sqlite)}
        yield {kind: report(session, outcomes, row, 200) for kind, row in rows.items()}


def test_the_spread_of_key_frames_is_what_the_coders_habits_make_it(coded):
    found = coded[RoundKind.KEYFRAMES]
    figures, spread, coders = figures_of(found), table_of(found, "spread"), table_of(found, "coders")

    assert (found.clips, found.coders) == (4, ["ana", "ben", "cem"])
    # Late by 0, 2 and -1: from their median 0 they lie 0, 2 and 1 away.
    assert (figures["apex_mad_frames"].value, figures["apex_mad_ms"].value) == (1.0, 2.0)
    assert [spread["onset"][f"within ±{limit}"] for limit in (1, 2, 5)] == [0.667, 1.0, 1.0]
    # ben lies 2.5 from the median of the others, -0.5; cem 2 before that of the others, 1.
    assert (coders["ben"]["onset bias"], coders["cem"]["onset bias"]) == (2.5, -2.0)
    assert figures["presence_fleiss_kappa"].value is None
    assert figures["apex_icc_a1"].value is None
    assert figures["offset_icc_a1"].value == 1.0
    assert figures["decided_share"].value == 1.0


def test_units_are_compared_pair_by_pair_and_unit_by_unit(coded):
    found = coded[RoundKind.UNITS]
    units, pairs, coders = (table_of(found, key) for key in ("units", "pairs", "coders"))

    assert set(pairs) <= {"ana, ben", "ana, cem", "ben, cem"}
    assert sum(pair["clips"] for pair in pairs.values()) == 4
    assert (units["AU12"]["both"], units["AU12"]["one alone"], units["AU12"]["neither"]) == (4, 0, 0)
    # Two clips show AU6, which ben misses.
    assert units["AU6"]["both"] + units["AU6"]["one alone"] == 2
    missed = units["AU6"]["one alone"]
    assert (coders["ana"]["R with what counts"], coders["cem"]["R with what counts"]) == (1.0, 1.0)
    both = sum(row["both"] for row in units.values())
    alone = sum(row["one alone"] for row in units.values())
    assert figures_of(found)["r_pooled_without_sides"].value == pytest.approx(2 * both / (2 * both + alone), abs=1e-4)
    assert (coders["ben"]["R with what counts"] < 1) == (missed > 0)
    assert figures_of(coded[RoundKind.CROSSCHECK])["r_pooled"].value == 1.0


def test_emotions_have_kappa_interval_and_reading(coded):
    found = coded[RoundKind.EMOTION]
    figures, coders = figures_of(found), table_of(found, "coders")

    kappa = figures["fleiss_kappa"]
    assert kappa.low <= kappa.value <= kappa.high
    assert kappa.reading in ("poor", "slight", "fair")
    assert (coders["ana"]["with what counts"], coders["cem"]["with what counts"]) == (1.0, 0.0)
    assert table_of(found, "votes")["happiness"]["others"] == 2
    assert figures["micro_fleiss_kappa"].value == kappa.value


def test_reports_and_plots_are_made_on_both_databases(database, study_folder):
    outcomes = code_study(database, study_folder, small_study())
    with database.read() as session:
        for row in rounds_of(database):
            answers = RoundAnswers(session, outcomes, row)
            for name in report(session, outcomes, row, 100).plots:
                assert draw(answers, name).startswith(b"<?xml")
        with pytest.raises(KeyError):
            draw(answers, "nonsense")


def test_hidden_repeats_count_for_self_consistency_alone(sqlite, study_folder):
    """Twelve clips that one coder marks; on a repeat every mark is six frames later."""
    study = small_study(repeat_share=0.25).model_copy(update={"coders": CoderNumbers(keyframes=1)})
    with sqlite.write() as session:
        catalogue.enter(session, catalogue.scan(study_folder, study))
        add_user(session, "ana", [Role.KEYFRAME], "long enough a password")
        recording = session.scalar(select(RecordingRow.id))
        for first in range(0, 360, 30):
            fragment = Fragment(first_frame=first, last_frame=first + 29)
            add_clip(session, recording, fragment, origin="selection", by="sol")
    outcomes = Outcomes()
    seen: set[int] = set()

    def answer(_name, clip):
        again = clip.id in seen
        seen.add(clip.id)
        onset = clip.first_frame + (8 if again else 2)
        return KeyFrameAnswer(expression=True, onset=onset, apex=onset + 5, offset=onset + 10)

    number = run_round(sqlite, study, outcomes, RoundKind.KEYFRAMES, answer)

    with sqlite.read() as session:
        row = session.get(RoundRow, number)
        found = report(session, outcomes, row, 100)
        repeats = session.scalars(select(AssignmentRow).where(AssignmentRow.repeat_of.is_not(None))).all()
    assert len(repeats) == 3
    coder = table_of(found, "coders")["ana"]
    assert (coder["clips"], coder["repeats"], coder["same vote"], coder["repeat MAD frames"]) == (12, 3, 1.0, 6.0)
    assert found.clips == 12
