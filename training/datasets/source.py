"""Where samples come from, as the command line names it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from capture.recording.files import read_document
from capture.study.export_ledger import MANIFEST_FILE
from training.datasets.readers import read_dataset
from training.datasets.sample import Sample
from training.datasets.simulated import PREFIX, parse_simulated, simulated_samples


@dataclass(frozen=True)
class Source:
    """Where samples come from."""

    data: str
    """A folder, or `simulated:64x24,part=C,fps=200,seed=1`."""
    dataset: str = "auto"
    cache: Path | None = None
    """Folder of crops; None is the user's."""
    finder: str = "auto"
    jobs: int = 1

    @property
    def named(self) -> bool:
        """Whether `data` names simulated participants and no folder."""
        return self.data.startswith(PREFIX)

    @property
    def simulated(self) -> bool:
        """Whether nobody of these people exists."""
        return self.named or (Path(self.data) / "truth").is_dir() or _of_simulated_camera(Path(self.data))

    def read(self) -> tuple[tuple[Sample, ...], tuple[str, ...]]:
        """Samples of the seven emotions, and lines about what was passed over.

        Raises:
            BadInput: There is nothing to be read.
        """
        if self.named:
            return simulated_samples(*parse_simulated(self.data)), ()
        report = read_dataset(Path(self.data), self.dataset)
        return report.samples, tuple(report.lines())


class _Clip(msgspec.Struct):
    """Of a clip in an export's manifest, what matters here."""

    simulated: bool = False


class _Manifest(msgspec.Struct):
    """Of an export's manifest, what matters here."""

    clips: tuple[_Clip, ...] = ()


def _of_simulated_camera(folder: Path) -> bool:
    """Whether everything in an export was recorded from the simulated camera."""
    try:
        clips = msgspec.json.decode(read_document(folder / MANIFEST_FILE), type=_Manifest).clips
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return False
    return bool(clips) and all(clip.simulated for clip in clips)
