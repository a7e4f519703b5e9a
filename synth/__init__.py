"""Synthetic registries: enterprises of a made-up Kunshan, for demonstrations, tests and measurements."""

from synth.generate import generate

__all__ = ["generate"]
