"""Headers that every artifact has: its interface, levels, threads and golden cases."""
