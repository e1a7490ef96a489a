"""The short form of `make soak`: one round of a window that is used without a pause."""

import pytest

from tests.trust.soak import __main__ as soak
from tests.trust.soak.accounts import Accounts, Needs


def test_a_round_accounts_for_every_frame():
    outcome = soak.soak("stand_ins", 400, every=25)
    assert outcome.failures == ()
    assert outcome.n >= 400


def test_what_is_not_accounted_for_is_found():
    accounts = Accounts()
    accounts._expect("rows", 5, 3)
    assert (accounts.unaccounted, len(accounts.faults)) == (2, 1)


def test_growth_counts_from_when_all_is_settled():
    needs = Needs()
    assert needs.growth(needs.rss_mb) is None
    needs.frames = [1_000, *range(50_000, 62_000, 1_000)]
    needs.rss_mb = [1.0, *range(100, 112)]
    assert needs.growth(needs.rss_mb) == pytest.approx(7)
