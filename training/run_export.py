"""Makes a bundle of a finished run: what the run's folder remembers is all that is needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from expression.errors import BadInput
from training.calibrate import calibrate
from training.card import CardFacts
from training.clips import clip_of
from training.export import Exported, export_bundle
from training.fit import PREDICTIONS_FILE, VALIDATION_FILE, final_network, read_recipe
from training.predictions import Predictions
from training.run_facts import RunFacts


def export_run(
    run: Path,
    out: Path,
    *,
    name: str,
    licence: str = "",
    remarks: Sequence[str] = (),
    int8: bool = True,
    static: bool = False,
    torch_program: bool = False,
) -> Exported:
    """Write the bundle of a run.

    Args:
        run: Its folder.
        out: Folder of the bundle.
        name: Of the model.
        licence: Under which terms it may be used.
        remarks: Paragraphs for the card.
        int8: Quantise as well, with training clips.
        static: Fix the batch to one clip.
        torch_program: Write the network for the torch engine as well.

    Raises:
        BadInput: The run is not finished, or its crops were removed.
        ExpressionError: What was exported says something else than the trained network.
    """
    recipe = read_recipe(run)
    if not (run / PREDICTIONS_FILE).exists():
        raise BadInput(f"{run} is not finished: start dfme-train fit again with the same options")
    facts = RunFacts.read(run)
    facts.enter(out)
    network, epoch = final_network(recipe, run)
    validation, test = Predictions.read(run / VALIDATION_FILE), Predictions.read(run / PREDICTIONS_FILE)
    scores = test.scores
    card = CardFacts(
        data=facts.data,
        subjects=facts.subjects,
        samples=facts.samples,
        simulated=facts.simulated,
        licence=licence,
        per_emotion=facts.per_emotion,
        best_epoch=epoch + 1,
        remarks=tuple(remarks),
        metrics={"accuracy": scores.accuracy, "UF1": scores.uf1, "UAR": scores.uar} if len(test.names) else {},
    )
    return export_bundle(
        network,
        recipe,
        out,
        name=name,
        calibration=calibrate(validation.logits, validation.classes) if len(validation.names) else None,
        clips=[clip_of(prepared, recipe.clip) for prepared in facts.clips],
        facts=card,
        int8=int8,
        static=static,
        torch_program=torch_program,
    )
