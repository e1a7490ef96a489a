import pytest

from tests import fuzz

COUNT = 500


@pytest.mark.parametrize("kind", fuzz.KINDS)
def test_a_small_file_of_every_kind_is_in_order(tmp_path, kind: str):
    (tmp_path / "file").write_bytes(fuzz.whole_file(kind))
    source = fuzz.open_source(str(tmp_path / "file"))
    assert source.read().image_bgr.shape[1] == 64
    source.close()


def test_spoilt_files_end_in_frames_or_in_one_line():
    """`make fuzz` reads twenty times as many."""
    n_read, failed = fuzz.failures(COUNT)
    assert not failed, failed
    assert n_read == COUNT * len(fuzz.KINDS)


def test_a_reader_that_breaks_is_found(monkeypatch: pytest.MonkeyPatch):
    """The search itself works."""
    monkeypatch.setattr(fuzz.sys, "executable", "/bin/false")
    n_read, failed = fuzz.failures(1)
    assert (n_read, len(failed)) == (0, len(fuzz.KINDS))
