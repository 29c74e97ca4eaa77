"""The volunteers' page: watch a clip, name one emotion and its intensity, go on to the next."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, HTTPException
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.types import ASGIApp

from capture.errors import BadInput
from capture.web import AccessByToken, SafeHeaders, serve_shared
from capture.web.serving import StaticPages
from elicitation.selection import Rating
from elicitation.web.ratings import RatedBefore, RatingsFile, order_of
from elicitation.web.words import direction_of, in_words_of
from expression import BASIC_EMOTIONS, Emotion

VIDEO_SUFFIXES: Final = (".mp4", ".m4v", ".webm", ".mov", ".mkv", ".avi", ".mpg", ".mpeg", ".wmv")
_STATIC = resources.files("elicitation.web") / "static"
_NAME = re.compile(r"[^\t\r\n\x00-\x1f]{1,64}")
Volunteer = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,31}$")]
"""A pseudonym; never a name."""


@dataclass(frozen=True)
class RatingStudy:
    """What is rated, and in whose words."""

    clips: Mapping[str, Path]
    """Stimulus id to video."""
    words: Mapping[str, str]
    language: str = "en"


class RatingGiven(BaseModel):
    """What a volunteer said of a clip."""

    model_config = ConfigDict(extra="forbid")

    volunteer: Volunteer
    stimulus: Annotated[str, Field(max_length=64)]
    emotion: Emotion
    intensity: Annotated[int, Field(ge=1, le=5)]


class Unplayable(BaseModel):
    """A clip that a volunteer's browser cannot play."""

    model_config = ConfigDict(extra="forbid")

    volunteer: Volunteer
    stimulus: Annotated[str, Field(max_length=64)]


def find_clips(folder: Path) -> dict[str, Path]:
    """The videos in a folder and its sub-folders, by the name without its ending.

    Raises:
        BadInput: There are none, two have the same name, or a name cannot stand in a table.
    """
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder: give the one with the clips")
    clips: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in VIDEO_SUFFIXES or not path.is_file():
            continue
        if not _NAME.fullmatch(path.stem):
            raise BadInput(f"{path}: name the clip with at most 64 ordinary characters")
        if path.stem in clips:
            raise BadInput(f"{path} and {clips[path.stem]} have the same name: rename one, ratings go by the name")
        clips[path.stem] = path
    if not clips:
        raise BadInput(f"{folder} has no videos ({', '.join(VIDEO_SUFFIXES)})")
    return clips


def rating_app(
    study: RatingStudy,
    ratings: RatingsFile,
    *,
    token: str,
    say: Callable[[str], None],
    password: str | None = None,
    secure: bool = False,
) -> ASGIApp:
    """The application.

    Args:
        study: Clips and words.
        ratings: Where answers are kept.
        token: Who has it is let in.
        say: Told one line for each rating, and for each clip that cannot be played.
        password: What volunteers may come in with instead.
        secure: Whether the server speaks TLS.
    """
    app = FastAPI(title="Rating of stimuli", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(_rating_routes(study, ratings, say))
    serve_shared(app)
    app.mount("/static", StaticPages(directory=str(_STATIC)), name="static")
    return SafeHeaders(AccessByToken(app, token=token, password=password, secure=secure))


def _rating_routes(study: RatingStudy, ratings: RatingsFile, say: Callable[[str], None]) -> APIRouter:
    router = APIRouter()

    def task(volunteer: str) -> dict[str, Any]:
        """What a volunteer has to do next."""
        done = ratings.rated_by(volunteer) & set(study.clips)
        left = [name for name in order_of(volunteer, list(study.clips)) if name not in done]
        return {"done": len(done), "total": len(study.clips), "left": left}

    def known(stimulus: str) -> Path:
        if stimulus not in study.clips:
            raise HTTPException(404, "there is no such clip")
        return study.clips[stimulus]

    @router.get("/", response_class=FileResponse)
    def page() -> FileResponse:
        return FileResponse(str(_STATIC / "rate.html"), media_type="text/html; charset=utf-8")

    @router.get("/api/study")
    def describe() -> dict[str, Any]:
        emotions = [emotion.value for emotion in BASIC_EMOTIONS]
        return {
            "words": in_words_of(study.words),
            "language": study.language,
            "direction": direction_of(study.language),
            "emotions": emotions,
        }

    @router.get("/api/volunteers/{volunteer}")
    def next_task(volunteer: Volunteer) -> dict[str, Any]:
        return task(volunteer)

    @router.get("/clips/{stimulus}", response_class=FileResponse)
    def clip(stimulus: str) -> FileResponse:
        return FileResponse(str(known(stimulus)), headers={"Cache-Control": "private, max-age=3600"})

    @router.post("/api/ratings")
    def rate(body: RatingGiven) -> dict[str, Any]:
        known(body.stimulus)
        if body.emotion not in BASIC_EMOTIONS:
            raise HTTPException(422, "emotion is one of the seven")
        try:
            ratings.add(Rating(body.volunteer, body.stimulus, body.emotion, body.intensity))
        except RatedBefore:
            # Sent twice, or from a second window: the first answer counts.
            return task(body.volunteer)
        except OSError as error:
            raise HTTPException(507, f"cannot be saved: {error.strerror}") from None
        after = task(body.volunteer)
        say(f"{body.volunteer} rated {body.stimulus}: {after['done']} of {after['total']}")
        return after

    @router.post("/api/unplayable")
    def unplayable(body: Unplayable) -> dict[str, bool]:
        path = known(body.stimulus)
        say(f"{body.volunteer} cannot play {path.name}: make it an MP4 with H.264 and AAC")
        return {"noted": True}

    return router
