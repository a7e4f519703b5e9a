"""Prefect flows, run folders and the command line. Only `annual` and `serve` import Prefect."""
