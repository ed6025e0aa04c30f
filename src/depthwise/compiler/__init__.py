"""From a model folder to an artifact: fold, plan, pack, emit C and build it."""
