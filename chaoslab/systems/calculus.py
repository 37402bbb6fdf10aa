"""Calculus on definitions: derivatives on the tree itself; terms and sameness by sympy, imported late.

Derivatives are taken here and not by sympy, which forgets what is shared: the Jacobian of 40 coupled phases took it 11 s.
"""

from collections.abc import Sequence
from functools import cache, lru_cache

from .language import read
from .tree import ONE, ZERO, Node, name, number, rewrite, walk

#: Partial derivatives by each argument u, v; flat on either side of a jump.
RULES = {
    "sin": ["cos(u)"],
    "cos": ["-sin(u)"],
    "tan": ["1 + tan(u)**2"],
    "asin": ["1/sqrt(1 - u**2)"],
    "acos": ["-1/sqrt(1 - u**2)"],
    "atan": ["1/(1 + u**2)"],
    "atan2": ["v/(u**2 + v**2)", "-u/(u**2 + v**2)"],
    "sinh": ["cosh(u)"],
    "cosh": ["sinh(u)"],
    "tanh": ["1 - tanh(u)**2"],
    "asinh": ["1/sqrt(u**2 + 1)"],
    "acosh": ["1/(sqrt(u - 1)*sqrt(u + 1))"],
    "atanh": ["1/(1 - u**2)"],
    "exp": ["exp(u)"],
    "log": ["1/u"],
    "sqrt": ["1/(2*sqrt(u))"],
    "abs": ["sign(u)"],
    "sign": ["0"],
    "step": ["0"],
    "floor": ["0"],
    "mod": ["1", "-floor(u/v)"],
    "neg": ["-1"],
    "*": ["v", "u"],
    "/": ["1/v", "-u/v**2"],
    "**": ["v*u**(v - 1)", "u**v*log(u)"],
}


class NotPolynomial(ValueError):
    """The right-hand side is not a polynomial in the states."""


@cache
def _rule(head: str) -> tuple[Node, ...]:
    return tuple(read(text) for text in RULES[head])


def gradients(trees: Sequence[Node], variables: Sequence[Node]) -> list[dict[Node, Node]]:
    """For each tree its non-zero partial derivatives, {variable: tree}, by the chain rule on the shared tree."""
    slopes: dict[Node, dict[Node, Node]] = {}
    wanted = set(variables)
    for node in walk(*trees):
        if node in wanted:
            slopes[node] = {node: ONE}
        else:
            involved = dict.fromkeys(by for child in node.children for by in slopes[child])
            slopes[node] = {by: slope for by in involved if (slope := _derivative(node, by, slopes)) is not ZERO}
    return [slopes[tree] for tree in trees]


def _derivative(node: Node, by: Node, slopes) -> Node:
    args = node.args
    inner = [slopes[arg].get(by, ZERO) for arg in node.children]
    match node.head:
        case "+":
            return _sum(inner)
        case "where":
            return _choice(args[0], *inner[1:])
        case "min" | "max":
            best, slope = args[0], inner[0]
            for other, its in zip(args[1:], inner[1:], strict=True):
                condition = Node("<" if node.head == "min" else ">", best, other)
                best, slope = Node(node.head, best, other), _choice(condition, slope, its)
            return slope
        case "<" | "<=" | ">" | ">=" | "and" | "or" | "not":
            return ZERO
    put_in = dict(zip((name("u"), name("v")), args, strict=False))
    outer = [rewrite([rule], lambda part: put_in.get(part, part))[0] for rule in _rule(node.head)]
    if node.head == "**" and inner[1] is ZERO and args[1].head == "number":
        outer[0] = Node("*", args[1], Node("**", args[0], number(args[1].args[0] - 1)))
    return _sum([_product(slope, change) for slope, change in zip(outer, inner, strict=True)])


def _choice(condition: Node, yes: Node, no: Node) -> Node:
    return yes if yes is no else Node("where", condition, yes, no)


def _sum(terms: Sequence[Node]) -> Node:
    terms = [term for term in terms if term is not ZERO]
    return Node("+", *terms) if len(terms) > 1 else terms[0] if terms else ZERO


def _product(left: Node, right: Node) -> Node:
    if left is ZERO or right is ZERO:
        return ZERO
    if right is ONE or left is ONE:
        return left if right is ONE else right
    return Node("*", left, right)


@lru_cache(maxsize=256)
def jacobian(trees: tuple[Node, ...], variables: tuple[Node, ...]) -> tuple[tuple[Node, ...], ...]:
    """Partial derivatives: row i, column j is d tree_i / d variable_j; zero almost everywhere where a jump is flat."""
    return tuple(tuple(slope.get(by, ZERO) for by in variables) for slope in gradients(trees, variables))


def to_sympy(trees: Sequence[Node]) -> list:
    """sympy expressions of trees; every name becomes a symbol."""
    import sympy as sp

    renamed = {"abs": sp.Abs, "min": sp.Min, "max": sp.Max, "step": lambda u: sp.Heaviside(u, 0), "mod": sp.Mod}
    relations = {"<": sp.Lt, "<=": sp.Le, ">": sp.Gt, ">=": sp.Ge, "and": sp.And, "or": sp.Or, "not": sp.Not}
    made = {}
    for node in walk(*trees):
        args = [made[child] for child in node.children]
        match node.head:
            case "number":
                made[node] = sp.Rational(node.args[0].numerator, node.args[0].denominator)
            case "name":
                made[node] = sp.pi if node.args[0] == "pi" else sp.Symbol(node.args[0])
            case "+":
                made[node] = sp.Add(*args)
            case "*":
                made[node] = args[0] * args[1]
            case "/":
                made[node] = args[0] / args[1]
            case "neg":
                made[node] = -args[0]
            case "**":
                made[node] = args[0] ** args[1]
            case "where":
                made[node] = sp.Piecewise((args[1], args[0]), (args[2], True))
            case head:
                made[node] = (relations | renamed).get(head, getattr(sp, head, None))(*args)
    return [made[tree] for tree in trees]


def terms(trees: Sequence[Node], variables: Sequence[Node], labels: Sequence[str]) -> list[dict[str, float]]:
    """Each tree as {monomial: coefficient}, expanded; the first labels name the trees. Raises NotPolynomial."""
    import sympy as sp

    symbols = to_sympy(variables)
    renamed = dict(zip(symbols, (sp.Symbol(label) for label in labels), strict=True))
    result = []
    for label, expression in zip(labels, to_sympy(trees), strict=False):
        try:
            polynomial = sp.Poly(expression, *symbols)
        except sp.PolynomialError:
            polynomial = None
        if polynomial is None or polynomial.free_symbols_in_domain:
            raise NotPolynomial(
                f"the equation of {label} is not a polynomial in {', '.join(labels)}; terms() lists polynomials only"
            )
        parts = {}
        for powers, coefficient in polynomial.terms():
            monomial = sp.Mul(*(renamed[s] ** power for s, power in zip(symbols, powers, strict=True)))
            if coefficient != 0:
                parts[str(monomial)] = float(coefficient)
        result.append(parts)
    return result


def same(first: Sequence[Node], second: Sequence[Node]) -> bool:
    """Whether two lists of trees are the same functions, as far as sympy's simplification can tell."""
    import sympy as sp

    if len(first) != len(second):
        return False
    pairs = zip(to_sympy(first), to_sympy(second), strict=True)
    return all(a == b or sp.simplify(a - b) == 0 for a, b in pairs)
