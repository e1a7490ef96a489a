"""Trains facial expression recognition models; `fer-train --help` lists the commands."""
