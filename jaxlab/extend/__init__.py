"""What the language is made of, for those who add to it: primitives of one's own, and interpreters of jaxprs.

`docs/extending.md` is the guide. A primitive is a class whose rules are its methods (`Primitive`, or a family
such as `Elementwise` and `Linear` that knows most of them); a jaxpr is plain data to walk over (`ClosedJaxpr`),
and an interpretation while a function runs is a `Trace`.

>>> from jaxlab.extend import Elementwise
>>> softsign_p = Elementwise(
...     "softsign",
...     reference=lambda x: x / (1 + np.abs(x)),
...     lower=lower_as(lambda x: x / (1 + abs(x))),
...     derivatives=[lambda t, out, x: t / (1 + abs(x)) ** 2],
...     accepts=(np.floating,),
... )
>>> jaxlab.grad(softsign_p.bind)(1.0)
Array(0.25, dtype=float32, weak_type=True)
"""

from __future__ import annotations

from jaxlab.core.aval import ShapedArray as ShapedArray
from jaxlab.core.aval import UndefinedPrimal as UndefinedPrimal
from jaxlab.core.aval import Zero as Zero
from jaxlab.core.aval import aval_of as aval_of
from jaxlab.core.axes import MappedAxis as MappedAxis
from jaxlab.core.effects import Effect as Effect
from jaxlab.core.higher_order import HigherOrder as HigherOrder
from jaxlab.core.jaxpr import ClosedJaxpr as ClosedJaxpr
from jaxlab.core.jaxpr import Jaxpr as Jaxpr
from jaxlab.core.jaxpr import JaxprEqn as JaxprEqn
from jaxlab.core.jaxpr import Literal as Literal
from jaxlab.core.jaxpr import Var as Var
from jaxlab.core.primitive import Example as Example
from jaxlab.core.primitive import Primitive as Primitive
from jaxlab.core.trace import Trace as Trace
from jaxlab.core.trace import Tracer as Tracer
from jaxlab.core.trace import current as current
from jaxlab.core.trace import interpret_with as interpret_with
from jaxlab.core.typecheck import check_jaxpr as check_jaxpr
from jaxlab.extend.checks.rules import check_rules as check_rules
from jaxlab.extend.programs import eval_jaxpr as eval_jaxpr
from jaxlab.extend.programs import jaxpr_as_fun as jaxpr_as_fun
from jaxlab.extend.programs import lower_as as lower_as
from jaxlab.primitives.elementwise import Elementwise as Elementwise
from jaxlab.primitives.reshaping import Linear as Linear
