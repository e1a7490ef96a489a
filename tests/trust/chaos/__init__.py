"""Killed, pulled, filled and stepped at random moments: nothing is lost but the last second.

    make chaos           200 kills, 100 faults of sources, and all else that can befall the app
    python -m tests.trust.chaos --minutes 10 --only kill_recording

Every trial says by its number alone what happens and when, checks that what lies on the disk is
whole, and that the app goes on: the next start, the source, the writer.
"""
