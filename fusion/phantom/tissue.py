"""Grey values of the fine volume: neck, gland, tumour, and the margin between them."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.special import ndtr

from fusion.phantom.anatomy import Anatomy, Ellipse, Layout
from fusion.phantom.field import Field, Grid
from fusion.phantom.lesion import Lesion
from fusion.phantom.surface import ellipsoid_radius
from fusion.types import Mask, Volume

SKIN_MM, SKIN_HU, AIR_HU, CELL_HU = 1.5, 40.0, -1000.0, -850.0
GLAND_SEMI_MM = (34.0, 23.0, 18.0)
INFILTRATED_HU, INFILTRATION_REACH_MM, CAPSULE_MM = 85.0, 8.0, 1.2
LOBULE_MM = (3.5, 1.6, 1.6)
STRAND_MM = (3.5, 1.1, 1.1)
"""At least 3 mm along z: strands that are shorter vanish when five 1-mm slices are averaged."""


@dataclass(frozen=True)
class Fields:
    """The random fields of one case, drawn once, so that a part and the whole agree."""

    lobules: Field
    strands: Field
    texture: Field


def draw_fields(lesion: Lesion, rng: Generator) -> Fields:
    """Gland lobules, infiltrating strands and tumour texture."""
    lobules, strands, texture = rng.spawn(3)
    return Fields(
        lobules=Field.draw(lobules, LOBULE_MM, half_mm=64.0),
        strands=Field.draw(strands, STRAND_MM, half_mm=48.0),
        texture=Field.draw(texture, (lesion.texture_mm,) * 3, half_mm=36.0),
    )


def neck(anatomy: Anatomy, layout: Layout, lesion: Lesion, fields: Fields, grid: Grid) -> tuple[Volume, Mask]:
    """The neck without its tumour, in HU (float32), and where the gland is; both sides of the midline are alike."""
    lateral = np.abs(grid.x - layout.midline) + layout.midline
    plane, free = _plane(anatomy, layout, lateral, grid.y)
    gland = _gland(anatomy, layout, lesion, Grid(grid.z, grid.y, lateral)) & free
    lobule = fields.lobules.on(Grid(grid.z, grid.y, lateral))
    gland_hu = np.float32(anatomy.gland_hu) + 14 * lobule - 45 * np.maximum(-1.2 - lobule, 0)
    return np.where(gland, gland_hu, plane), gland


def add_tumour(hu: Volume, gland: Mask, distance_mm: Volume, lesion: Lesion, fields: Fields, grid: Grid) -> Volume:
    """The neck with its tumour: strands and capsule outside, texture and cyst inside, blended over the edge."""
    outside = hu + _infiltration(hu, gland, distance_mm, lesion, fields, grid)
    outside += np.float32(lesion.capsule_hu) * ((distance_mm > 0) & (distance_mm < CAPSULE_MM))
    share = ndtr(-distance_mm / np.float32(lesion.edge_mm))
    return outside + share * (_tumour(lesion, fields, grid) - outside)


def add_air_cells(hu: Volume, anatomy: Anatomy, lesion: Lesion, grid: Grid) -> Volume:
    """The neck with four mastoid air cells behind the tumour, where the case has them."""
    middle = np.array(anatomy.air_direction)
    sideways = np.cross(middle, (1.0, 0.0, 0.0))
    for n, (gap, radius) in enumerate(zip(anatomy.air_gap_mm, anatomy.air_radius_mm, strict=True)):
        direction = middle + (n - 1.5) * 0.35 * sideways
        direction /= np.linalg.norm(direction)
        surface = 1 / float(ellipsoid_radius(lesion, Grid(*direction[:, None])).item())
        centre = direction * (surface + gap + radius)
        hu = np.where(_ball(grid, centre, radius) & anatomy.air_cells, np.float32(CELL_HU), hu)
    return hu


def _plane(anatomy: Anatomy, layout: Layout, lateral: np.ndarray, back: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One axial plane without the gland, and where the gland may lie."""
    hu = np.full((len(back), len(lateral)), AIR_HU, np.float32)
    hu[layout.skin.inside(lateral, back)] = SKIN_HU
    body = _shrunk(layout, SKIN_MM).inside(lateral, back)
    hu[body] = anatomy.fat_hu
    free = _shrunk(layout, SKIN_MM + anatomy.fat_mm).inside(lateral, back)
    for shape in layout.painted:
        here = shape.inside(lateral, back) & body
        hu[here] = shape.hu
        free &= ~here
    return hu, free


def _shrunk(layout: Layout, by_mm: float) -> Ellipse:
    skin = layout.skin
    return skin.beside(0.0, 0.0, (skin.semi[0] - by_mm, skin.semi[1] - by_mm), skin.hu)


def _gland(anatomy: Anatomy, layout: Layout, lesion: Lesion, grid: Grid) -> Mask:
    """The gland proper, and a rim that the growing tumour pushes before itself."""
    semi = np.array([max(lesion.semi_axes_mm[0], 1), *(max(lesion.semi_axes_mm[1:]),) * 2]) + anatomy.rim_mm
    rim = _ellipsoid(grid, (0.0, 0.0, 0.0), semi)
    top = layout.skin.lateral + layout.skin.semi[0] - anatomy.fat_mm
    return rim | _ellipsoid(grid, (0.0, 2.0, top - GLAND_SEMI_MM[2]), np.array(GLAND_SEMI_MM))


def _ellipsoid(grid: Grid, centre: tuple[float, float, float], semi: np.ndarray) -> Mask:
    z, y, x = (((at - c) / s) ** 2 for at, c, s in zip((grid.z, grid.y, grid.x), centre, semi, strict=True))
    return (y[:, None] + x[None, :]).astype(np.float32) + z.astype(np.float32)[:, None, None] < 1


def _ball(grid: Grid, centre: np.ndarray, radius: float) -> Mask:
    return _ellipsoid(grid, (centre[0], centre[1], centre[2]), np.full(3, radius))


def _infiltration(hu: Volume, gland: Mask, distance_mm: Volume, lesion: Lesion, fields: Fields, grid: Grid) -> Volume:
    """What infiltration adds: on strands of the gland, towards the tumour's own grey value, fading with distance."""
    near = gland & (distance_mm > 0) & (distance_mm < INFILTRATION_REACH_MM) & (fields.strands.on(grid) > -0.1)
    weight = lesion.infiltration * np.exp(-distance_mm / np.float32(lesion.infiltration_mm))
    return np.where(near, weight * (INFILTRATED_HU - hu), 0).astype(np.float32)


def _tumour(lesion: Lesion, fields: Fields, grid: Grid) -> Volume:
    texture = np.float32(lesion.texture_sd_hu) * fields.texture.on(grid)
    solid = texture + np.float32(lesion.plain_hu + lesion.enhancement_hu)
    cyst = _ball(grid, np.array(lesion.cyst_centre_mm), lesion.cyst_radius_mm) & lesion.cyst
    return np.where(cyst, np.float32(lesion.cyst_hu), solid)
