"""The shape of everything that crosses a door. Imports nothing of ours."""
