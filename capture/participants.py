"""The registry of participants: pseudonyms, and what each agreed to, as an append-only list of what was said when.

One file, `participants.jsonl`, in the folder of the sessions. A pseudonym is random and says nothing about the person;
the list that links it to a name is not ours and does not belong into that folder.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import msgspec

from capture.errors import BadInput, FolderUnusable, RecordingInvalid
from capture.recording.files import read_document

REGISTRY_FILE: Final = "participants.jsonl"
PSEUDONYM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,63}")
"""What a pseudonym may look like: it becomes part of folder names."""
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without characters that are mistaken for each other on paper."""
_RANDOM_CHARACTERS = 5
_MOST_LINE_BYTES = 64 * 1024


class Added(msgspec.Struct, frozen=True, tag="added", tag_field="what"):
    """A participant was entered."""

    participant: str
    time: str
    """UTC, ISO 8601."""


class Consented(msgspec.Struct, frozen=True, tag="consented", tag_field="what"):
    """A participant signed a consent form; a later one replaces an earlier one."""

    participant: str
    time: str
    form: str
    """Name and version of the form, such as `consent-v3`."""
    form_sha256: str
    """Of the form's text as it was shown."""
    items: dict[str, bool]
    """What was asked, and the answer: `recording`, `analysis`, `sharing`, …"""
    publish_images: bool
    """Whether pictures and videos of the face may be published: asked for separately."""
    witness: str = ""
    """Role or initials of the operator who took the consent."""


class Withdrawn(msgspec.Struct, frozen=True, tag="withdrawn", tag_field="what"):
    """A participant took the consent back; what was kept of them is to be removed."""

    participant: str
    time: str
    scope: Literal["all", "publication"] = "all"


class Erased(msgspec.Struct, frozen=True, tag="erased", tag_field="what"):
    """What was kept of a participant was removed: the tombstone."""

    participant: str
    time: str
    sessions: int
    files: int
    bytes: int
    left_over: tuple[str, ...] = ()
    """What could not be reached from here, and a person has to see to."""


Entry = Added | Consented | Withdrawn | Erased
_decoder = msgspec.json.Decoder(Entry)


class Participant(msgspec.Struct, frozen=True):
    """One participant as the registry has them now."""

    pseudonym: str
    consent: Consented | None = None
    withdrawn: str | None = None
    """When the consent was taken back."""
    publication_withdrawn: bool = False
    erased: str | None = None
    left_over: tuple[str, ...] = ()
    """What was left over when they were erased, for a person to see to."""

    @property
    def may_be_recorded(self) -> bool:
        """Whether a session may start: a consent to recording that was not taken back."""
        return self.consent is not None and self.withdrawn is None and self.consent.items.get("recording", False)

    @property
    def may_be_published(self) -> bool:
        """Whether pictures of the face may leave the lab in a publication."""
        return (
            self.consent is not None
            and self.withdrawn is None
            and self.consent.publish_images
            and not self.publication_withdrawn
        )


