"""How many processor cores there are to work with."""


def usable_cores() -> int:
    """Count the processor cores that this process may use, at least 1.

    That is fewer than the machine has where a scheduler, `taskset` or a container gives it some
    of them. One thread or process more than that is worse than none: threads that share a core
    wait for one another, and training was nine times slower so.
    """
    from joblib import cpu_count  # here, because it takes 0.15 s that most commands need not wait

    return int(cpu_count())
