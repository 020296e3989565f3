"""What 32 bytes are as a point of the curve, by arithmetic of its own.

All that an inspector may try on the E of a header: does it decode as one sort of
public key or another, and which of the eight cosets of the prime-order subgroup
is the point in?  Random bytes give each answer as often as chance says.
"""
from decode import EDW_D, MONT_A, P, elligator_unscaled, inverse, is_square, square_root

ORDER = 2**252 + 27742317777372353535851937790883648493
BASE = (15112221349535400772501151409588531511454012693041857206046113283949847762202,
        4 * inverse(5) % P)


def add(one, two):
    """Points as (X, Y, Z, T), x = X / Z, y = Y / Z, T = XY / Z."""
    x1, y1, z1, t1 = one
    x2, y2, z2, t2 = two
    a, b = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * EDW_D * t1 * t2 % P, 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def double(point):
    x, y, z, _ = point
    a, b = x * x % P, y * y % P
    g, h = b - a, -a - b
    e, f = (x + y) * (x + y) + h, g - 2 * z * z
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar, point):
    """A multiple of (x, y), as such."""
    x, y = point
    step = x, y, 1, x * y % P
    total = 0, 1, 1, 0
    for bit in f'{scalar:b}':
        total = double(total)
        if bit == '1':
            total = add(total, step)
    x, y, z, _ = total
    return x * inverse(z) % P, y * inverse(z) % P


def plus(one, two):
    x, y, z, _ = add(*((x, y, 1, x * y % P) for x, y in (one, two)))
    return x * inverse(z) % P, y * inverse(z) % P


def from_y(y, odd):
    """The point with this y, x odd or even, or None: there is none."""
    x2 = (y * y - 1) * inverse(EDW_D * y * y + 1) % P
    if not is_square(x2):
        return None
    x = square_root(x2)
    return (x if x & 1 == odd else -x % P), y


def small_order():
    """The eight points of small order: multiples of one of order 8."""
    y = 2
    while True:
        point = from_y(y, 0)
        if point:
            generator = multiply(ORDER, point)
            points = [multiply(i, generator) for i in range(8)]
            if len(set(points)) == 8:
                return points
        y += 1


SMALL_ORDER = small_order()


def coset(point):
    """0 for the subgroup itself; 0 to 7."""
    return SMALL_ORDER.index(multiply(ORDER, point))


def represented(e):
    """The point that the map takes E to, before the cofactor is cleared."""
    return elligator_unscaled(e)


def first_branch(e):
    """Is E on the side of the map whose first candidate is on the curve?"""
    r = (int.from_bytes(e, 'little') & (1 << 255) - 1) % P
    w = -MONT_A * inverse(1 + 2 * r * r) % P
    return is_square(w**3 + MONT_A * w**2 + w)


def as_x25519(e):
    """The point whose u-coordinate E would be, x even, or None: it is on the twist."""
    u = (int.from_bytes(e, 'little') & (1 << 255) - 1) % P
    if not is_square(u**3 + MONT_A * u**2 + u):
        return None
    return from_y((u - 1) * inverse(u + 1) % P, 0)


def as_ed25519(e):
    """The point that E would encode, or None."""
    value = int.from_bytes(e, 'little')
    return from_y((value & (1 << 255) - 1) % P, value >> 255)
