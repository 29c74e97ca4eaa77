"""A withdrawal reaches what was coded, in either kind of database, also while a server runs; others keep theirs."""

from __future__ import annotations

import json
import shutil
import signal
from collections import Counter
from contextlib import contextmanager
from datetime import datetime

import pytest
from sqlalchemy import func, select, text

from annotation.api_models import Role
from annotation.server import Context
from annotation.store import Database
from annotation.store.erasure import WITHDRAWN, erase, kept_of
from annotation.store.known import KNOWN_FILE, default_url, known_urls, open_database, shown
from annotation.store.schema import AnswerRow, AssignmentRow, Base, ClipRow, DecisionRow, RecordingRow, RoundRow
from annotation.users import add_user
from annotation.withdrawal import withdraw_from_coding
from capture.console import run_command
from capture.participants import Registry
from capture.session_cli import app
from tests.annotation.cluster import new_postgres
from tests.annotation.conftest import write_session
from tests.annotation.people import CODERS, PASSWORD, People, small_study
from tests.annotation.studies import code_study

GONE, STAYS = "P01", "P02"


@pytest.fixture
def study(study_folder):
    """Sessions of two participants, one each; the clips of both are coded by three."""
    write_session(study_folder, STAYS, trials=1, now=datetime(2030, 1, 1, 10, 0, 0))
    return study_folder


@pytest.fixture
def coded(database, study):
    code_study(database, study, small_study())
    return database


def rows_of(database: Database) -> dict[str, int]:
    with database.read() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


@contextmanager
def _signals_kept():
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def withdraw(capsys, monkeypatch):
    """Runs `dfme-session withdraw` (which starts annotation's command as a process); gives status and JSON object."""

    def call(study, *options, database=None):
        if database is not None:
            monkeypatch.setenv("DFME_DATABASE", database)
        with pytest.raises(SystemExit) as ended, _signals_kept():
            run_command(app, ["withdraw", GONE, "--study", str(study), "--json", *options])
        return ended.value.code or 0, json.loads(capsys.readouterr().out.splitlines()[-1])

    return call


def test_rows_of_one_participant_go_and_those_of_others_stay(coded):
    with coded.read() as session:
        others = kept_of(session, STAYS)
    before = rows_of(coded)
    had = erase(coded, GONE)

    assert set(had.rows) >= {"recordings", "clips", "assignments", "answers"}
    assert had.coders == tuple(sorted(CODERS))
    after = rows_of(coded)
    assert {name: before[name] - after[name] for name in ("clips", "assignments", "answers")} == {
        name: had.rows[name] for name in ("clips", "assignments", "answers")
    }
    with coded.read() as session:
        assert not kept_of(session, GONE).rows
        assert kept_of(session, STAYS) == others
        emptied = session.scalars(select(RecordingRow).where(RecordingRow.path.startswith(WITHDRAWN))).all()
        assert len(emptied) == had.rows["recordings"]
        assert {(row.participant, row.session, row.stimulus, row.frames) for row in emptied} == {(None, "", None, 0)}
    assert erase(coded, GONE).rows == {}


def test_rounds_over_nobody_else_go_as_well(coded):
    with coded.write() as session:
        theirs = session.scalar(select(ClipRow).join(RecordingRow).where(RecordingRow.participant == GONE).limit(1))
        alone = RoundRow(kind="emotion", coders=0, seed=0, opened_by=f"import of {GONE}.xlsx", opened=theirs.created)
        session.add(alone)
        session.flush()
        decision = {"answer": "{}", "reason": "", "given": theirs.created, "software": "", "by": "import"}
        session.add(DecisionRow(round_id=alone.id, clip_id=theirs.id, **decision))
        of_others = select(AssignmentRow.round_id).join(RecordingRow).where(RecordingRow.participant == STAYS)
        shared = set(session.scalars(of_others))
    erase(coded, GONE)
    with coded.read() as session:
        assert set(session.scalars(select(RoundRow.id))) == shared


