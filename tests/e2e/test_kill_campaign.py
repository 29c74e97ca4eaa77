"""Fifty kills at random moments at 500 frames a second: what is on disk opens, and no more is gone than may be."""

from __future__ import annotations

import os
import random

import pytest

from tests.e2e.killing import campaign

SEED = int(os.environ.get("DFME_KILL_SEED") or random.SystemRandom().randrange(10**6))
KILLS = {"recorder": 34, "monitor": 7, "camera": 3, "supervisor": 3, "tree": 3}


@pytest.mark.timeout(600)
def test_whatever_is_killed_the_recording_opens_as_it_is_and_no_more_is_gone_than_may_be(journey, tmp_path):
    kills = list(campaign(KILLS, tmp_path, random.Random(SEED)))
    assert len(kills) == sum(KILLS.values())
    broken = [kill for kill in kills if not kill.as_promised]
    assert not broken, f"{len(broken)} of {len(kills)} kills; the same moments again with DFME_KILL_SEED={SEED}"
