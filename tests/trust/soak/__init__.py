"""A million frames through the whole window: nothing grows, and every frame is accounted for.

    make soak            1,000,000 frames, four processes, and 10,000 through the real networks
    python -m tests.trust.soak --minutes 30

One process is one trial, so that growth is measured within it. `stand_ins` reads made-up faces by a
detector and landmarks of no cost and by a network of one layer; `real` reads the demo clip by what
ships. All else is the app's own: threads, mailboxes, outputs, recordings and the window.
"""
