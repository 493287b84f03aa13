"""Writes functions.txt: correctly rounded results of the functions of samescore_core::math.

    python3 make_vectors.py          (needs mpmath; gmpy2 only makes it faster)

Every expected value is computed by mpmath at rising precision until the distance to the nearest
rounding boundary exceeds the error bound, then rounded once, by integer arithmetic, to binary64
(nearest, ties to even, subnormals and overflow included). No binary64 function of the machine takes
part. See README.md.
"""

import os
import random
import struct
import sys

import mpmath
from mpmath import mp, mpf

PER_FUNCTION = 2000
CANDIDATES = 300000
NAN = 0x7FF8000000000000
INF = 0x7FF0000000000000
SIGN = 1 << 63


def bits(x):
    return struct.unpack("<Q", struct.pack("<d", x))[0]


def value(b):
    return struct.unpack("<d", struct.pack("<Q", b))[0]


def round_double(v, error_bits):
    """(bits, settled, hardness): v has relative error below 2^-error_bits."""
    sign, man, exp, bc = v._mpf_
    if not man:
        return 0, True, 1.0
    man = int(man)
    lowest = max(exp + bc - 53, -1074)  # exponent of the last place of the result
    shift = lowest - exp
    if shift <= 0:
        q, settled, hardness = man << -shift, True, 1.0
    else:
        q, rest = man >> shift, man & ((1 << shift) - 1)
        half = 1 << (shift - 1)
        gap = abs(rest - half)
        bound = (man >> error_bits) + 1
        settled = gap > bound
        hardness = float(mpf(gap) / mpf(half)) if lowest > -1074 else 1.0
        if rest > half or (rest == half and q & 1):
            q += 1
    if q == 0:
        return 0, settled, hardness
    if q.bit_length() + lowest > 1024:
        out = INF
    elif q >= 1 << 52:
        while q.bit_length() > 53:
            q, lowest = q >> 1, lowest + 1
        out = ((lowest + 1075) << 52) + (q - (1 << 52))
    else:
        out = q
    return out | (SIGN if sign else 0), settled, hardness


def settle(f, args):
    """Correctly rounded bits of f(args) and how near it was to a boundary (0 = on it, 1 = far)."""
    prec, first = 128, None
    while True:
        mp.prec = prec + 24
        v = +f(*[mpf(a) for a in args])
        if prec >= 1500:  # only an exact tie (or an exact value) survives until here
            mp.prec = 700
            out, _, _ = round_double(+v, 690)
            return out, first
        out, settled, hardness = round_double(v, prec)
        first = hardness if first is None else first
        if settled:
            return out, first
        prec *= 2


def canonical(b):
    if b == SIGN:
        return 0
    return NAN if (b & ~SIGN) > INF else b


def half_pi(sign):
    return settle(lambda: sign * mp.pi / 2, [])[0]


def ln_gamma(x):
    if x > 0:
        return mp.loggamma(x)
    prec, extra = mp.prec, 80
    while True:
        mp.prec = prec + extra
        parts = [mp.ln(mp.pi), -mp.ln(abs(mp.sinpi(x))), -mp.loggamma(1 - x)]
        total = mp.fsum(parts)
        lost = max(mp.mag(p) for p in parts) - mp.mag(total)
        mp.prec = prec
        if lost + 40 < extra:
            return +total
        extra *= 2


def tan_pi(x):
    return mp.sinpi(x) / mp.cospi(x)


def asin(x):
    return mp.atan2(x, mp.sqrt((1 - x) * (1 + x)))


def acos(x):
    return mp.atan2(mp.sqrt((1 - x) * (1 + x)), x)


def asinh(x):
    a = abs(x)
    r = mp.log1p(a + a * a / (1 + mp.sqrt(1 + a * a)))
    return r if x >= 0 else -r


def acosh(x):
    t = exact_minus_one(x)
    return mp.log1p(t + mp.sqrt(t * (t + 2)))


def atanh(x):
    a = abs(x)
    r = mp.log1p(2 * a / (1 - a)) / 2
    return r if x >= 0 else -r


def exact_minus_one(x):
    return mp.fsub(x, 1, exact=True) if x < 2**60 else x - 1


def cbrt(x):
    return mp.cbrt(x) if x >= 0 else -mp.cbrt(-x)


def is_int(x):
    return abs(x) >= 2.0**52 or x == int(x)


# name: (function, special cases, uniform range, exponent range of log-uniform, both signs there)
# A special case answers None (compute) or the bits.
def no_special(x):
    return None


