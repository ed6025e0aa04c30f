"""The same network in every runtime, measured side by side; docs/bench.md says how and what is counted."""
