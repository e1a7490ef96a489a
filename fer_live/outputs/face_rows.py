"""The one schema of CSV, JSONL and Parquet: one row per face."""

from collections.abc import Iterator

from fer_live.datatypes import FrameResult

Row = dict[str, str | int | float]


def column_names(labels: tuple[str, ...]) -> list[str]:
    """The columns in order; `p_<label>` are the raw probabilities in the model's label order."""
    return [
        *("source", "frame", "time_s", "track_id", "x1", "y1", "x2", "y2"),
        *("detection_confidence", "label", "shown_label", "confidence"),
        *(f"p_{label}" for label in labels),
    ]


def face_rows(source: str, result: FrameResult, labels: tuple[str, ...]) -> Iterator[Row]:
    """One row for each face of a frame; none where no face was found.

    Boxes are pixels of the unmirrored frame, rounded to hundredths; time to microseconds;
    probabilities keep seven digits, so that a row still sums to 1 within 1e-6.
    """
    for face in result.faces:
        x1, y1, x2, y2 = (round(float(value), 2) for value in face.box_xyxy)
        yield {
            "source": source,
            "frame": result.frame.index,
            "time_s": round(result.frame.captured_at_s, 6),
            "track_id": face.track_id,
            "x1": x1,
            "y1": y1,
            "x2": x2,
            "y2": y2,
            "detection_confidence": round(face.detection_confidence, 4),
            "label": face.label,
            "shown_label": face.shown_label,
            "confidence": round(face.confidence, 7),
            **{
                f"p_{label}": round(float(value), 7)
                for label, value in zip(labels, face.probs, strict=True)
            },
        }
