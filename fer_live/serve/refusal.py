"""What a client is told that asked for something it does not get: a status and one sentence."""


class Refusal(Exception):
    """Ends a request with an HTTP status of 4xx or 5xx and one sentence.

    Args:
        status: The HTTP status.
        sentence: What is wrong, and what to do.
        headers: More headers of the answer.
    """

    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def too_large(max_mb: float) -> Refusal:
    """The upload has too many bytes."""
    return Refusal(413, f"the upload is larger than {max_mb:g} MB; send a smaller one")


def busy(retry_after_s: int) -> Refusal:
    """Too many others are being read."""
    sentence = f"too many uploads at once; send it again in {retry_after_s} s"
    return Refusal(503, sentence, Retry_After=str(retry_after_s))
