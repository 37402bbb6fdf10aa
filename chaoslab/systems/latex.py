"""LaTeX in the author's own order, derived from the text that is run."""

import re
from collections.abc import Callable, Iterable, Mapping

from .language import read
from .tree import Node

GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega "
    "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split()
)
SPOKEN = {"eps": r"\varepsilon", "ybar": r"\bar{y}", "xbar": r"\bar{x}", "zbar": r"\bar{z}"}
COMMANDS = frozenset(["sin", "cos", "tan", "sinh", "cosh", "tanh", "exp"])
#: How tightly an operation binds; a looser part is put in parentheses.
BINDING = {
    **{"or": 1, "and": 2, "not": 3, "<": 4, "<=": 4, ">": 4, ">=": 4, "==": 4, "!=": 4},
    **{"where": 4.5, "mod": 4.5, "+": 5, "neg": 6, "*": 7, "**": 9},
}
#: That of sums, minima and maxima over an index, which reach as far to the right as they can.
OVER = 6.5
RELATIONS = {"<=": r"\le", ">=": r"\ge", "==": "=", "!=": r"\ne", "and": r"\text{ and }", "or": r"\text{ or }"}


def symbol(word: str) -> str:
    """LaTeX of a name: Greek by its spoken form, trailing digits and what follows an underscore as subscripts."""
    head, _, below = word.rstrip("_").partition("_")
    match = re.fullmatch(r"([A-Za-z]+?)(\d+)", head)
    if match and not below:
        head, below = match.groups()
    if head in GREEK:
        head = "\\" + head
    elif head in SPOKEN:
        head = SPOKEN[head]
    elif len(head) > 1:
        capital = re.fullmatch(r"([A-Z])([a-z0-9]+)|([a-z])([a-z0-9])", head)
        if capital and not below:  # Kd1 is K with a subscript and vs is v with one, as the papers print them; speed is a word
            head, below = filter(None, capital.groups())
        else:
            head = rf"\mathrm{{{head}}}"
    if not below:
        return head
    below = "\\" + below if below in GREEK else below if below.isdigit() or len(below) == 1 else rf"\mathrm{{{below}}}"
    return f"{head}_{{{below}}}"


def signed(node: Node) -> tuple[bool, Node]:
    """Whether a product begins with a minus, and the rest: `-a*b` is read as `(-a)*b` and printed as -ab."""
    if node.head in ("*", "/"):
        minus, left = signed(node.args[0])
        return minus, Node(node.head, left, node.args[1])
    return (True, node.args[0]) if node.head == "neg" else (False, node)


def figure(text: str) -> str:
    """LaTeX of a number, 1e-4 as a power of ten."""
    mantissa, _, exponent = text.lower().replace("_", "").partition("e")
    if not exponent:
        return mantissa
    power = f"10^{{{int(exponent)}}}"
    return power if float(mantissa) == 1 else rf"{mantissa} \cdot {power}"


class _Typesetter:
    def __init__(self, name_of: Callable[[str], str], index: Iterable[str] = ()):
        self.name_of = name_of
        self.index = set(index)

    def tree(self, node: Node, loosest: int = 0) -> str:
        minus, rest = signed(node)
        node = Node("neg", rest) if minus else node
        text = self.operation(node)
        if self.binding(node) < loosest or (node.head == "number" and "e" in node.args[1].lower() and loosest > 7):
            return rf"\left({text}\right)"
        return text

    def runs_over(self, node: Node) -> bool:
        return node.head.startswith("over ") or (
            node.head in ("min", "max") and node.args[-1].head == "name" and node.args[-1].args[0] in self.index
        )

    def binding(self, node: Node) -> float:
        return OVER if self.runs_over(node) else BINDING.get(node.head, 10)

    def operation(self, node: Node) -> str:
        args = node.args
        match node.head:
            case "number":
                return figure(args[1])
            case "name":
                return self.name_of(args[0])
            case "item":
                return self.subscripted(self.name_of(args[0]), ",".join(self.tree(arg) for arg in args[1:]))
            case "+":
                text = self.tree(args[0], 5)
                for term in args[1:]:
                    minus, rest = signed(term)
                    text += (" - " if minus else " + ") + self.tree(rest, OVER)
                return text
            case "neg":
                return "-" + self.tree(args[0], OVER)
            case "*":
                return self.product(*args)
            case "/":
                return rf"\frac{{{self.tree(args[0])}}}{{{self.tree(args[1])}}}"
            case "**":
                return self.power(*args)
            case "sqrt":
                return rf"\sqrt{{{self.tree(args[0])}}}"
            case "abs":
                return rf"\left|{self.tree(args[0])}\right|"
            case "floor":
                return rf"\left\lfloor {self.tree(args[0])} \right\rfloor"
            case "mod":
                return rf"{self.tree(args[0], 7)} \bmod {self.tree(args[1], 7)}"
            case "where":
                yes, no = self.tree(args[1]), self.tree(args[2])
                return rf"\begin{{cases}} {yes} & {self.tree(args[0])} \\ {no} & \text{{otherwise}} \end{{cases}}"
            case "over sum" | "over min" | "over max":
                sign = {"over sum": r"\sum", "over min": r"\min", "over max": r"\max"}[node.head]
                return rf"{sign}_{{{symbol(args[1])}}} {self.tree(args[0], OVER)}"
            case "min" | "max" if self.runs_over(node):
                return rf"\{node.head}_{{{symbol(args[-1].args[0])}}} {self.tree(args[0], OVER)}"
            case "delayed":
                return rf"{self.tree(args[0], 10)}\left(t - {self.tree(args[1], OVER)}\right)"
            case "not":
                return rf"\lnot {self.tree(args[0], 4)}"
        if node.head in BINDING:
            return f" {RELATIONS.get(node.head, node.head)} ".join(self.tree(arg, BINDING[node.head]) for arg in args)
        inside = ", ".join(self.tree(arg) for arg in args)
        return self.function(node.head) + rf"\left({inside}\right)"

    def function(self, word: str) -> str:
        if word in COMMANDS or word in ("log", "min", "max"):
            return "\\" + ("ln" if word == "log" else word)
        return rf"\operatorname{{{dict(sign='sgn', step='H').get(word, word)}}}"

    def product(self, left: Node, right: Node) -> str:
        open_ended = left.head == "*" and self.runs_over(left.args[1])
        first, second = self.tree(left, 8 if open_ended else 7), self.tree(right, OVER if self.runs_over(right) else 8)
        dot = second[0].isdigit() or (first[-1].isdigit() and right.head == "number")
        return first + (r" \cdot " if dot else r" \, " if first[-1].isalpha() and second[0].isalpha() else " ") + second

    def power(self, base: Node, exponent: Node) -> str:
        raised = f"^{{{self.tree(exponent)}}}"
        if base.head in COMMANDS:
            return self.function(base.head) + raised + rf"\left({self.tree(base.args[0])}\right)"
        return (
            rf"\left({self.tree(base)}\right)" if base.head in ("/", "*", "**", "delayed", *COMMANDS) else self.tree(base, 10)
        ) + raised

    @staticmethod
    def subscripted(word: str, below: str) -> str:
        if word.endswith("}") and "_{" in word:
            return f"{word[:-1]},{below}}}"
        return f"{word}_{{{below}}}"


