import contextlib
import os
import tempfile
import threading

from fer_live.vision.mediapipe_tasks import quiet_native_stderr


def test_two_threads_that_load_at_once_leave_stderr_as_it_was():
    """Several sources load their networks at the same time, each silencing file descriptor 2."""
    saved = os.dup(2)
    with tempfile.TemporaryFile() as heard:
        os.dup2(heard.fileno(), 2)
        try:
            inside = threading.Barrier(2, timeout=0.2)

            def load() -> None:
                with quiet_native_stderr():
                    os.write(2, b"noise")
                    with contextlib.suppress(threading.BrokenBarrierError):
                        inside.wait()  # without a lock both are in here

            threads = [threading.Thread(target=load) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            os.write(2, b"a line")
        finally:
            os.dup2(saved, 2)
            os.close(saved)
        heard.seek(0)
        assert heard.read() == b"a line"