def domain(low, high, at=None):
    def rule(x):
        if at and x in at:
            return at[x]
        return None if low <= x <= high else NAN

    return rule


def limits(low, below, high, above):
    return lambda x: below if x < low else above if x > high else None


def odd_limits(edge, result):
    return lambda x: (result | SIGN if x < 0 else result) if abs(x) > edge else None


def finite_only(rule=no_special):
    return lambda x: NAN if abs(x) == float("inf") else rule(x)


ONE, TWO, M_ONE = bits(1.0), bits(2.0), bits(-1.0)
inf = float("inf")


def cos_pi_rule(x):
    return ONE if abs(x) >= 2.0**53 else None


def sin_pi_rule(x):
    return 0 if abs(x) >= 2.0**52 else None


def tan_pi_rule(x):
    if abs(x) >= 2.0**52:
        return 0
    if is_int(2 * x) and not is_int(x):  # n + 1/2: +inf for even n, -inf for odd n
        n = int(x - 0.5)
        return INF | SIGN if n % 2 else INF
    return None


def ln_gamma_rule(x):
    if abs(x) == inf or (x <= 0 and is_int(x)):
        return INF
    return INF if x > 2.6e305 else 0 if x in (1.0, 2.0) else None


def rsqrt_rule(x):
    return NAN if x < 0 else INF if x == 0 else 0 if x == inf else None


def ln_rule(x):
    return NAN if x < 0 else INF | SIGN if x == 0 else INF if x == inf else None


def ln_1p_rule(x):
    return NAN if x < -1 else INF | SIGN if x == -1 else INF if x == inf else None


def atan_rule(x):
    return half_pi(1 if x > 0 else -1) if abs(x) == inf else None


UNARY = {
    "exp": (mp.exp, limits(-746, 0, 710, INF), (-40, 40), (-60, 9)),
    "exp2": (lambda x: mp.power(2, x), limits(-1080, 0, 1024, INF), (-50, 50), (-60, 10)),
    "exp10": (lambda x: mp.power(10, x), limits(-330, 0, 309, INF), (-20, 20), (-60, 8)),
    "exp_m1": (mp.expm1, limits(-800, M_ONE, 710, INF), (-5, 40), (-70, 9)),
    "ln": (mp.ln, ln_rule, (0, 20), (-1070, 1023)),
    "log2": (lambda x: mp.ln(x) / mp.ln2, ln_rule, (0, 20), (-1070, 1023)),
    "log10": (lambda x: mp.ln(x) / mp.ln10, ln_rule, (0, 20), (-1070, 1023)),
    "ln_1p": (mp.log1p, ln_1p_rule, (-1, 10), (-70, 80)),
    "sqrt": (mp.sqrt, lambda x: NAN if x < 0 else INF if x == inf else None, (0, 4), (-1070, 1023)),
    "rsqrt": (lambda x: 1 / mp.sqrt(x), rsqrt_rule, (0, 4), (-1070, 1023)),
    "cbrt": (cbrt, lambda x: bits(x) if abs(x) == inf else None, (-8, 8), (-1070, 1023)),
    "sin": (mp.sin, finite_only(), (-20, 20), (-40, 1020)),
    "cos": (mp.cos, finite_only(), (-20, 20), (-40, 1020)),
    "tan": (mp.tan, finite_only(), (-20, 20), (-40, 1020)),
    "asin": (asin, domain(-1, 1), (-1, 1), (-40, -1)),
    "acos": (acos, domain(-1, 1), (-1, 1), (-60, -1)),
    "atan": (mp.atan, atan_rule, (-8, 8), (-40, 60)),
    "sinh": (mp.sinh, odd_limits(711, INF), (-20, 20), (-40, 9)),
    "cosh": (mp.cosh, lambda x: INF if abs(x) > 711 else None, (-20, 20), (-30, 9)),
    "tanh": (mp.tanh, odd_limits(100, ONE), (-5, 5), (-40, 5)),
    "asinh": (asinh, lambda x: bits(x) if abs(x) == inf else None, (-20, 20), (-40, 1023)),
    "acosh": (acosh, lambda x: NAN if x < 1 else INF if x == inf else None, (1, 40), (0, 1023)),
    "atanh": (atanh, domain(-1, 1, {1.0: INF, -1.0: INF | SIGN}), (-1, 1), (-40, -1)),
    "erf": (mp.erf, odd_limits(10, ONE), (-6, 6), (-40, 3)),
    "erfc": (mp.erfc, limits(-30, TWO, 30, 0), (-6, 28), (-60, 5)),
    "sin_pi": (mp.sinpi, finite_only(sin_pi_rule), (-4, 4), (-40, 53)),
    "cos_pi": (mp.cospi, finite_only(cos_pi_rule), (-4, 4), (-30, 54)),
    "tan_pi": (tan_pi, finite_only(tan_pi_rule), (-4, 4), (-40, 53)),
    "ln_gamma": (ln_gamma, ln_gamma_rule, (-20, 100), (-60, 1014)),
}


