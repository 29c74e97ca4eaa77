"""Log in and out, and what the study is."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request, Response

from annotation.api_models import Login, Me, PasswordChange, StudyInfo, UnitInfo
from annotation.server.access import COOKIE, Brake, Shared, User
from annotation.store.schema import UserRow
from annotation.users import begin_login, change_user, checked_user, hash_password, log_out, roles_of
from capture.version import software
from expression import UNIT_FACTS, Emotion

router = APIRouter(tags=["account"])


@router.post("/login")
def login(request: Request, response: Response, context: Shared, sent: Login) -> Me:
    """Log in; sets the cookie that all other requests need."""
    brake: Brake = request.app.state.brake
    brake.check(sent.name)
    hours = context.study.login_hours
    token = None
    with brake.turn(), context.database.read() as reading:
        user = checked_user(reading, sent.name, sent.password)
    if user is not None:
        with context.database.write() as session:
            # Whoever was logged in at this browser is so no longer.
            log_out(session, request.cookies.get(COOKIE, ""))
            token = begin_login(session, user, hours)
    if user is None or token is None:
        brake.failed(sent.name)
        raise HTTPException(401, "name or password is wrong")
    response.set_cookie(
        COOKIE, token, max_age=int(hours * 3600), httponly=True, samesite="strict", secure=context.secure, path="/"
    )
    return Me(name=user.name, roles=sorted(roles_of(user)))


@router.post("/logout", status_code=204)
def logout(request: Request, response: Response, context: Shared) -> None:
    """End this log-in."""
    with context.database.write() as session:
        log_out(session, request.cookies.get(COOKIE, ""))
    response.delete_cookie(COOKIE, path="/")


@router.get("/me")
def me(user: User) -> Me:
    """Who is logged in."""
    return Me(name=user.name, roles=sorted(user.roles))


@router.post("/me/password", status_code=204)
def password(request: Request, user: User, context: Shared, sent: PasswordChange) -> None:
    """Change the own password; all log-ins of the user end."""
    brake: Brake = request.app.state.brake
    brake.check(user.name)
    with brake.turn(), context.database.read() as reading:
        right = checked_user(reading, user.name, sent.old) is not None
        fresh = hash_password(sent.new)
    if not right:
        brake.failed(user.name)
        raise HTTPException(403, "the old password is wrong")
    with context.database.write() as session:
        change_user(session, session.get_one(UserRow, user.id), password_hash=fresh)


@router.get("/study")
def study(_user: User, context: Shared) -> StudyInfo:
    """What a page needs to draw its controls."""
    units = [
        UnitInfo(
            code=unit.code, number=unit.value, title=unit.title, group=facts.group.value, one_sided=facts.one_sided
        )
        for unit, facts in UNIT_FACTS.items()
    ]
    return StudyInfo(
        name=context.study.name,
        units=units,
        emotions=list(Emotion),
        rules=list(context.study.rules),
        software=software(),
    )
