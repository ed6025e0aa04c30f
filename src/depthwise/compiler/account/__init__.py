"""What an artifact and a plan say of themselves."""
