import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_live.session.mailbox import Mailbox, MailboxClosed


def test_empty_mailbox_has_nothing_and_times_out():
    mailbox: Mailbox[int] = Mailbox()
    assert mailbox.get_nowait() is None
    with pytest.raises(TimeoutError):
        mailbox.get(timeout_s=0.01)


def test_the_latest_item_wins_and_the_replaced_one_is_counted():
    mailbox: Mailbox[int] = Mailbox()
    for item in (1, 2, 3):
        mailbox.put(item)
    assert mailbox.get() == 3
    assert mailbox.dropped == 2


def test_close_wakes_a_waiting_reader():
    mailbox: Mailbox[int] = Mailbox()
    woken = []

    def read() -> None:
        try:
            mailbox.get()
        except MailboxClosed:
            woken.append(True)

    reader = threading.Thread(target=read)
    reader.start()
    mailbox.close()
    reader.join(60)
    assert woken == [True]


@given(st.lists(st.sampled_from(["put", "get", "close"]), max_size=40))
def test_every_item_is_got_or_dropped(operations: list[str]):
    mailbox: Mailbox[int] = Mailbox()
    n_put = n_got = 0
    for operation in operations:
        if operation == "put":
            mailbox.put(n_put)
            n_put += 1
        elif operation == "get":
            n_got += mailbox.get_nowait() is not None
        else:
            mailbox.close()
    mailbox.close()
    assert n_put == n_got + mailbox.dropped
