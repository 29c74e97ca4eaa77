"""Recipes: what cannot work is refused before anything is trained."""

from __future__ import annotations

import json

import pytest

from expression.errors import BadInput
from training.recipe import PRESETS, load_recipe, paper_recipe


@pytest.mark.parametrize(
    ("model", "values"),
    [
        ("D3D", {"frames": 8}),
        ("D3D", {"size_px": 24, "crop_px": 32}),
        ("P3D", {"frames": 12}),
        ("R3D", {"width": 0.5}),
        ("I3D", {"batch": 32, "accumulate": 5}),
        ("I3D", {"channels": "flow", "crop_px": 100}),
        ("I3D", {"precision": "8-bit"}),
    ],
)
def test_what_a_network_cannot_do_is_refused(model, values):
    with pytest.raises(BadInput) as refusal:
        paper_recipe(model).changed(**values)
    assert "\n" not in str(refusal.value)


def test_a_file_changes_a_preset_and_keeps_the_rest(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('preset = "small"\nloss = "class-balanced-focal"\n[augment]\nflip = false\n')
    recipe, preset = load_recipe(str(path)), PRESETS["small"]
    assert (recipe.loss, recipe.augment.flip) == ("class-balanced-focal", False)
    changed = json.loads(recipe.changed(loss=preset.loss).model_dump_json())
    wanted = json.loads(preset.model_dump_json())
    assert changed | {"augment": None} == wanted | {"augment": None}
    assert changed["augment"] | {"flip": True} == wanted["augment"]


def test_a_key_that_nobody_knows_is_named(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('preset = "small"\nlearning = 3\n')
    with pytest.raises(BadInput, match=r"own\.toml: learning"):
        load_recipe(str(path))
