"""The participant's pages over HTTP: what is to be seen now, pictures for it, and the answers."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from time import monotonic_ns as now_ns
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse, PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import ASGIApp

from capture.recording.frame_pictures import NoSuchFrame
from capture.web import AccessByToken, SafeHeaders, frames_router, serve_shared
from capture.web.frames import MOST_FRAMES, NumberedPictures
from capture.web.serving import StaticPages
from elicitation.web.answer_book import AnswerBook, UnknownMark
from elicitation.web.messages import Answer, Done, Show
from elicitation.web.stage import NotBegun, Replay, Scene, Stage
from elicitation.web.words import direction_of, in_words_of

_STATIC = resources.files("elicitation.web") / "static"
_STIMULUS_SIDE_PX: Final = 640
"""Longest side of the stimulus beside the recording: it only says where one is."""
Say = Callable[[Answer | Done], None]


class _Given(BaseModel):
    """Which page an answer belongs to: one that was replaced meanwhile takes none."""

    model_config = ConfigDict(extra="forbid")

    page: str
    step: int
    trial: str


class GradeGiven(_Given):
    """A grade on the affective grade scale."""

    emotion: Annotated[str, Field(max_length=64)]
    grade: Annotated[int, Field(ge=0, le=10)]


class MarkGiven(_Given):
    """A mark on the recording."""

    frame: Annotated[int, Field(ge=0, le=MOST_FRAMES)]
    emotion: Annotated[str, Field(max_length=64)]
    intensity: Annotated[int, Field(ge=1, le=5)]
    key: Annotated[str, Field(max_length=64)] = ""


class QuestionGiven(_Given):
    """An answer to a question."""

    question: Annotated[int, Field(ge=0, le=10_000)]
    answer: Annotated[int, Field(ge=0, le=1000)]


def participant_app(stage: Stage, book: AnswerBook, token: str, say: Say) -> ASGIApp:
    """The application.

    Args:
        stage: What is to be seen.
        book: Where answers are kept.
        token: Who has it is let in.
        say: Told of each answer after it is kept, and of each page that the participant ended.
    """
    app = FastAPI(title="Participant's pages", docs_url=None, redoc_url=None, openapi_url=None)

    @app.exception_handler(NotBegun)
    def not_begun(_request: Request, _error: Exception) -> Response:
        return PlainTextResponse("Nothing is shown yet.", 503)

    app.include_router(_pages())
    app.include_router(_state(stage, book))
    app.include_router(_answers(stage, book, say))
    app.include_router(frames_router(lambda _request, key: _pictures(stage.scene, key)))
    serve_shared(app)
    app.mount("/static", StaticPages(directory=str(_STATIC)), name="static")
    return SafeHeaders(AccessByToken(app, token=token))


def _pages() -> APIRouter:
    router = APIRouter()

    @router.get("/", response_class=FileResponse)
    def page() -> FileResponse:
        return FileResponse(str(_STATIC / "index.html"), media_type="text/html; charset=utf-8")

    return router


def _state(stage: Stage, book: AnswerBook) -> APIRouter:
    router = APIRouter(prefix="/api")

    @router.get("/state")
    def state(after: str = "") -> dict[str, Any]:
        return describe(stage.wait_other(after), book)

    return router


def _answers(stage: Stage, book: AnswerBook, say: Say) -> APIRouter:
    router = APIRouter(prefix="/api")

    def kept(keep: Callable[[], Answer]) -> dict[str, Any]:
        """Keep an answer, and only then tell of it; the page gets what counts now."""
        try:
            say(keep())
        except UnknownMark as error:
            raise HTTPException(404, str(error)) from None
        except NoSuchFrame as error:
            raise HTTPException(422, str(error)) from None
        except OSError as error:
            raise HTTPException(507, f"cannot be saved: {error.strerror}") from None
        return given(stage.scene, book)

    @router.post("/grade")
    def grade(body: GradeGiven) -> dict[str, Any]:
        scene = _now(stage, body, "scale")
        _must_be_one_of(body.emotion, scene.show.emotions)
        if body.grade > scene.show.grades:
            raise HTTPException(422, f"grades go from 0 to {scene.show.grades}")
        return kept(lambda: book.grade(scene.show, body.emotion, body.grade, now_ns()))

    @router.post("/marks")
    def add_mark(body: MarkGiven) -> dict[str, Any]:
        show, replay = _replay(stage, body)
        return kept(
            lambda: book.add_mark(show, replay.moment(body.frame), body.emotion, body.intensity, now_ns(), body.key)
        )

    @router.put("/marks/{number}")
    def change_mark(number: int, body: MarkGiven) -> dict[str, Any]:
        show, replay = _replay(stage, body)
        moment = replay.moment
        return kept(lambda: book.change_mark(show, number, moment(body.frame), body.emotion, body.intensity, now_ns()))

    @router.post("/marks/{number}/remove")
    def remove_mark(number: int, body: _Given) -> dict[str, Any]:
        show = _now(stage, body, "self_report").show
        return kept(lambda: book.remove_mark(show, number, now_ns()))

    @router.post("/question")
    def question(body: QuestionGiven) -> dict[str, Any]:
        show = _now(stage, body, "questionnaire").show
        if body.question >= len(show.questions) or body.answer >= len(show.questions[body.question].answers):
            raise HTTPException(422, "there is no such question, or no such answer to it")
        asked = show.questions[body.question]
        return kept(lambda: book.answer(show, asked.text, asked.answers[body.answer], now_ns()))

    @router.post("/done")
    def done(body: _Given) -> dict[str, Any]:
        scene = _now(stage, body)
        left = open_items(scene.show, book)
        if left:
            raise HTTPException(422, f"{left} still to answer")
        show = scene.show
        say(Done(page=show.page, host_ns=now_ns(), step=show.step, trial=show.trial, stim_id=show.stim_id))
        return given(scene, book)

    return router


def describe(scene: Scene, book: AnswerBook) -> dict[str, Any]:
    """Everything that a page needs to show a scene."""
    show = scene.show
    content: dict[str, Any] = {
        "sequence": scene.sequence,
        "page": show.page,
        "step": show.step,
        "trial": show.trial,
        "text": show.text,
        "language": show.language,
        "direction": direction_of(show.language),
        "words": in_words_of(show.words),
        "button": show.button,
        "seconds_left": scene.seconds_left,
        "emotions": list(show.emotions),
        "grades": show.grades,
        "questions": [{"text": one.text, "answers": list(one.answers)} for one in show.questions],
        **given(scene, book),
    }
    replay = scene.replay
    if replay is not None:
        content["recording"] = _source(replay.pictures, "png" if show.lossless else "jpg")
        if replay.stimulus is not None:
            content["stimulus"] = _source(replay.stimulus, "jpg", _STIMULUS_SIDE_PX)
            content["in_step"] = replay.in_step.changes(replay.stimulus.times_s)
    return content


def given(scene: Scene, book: AnswerBook) -> dict[str, Any]:
    """What the participant answered so far on the page of now."""
    show = scene.show
    match show.page:
        case "scale":
            return {"given": {"grades": book.grades(show.trial)}}
        case "self_report":
            fields = ("number", "frame", "emotion", "intensity", "stimulus_time_s")
            return {"given": {"marks": [{f: getattr(mark, f) for f in fields} for mark in book.marks(show.trial)]}}
        case "questionnaire":
            known = book.answers(show.step)
            places = [
                one.answers.index(known[one.text]) if known.get(one.text) in one.answers else None
                for one in show.questions
            ]
            return {"given": {"answers": places}}
        case _:
            return {"given": {}}


def open_items(show: Show, book: AnswerBook) -> int:
    """How many items of a page must still be answered before the participant can end it."""
    if show.page == "scale":
        return len(set(show.emotions) - set(book.grades(show.trial)))
    if show.page == "questionnaire":
        known = book.answers(show.step)
        return sum(known.get(one.text) not in one.answers for one in show.questions)
    return 0


def _source(pictures: NumberedPictures, suffix: str, side_px: int | None = None) -> dict[str, Any]:
    side = f"&side={side_px}" if side_px is not None else ""
    return {
        "before": f"/frames/{pictures.version}/",
        "behind": f".{suffix}?v={pictures.version}{side}",
        "count": pictures.count,
        "rate_fps": pictures.rate_fps,
        "width_px": pictures.width_px,
        "height_px": pictures.height_px,
    }


def _pictures(scene: Scene, key: str) -> NumberedPictures:
    """The recording or the stimulus of the page of now: nothing else is to be had."""
    replay = scene.replay
    for pictures in (replay.pictures, replay.stimulus) if replay is not None else ():
        if pictures is not None and pictures.version == key:
            return pictures
    raise LookupError(key)


def _now(stage: Stage, body: _Given, page: str | None = None) -> Scene:
    scene = stage.scene
    show = scene.show
    if (body.page, body.step, body.trial) != (show.page, show.step, show.trial) or page not in (None, show.page):
        raise HTTPException(409, "another page is shown now")
    return scene


def _replay(stage: Stage, body: MarkGiven) -> tuple[Show, Replay]:
    scene = _now(stage, body, "self_report")
    _must_be_one_of(body.emotion, scene.show.emotions)
    if scene.replay is None:
        raise HTTPException(409, "there is no recording to mark")
    return scene.show, scene.replay


def _must_be_one_of(emotion: str, emotions: tuple[str, ...]) -> None:
    if emotion not in emotions:
        raise HTTPException(422, f"emotion is one of {', '.join(emotions)}")
