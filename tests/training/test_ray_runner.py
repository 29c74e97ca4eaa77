"""Cells on a Ray cluster: as many as it has room for, and gone on with when a process has died."""

from __future__ import annotations

import sys
import threading

import psutil
import pytest

from expression.errors import BadInput
from training.datasets.crops import CropStore
from training.datasets.source import Source
from training.machine import Machine
from training.material import crop_plan
from training.ray_runner import Share, reproduce_on_cluster
from training.reproduce import Cell, Reproduction


def test_without_ray_a_cluster_is_refused_with_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BadInput, match="--with cluster"):
        reproduce_on_cluster(Reproduction(Source("simulated:4x2"), tmp_path), "auto")


@pytest.mark.parametrize(
    ("accelerator", "machines", "share"),
    [
        ("auto", [(16, 1)], Share(16, 1)),
        ("auto", [(16, 4), (8, 1), (2, 0)], Share(4, 1)),
        ("gpu", [(1, 2)], Share(1, 1)),
        ("auto", [(16, 0)], Share(1, 0)),
        ("cpu", [(16, 1)], Share(1, 0)),
    ],
)
def test_a_cell_asks_for_what_there_is(accelerator, machines, share):
    assert Share.of(accelerator, machines) == share


def test_a_graphics_card_that_no_machine_has_is_not_waited_for():
    with pytest.raises(BadInput, match="no graphics card"):
        Share.of("gpu", [(16, 0)])


@pytest.fixture
def address():
    pytest.importorskip("ray", reason="Ray is not installed: ./install.sh --with cluster")
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    yield cluster.address
    cluster.shutdown()


def kill_a_worker(running: list[str], ended: threading.Event, checkpoint) -> None:
    while not ended.wait(0.05):
        for process in psutil.Process().children(recursive=True):
            # Ray names a process by what it runs; one that has a checkpoint has something to go on from.
            if checkpoint.exists() and "cross_validate" in " ".join(process.cmdline()):
                running.append(str(process.pid))
                process.kill()
                return


@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore")
def test_cells_end_on_a_cluster_although_a_worker_is_killed(tmp_path, fill, address, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    source = Source("simulated:6x3,fps=60", cache=tmp_path / "crops")
    job = Reproduction(
        source=source,
        out=(tmp_path / "out").relative_to(tmp_path),
        cells=(Cell("I3D", "baseline"), Cell("I3D", "class-balanced-loss")),
        folds=2,
        changes=(("size_px", 32), ("crop_px", 32), ("epochs", 4), ("width", 0.125), ("batch", 8)),
        machine=Machine(accelerator="cpu"),
    )
    fill(CropStore(tmp_path / "crops", crop_plan(job.recipe(job.cells[0]))), source.read()[0])
    killed: list[str] = []
    ended = threading.Event()
    first = tmp_path / "out" / "cells" / "I3D-baseline" / "seed0" / "fold00" / "last.ckpt"
    killer = threading.Thread(target=kill_a_worker, args=(killed, ended, first))
    killer.start()
    try:
        results = reproduce_on_cluster(job, address)
    finally:
        ended.set()
        killer.join()
    assert killed, "the cells ended before a worker could be killed"
    assert all(results.values())
    assert capfd.readouterr().out == ""
