"""A plain Python function's source read as a definition, in the same language."""

import ast
import inspect
import textwrap
from collections.abc import Callable

from .language import DefinitionError


def definition_of(function: Callable) -> dict:
    """Equations, where and parameters of a function such as `def lorenz(x, y, z, sigma=10): return sigma*(y - x), ...`.

    The source is parsed, never run. Raises DefinitionError where a line is no assignment or the counts differ.
    """
    try:
        source = textwrap.dedent(inspect.getsource(function))
        parsed = next(node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))
    except (OSError, TypeError, SyntaxError, StopIteration) as error:
        raise DefinitionError(f"the source of {function!r} cannot be read ({error}); pass equations as text instead") from error
    arguments = parsed.args
    if arguments.vararg or arguments.kwarg or arguments.posonlyargs:
        raise DefinitionError(f"{parsed.name} takes * or /; name every state, and give every parameter a default")
    positional = [argument.arg for argument in arguments.args]
    states = positional[: len(positional) - len(arguments.defaults)]
    defaults = dict(zip(positional[len(states) :], arguments.defaults, strict=True))
    defaults |= {a.arg: d for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None}
    states = [word for word in states if word != "t"]
    where, result = {}, None
    for line in parsed.body:
        if result is not None:
            raise DefinitionError(f"{parsed.name}, line {ast.unparse(line)!r}: nothing can follow the return")
        match line:
            case ast.Expr(value=ast.Constant(value=str())):
                continue
            case ast.Assign(targets=[ast.Name(id=word)]):
                if word in where or word in states or word in defaults:
                    raise DefinitionError(f"{parsed.name} assigns {word} twice; give each intermediate a name of its own")
                where[word] = ast.unparse(line.value)
            case ast.Return(value=ast.Tuple(elts=parts)) | ast.Return(value=ast.List(elts=parts)):
                result = [ast.unparse(part) for part in parts]
            case ast.Return(value=value) if value is not None:
                result = [ast.unparse(value)]
            case _:
                raise DefinitionError(
                    f"{parsed.name}, line {ast.unparse(line)!r}: only `name = expression` and one return are read"
                )
    if result is None or len(result) != len(states):
        raise DefinitionError(f"{parsed.name} has states {states} and returns {len(result or ())} values; one for each is expected")
    about = inspect.getdoc(function) or ""
    return {
        "equations": dict(zip(states, result, strict=True)),
        "parameters": {word: _literal(node, word) for word, node in defaults.items()},
        "where": where,
        "name": parsed.name,
        "about": about.splitlines()[0] if about else "",
    }


def _literal(node: ast.expr, word: str):
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)  # text such as 8/3, which the language reads exactly
