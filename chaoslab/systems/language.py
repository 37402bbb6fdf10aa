"""The equation language: text in, tree out.

Text is read by `ast.parse` and a whitelist; nothing is evaluated. What is refused is quoted with the reason.
"""

import ast
import difflib
import math
from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache

from .tree import CONDITIONS, FUNCTIONS, LOGIC, Node, constant, name, walk

#: Functions of (body, index) that run over an index: `sum(w[i,j]*x[j], j)`.
REDUCTIONS = ("sum", "min", "max")
COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
RESERVED = frozenset({"t", "pi", "sum", *FUNCTIONS})

LONGEST_TEXT = 20_000
DEEPEST = 120
LARGEST_POWER = 64


class DefinitionError(ValueError):
    """A definition that cannot be read: what was written, why it is refused, what to write instead."""


def suggest(word: str, known: Iterable[str]) -> str:
    """' Did you mean ...?' with the nearest known word, or the empty string."""
    folded = {entry.lower(): entry for entry in known}
    near = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.5)
    return f" Did you mean {folded[near[0]]!r}?" if near else ""


def read(text: str, *, where: str = "") -> Node:
    """The tree of one equation's right-hand side.

    `where` names the place for error messages, as in "equation of x". Raises DefinitionError.
    """
    if isinstance(text, str):
        try:
            return _read(text)
        except DefinitionError:
            pass  # read again below, for a message that names the place
    return _Reader(text, where).tree()


@lru_cache(maxsize=4096)
def _read(text: str) -> Node:
    return _Reader(text, "").tree()


