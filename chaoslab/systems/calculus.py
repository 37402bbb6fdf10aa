"""Algebra on definitions by sympy, imported late: derivatives, terms of a polynomial, sameness."""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from .language import ONE, ZERO, Node, name, number, rewrite, walk


class NotPolynomial(ValueError):
    """The right-hand side is not a polynomial in the states."""


@lru_cache(maxsize=1)
def _functions():
    """sympy functions for what sympy would differentiate to Dirac deltas or rewrite: flat on either side of a jump."""
    import sympy as sp

    class sign_(sp.Function):
        def fdiff(self, argindex=1):
            return sp.Integer(0)

    class step_(sign_):
        pass

    class floor_(sign_):
        pass

    class abs_(sp.Function):
        def fdiff(self, argindex=1):
            return sign_(self.args[0])

    class where_(sp.Function):
        """where_(relation, left, right, yes, no); the relation is a number that stands for <, <=, > or >=."""

        def _eval_derivative(self, by):
            *condition, yes, no = self.args
            yes, no = yes.diff(by), no.diff(by)
            return yes if yes == no else where_(*condition, yes, no)

    return {"sign": sign_, "step": step_, "floor": floor_, "abs": abs_, "where": where_}


RELATIONS = ("<", "<=", ">", ">=")


def to_sympy(trees: Sequence[Node]) -> list:
    """sympy expressions of trees; every name becomes a symbol."""
    import sympy as sp

    own, made = _functions(), {}
    for node in walk(*[_plain(tree) for tree in trees]):
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
            case "<" | "<=" | ">" | ">=":
                made[node] = (sp.Integer(RELATIONS.index(node.head)), *args)
            case "where":
                made[node] = own["where"](*args[0], *args[1:])
            case head:
                made[node] = own[head](*args) if head in own else getattr(sp, head)(*args)
    return [made[_plain(tree)] for tree in trees]


@lru_cache(maxsize=4096)
def _plain(tree: Node) -> Node:
    """The tree with min, max, mod and compound conditions written by where and floor."""

    def rule(node: Node) -> Node:
        args = node.args
        if node.head in ("min", "max"):
            best = args[0]
            for other in args[1:]:
                best = Node("where", Node("<" if node.head == "min" else ">", best, other), best, other)
            return best
        if node.head == "mod":
            return Node("+", args[0], Node("neg", Node("*", args[1], Node("floor", Node("/", args[0], args[1])))))
        if node.head == "where" and args[0].head in ("and", "or", "not"):
            return _branch(*args)
        return node

    return rewrite([tree], rule)[0]


def _branch(condition: Node, yes: Node, no: Node) -> Node:
    if condition.head == "not":
        return _branch(condition.args[0], no, yes)
    if condition.head == "and":
        for part in reversed(condition.args):
            yes = _branch(part, yes, no)
        return yes
    if condition.head == "or":
        for part in reversed(condition.args):
            no = _branch(part, yes, no)
        return no
    return Node("where", condition, yes, no)


def from_sympy(expressions: Sequence) -> list[Node]:
    """Trees of sympy expressions made from the language's functions."""
    import sympy as sp

    made: dict = {}

    def tree(e) -> Node:
        if e not in made:
            made[e] = build(e)
        return made[e]

    def build(e) -> Node:
        if e.is_Rational:
            return number(Fraction(int(e.p), int(e.q)))
        if e.is_Float:
            return number(Fraction(float(e)))
        if e.is_Symbol or e is sp.pi:
            return name(e.name if e.is_Symbol else "pi")
        if e.is_Add:
            return Node("+", *map(tree, e.as_ordered_terms()))
        if e.is_Mul:
            return product(e)
        if e.is_Pow:
            base, exponent = e.as_base_exp()
            if exponent.is_Rational and exponent < 0:
                return Node("/", ONE, tree(base**-exponent))
            return Node("sqrt", tree(base)) if exponent == sp.Rational(1, 2) else Node("**", tree(base), tree(exponent))
        if e is sp.E:
            return Node("exp", ONE)
        word = type(e).__name__.lower().rstrip("_")
        args = list(e.args)
        if word == "where":
            return Node("where", Node(RELATIONS[int(args[0])], *map(tree, args[1:3])), *map(tree, args[3:]))
        if isinstance(e, (sp.sec, sp.csc, sp.cot, sp.sech, sp.csch, sp.coth)):
            return tree(e.rewrite(sp.sin if word in ("sec", "csc", "cot") else sp.exp))
        return Node(word, *map(tree, args))

    def product(e) -> Node:
        above, below = e.as_numer_denom() if e.args[0].is_Rational else (e, sp.Integer(1))
        if below != 1:
            return Node("/", tree(above), tree(below))
        parts, divisors = [], []
        for factor in e.as_ordered_factors():
            negative = factor.is_Pow and factor.exp.is_Rational and factor.exp < 0
            (divisors if negative else parts).append(1 / factor if negative else factor)
        minus = bool(parts) and parts[0] == -1 and len(parts) > 1
        result = _chain([tree(part) for part in parts[minus:]])
        if divisors:
            result = Node("/", result, _chain([tree(part) for part in divisors]))
        return Node("neg", result) if minus else result

    return [tree(sp.sympify(e)) for e in expressions]


def _chain(factors: list[Node]) -> Node:
    result = factors[0] if factors else ONE
    for factor in factors[1:]:
        result = Node("*", result, factor)
    return result


@lru_cache(maxsize=256)
def jacobian(trees: tuple[Node, ...], variables: tuple[Node, ...]) -> tuple[tuple[Node, ...], ...]:
    """Partial derivatives: row i, column j is d tree_i / d variable_j; zero almost everywhere where a jump is flat."""
    symbols = to_sympy(variables)
    rows = []
    for expression in to_sympy(trees):
        free = expression.free_symbols
        rows.append([expression.diff(by) if by in free else None for by in symbols])
    entries = iter(from_sympy([e for row in rows for e in row if e is not None]))
    return tuple(tuple(ZERO if e is None else next(entries) for e in row) for row in rows)


def terms(trees: Sequence[Node], variables: Sequence[Node], labels: Sequence[str]) -> list[dict[str, float]]:
    """Each tree as {monomial: coefficient}, expanded; raises NotPolynomial."""
    import sympy as sp

    symbols = to_sympy(variables)
    renamed = dict(zip(symbols, (sp.Symbol(label) for label in labels), strict=True))
    result = []
    for label, expression in zip(labels, to_sympy(trees), strict=True):
        try:
            polynomial = sp.Poly(expression, *symbols)
        except sp.PolynomialError:
            polynomial = None
        if polynomial is None or polynomial.free_symbols_in_domain:
            raise NotPolynomial(f"the equation of {label} is not a polynomial in {', '.join(labels)}; terms() lists polynomials only")
        parts = {}
        for powers, coefficient in polynomial.terms():
            monomial = sp.Mul(*(renamed[s] ** power for s, power in zip(symbols, powers, strict=True)))
            if coefficient != 0:
                parts[str(monomial)] = float(coefficient)
        result.append(parts)
    return result


def same(first: Sequence[Node], second: Sequence[Node]) -> bool:
    """Whether two lists of trees are the same functions, by sympy's simplification."""
    import sympy as sp

    if len(first) != len(second):
        return False
    pairs = zip(to_sympy(first), to_sympy(second), strict=True)
    return all(a == b or sp.simplify(a - b) == 0 for a, b in pairs)