class Registry:
    """The participants of one study. Entries are only ever added; what a line says stays said."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / REGISTRY_FILE

    @classmethod
    def around(cls, path: Path) -> Registry | None:
        """The registry of the study that `path` lies in: beside it or in a folder above; None where there is none."""
        start = path.absolute()
        for folder in (start, *start.parents):
            if (folder / REGISTRY_FILE).is_file():
                return cls(folder)
        return None

    def participants(self) -> dict[str, Participant]:
        """Everybody in the registry, by pseudonym, in the order of entry.

        Raises:
            RecordingInvalid: The file is damaged; names the line.
        """
        people: dict[str, Participant] = {}
        for entry in self.entries():
            known = people.get(entry.participant, Participant(entry.participant))
            people[entry.participant] = _after(known, entry)
        return people

    def participant(self, pseudonym: str) -> Participant:
        """The participant called `pseudonym`.

        Raises:
            BadInput: The registry does not have them.
        """
        known = self.participants().get(pseudonym)
        if known is None:
            raise BadInput(f"{self.path} has no participant {pseudonym!r}: enter them first, with their consent")
        return known

    def entries(self) -> list[Entry]:
        """Every line, in order; an unfinished last line, left by a power cut, is left out."""
        try:
            data = read_document(self.path)
        except FileNotFoundError:
            return []
        except NotADirectoryError as error:
            raise BadInput(f"{self.path.parent} is not a folder: give the one of the study's sessions") from error
        except OSError as error:
            raise RecordingInvalid(f"cannot read {self.path}: {error.strerror}") from error
        entries: list[Entry] = []
        for number, line in enumerate(data.split(b"\n")[:-1], start=1):
            try:
                if len(line) > _MOST_LINE_BYTES:
                    raise ValueError("line too long")
                entry = _decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
                raise RecordingInvalid(f"{self.path}, line {number}, is damaged: {error}") from None
            if not PSEUDONYM.fullmatch(entry.participant):
                raise RecordingInvalid(f"{self.path}, line {number}, is damaged: {entry.participant!r} is no pseudonym")
            entries.append(entry)
        return entries

    def add(self, pseudonym: str | None = None) -> str:
        """Enter a participant; returns the pseudonym, a random one unless given.

        Raises:
            BadInput: The pseudonym is taken, or cannot be part of a file name.
        """
        taken = {name.casefold() for name in self.participants()}
        if pseudonym is None:
            pseudonym = new_pseudonym()
            while pseudonym.casefold() in taken:
                pseudonym = new_pseudonym()
        elif checked_pseudonym(pseudonym).casefold() in taken:
            raise BadInput(f"{self.path} has a participant {pseudonym!r} already: choose another pseudonym")
        self._append(Added(pseudonym, _now()))
        return pseudonym

    def consent(
        self,
        pseudonym: str,
        *,
        form: str,
        form_text: str,
        items: Mapping[str, bool],
        publish_images: bool,
        witness: str = "",
    ) -> Participant:
        """Enter what a participant agreed to.

        Args:
            pseudonym: Of a participant in the registry.
            form: Name and version of the form.
            form_text: The text that was signed; its hash is kept.
            items: What was asked, and the answers; `recording` is what a session needs.
            publish_images: Whether face images may be published.
            witness: Who took the consent, by role or initials.

        Raises:
            BadInput: There is no such participant, or their data was erased.
        """
        known = self.participant(pseudonym)
        if known.erased:
            raise BadInput(f"{pseudonym} withdrew and was erased on {known.erased}: enter a new participant instead")
        digest = hashlib.sha256(form_text.encode()).hexdigest()
        self._append(Consented(pseudonym, _now(), form, digest, dict(items), publish_images, witness))
        return self.participant(pseudonym)

    def withdraw(self, pseudonym: str, scope: Literal["all", "publication"] = "all") -> Participant:
        """Enter that a participant took the consent back: all of it, or only that images may be published."""
        self.participant(pseudonym)
        self._append(Withdrawn(pseudonym, _now(), scope))
        return self.participant(pseudonym)

    def erased(
        self, pseudonym: str, *, sessions: int, files: int, size_bytes: int, left_over: tuple[str, ...] = ()
    ) -> None:
        """Leave the tombstone of a participant whose data was removed."""
        self.participant(pseudonym)
        self._append(Erased(pseudonym, _now(), sessions, files, size_bytes, left_over))

    def _append(self, entry: Entry) -> None:
        """One line, durable before this returns; a torn line before it is closed first."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+") as file:
                size = file.seek(0, os.SEEK_END)
                if size:
                    file.seek(size - 1)
                    if file.read(1) != b"\n":
                        file.truncate(_end_of_whole_lines(self.path))
                file.write(msgspec.json.encode(entry) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise FolderUnusable(f"cannot write {self.path}: {error.strerror}") from error


def checked_pseudonym(text: str) -> str:
    """The same text.

    Raises:
        BadInput: It cannot be one; as part of a folder's name it must not hold anything else either.
    """
    if not PSEUDONYM.fullmatch(text):
        raise BadInput(f"participant {text!r}: use letters, digits, dots and dashes, at most 64, such as P07")
    return text


def new_pseudonym() -> str:
    """A random pseudonym such as `P7KQ2M`: derived from nothing."""
    return "P" + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARACTERS))


def _after(known: Participant, entry: Entry) -> Participant:
    match entry:
        case Consented():
            return msgspec.structs.replace(known, consent=entry, withdrawn=None, publication_withdrawn=False)
        case Withdrawn(scope="all"):
            return msgspec.structs.replace(known, withdrawn=entry.time)
        case Withdrawn():
            return msgspec.structs.replace(known, publication_withdrawn=True)
        case Erased():
            return msgspec.structs.replace(known, erased=entry.time, left_over=entry.left_over)
        case _:
            return known


def _end_of_whole_lines(path: Path) -> int:
    return path.read_bytes().rfind(b"\n") + 1


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