def pow_rule(x, y):
    if y == 0 or x == 1:
        return ONE
    if x != x or y != y:
        return NAN
    odd = abs(y) < 2.0**53 and is_int(y) and int(y) % 2 == 1
    if x == 0 or abs(x) == inf:
        big = (abs(x) == inf) == (y > 0)
        return (INF if big else 0) | (SIGN if big and x < 0 and odd else 0)
    if abs(y) == inf:
        return ONE if x == -1 else INF if (abs(x) > 1) == (y > 0) else 0
    if x < 0 and not is_int(y):
        return NAN
    mp.prec = 120
    size = mpf(y) * mp.ln(abs(mpf(x))) / mp.ln2
    if abs(size) > 1200:
        return 0 if size < 0 else INF | (SIGN if x < 0 and odd else 0)
    return None


def power(x, y):
    if x >= 0:
        return mp.exp(y * mp.ln(x)) if not is_small_int(y) else x ** int(y)
    r = mp.exp(y * mp.ln(-x)) if not is_small_int(y) else (-x) ** int(y)
    return -r if int(y) % 2 else r


def is_small_int(y):
    return abs(y) < 64 and y == int(y)


def power_guarded(x, y):
    keep = mp.prec
    mp.prec = keep + 40
    r = power(x, y)
    mp.prec = keep
    return +r


def hypot_rule(x, y):
    if abs(x) == inf or abs(y) == inf:
        return INF
    return NAN if x != x or y != y else None


def atan2_rule(y, x):
    if x != x or y != y:
        return NAN
    if y == 0:
        return 0 if x >= 0 else settle(lambda: +mp.pi, [])[0]
    s = 1 if y > 0 else -1
    if abs(y) == inf:
        part = mpf(1) / 2 if abs(x) != inf else mpf(1) / 4 if x > 0 else mpf(3) / 4
        return settle(lambda: s * part * mp.pi, [])[0]
    if abs(x) == inf:
        return 0 if x > 0 else settle(lambda: s * mp.pi, [])[0]
    return half_pi(s) if x == 0 else None


BINARY = {
    "pow": (power_guarded, pow_rule, ((0, 10), (-20, 20)), ((-8, 8), (-8, 6))),
    "hypot": (lambda x, y: mp.sqrt(x * x + y * y), hypot_rule, ((-9, 9), (-9, 9)), ((-30, 30),) * 2),
    "atan2": (mp.atan2, atan2_rule, ((-9, 9), (-9, 9)), ((-30, 30), (-30, 30))),
}

EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, 4.0, 8.0, 9.0, 10.0, 27.0, 64.0, 100.0, 1000.0, 0.25,
         -3.0, -10.0, 1.5, 2.5, -1.5, -2.5, 0.1, 1 / 3, 5e-324, -5e-324, 1e-310, 2.2250738585072009e-308,
         2.2250738585072014e-308, 1.7976931348623157e308, -1.7976931348623157e308, inf, -inf, value(NAN),
         2.0**52, 2.0**53, -(2.0**53), 2.0**31, 2.0**-26, 2.0**-27, 2.0**-28, 2.0**-53, 2.0**-54,
         709.782712893384, 709.7827128933841, -708.3964185322641, -745.1332191019411, -745.1332191019412,
         3.141592653589793, 1.5707963267948966, 0.7853981633974483, 6.283185307179586,
         1.0 + 2.0**-52, 1.0 - 2.0**-53, -1.0 + 2.0**-53, 1e16, 1e22, 1e300, 26.5, 171.62437695630272]


