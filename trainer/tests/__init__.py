"""Tests of the trainer, with real processes, a real encoder and a real server."""
