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
    """The recipe that the run of a checkpoint began with, whose precision may have been measured.

    Raises: Refused, when anything that the weights depend on is asked for differently now.
    """
    began = state.get("recipe")
    if not isinstance(began, dict):
        raise Refused("the checkpoint has no recipe in it; remove it to start the training anew")
    recipe = Recipe.from_dict(began)
    kept = recipe.to_dict()
    wanted = replace(asked, precision=recipe.precision) if asked.precision == "auto" else asked
    changed = [
        f"--{name.replace('_', '-')} was {kept[name]} and is {value}"
        for name, value in wanted.to_dict().items()
        if value != kept[name]
    ]
    changed += [f"{FACTS[key]} is another one" for key, value in facts.items() if state.get(key, value) != value]
    if changed:
        raise Refused(f"--resume goes on with the settings of before, but {changed[0]}; repeat the same command")
    return recipe
