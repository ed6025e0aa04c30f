"""Networks of several widths and resolutions, trained, quantised and measured: docs/many.md."""
