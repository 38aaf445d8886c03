"""Slipstream: a self-hosted execution server."""
