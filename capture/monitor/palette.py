"""The monitor's two themes, dark and light, and the text styles that belong to them."""

from __future__ import annotations

from functools import cache

from rich.color import Color
from rich.style import Style
from textual.theme import Theme

from capture.monitor.figures import Level
from capture.monitor.spans import Role

DARK = Theme(
    name="dfme-dark",
    dark=True,
    primary="#5b9bd5",
    secondary="#4a5563",
    accent="#d8a24a",
    warning="#e0b040",
    error="#ff6b61",
    success="#6cc070",
    foreground="#d5d9de",
    background="#14171b",
    surface="#1b1f24",
    panel="#232930",
)
LIGHT = Theme(
    name="dfme-light",
    dark=False,
    primary="#1f5f9e",
    secondary="#9aa4b0",
    accent="#8a5a00",
    warning="#8a5a00",
    error="#b3201a",
    success="#1d7030",
    foreground="#23282e",
    background="#f7f7f5",
    surface="#eeeeea",
    panel="#e2e3df",
)

_BANNERS = {
    # (recording, level): letters, ground. Chosen for 7:1 contrast on both themes; the ground is what is seen from afar.
    (True, Level.OK): ("#ffffff", "#14602a"),
    (False, Level.OK): ("#ffffff", "#2b4a68"),
    (True, Level.WARN): ("#1a1300", "#e6b422"),
    (False, Level.WARN): ("#1a1300", "#e6b422"),
    (True, Level.BAD): ("#ffffff", "#9c1414"),
    (False, Level.BAD): ("#ffffff", "#9c1414"),
}


def theme_for(*, dark: bool) -> Theme:
    """The dark or the light theme."""
    return DARK if dark else LIGHT


def _style(colour: str | None, ground: str | None, *, bold: bool = False) -> Style:
    # Built from colours, not parsed: Textual renders these styles thousands of times a second.
    return Style(
        color=Color.parse(colour) if colour else None, bgcolor=Color.parse(ground) if ground else None, bold=bold
    )


@cache
def styles_for(*, dark: bool) -> dict[Role, Style]:
    """The style of every role on the ground of the theme."""
    theme = theme_for(dark=dark)
    ground = theme.background
    return {
        Role.TEXT: _style(theme.foreground, ground),
        Role.STRONG: _style(theme.foreground, ground, bold=True),
        Role.DIM: _style("#8b949e" if dark else "#5b636c", ground),
        Role.OK: _style(theme.success, ground),
        Role.WARN: _style(theme.warning, ground, bold=True),
        Role.BAD: _style(theme.error, ground, bold=True),
        Role.TAG: _style("#14171b" if dark else "#ffffff", theme.accent, bold=True),
    }


@cache
def banner_styles(level: Level | None, *, recording: bool, dark: bool) -> dict[Role, Style]:
    """The style of every role on the banner's ground."""
    idle = ("#d5d9de", "#3a4149") if dark else ("#23282e", "#cfd2cf")
    letters, ground = idle if level is None else _BANNERS[recording, level]
    plain = _style(letters, ground)
    styles = dict.fromkeys(Role, plain)
    styles[Role.STRONG] = _style(letters, ground, bold=True)
    # The notice stands on the opposite of its ground, so that it is read on each of them.
    styles[Role.TAG] = _style(ground, letters, bold=True)
    return styles
