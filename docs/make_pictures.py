"""Draws the documentation: `python -m docs.make_pictures [monitor] [participant] [coding] [faces] [demo]`.

Each is taken from the real program with a simulated participant; without a name all are drawn, which takes some
minutes. The pages need Chromium. Look at each picture before it is committed.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from docs import make_coding_pictures, make_demo_pictures, make_monitor_picture, make_participant_pictures

NAMES = ("monitor", "participant", "coding", "faces", "demo")
PICTURES = Path(__file__).parent / "pictures"


def draw_faces(out: Path) -> None:
    """The plate of identities, and the sheets of action units and emotions, by the commands that their pages name."""
    for arguments in (["plates", "identities", "--out", str(out / "identities.jpg")], ["sheets", "--out", str(out)]):
        subprocess.run([sys.executable, "-m", f"expression.synthetic.{arguments[0]}", *arguments[1:]], check=True)


def main() -> None:
    """Draw what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(NAMES)}; all unless given")
    parser.add_argument("--out", type=Path, default=PICTURES, help="folder of the pictures")
    parser.add_argument("--all", action="store_true", help="keep every screen of the coding, too")
    parser.add_argument("--pilot", type=Path, help="study that dfme-session demo has played, in place of a new one")
    parser.add_argument("--browser", default=shutil.which("chromium"), help="Chromium's program")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in NAMES]
    if unknown:
        parser.error(f"no picture is called {unknown[0]}: there are {', '.join(NAMES)}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or NAMES:
        sys.stderr.write(f"{name} ...\n")
        if name == "monitor":
            make_monitor_picture.main(arguments.out)
        elif name == "participant":
            make_participant_pictures.main(arguments.out, program=arguments.browser)
        elif name == "coding":
            make_coding_pictures.main(arguments.out, keep_all=arguments.all, program=arguments.browser)
        elif name == "demo":
            make_demo_pictures.main(arguments.out, program=arguments.browser, pilot=arguments.pilot)
        else:
            draw_faces(arguments.out)


if __name__ == "__main__":
    main()
