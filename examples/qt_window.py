"""A small window with boxes and labels: python examples/qt_window.py [CAMERA_OR_FILE]"""

import sys
import time

import cv2
from PyQt6.QtCore import QTimer
from PyQt6.QtGui import QColor, QImage, QPainter, QPixmap
from PyQt6.QtWidgets import QApplication, QLabel

from fer_live import Frame, Pipeline


class Window(QLabel):
    """Reads a picture whenever Qt has nothing else to do, about 30 a second at most."""

    def __init__(self, source: str, pipeline: Pipeline) -> None:
        super().__init__()
        self.setWindowTitle(f"Faces in {source}")
        self.capture = cv2.VideoCapture(int(source) if source.isdigit() else source)
        self.pipeline = pipeline
        self.index = 0
        self.timer = QTimer(self, interval=33)
        self.timer.timeout.connect(self.show_next)
        self.timer.start()

    def show_next(self) -> None:
        is_read, image = self.capture.read()
        if not is_read:
            self.close()
            return
        frame = Frame(image_bgr=image, index=self.index, captured_at_s=time.monotonic())
        self.index += 1
        height, width = image.shape[:2]
        picture = QPixmap.fromImage(
            QImage(image.data, width, height, 3 * width, QImage.Format.Format_BGR888)
        )
        painter = QPainter(picture)
        painter.setPen(QColor("orange"))
        for face in self.pipeline.process(frame).faces:
            x1, y1, x2, y2 = (int(value) for value in face.box_xyxy)
            painter.drawRect(x1, y1, x2 - x1, y2 - y1)
            painter.drawText(x1, y1 - 6, f"{face.track_id}: {face.shown_label or 'unsure'}")
        painter.end()
        self.setPixmap(picture)

    def closeEvent(self, event: object) -> None:  # noqa: N802  # Qt's name
        self.timer.stop()
        self.capture.release()


if __name__ == "__main__":
    app = QApplication([])
    with Pipeline.load() as pipeline:
        window = Window(sys.argv[1] if len(sys.argv) > 1 else "0", pipeline)
        window.show()
        app.exec()
