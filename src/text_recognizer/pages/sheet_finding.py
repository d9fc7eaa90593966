"""Find the sheet of paper in a photo."""

import cv2
import numpy as np

from text_recognizer.core.geometry import Point

Sheet = tuple[Point, Point, Point, Point]

SAMPLED_SIDE = 400  # pixels along the longer side that are sampled
MIN_AREA, MAX_AREA = 0.15, 0.97  # of the picture; a sheet that fills all of it has no edges to find
MIN_FILL = 0.85  # of its quadrilateral that a sheet covers
MIN_CONTRAST = 25  # of 255, between the sheet and what lies around it
MIN_SIDE = 0.25  # of the picture's shorter side
TOLERANCE = 0.03  # of the outline's length, when it is approximated by a quadrilateral


def find_sheet(rgb: np.ndarray) -> Sheet | None:
    """Return the corners of the sheet in a picture, uint8 (H, W, 3), clockwise from the top left.

    A sheet is a bright quadrilateral on a darker ground, separated by Otsu's threshold. None means that the picture
    shows no edges of a sheet: a scan, a screenshot, a whiteboard, or a page that fills the picture.
    """
    scale = min(1.0, SAMPLED_SIDE / max(rgb.shape[:2]))
    size = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
    small = cv2.GaussianBlur(
        cv2.cvtColor(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY), (5, 5), 0
    )
    _, bright = cv2.threshold(small, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    bright = cv2.morphologyEx(bright, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    contours, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for contour in sorted(contours, key=cv2.contourArea, reverse=True)[:1]:
        corners = _quadrilateral(contour, size)
        if corners is not None and _stands_out(small, corners):
            top_left = int(corners.sum(axis=1).argmin())
            ordered = np.roll(corners, -top_left, axis=0) / scale
            return tuple(Point(round(float(x)), round(float(y))) for x, y in ordered)  # type: ignore[return-value]
    return None


def _quadrilateral(contour: np.ndarray, size: tuple[int, int]) -> np.ndarray | None:
    """Return the corners (4, 2) of a contour, clockwise, if it is a large convex quadrilateral."""
    hull = cv2.convexHull(contour)
    corners = cv2.approxPolyDP(hull, TOLERANCE * cv2.arcLength(hull, closed=True), closed=True)
    if len(corners) != 4:
        return None
    area = float(cv2.contourArea(corners))
    quad: np.ndarray = corners[:, 0].astype(np.float64)
    shortest = np.linalg.norm(quad - np.roll(quad, 1, axis=0), axis=1).min()
    large = MIN_AREA <= area / (size[0] * size[1]) <= MAX_AREA and shortest >= MIN_SIDE * min(size)
    if not large or float(cv2.contourArea(contour)) < MIN_FILL * area:
        return None
    return quad if cv2.contourArea(corners, oriented=True) > 0 else quad[::-1]


def _stands_out(grey: np.ndarray, corners: np.ndarray) -> bool:
    """Return whether the sheet is brighter than the band around it."""
    mask = cv2.fillConvexPoly(np.zeros_like(grey), corners.astype(np.int32), 1)
    ring = cv2.dilate(mask, np.ones((25, 25), np.uint8)) - cv2.dilate(mask, np.ones((7, 7), np.uint8))
    if not ring.any():
        return False
    return float(np.median(grey[mask > 0])) - float(np.median(grey[ring > 0])) >= MIN_CONTRAST