class _Reader:
    def __init__(self, text: str, where: str):
        self.where = where
        if isinstance(text, bool) or not isinstance(text, str | int | float):
            self.text = repr(text)
            self.refuse(None, "an equation is text such as 'sigma*(y - x)'")
        self.text = str(text).strip()
        self.conditional = False

    def refuse(self, node: ast.AST | None, reason: str):
        part = ast.get_source_segment(self.text, node) if node is not None else None
        place = f"in the {self.where}, " if self.where else ""
        whole = self.text if len(self.text) <= 200 else self.text[:200] + " ..."
        quoted = f"{part!r} in {whole!r}" if part and part != whole else repr(whole)
        raise DefinitionError(f"{place}{quoted}: {reason}")

    def tree(self) -> Node:
        if len(self.text) > LONGEST_TEXT:
            self.refuse(None, f"longer than {LONGEST_TEXT} characters; split it with [where] or write an indexed sum")
        if not self.text:
            self.refuse(None, "the text is empty")
        try:
            parsed = ast.parse(self.text, mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            message = getattr(error, "msg", str(error)) or type(error).__name__
            self.refuse(None, f"this is not an expression ({message}). Python's own words cannot be names: write lambda_")
        tree = self.convert(parsed, 0)
        for node in walk(tree, Node("+", tree, tree)) if self.conditional else ():  # a condition is no number
            for place, child in enumerate(node.children):
                if (child.head in CONDITIONS) != (node.head in LOGIC or (node.head == "where" and place == 0)):
                    self.refuse(None, "conditions such as x > 0 go into where(condition, a, b), and only there")
        return tree

    def convert(self, node: ast.AST, depth: int) -> Node:
        if depth > DEEPEST:
            self.refuse(None, f"nested more than {DEEPEST} deep; name its parts in [where]")
        go = lambda child: self.convert(child, depth + 1)
        match node:
            case ast.Name(id=word):
                if word in FUNCTIONS or word in REDUCTIONS:
                    self.refuse(node, f"{word} is a function and needs its argument in parentheses")
                if not word.strip("_"):
                    self.refuse(node, "a name has a letter in it")
                return name(word)
            case ast.BinOp():
                return self.operation(node, depth)
            case ast.Constant(value=bool()) | ast.Constant(value=str()) | ast.Constant(value=complex()):
                self.refuse(node, "only real numbers can be written here")
            case ast.Constant(value=int() | float()):
                return self.literal(node)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Node("neg", go(operand))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return go(operand)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self.conditional = True
                return Node("not", go(operand))
            case ast.BoolOp(op=op, values=values):
                self.conditional = True
                return Node("and" if isinstance(op, ast.And) else "or", *map(go, values))
            case ast.Compare(left=left, ops=ops, comparators=right):
                self.conditional = True
                if any(type(op) not in COMPARISONS for op in ops):
                    self.refuse(node, "comparisons are <, <=, >, >=, and between indices == and !=")
                sides = [go(left), *map(go, right)]
                links = [Node(COMPARISONS[type(op)], *sides[k : k + 2]) for k, op in enumerate(ops)]
                return links[0] if len(links) == 1 else Node("and", *links)
            case ast.Subscript(value=ast.Name(id=word), slice=index):
                parts = index.elts if isinstance(index, ast.Tuple) else [index]
                return Node("item", word, *map(go, parts))
            case ast.Call():
                return self.call(node, depth)
            case ast.Attribute():
                self.refuse(node, "attributes are not part of the language")
        self.refuse(node, f"{type(node).__name__} is not part of the language")

    def literal(self, node: ast.Constant) -> Node:
        text = self.written(node)
        try:
            size = abs(float(node.value))
        except OverflowError:
            size = math.inf
        if not size < 1e300 or (0 < size < 1e-300):
            self.refuse(node, "numbers lie between 1e-300 and 1e300")
        if isinstance(node.value, int):
            return Node("number", Fraction(node.value), text if text.replace("_", "").isdecimal() else str(node.value))
        return Node("number", Fraction(text.replace("_", "")), text)

    def written(self, node: ast.AST) -> str:
        """What a node was read from; for one line of ASCII quicker than ast's own way, which splits the text into lines."""
        if self.text.isascii() and node.lineno == node.end_lineno == 1:
            return self.text[node.col_offset : node.end_col_offset]
        return ast.get_source_segment(self.text, node)

    def finite(self, made: Node, node: ast.AST) -> Node:
        value = constant(made)
        if value is not None and not math.isfinite(value):
            self.refuse(node, "this is not a finite number")
        return made

    def operation(self, node: ast.BinOp, depth: int) -> Node:
        if isinstance(node.op, ast.Add | ast.Sub):
            return self.addition(node, depth)
        left, right = self.convert(node.left, depth + 1), self.convert(node.right, depth + 1)
        match node.op:
            case ast.Mult():
                return self.finite(Node("*", left, right), node)
            case ast.Div():
                if constant(right) == 0:
                    self.refuse(node, "division by zero")
                return self.finite(Node("/", left, right), node)
            case ast.Pow():
                exponent = constant(right)
                if exponent is not None and not abs(exponent) <= LARGEST_POWER:
                    self.refuse(node, f"constant powers go up to {LARGEST_POWER}")
                return self.finite(Node("**", left, right), node)
            case ast.BitXor():
                self.refuse(node, "write ** for powers")
        self.refuse(node, "the operators are + - * / **")

    def addition(self, node: ast.BinOp, depth: int) -> Node:
        """A sum written out is one flat node, in the author's order and however long."""
        terms = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            term = self.convert(node.right, depth + 1)
            terms.append(Node("neg", term) if isinstance(node.op, ast.Sub) else term)
            node = node.left
        return Node("+", self.convert(node, depth + 1), *reversed(terms))

    def call(self, node: ast.Call, depth: int) -> Node:
        if isinstance(node.func, ast.Subscript) and len(node.args) == 1:
            return self.delayed(node, depth)
        if not isinstance(node.func, ast.Name):
            self.refuse(node.func, "only the functions of the language can be called")
        word = node.func.id
        self.conditional |= word == "where"
        if word not in FUNCTIONS and word not in REDUCTIONS and len(node.args) == 1 and _mentions_time(node.args[0]):
            return self.delayed(node, depth)
        if node.keywords or any(isinstance(arg, ast.Starred) for arg in node.args):
            self.refuse(node, "arguments are given by position")
        args = [self.convert(arg, depth + 1) for arg in node.args]
        if word == "sum":
            if len(args) < 2 or any(arg.head != "name" for arg in args[1:]):
                self.refuse(node, "write sum(expression, j) with the index to sum over")
            body = args[0]
            for index in reversed(args[1:]):
                body = Node("over sum", body, index.args[0])
            return body
        if word not in FUNCTIONS:
            known = [*FUNCTIONS, "sum"]
            self.refuse(
                node,
                f"{word} is not a function of the language.{suggest(word, known)} They are {', '.join(known)}; "
                "a state some time ago is written x(t - tau)",
            )
        arity = FUNCTIONS[word]
        if len(args) != arity if arity else len(args) < 2:
            expected = {None: "two or more arguments", 1: "one argument"}.get(arity, f"{arity} arguments")
            self.refuse(node, f"{word} takes {expected}, {len(args)} given")
        return self.finite(Node(word, *args), node)

    def delayed(self, node: ast.Call, depth: int) -> Node:
        """A state some time ago, as in x(t - tau) or x[i](t - tau): its name, and the lag."""
        state, when = self.convert(node.func, depth + 1), self.convert(node.args[0], depth + 1)
        if node.keywords or when.head != "+" or when.args[0] is not name("t"):
            near = suggest(node.func.id, FUNCTIONS) if isinstance(node.func, ast.Name) else ""
            self.refuse(node, f"a delayed state is written x(t - tau), with t first and then what is taken from it.{near}")
        back = [term.args[0] if term.head == "neg" else Node("neg", term) for term in when.args[1:]]
        return Node("delayed", state, back[0] if len(back) == 1 else Node("+", *back))


def _mentions_time(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Name) and part.id == "t" for part in ast.walk(node))
