"""What the monitor asks and explains: quit while a trial runs, a marker's text, and the help page."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from capture.monitor.figures import DISK_BAD_BELOW_S, DISK_WARN_BELOW_S
from capture.statistics import RING_GREEN_BELOW, RING_RED_ABOVE, RING_STOP_AT

_BOX = """
    {name} {{ align: center middle; background: $background 40%; }}
    {name} > Vertical {{
        width: {width}; height: auto; max-height: 100%; padding: 1 2;
        background: $panel; border: {border};
    }}
"""


class QuitQuestion(ModalScreen[bool]):
    """Asks whether a running trial may be ended; True for yes."""

    CSS = _BOX.format(name="QuitQuestion", width=46, border="heavy $warning")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes, stop and quit"),
        Binding("n,escape", "answer(False)", "No, go on"),
    ]

    def compose(self) -> ComposeResult:
        """The question."""
        with Vertical():
            yield Static("[b]Stop the trial and quit?[/b]   [b]y[/b] / [b]n[/b]\n\nAll frames taken so far are kept.")

    def action_answer(self, yes: bool) -> None:
        """Close with the operator's answer."""
        self.dismiss(yes)


class MarkerPrompt(ModalScreen[str | None]):
    """Asks for a marker's text; None when the operator thought better of it."""

    CSS = _BOX.format(name="MarkerPrompt", width=60, border="round $primary")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "No marker")]

    def compose(self) -> ComposeResult:
        """The prompt."""
        with Vertical():
            yield Static("[b]Marker text[/b]   Enter sets it, Escape leaves it\n")
            field = Input(placeholder="what happened", max_length=200)
            # A blinking cursor repaints twice a second for nothing.
            field.cursor_blink = False
            yield field

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the text."""
        self.dismiss(event.value.strip())

    def action_leave(self) -> None:
        """Close without a marker."""
        self.dismiss(None)


_HELP = f"""\
[b]Keys[/b]
  [b]space[/b]  start a trial, or stop the one that runs
  [b]m[/b]      set a marker now          [b]M[/b]  a marker with text
  [b]s[/b]      save a still              [b]t[/b]  dark or light
  [b]q[/b]      stop cleanly and quit     [b]?[/b]  this page
  while a participant's session runs, which has its own trials:
  [b]p[/b]      pause after this step, or go on
  [b]n[/b]      next step                 [b]L[/b]  long questionnaire

[b]Signs[/b]   ✓ fine   ▲ look at it   ✗ act
  ring, queue  ✓ below {RING_GREEN_BELOW:.0%}   ✗ above {RING_RED_ABOVE:.0%}   stops at {RING_STOP_AT:.0%}
  disk left    ▲ below {DISK_WARN_BELOW_S / 60:.0f} min   ✗ below {DISK_BAD_BELOW_S / 60:.0f} min
Bars have a square-root scale: ┊ are 4 % and 20 %, │ the most.
The line under the rate spans 90 to 104 % of what was asked.

[b]Lost[/b]  camera: skipped by the camera   incomplete: with holes
      ring: no free slot   disk: could not be written
"""


class Help(ModalScreen[None]):
    """Keys, signs and causes of loss on one page."""

    CSS = _BOX.format(name="Help", width=68, border="round $primary")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q,enter,space", "leave", "Close")]

    def compose(self) -> ComposeResult:
        """The page."""
        with Vertical():
            yield Static(_HELP)

    def action_leave(self) -> None:
        """Close the page."""
        self.dismiss(None)
