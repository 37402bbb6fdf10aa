"""LaTeX in the author's own order."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoslab.systems import DefinitionError, System, load, names
from chaoslab.systems.latex import expression, figure, symbol

LORENZ = r"""\begin{aligned}
\dot{x} &= \sigma \left(y - x\right) \\
\dot{y} &= x \left(\rho - z\right) - y \\
\dot{z} &= x \, y - \beta \, z
\end{aligned}"""
LORENZ96 = r"""\begin{aligned}
\dot{x}_{i} &= \left(x_{i + 1} - x_{i - 2}\right) x_{i - 1} - x_{i} + F
\end{aligned}"""
HENON = r"""\begin{aligned}
x_{n+1} &= y_{n} + 1 - a \, x_{n}^{2} \\
y_{n+1} &= b \, x_{n}
\end{aligned}"""
CHUA = r"""\begin{gathered}
\begin{aligned}
\dot{x} &= \alpha \left(y - x - h\right) \\
\dot{y} &= x - y + z \\
\dot{z} &= -\beta \, y
\end{aligned}
\\[1ex]\text{where}\\[1ex]
\begin{aligned}
h &= m_{1} x + \frac{m_{0} - m_{1}}{2} \left(\left|x + 1\right| - \left|x - 1\right|\right)
\end{aligned}
\end{gathered}"""
MACARTHUR = r"""\begin{gathered}
\begin{aligned}
\dot{N}_{i} &= N_{i} \left(\mu_{i} - m\right) \\
\dot{R}_{j} &= D \left(S_{j} - R_{j}\right) - \sum_{i} c_{j,i} \mu_{i} N_{i}
\end{aligned}
\\[1ex]\text{where}\\[1ex]
\begin{aligned}
\mu_{i} &= \min_{j} \frac{r \, R_{j}}{K_{j,i} + R_{j}}
\end{aligned}
\end{gathered}"""


@pytest.mark.parametrize(
    ("system", "expected"), [("Lorenz", LORENZ), ("Lorenz96", LORENZ96), ("Henon", HENON), ("Chua", CHUA), ("MacArthur", MACARTHUR)]
)
def test_whole_systems(system, expected):
    assert load(system).latex == expected


def test_components_with_numbers_and_a_state_called_n():
    first = System({"x1": "-x1", "omega_2": "x1"}, {}, {"x1": 1, "omega_2": 0}).latex
    assert r"\dot{x}_{1} &= -x_{1}" in first
    assert r"\dot{\omega}_{2} &= x_{1}" in first
    assert "n_{k+1} &= 2 n_{k}" in System({"n": "2*n"}, {}, {"n": 1}, kind="map").latex
    assert "x_{1,n+1} &= x_{1,n}" in System({"x1": "x1"}, {}, {"x1": 1}, kind="map").latex
    assert (
        "x_{n+1,i} &= x_{n,i + 1}"
        in System({"x[i]": "x[i+1]"}, {}, {"x": "i"}, kind="map", index={"i": {"size": 3, "cyclic": True}}).latex
    )


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("x - (y - z)", r"x - \left(y - z\right)"),
        ("z + x", "z + x"),
        ("x*(y + z)", r"x \left(y + z\right)"),
        ("2*3*x", r"2 \cdot 3 x"),
        ("x*2", r"x \cdot 2"),
        ("a*b*c", r"a \, b \, c"),
        ("a*alpha", r"a \alpha"),
        ("x/y*z", r"\frac{x}{y} z"),
        ("x/(y*z)", r"\frac{x}{y \, z}"),
        ("(x - y)/2", r"\frac{x - y}{2}"),
        ("(x/y)**2", r"\left(\frac{x}{y}\right)^{2}"),
        ("(x + y)**2", r"\left(x + y\right)^{2}"),
        ("(x*y)**2", r"\left(x \, y\right)^{2}"),
        ("(x**y)**2", r"\left(x^{y}\right)^{2}"),
        ("x**(y + 1)", "x^{y + 1}"),
        ("x[i]**2", "x_{i}^{2}"),
        ("-x", "-x"),
        ("-x**2", "-x^{2}"),
        ("(-x)**2", r"\left(-x\right)^{2}"),
        ("-beta*y", r"-\beta \, y"),
        ("-x/y", r"-\frac{x}{y}"),
        ("-(x + y)", r"-\left(x + y\right)"),
        ("x - -y", r"x - \left(-y\right)"),
        ("x*-y", r"x \left(-y\right)"),
        ("x + -2*y", r"x - 2 y"),
        ("x - -2*y", r"x - \left(-2 y\right)"),
        ("sin(x)**2", r"\sin^{2}\left(x\right)"),
        ("log(x)**2", r"\ln\left(x\right)^{2}"),
        ("asin(x)", r"\operatorname{asin}\left(x\right)"),
        ("sign(x)*step(y)", r"\operatorname{sgn}\left(x\right) \operatorname{H}\left(y\right)"),
        ("sqrt(x + 1)", r"\sqrt{x + 1}"),
        ("abs(x)**3", r"\left|x\right|^{3}"),
        ("floor(x)", r"\left\lfloor x \right\rfloor"),
        ("min(x, 1 - x)", r"\min\left(x, 1 - x\right)"),
        ("mod(x + K, 2*pi)", r"\left(x + K\right) \bmod 2 \pi"),
        ("2*mod(x, 1)", r"2 \left(x \bmod 1\right)"),
        ("mod(x, 1)**2", r"\left(x \bmod 1\right)^{2}"),
        ("y + mod(x, 1)", r"y + \left(x \bmod 1\right)"),
        ("sum(x[j], j)", r"\sum_{j} x_{j}"),
        ("sum(x[j] - y, j)/2", r"\frac{\sum_{j} \left(x_{j} - y\right)}{2}"),
        ("sum(x[j], j)**2", r"\left(\sum_{j} x_{j}\right)^{2}"),
        ("sum(x[j], j)*y", r"\left(\sum_{j} x_{j}\right) y"),
        ("y*sum(x[j], j)", r"y \sum_{j} x_{j}"),
        ("y*sum(x[j], j)*z", r"\left(y \sum_{j} x_{j}\right) z"),
        ("y - sum(w[i,j]*x[j], j)", r"y - \sum_{j} w_{i,j} x_{j}"),
        ("-sum(x[j], j)", r"-\sum_{j} x_{j}"),
        ("sum(-x[j], j)", r"\sum_{j} \left(-x_{j}\right)"),
        ("min(x[j], j)**2", r"\left(\min_{j} x_{j}\right)^{2}"),
        ("where(x > 0, y, z)", r"\begin{cases} y & x > 0 \\ z & \text{otherwise} \end{cases}"),
        ("where(0 < x <= 1, y, z)", r"\begin{cases} y & 0 < x \text{ and } x \le 1 \\ z & \text{otherwise} \end{cases}"),
        ("2*where(x > 0, y, z)", r"2 \left(\begin{cases} y & x > 0 \\ z & \text{otherwise} \end{cases}\right)"),
    ],
)
def test_expressions(text, latex):
    assert expression(text, index={"j"}) == latex


@pytest.mark.parametrize(
    ("word", "latex"),
    [
        ("x", "x"),
        ("alpha", r"\alpha"),
        ("Omega", r"\Omega"),
        ("lambda_", r"\lambda"),
        ("eps", r"\varepsilon"),
        ("x1", "x_{1}"),
        ("x12", "x_{12}"),
        ("omega0", r"\omega_{0}"),
        ("k_a", "k_{a}"),
        ("k_alpha", r"k_{\alpha}"),
        ("v_max", r"v_{\mathrm{max}}"),
        ("Kd", "K_{d}"),
        ("Kim", r"K_{\mathrm{im}}"),
        ("GAIN", r"\mathrm{GAIN}"),
    ],
)
def test_symbols(word, latex):
    assert symbol(word) == latex


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("28", "28"),
        ("0.10", "0.10"),
        ("1e-4", "10^{-4}"),
        ("2.5e3", r"2.5 \cdot 10^{3}"),
        ("1_000", "1000"),
        ("-1e-05", r"-1 \cdot 10^{-5}"),
    ],
)
def test_numbers(text, latex):
    assert figure(text) == latex


@pytest.mark.parametrize("text", ["0x1e*x", "0b11 + x", "1_0e2"])
def test_numbers_written_otherwise(text):
    assert re.search(r"\d", expression(text))


# --- properties --------------------------------------------------------------------------------------------------------

texts = st.recursive(
    st.sampled_from(["x", "y[i]", "w[i,j]", "lambda_", "x_max", "Kd1", "2", "1e-4", "0.5", "pi"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "**"]), inner).map("({0[0]}) {0[1]} ({0[2]})".format),
        st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map("{0[0]} {0[1]} {0[2]}".format),
        st.tuples(st.sampled_from(["sin", "sqrt", "abs", "floor", "log", "sign", "-"]), inner).map("{0[0]}({0[1]})".format),
        st.tuples(st.sampled_from(["min", "max", "mod", "atan2"]), inner, inner).map("{0[0]}({0[1]}, {0[2]})".format),
        inner.map("sum({}, k)".format),
        st.tuples(inner, inner, inner).map("where({0[0]} > {0[1]}, {0[2]}, {0[1]})".format),
    ),
    max_leaves=10,
)


def balanced(latex):
    """Braces, and \\left with \\right, open and close in order."""
    open_ones = []
    for token in re.findall(r"\\left|\\right|\\begin|\\end|\\[{}]|[{}]", latex):
        if token in (r"\left", r"\begin", "{"):
            open_ones.append(token)
        elif token in (r"\right", r"\end", "}") and (
            not open_ones or open_ones.pop() != {r"\right": r"\left", r"\end": r"\begin", "}": "{"}[token]
        ):
            return False
    return not open_ones


@given(texts)
def test_latex_is_balanced(text):
    try:
        latex = expression(text, index={"k"})
    except DefinitionError as error:
        latex, reason = None, str(error)
    if latex is None:  # constants such as 1/0 are refused
        assert re.search("finite|division by zero|go up to", reason)
    else:
        assert balanced(latex)
        assert not re.search(r"\^\{[^{}]*\}\^|_\{[^{}]*\}_|--|\+ -", latex)  # double scripts and signs are no LaTeX


@given(texts)
def test_latex_keeps_the_order_of_the_author(text):
    try:
        latex = expression(text, lambda word: {"x": "X", "lambda_": "L"}.get(word, "."), index={"k"})
    except DefinitionError:
        return
    if "where" not in text:  # cases print the condition after the value
        assert re.findall("X|L(?!o)", latex) == [{"x": "X", "lambda_": "L"}[word] for word in re.findall(r"\bx\b|lambda_", text)]


@pytest.mark.parametrize("name", names())
def test_the_catalogues_latex_is_balanced(name):
    assert balanced(load(name).latex)
    assert balanced(load(name)._repr_markdown_())
