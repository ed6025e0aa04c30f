"""Whether a checkpoint is of the run that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from depthwise.cloud.recipe import Recipe
from depthwise.errors import Refused

# What the weights depend on beside the recipe, by its name in a checkpoint.
FACTS = {
    "spec": "the network",
    "preprocessing": "--resize",
    "images": "the folder of images",
    "quantize": "--quantize",
    "lessons": "what the teachers of --distill tell",
}


def same_settings(asked: Recipe, facts: Mapping[str, Any], state: Mapping[str, Any]) -> Recipe:
    """The recipe that the run of a checkpoint goes on with: what it began with, but for more epochs.

    Its precision may have been measured then, and its kernels chosen. Frozen epochs that followed from the number of
    epochs stay.

    Raises: Refused, when anything that the weights depend on is asked for differently now.
    """
    began = state.get("recipe")
    if not isinstance(began, dict):
        raise Refused("the checkpoint has no recipe in it; remove it to start the training anew")
    recipe = Recipe.from_dict(began)
    kept = recipe.to_dict()
    wanted = replace(asked, precision=recipe.precision) if asked.precision == "auto" else asked
    wanted = replace(wanted, kernels=recipe.kernels) if asked.kernels == "auto" else wanted
    if wanted.epochs < recipe.epochs:
        raise Refused(
            f"--epochs was {recipe.epochs} and is {wanted.epochs}; a run can be given more epochs, and --finish ends it"
            " with the best one so far"
        )
    if wanted.epochs > recipe.epochs:
        follows = wanted.frozen == wanted.epochs // 10 and recipe.frozen == recipe.epochs // 10
        kept["epochs"] = wanted.epochs
        wanted = replace(wanted, frozen=recipe.frozen) if follows else wanted
    changed = [
        f"--{name.replace('_', '-')} was {kept[name]} and is {value}"
        for name, value in wanted.to_dict().items()
        if value != kept[name]
    ]
    changed += [f"{FACTS[key]} is another one" for key, value in facts.items() if state.get(key, value) != value]
    if changed:
        raise Refused(f"--resume goes on with the settings of before, but {changed[0]}; repeat the same command")
    return replace(recipe, epochs=wanted.epochs)
