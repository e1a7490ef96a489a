"""A face as a mesh of triangles that carries its pixels along when its points move."""

import cv2
import matplotlib.tri
import numpy as np

from fer_live.datatypes import UInt8Array

UPPER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
"""The mouth's opening, from the picture's left to its right, as indices of the 478 points."""
FACE_OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
N_MESH = 468
"""The points after these are of the irises, which the eyelids slide over."""
_LEAST_GAP_PX = 0.8
_RINGS = (1.18, 1.45, 1.8)
"""Points around the face, in sizes of its outline, that let its movements fade out."""


class FaceMesh:
    """The triangles over one canvas: the face's own points, rings around them, and the edge.

    Args:
        canvas: (H, W, 3) uint8 BGR.
        points_xyz: (478, 3), the face in pixels of the canvas.
    """

    def __init__(self, canvas: UInt8Array, points_xyz: np.ndarray) -> None:
        self.canvas = canvas
        face = points_xyz[:N_MESH].astype(np.float64)
        for upper, lower in zip(UPPER_LIP[1:-1], LOWER_LIP[1:-1], strict=True):
            gap = face[lower, 1] - face[upper, 1]
            if gap < _LEAST_GAP_PX:
                face[upper, 1] -= (_LEAST_GAP_PX - gap) / 2
                face[lower, 1] += (_LEAST_GAP_PX - gap) / 2
        outline = face[list(FACE_OVAL)]
        middle = outline.mean(axis=0)
        rings = [middle + scale * (outline - middle) for scale in _RINGS]
        self.points = np.vstack([face, *rings, self._edge()])
        """(P, 3): pixels, and the depth that a turning head moves them by."""
        self.n_edge = len(self._edge())
        self.triangles = matplotlib.tri.Triangulation(*self.points[:, :2].T).triangles
        inner = np.isin(self.triangles, sorted({*UPPER_LIP, *LOWER_LIP}))
        self.triangles = self.triangles[~inner.all(axis=1)]

    def _edge(self) -> np.ndarray:
        height, width = self.canvas.shape[:2]
        xs, ys = np.linspace(0, width - 1, 9), np.linspace(0, height - 1, 13)
        edge = [(x, y, 0.0) for x in xs for y in (0.0, height - 1.0)]
        return np.array(edge + [(x, y, 0.0) for y in ys[1:-1] for x in (0.0, width - 1.0)])

    def draw(self, moved_xy: np.ndarray) -> tuple[UInt8Array, np.ndarray]:
        """The canvas with its points at other places.

        Args:
            moved_xy: (P, 2) where each of `points` goes.

        Returns:
            The picture, and (H, W) float32 of where the mouth's opening is, 0 to 1.
        """
        height, width = self.canvas.shape[:2]
        index = np.full((height, width), -1, np.int32)
        corners = np.round(moved_xy[self.triangles] * 16).astype(np.int32)
        for number, triangle in enumerate(corners):
            cv2.fillConvexPoly(index, triangle, number, lineType=cv2.LINE_8, shift=4)
        maps = self._maps(moved_xy)[index]
        ys, xs = np.indices((height, width), np.float32)
        source = maps[..., 0, :] * xs[..., None] + maps[..., 1, :] * ys[..., None] + maps[..., 2, :]
        drawn = cv2.remap(
            self.canvas,
            np.ascontiguousarray(source[..., 0], np.float32),
            np.ascontiguousarray(source[..., 1], np.float32),
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(drawn, np.uint8), self._opening(moved_xy)

    def _maps(self, moved_xy: np.ndarray) -> np.ndarray:
        """(T, 3, 2) of each triangle: from moved pixels (x, y, 1) back to the canvas."""
        ones = np.ones((len(self.triangles), 3, 1))
        moved = np.concatenate([moved_xy[self.triangles], ones], axis=2)
        flat = np.abs(np.linalg.det(moved)) < 1e-6
        moved[flat] = np.eye(3)
        return np.asarray(np.linalg.solve(moved, self.points[self.triangles][..., :2]))

    def _opening(self, moved_xy: np.ndarray) -> np.ndarray:
        height, width = self.canvas.shape[:2]
        lips = [*UPPER_LIP, *LOWER_LIP[-2:0:-1]]
        mask = np.zeros((height * 4, width * 4), np.uint8)
        outline = np.round((moved_xy[lips] * 4 + 1.5) * 16).astype(np.int32)
        cv2.fillPoly(mask, [outline], 255, shift=4)
        small = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.float32) / 255