def expression(text: str, name_of: Callable[[str], str] = symbol, index: Iterable[str] = ()) -> str:
    """LaTeX of one expression of the language; `index` has the names that sums and minima run over."""
    return _Typesetter(name_of, index).tree(read(text))


def aligned(rows: Iterable[tuple[str, str]]) -> str:
    """An aligned block of equations."""
    return "\\begin{aligned}\n" + " \\\\\n".join(f"{left} &= {right}" for left, right in rows) + "\n\\end{aligned}"


def _with_noise(drift: str, key: str, noise: Mapping[str, str], name_of: Callable[[str], str], index: Iterable[str]) -> str:
    """The right side of an Ito equation; each component has a Wiener process of its own."""
    text = rf"\left({drift}\right) \mathrm{{d}}t"
    if key not in noise:
        return text
    amplitude = _Typesetter(name_of, index).tree(read(noise[key]), OVER)
    return text + rf" + {amplitude} \, \mathrm{{d}}{_Typesetter.subscripted('W', expression(key))}"


def rows(
    kind: str,
    equations: Mapping[str, str],
    where: Mapping[str, str],
    index: Iterable[str] = (),
    noise: Mapping[str, str] | None = None,
    name_of: Callable[[str], str] = symbol,
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """LaTeX of both sides of each equation, and of each named intermediate; `name_of` typesets a name."""
    if kind == "map":
        states = {read(key).args[0] for key in equations}
        letter = "n" if "n" not in states else "k"
        now = lambda word: _Typesetter.subscripted(symbol(word), letter) if word in states else name_of(word)
        left = lambda word: _Typesetter.subscripted(symbol(word), f"{letter}+1")
    elif noise:
        now, left = name_of, lambda word: rf"\mathrm{{d}}{symbol(word)}"
    else:
        now, left = name_of, lambda word: rf"\dot{{{symbol(word).split('_')[0]}}}" + "".join(symbol(word).partition("_")[1:])
    sides = []
    for key, body in equations.items():
        node = read(key)
        side = left(node.args[0])
        if node.head == "item":
            side = _Typesetter.subscripted(side, ",".join(symbol(index.args[0]) for index in node.args[1:]))
        right = expression(body, now, index)
        sides.append((side, _with_noise(right, key, noise, name_of, index) if noise else right))
    return sides, [(expression(key, now), expression(body, now, index)) for key, body in where.items()]


def typeset(
    kind: str,
    equations: Mapping[str, str],
    where: Mapping[str, str],
    index: Iterable[str] = (),
    noise: Mapping[str, str] | None = None,
) -> str:
    """LaTeX of a system: time derivatives for a flow, next values for a map, then the named intermediates.

    With noise the equations are those of Ito, in differentials.
    """
    sides, named = rows(kind, equations, where, index, noise)
    text = aligned(sides)
    if named:
        text += "\n\\\\[1ex]\\text{where}\\\\[1ex]\n" + aligned(named)
        text = f"\\begin{{gathered}}\n{text}\n\\end{{gathered}}"
    return text
