"""The producer builds from its sources, exports the GenTL interface and nothing else, and passes its C++ tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[3] / "capture" / "simulator" / "producer"

# Tools that pip installed lie beside the interpreter, on the path or not.
PATH = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{Path(sys.executable).parent}"


def has(*tools: str) -> bool:
    return any(shutil.which(tool, path=PATH) for tool in tools)


pytestmark = pytest.mark.skipif(
    not has("cmake") or not has("c++", "g++", "clang++"), reason="needs cmake and a C++ compiler"
)


def run(*command: str | Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in ("CXXFLAGS", "LD_PRELOAD")}
    environment["PATH"] = PATH
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=170)
    assert done.returncode == 0, f"{command[0]}: {done.stdout[-6000:]}{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The producer and its C++ tests, with address and undefined-behaviour sanitizers."""
    folder = tmp_path_factory.mktemp("producer")
    generator = ["-G", "Ninja"] if has("ninja") else []
    options = ["-DDFME_TESTS=ON", "-DDFME_SANITIZE=ON", "-DCMAKE_BUILD_TYPE=None"]
    run("cmake", "-S", SOURCES, "-B", folder, *generator, *options)
    run("cmake", "--build", folder, "--parallel", str(min(2, os.cpu_count() or 1)))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.timeout(400)
def test_the_c_interface_behaves_by_the_standard_and_the_sanitizers_find_nothing(build: Path) -> None:
    report = run("ctest", "--test-dir", build, "--output-on-failure", "--no-tests=error")
    assert "100% tests passed" in report
    assert "out of 9" in report


@pytest.mark.skipif(not has("nm"), reason="needs nm")
@pytest.mark.timeout(400)
def test_the_library_exports_the_declared_functions_and_nothing_else(build: Path) -> None:
    symbols = run("nm", "--dynamic", "--defined-only", build / "dfme_simulator.cti").splitlines()
    exported = {line.split()[-1] for line in symbols if " T " in line}
    declared = {
        line.split("(")[0].removeprefix("GC_API ")
        for line in (SOURCES / "gentl.h").read_text().splitlines()
        if line.startswith("GC_API ")
    }
    assert len(declared) == 64
    assert exported == declared
