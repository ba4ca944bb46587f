# SPDX-License-Identifier: Apache-2.0
"""What `augment.spoil` does to one picture, for batches on a device, drawn from the same settings.

Pictures (b, 3, S, S) float, 0..255; each fills the upper left `side` pixels of its square, and what
lies beyond goes on like it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from turret_ai.errors import ConfigError
from turret_ai.learn.vision.augment import Augmentation

_KERNEL = 13
"""Side of the kernels of blurs."""
_LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61), (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56), (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77), (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101), (72, 92, 95, 98, 112, 100, 103, 99),
)  # fmt: skip
_CHROMA = (
    (17, 18, 24, 47), (18, 21, 26, 66), (24, 26, 56, 99), (47, 66, 99, 99)
)  # fmt: skip
"""The quantisation of annex K of the JPEG standard; what is missing of the second table is 99."""


@dataclass(frozen=True, slots=True)
class Draw:
    """Random numbers on a device."""

    generator: torch.Generator

    @property
    def device(self) -> torch.device:
        """Where they are."""
        return self.generator.device

    def even(self, count: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """(count,) evenly from a range."""
        drawn = torch.rand(count, generator=self.generator, device=self.device)
        return low + (high - low) * drawn

    def normal(self, *shape: int) -> Tensor:
        """Of mean 0 and deviation 1."""
        return torch.randn(*shape, generator=self.generator, device=self.device)

    def chance(self, count: int, share: float) -> Tensor:
        """(count,) bool, each true with that probability."""
        return self.even(count) < share

    def whole(self, low: Tensor, high: Tensor) -> Tensor:
        """Whole numbers of low <= n < high, one for each pair."""
        drawn = low + torch.floor(self.even(len(low)) * (high - low))
        return torch.minimum(drawn, high - 1).long()


def spoil(pictures: Tensor, side: Tensor, settings: Augmentation, draw: Draw) -> Tensor:
    """One random chain for each picture; whole numbers.

    Raises:
        ConfigError: local equalisation is asked for, which isn't done here.
    """
    if settings.clahe:
        raise ConfigError("staging.noise.clahe is for staging_on=cpu only")
    by_sensor = draw.chance(len(pictures), settings.sensor)
    out = pictures.clone()
    for rows, how in ((by_sensor, _by_sensor), (~by_sensor, _by_camera)):
        here = rows.nonzero()[:, 0]
        if len(here):
            out[here] = how(pictures[here], side[here], settings, draw)
    return out


def _column(values: Tensor) -> Tensor:
    return values[:, None, None, None]


def _level(x: Tensor) -> Tensor:
    """Rounded and clipped, as pixels of eight bits are."""
    return (x + 0.5).floor().clamp(0, 255)


def _by_sensor(x: Tensor, side: Tensor, _settings: Augmentation, draw: Draw) -> Tensor:
    """As `turret_ai.simulate.sensor.degrade` at a random level, and JPEG."""
    n, size = len(x), x.shape[-1]
    level = torch.bucketize(draw.even(n), torch.tensor([0.2, 0.6], device=x.device))
    amount = torch.tensor([0.0, 0.4, 1.0], device=x.device)[level]
    tone = 0.3 + 0.7 * amount
    gain, lift = 1 + tone * 0.12 * draw.normal(n), tone * 10 * draw.normal(n)
    gamma = (tone * 0.12 * draw.normal(n)).exp()
    balance = 1 + (tone[:, None] * 0.02 * draw.normal(n, 3))[..., None, None]
    x = (x / 255) ** _column(gamma) * 255 * _column(gain) + _column(lift)
    x = (x * balance).clamp(0, 255).floor()
    blurred = draw.even(n) < 0.25 + 0.35 * amount
    moved = draw.chance(n, 0.3)
    length = draw.whole(torch.full_like(amount, 3), 5 + (4 * amount).floor())
    sigma = 0.4 + draw.even(n) * (0.4 + 0.9 * amount)
    x = _level(_blurred(x, blurred, moved, length, draw.even(n, 0, 180), sigma))
    dark = draw.even(n, 0.1, 0.5) * draw.chance(n, 0.12)
    place = torch.arange(size, device=x.device)
    off = (place - side[:, None] / 2) / side[:, None]
    far = off[:, None, :] ** 2 + off[:, :, None] ** 2
    x = _level(x * (1 - _column(dark) * 2.6 * far[:, None]))
    strong = amount >= 1
    low, high = torch.where(strong, 10, 3), torch.where(strong, 42, 14)
    noisy = (amount > 0).float()
    grain = (low + draw.even(n) * (high - low)) * draw.chance(n, 0.8) * noisy
    noise = draw.normal(n, 3, size, size)
    grey = _column(draw.chance(n, 0.25))
    x = _level(x + _column(grain) * torch.where(grey, noise[:, :1], noise))
    iso = draw.even(n, 0.15, 0.5) * (0.4 + amount) * draw.chance(n, 0.4) * noisy
    coarse = draw.normal(n, 3, size // 2 + 1, size // 2 + 1) * 26
    coarse = F.interpolate(coarse, (size, size), mode="bilinear")
    x = _level(x + _column(iso) * (coarse + 34 * draw.normal(n, 1, size, size)))
    spread = draw.even(n, 0.05, 0.16) * (0.4 + amount) * draw.chance(n, 0.3) * noisy
    noise = draw.normal(n, 3, size, size)
    each = _column(draw.chance(n, 0.5))
    x = _level(x * (1 + _column(spread) * torch.where(each, noise, noise[:, :1])))
    least = torch.tensor([80.0, 50.0, 25.0], device=x.device)[level]
    return jpeg(x, draw.whole(least, torch.full_like(least, 96)))


def _by_camera(x: Tensor, side: Tensor, settings: Augmentation, draw: Draw) -> Tensor:
    """The rest of `augment.spoil`."""
    n, size = len(x), x.shape[-1]
    gamma = draw.even(n, *settings.gamma)
    gain = 1 + settings.contrast * draw.even(n, -1, 1)
    lift = 0.5 - 0.5 * gain + settings.brightness * draw.even(n, -1, 1)
    tint = 1 + settings.tint * (2 * draw.even(3 * n).reshape(n, 3, 1, 1) - 1)
    x = ((x / 255) ** _column(gamma) * _column(gain) + _column(lift)) * tint
    x = x.clamp(0, 1)
    coarse = draw.chance(n, settings.rescale)
    share = draw.even(n, 0.5, 0.9)
    if here := coarse.nonzero()[:, 0].tolist():
        x[here] = _rescaled(x[here], side[here], share[here])
    moved = draw.chance(n, settings.motion)
    length = draw.whole(torch.full((n,), 3.0, device=x.device), torch.full((n,), 10.0).to(x.device))
    blurred = moved | draw.chance(n, settings.blur)
    sigma = draw.even(n, *settings.blur_sigma)
    x = _blurred(x, blurred, moved, length, draw.even(n, 0, 180), sigma)
    strength = draw.even(n, *settings.iso_strength)
    if here := draw.chance(n, settings.iso).nonzero()[:, 0].tolist():
        x[here] = _iso_noise(x[here], side[here], strength[here], draw)
    low, high = settings.multiplicative_range
    factor = low + (high - low) * torch.rand(
        n, 1, size, size, generator=draw.generator, device=x.device
    )
    x = torch.where(_column(draw.chance(n, settings.multiplicative)), x * factor, x)
    sigma = draw.even(n, *settings.gaussian_sigma) * draw.chance(n, settings.gaussian)
    fine = draw.normal(n, 3, size, size)
    half = draw.normal(n, 3, (size + 1) // 2, (size + 1) // 2) * 0.7
    half = F.interpolate(half, (size, size), mode="bilinear")
    x = x + _column(sigma) * torch.where(_column(draw.chance(n, 0.5)), half, fine)
    x = _level(x.clamp(0, 1) * 255)
    ends = torch.tensor(settings.jpeg_quality, dtype=torch.float32, device=x.device)
    quality = draw.whole(ends[0].expand(n), ends[1].expand(n) + 1)
    pressed = _column(draw.chance(n, settings.jpeg))
    return torch.where(pressed, jpeg(x, quality), x)


def gaussian(sigma: Tensor, size: int = _KERNEL) -> Tensor:
    """Kernels (n, size, size)."""
    place = torch.arange(size, device=sigma.device) - size // 2
    line = torch.exp(-(place**2) / (2 * sigma[:, None] ** 2))
    line = line / line.sum(1, keepdim=True)
    return line[:, :, None] * line[:, None, :]


def _streak(length: Tensor, degrees: Tensor) -> Tensor:
    """Kernels (n, k, k) of a straight motion over so many pixels."""
    place = torch.arange(_KERNEL, device=length.device, dtype=torch.float32) - _KERNEL // 2
    angle = torch.deg2rad(degrees)[:, None, None]
    x, y = place[None, None, :], place[None, :, None]
    along, across = x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos()
    ends = ((length.float()[:, None, None] + 1) / 2 - along.abs()).clamp(0, 1)
    kernel = ends * (1 - across.abs()).clamp(min=0)
    return kernel / kernel.sum((1, 2), keepdim=True)


def filtered(x: Tensor, kernels: Tensor) -> Tensor:
    """Each picture (n, c, h, w) by its own kernel (n, k, k)."""
    n, channels, height, width = x.shape
    k = kernels.shape[-1]
    padded = F.pad(x, [k // 2] * 4, mode="replicate")
    weight = kernels.repeat_interleave(channels, 0)[:, None]
    flat = padded.reshape(1, n * channels, height + k - 1, width + k - 1)
    return F.conv2d(flat, weight, groups=n * channels).reshape(n, channels, height, width)


def _blurred(
    x: Tensor, where: Tensor, moved: Tensor, length: Tensor, degrees: Tensor, sigma: Tensor
) -> Tensor:
    here = where.nonzero()[:, 0]
    if not len(here):
        return x
    streak = _streak(length[here], degrees[here])
    kernels = torch.where(moved[here, None, None], streak, gaussian(sigma[here]))
    out = x.clone()
    out[here] = filtered(x[here], kernels)
    return out


def bilinear(x: Tensor, column: Tensor, row: Tensor) -> Tensor:
    """Pictures (n, c, S, S) at places (n, h, w) in pixels; edge pixels are repeated."""
    last = max(1, x.shape[-1] - 1)
    grid = torch.stack([column, row], -1) * (2 / last) - 1
    return F.grid_sample(x, grid, padding_mode="border", align_corners=True)


def _rescaled(x: Tensor, side: Tensor, share: Tensor) -> Tensor:
    """At a lower resolution and back."""
    size = x.shape[-1]
    small = (side * share).round().clamp(min=1)
    place = torch.arange(size, device=x.device, dtype=torch.float32)
    step = (side / small)[:, None]
    down = torch.zeros_like(x)
    for dx in (-0.25, 0.25):
        for dy in (-0.25, 0.25):
            column = ((place + 0.5 + dx) * step - 0.5)[:, None, :].expand(-1, size, -1)
            row = ((place + 0.5 + dy) * step - 0.5)[:, :, None].expand(-1, -1, size)
            down += bilinear(x, column, row) / 4
    up = (place + 0.5) / step - 0.5
    column, row = up[:, None, :].expand(-1, size, -1), up[:, :, None].expand(-1, -1, size)
    return bilinear(down, column, row)


def _iso_noise(x: Tensor, side: Tensor, strength: Tensor, draw: Draw) -> Tensor:
    """As `augment.iso_noise`."""
    n, _, size, _ = x.shape
    high, low = x.max(1).values, x.min(1).values
    light, span = (high + low) / 2, high - low
    reach = torch.where(light < 0.5, high + low, 2 - high - low).clamp(min=1e-6)
    rich = span / reach
    red, green, blue = x.unbind(1)
    safe = span.clamp(min=1e-6)
    hue = torch.where(
        high == red,
        (green - blue) / safe,
        torch.where(high == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    hue = torch.where(span > 0, 60 * hue, 0)
    place = torch.arange(size, device=x.device)
    inside = (place < side[:, None]).float()
    inside = inside[:, None, :] * inside[:, :, None]
    count = inside.sum((1, 2))
    mean = (light * inside).sum((1, 2)) / count
    spread = (((light - mean[:, None, None]) ** 2 * inside).sum((1, 2)) / count).sqrt() + 0.05
    light = light + draw.normal(n, size, size) * (spread * strength * 0.5)[:, None, None]
    hue = hue + draw.normal(n, size, size) * 30 * strength[:, None, None]
    light = light.clamp(0, 1)
    wide = rich * torch.minimum(light, 1 - light)
    shades = []
    for offset in (0, 8, 4):
        k = (offset + hue / 30) % 12
        shades.append(light - wide * torch.minimum(k - 3, 9 - k).clamp(-1, 1))
    return torch.stack(shades, 1)


@lru_cache(maxsize=4)
def _tables(device: torch.device) -> tuple[Tensor, Tensor]:
    """The cosine transform (8, 8), and the tables of luminance and chroma (2, 8, 8)."""
    k = torch.arange(8, dtype=torch.float32)
    cosine = torch.cos((2 * k[None] + 1) * k[:, None] * math.pi / 16) / 2
    cosine[0] /= math.sqrt(2)
    chroma = torch.full((8, 8), 99.0)
    chroma[:4, :4] = torch.tensor(_CHROMA)
    return cosine.to(device), torch.stack([torch.tensor(_LUMINANCE).float(), chroma]).to(device)


def jpeg(x: Tensor, quality: Tensor) -> Tensor:
    """Pictures after coding with chroma of half the resolution. quality: (n,) 1..100."""
    size = x.shape[-1]
    beyond = -size % 16
    x = F.pad(x, [0, beyond, 0, beyond], mode="replicate")
    red, green, blue = x.unbind(1)
    y = 0.299 * red + 0.587 * green + 0.114 * blue
    cb, cr = 128 + 0.564334 * (blue - y), 128 + 0.713267 * (red - y)
    chroma = F.avg_pool2d(torch.stack([cb, cr], 1), 2)
    quality = quality.float()
    scale = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality)
    _, base = _tables(x.device)
    table = ((base * scale[:, None, None, None] + 50) / 100).floor().clamp(1, 255)
    y = _requantised(y[:, None], table[:, 0])[:, 0]
    chroma = _requantised(chroma, table[:, 1])
    cb, cr = (F.interpolate(chroma, scale_factor=2.0, mode="bilinear") - 128).unbind(1)
    out = torch.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], 1)
    return _level(out)[..., :size, :size]


def _requantised(planes: Tensor, table: Tensor) -> Tensor:
    """Planes (n, c, h, w), h and w multiples of 8, with coefficients in steps of the table (n, 8,
    8)."""
    n, c, height, width = planes.shape
    cosine, _ = _tables(planes.device)
    blocks = _level(planes).reshape(n, c, height // 8, 8, width // 8, 8).transpose(3, 4) - 128
    steps = table[:, None, None, None]
    found = torch.round(cosine @ blocks @ cosine.T / steps) * steps
    back = (cosine.T @ found @ cosine + 128).transpose(3, 4)
    return _level(back.reshape(n, c, height, width))