def test_nothing_of_them_is_left_in_the_file(study):
    """SQLite only forgets what is deleted, unless it is told to overwrite it."""
    note = "seen twice on the left, unmistakable"
    database = open_database(study, None)
    code_study(database, study, small_study())
    with database.write() as session:
        of_them = select(AssignmentRow.id).join(RecordingRow).where(RecordingRow.participant == GONE).limit(1)
        answer = session.scalar(select(AnswerRow).where(AnswerRow.assignment_id.in_(of_them)))
        answer.answer = json.dumps({**json.loads(answer.answer), "note": note})
    database.close()
    files = [file for file in (study / "annotation").iterdir() if file.suffix != ".lock"]
    assert any(note.encode() in file.read_bytes() for file in files)

    assert not withdraw_from_coding(study, GONE, dry_run=False).problems
    assert not any(note.encode() in file.read_bytes() for file in files if file.exists())


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_whole_of_a_participant_goes_by_one_command(study, withdraw, kind, request):
    """Also from a database that the study does not know, where it is told of."""
    url = default_url(study) if kind == "sqlite" else new_postgres(request.getfixturevalue("postgres"))
    told = {"database": url} if kind == "postgresql" else {}
    database = Database.open(url)
    code_study(database, study, small_study())
    (study / "annotation" / "motion").mkdir(parents=True)
    with database.read() as session:
        numbers = {row.participant: row.id for row in session.scalars(select(RecordingRow))}
    for number in numbers.values():
        (study / "annotation" / "motion" / f"{number}-0f.npz").write_bytes(b"curve")

    status, listed = withdraw(study, "--dry-run", **told)
    assert (status, listed["removed"], listed["unreachable"]) == (0, None, [])
    assert listed["coding"][0]["rows"]["answers"] > 0
    assert any("browsers of ana, ben, cem" in text for text in listed["elsewhere"])
    with database.read() as session:
        assert kept_of(session, GONE).rows == listed["coding"][0]["rows"]

    status, done = withdraw(study, **told)
    assert (status, done["removed"]["failed"]) == (0, [])
    assert done["removed"]["rows"] == sum(listed["coding"][0]["rows"].values())
    with database.read() as session:
        assert not kept_of(session, GONE).rows
        assert kept_of(session, STAYS).rows["answers"] > 0
    database.close()
    curves = [file.name for file in (study / "annotation" / "motion").iterdir()]
    assert curves == [f"{numbers[STAYS]}-0f.npz"]
    assert [file.parent.name.rpartition("_")[2] for file in study.glob("*/session.json")] == [STAYS]
    assert Registry(study).participant(GONE).erased


def test_a_database_that_cannot_be_reached_keeps_the_tombstone_away(study, withdraw, tmp_path):
    away = tmp_path / "moved.sqlite"
    open_database(study, f"sqlite:///{away}").close()
    away.rename(tmp_path / "elsewhere.sqlite")

    status, done = withdraw(study)
    assert status == 1
    assert "not there any more" in done["removed"]["failed"][0]
    assert KNOWN_FILE in done["removed"]["failed"][0]
    known = Registry(study).participant(GONE)
    assert known.withdrawn
    assert not known.erased
    assert not away.exists()

    (study / "annotation" / KNOWN_FILE).unlink()
    status, done = withdraw(study)
    assert (status, done["removed"]["failed"]) == (0, [])
    assert Registry(study).participant(GONE).erased


def test_passwords_are_not_remembered(study):
    (study / "annotation").mkdir()
    (study / "annotation" / KNOWN_FILE).write_text('{"url":"postgresql://dfme@dbhost/study1"}\n')
    with_password = "postgresql://dfme:secret@dbhost/study1"
    assert known_urls(study) == ("postgresql://dfme@dbhost/study1",)
    assert known_urls(study, with_password) == (with_password,)
    assert "secret" not in shown(with_password)


def test_a_server_that_runs_shows_nothing_of_them_any_more(study, withdraw):
    database = open_database(study, None)
    code_study(database, study, small_study())
    with database.write() as session:
        add_user(session, "lena", [Role.LEAD], PASSWORD)
    database.close()
    with People(Context.open(study, small_study())) as people:
        own = people["ana"].get("/api/work").json()["items"]
        with people.context.database.read() as session:
            whose = dict(session.execute(select(AssignmentRow.id, RecordingRow.participant).join(RecordingRow)).all())
        theirs = [one["item"] for one in own if whose[one["item"]] == GONE]
        others = [one["item"] for one in own if whose[one["item"]] == STAYS]
        first = people["ana"].get(f"/api/items/{theirs[0]}").json()["shown_first"]
        picture = f"/api/items/{theirs[0]}/frames/{first}.jpg"
        assert people["ana"].get(picture).status_code == 200
        closed = people["lena"].get("/api/rounds").json()["rounds"][0]["id"]
        before = people["lena"].get(f"/api/rounds/{closed}/results").json()["clips"]

        status, _ = withdraw(study)
        assert status == 0
        assert people["ana"].get(picture).status_code == 403
        assert [one["item"] for one in people["ana"].get("/api/work").json()["items"]] == others
        assert people["ana"].get(f"/api/items/{others[0]}").status_code == 200
        assert {one["participant"] for one in people["lena"].post("/api/recordings/scan").json()} == {STAYS}
        after = people["lena"].get(f"/api/rounds/{closed}/results").json()["clips"]
        assert Counter(map(str, after)) < Counter(map(str, before))


def test_who_withdrew_is_not_found_again(study, withdraw):
    """Pictures that belong to no session are not removed by their names; nobody is given them to code, either."""
    source = next(study.glob(f"*_{GONE}/recordings/*.zarr"))
    shutil.copytree(source, study / f"{GONE}_01.zarr")
    database = open_database(study, None)
    code_study(database, study, small_study())
    database.close()
    status, listed = withdraw(study)
    assert status == 0
    assert any(f"{GONE}_01.zarr: seems to be theirs" in text for text in listed["elsewhere"])
    assert any(f"{GONE}_01.zarr" in text for text in Registry(study).participant(GONE).left_over)
    with People(Context.open(study, small_study())) as people:
        people.context.scan()
        with people.context.database.read() as session:
            assert session.scalars(select(RecordingRow.participant).where(RecordingRow.missing.is_(False))).all() == [
                STAYS
            ]
            assert session.execute(text("SELECT count(*) FROM recordings")).scalar() == 4
