"""Emitted C as what a user gets: a library, or a folder of C."""
