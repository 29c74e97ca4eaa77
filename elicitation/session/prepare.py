"""Everything that must be right before a participant's session begins: protocol, stimuli and their files, the draw."""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import av
import av.error

from capture.errors import BadInput, RecordingInvalid
from capture.processes.common import ElicitationTask
from capture.session import SESSION_FILE, Session
from capture.session.record import ElicitationEntry
from elicitation.errors import ManifestInvalid, ProtocolInvalid
from elicitation.player.lettering import without_font
from elicitation.protocol import Plan, Protocol, lay_out, load_protocol, plan_session
from elicitation.stimuli import Manifest, Stimulus

_SEEDS = 2**31
_SHOWN_LETTERS = 40
"""Of a text, in a message."""


@dataclass(frozen=True)
class Prepared:
    """A session that can begin, or go on."""

    plan: Plan
    protocol_sha256: str
    """Of the protocol as it was read."""
    manifest: Manifest
    files: dict[str, Path]
    """The video of each stimulus that will be shown."""

    def stimulus(self, stim_id: str) -> Stimulus:
        """What the manifest says of a stimulus."""
        return self.manifest.by_id[stim_id]


def prepare(task: ElicitationTask) -> Prepared:
    """Read the protocol, draw the stimuli, and find their files.

    Raises:
        BadInput: Protocol or manifest are wrong, or a video is missing; names what and where.
    """
    protocol, folder = load_protocol(task.protocol)
    _check_fonts(protocol)
    digest = hashlib.sha256(protocol.model_dump_json().encode()).hexdigest()
    manifest = Manifest.load(folder / protocol.stimuli) if protocol.stimuli else Manifest.of_paper()
    if task.session:
        begun = _begun(Session.open(task.session), digest, task.protocol)
        plan = lay_out(protocol, begun.seed, begun.stimuli)
    else:
        seed = secrets.randbelow(_SEEDS) if task.seed is None else task.seed
        plan = plan_session(protocol, manifest, seed, shown_before(Path(task.study), task.participant))
    videos = Path(task.stimuli) if task.stimuli else folder / protocol.stimulus_folder
    return Prepared(plan, digest, manifest, _find_videos(manifest, plan, videos))


def shown_before(study: Path, participant: str | None) -> dict[str, int]:
    """How many participants saw each stimulus in the sessions of a study, without `participant` and rehearsals."""
    seen: set[tuple[str, str]] = set()
    for file in sorted(study.glob(f"*/{SESSION_FILE}")):
        try:
            record = Session.open(file.parent).record
        except (RecordingInvalid, OSError):
            continue
        if record.participant in (None, participant):
            continue
        seen |= {(str(record.participant), trial.stimulus) for trial in record.trials if trial.stimulus}
    return dict(Counter(stimulus for _, stimulus in seen))


def _begun(session: Session, protocol_sha256: str, protocol: str) -> ElicitationEntry:
    """What a session that goes on was begun with."""
    entry = session.record.elicitation
    if entry is None:
        raise BadInput(f"{session.path} was not begun by a protocol: start a new session")
    if entry.protocol_sha256 != protocol_sha256:
        raise BadInput(
            f"{protocol} was changed since {session.path} began: bring the old one back, or begin a new session "
            "with --no-resume"
        )
    return entry


def _check_fonts(protocol: Protocol) -> None:
    """Every text must be readable on the participant's screen: boxes in place of letters show too late there."""
    steps = (*protocol.before, *protocol.each, *protocol.after)
    questions = (line for one in protocol.penalty.questions for line in (one.text, *one.answers))
    texts = [*(step.text for step in steps), *protocol.words.values(), protocol.penalty.text, *questions]
    if not without_font("".join(texts).replace("\n", ""), protocol.language):
        return
    unreadable = next((bad for text in texts if (bad := without_font(text, protocol.language))), "")
    if unreadable:
        short = unreadable if len(unreadable) <= _SHOWN_LETTERS else unreadable[:_SHOWN_LETTERS] + "…"
        raise ProtocolInvalid(
            f"no font on this machine has all letters of “{short}”: install one, such as the package fonts-noto-cjk "
            "for Chinese, Japanese and Korean, or fonts-noto-core for most others"
        )


def _find_videos(manifest: Manifest, plan: Plan, folder: Path) -> dict[str, Path]:
    unknown = [stim_id for stim_id in plan.stimuli if stim_id not in manifest.by_id]
    if unknown:
        raise ManifestInvalid(f"the manifest has no stimulus {unknown[0]!r} any more: bring it back, or begin anew")
    if not folder.is_dir():
        raise BadInput(
            f"there is no folder {folder} with the videos: name it with --stimuli, or make stand-ins with "
            "`dfme-elicit placeholders`"
        )
    wanted = Manifest((manifest.by_id[stim_id] for stim_id in plan.stimuli), manifest.path)
    located = wanted.locate(folder)
    if any(one.path is None for one in located):
        durations = {path: seconds for path in folder.rglob("*") if (seconds := video_seconds(path)) is not None}
        located = wanted.locate(folder, durations)
    absent = [one for one in located if one.path is None]
    if absent:
        more = f" (and {len(absent) - 1} more)" if len(absent) > 1 else ""
        raise BadInput(
            f"stimulus {absent[0].stimulus.stim_id} is absent: {absent[0].how}{more}; see `dfme-elicit validate`"
        )
    return {one.stimulus.stim_id: one.path.absolute() for one in located if one.path is not None}


def video_seconds(path: Path) -> float | None:
    """Length of a video; None for what is none."""
    if not path.is_file():
        return None
    try:
        with av.open(str(path)) as container:
            return None if container.duration is None else container.duration / av.time_base
    except (av.error.FFmpegError, OSError, ValueError):
        return None