# Where results overflow, vanish or saturate; each with its neighbours on both sides.
THRESHOLDS = {
    "exp": [709.782712893384, -708.3964185322641, -745.1332191019412],
    "exp2": [1024.0, -1022.0, -1074.0, -1075.0],
    "exp10": [308.2547155599167, -307.6526555685888, -323.3062153431158, -323.6072453387798],
    "exp_m1": [709.782712893384, -36.7368005696771, -37.42994775023705],
    "sinh": [710.4758600739439, -710.4758600739439],
    "cosh": [710.4758600739439],
    "tanh": [19.061547465398498, -19.061547465398498],
    "erf": [5.863584748755167, 5.921587195794507],
    "erfc": [26.543258430632299, 27.226017111108362, -5.863584748755167],
    "ln_gamma": [2.5563481638716905e305, -2.4570247382208006, -2.7476826467274127, 1.0, 2.0],
    "atanh": [0.9999999999999999],
    "ln_1p": [-0.9999999999999999],
    "acosh": [1.0],
    "sin_pi": [0.5, 1.0, 2.0**51, 2.0**52],
    "cos_pi": [0.5, 1.0, 2.0**51, 2.0**52, 2.0**53],
    "tan_pi": [0.25, 0.5, 1.5, 2.0**51, 2.0**52],
}
NEIGHBOURS = 4


def near_thresholds(name):
    for x in THRESHOLDS.get(name, []):
        b = bits(x)
        yield from (value(b + i) for i in range(-NEIGHBOURS, NEIGHBOURS + 1))


def uniform(rng, low, high):
    return low + (high - low) * rng.random()


def log_uniform(rng, low, high):
    m = rng.getrandbits(52) | 1 << 52
    e = rng.randint(low, high) - 52
    x = float(m) * 2.0 ** max(e, -900) * 2.0 ** min(e + 900, 0)
    return -x if rng.getrandbits(1) else x


def any_bits(rng):
    return value(canonical(rng.getrandbits(64)))


def expected(f, rule, args):
    args = [a + 0.0 for a in args]  # -0 reads as +0
    if len(args) == 1 and args[0] != args[0]:
        return NAN, 1.0
    known = rule(*args)
    if known is not None:
        return known, 1.0
    return settle(f, args)


def inputs(name, rng, n_args, ranges, exponents):
    if n_args == 1:
        ranges, exponents = [ranges], [exponents]
        edges = [(x,) for x in EDGES] + [(x,) for x in near_thresholds(name)]
    else:
        short = [0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 3.0, -3.0, inf, -inf, value(NAN), 5e-324, 1e308, -0.0]
        edges = [(x, y) for x in short for y in short]
    yield from edges
    for _ in range((PER_FUNCTION - len(edges)) // 6):
        yield tuple(any_bits(rng) for _ in range(n_args))
    for _ in range((PER_FUNCTION - len(edges)) // 5):
        yield tuple(log_uniform(rng, *e) for e in exponents)
    for _ in range((PER_FUNCTION - len(edges)) // 4):
        yield tuple(uniform(rng, *r) for r in ranges)


def hard_inputs(rng, f, rule, n_args, ranges, exponents, n_wanted, n_candidates):
    """The candidates whose exact result lies nearest to a rounding boundary."""
    if n_args == 1:
        ranges, exponents = [ranges], [exponents]
    found = []
    for i in range(n_candidates):
        if i % 3:
            args = tuple(uniform(rng, *r) for r in ranges)
        else:
            args = tuple(log_uniform(rng, *e) for e in exponents)
        out, hardness = expected(f, rule, args)
        found.append((hardness, [bits(a) for a in args], out))
    found.sort()
    return [(a, out) for _, a, out in found[:n_wanted]]


def lines_of(name, f, rule, n_args, ranges, exponents):
    rng = random.Random("samescore vectors 1 " + name)
    slow = name in ("ln_gamma", "erf", "erfc")
    rows = [([bits(a) for a in args], expected(f, rule, args)[0])
            for args in inputs(name, rng, n_args, ranges, exponents)]
    n_candidates = CANDIDATES // 3 if slow else CANDIDATES
    rows += hard_inputs(rng, f, rule, n_args, ranges, exponents, PER_FUNCTION - len(rows), n_candidates)
    assert len(rows) == PER_FUNCTION
    for args, out in rows:
        yield " ".join([name] + ["%016x" % a for a in args] + ["%016x" % canonical(out)])


def main():
    only = sys.argv[1:]
    here = os.path.dirname(os.path.abspath(__file__))
    path = os.path.join(here, "functions.txt")
    out = sys.stdout if only else open(path + ".part", "w", newline="\n")
    for table, n_args in ((UNARY, 1), (BINARY, 2)):
        for name, (f, rule, ranges, exponents) in table.items():
            if not only or name in only:
                for line in lines_of(name, f, rule, n_args, ranges, exponents):
                    print(line, file=out)
                out.flush()
    if not only:
        out.close()
        os.replace(path + ".part", path)
    print("mpmath", mpmath.__version__, mpmath.libmp.BACKEND, file=sys.stderr)


if __name__ == "__main__":
    main()
