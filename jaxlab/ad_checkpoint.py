"""What there is to `checkpoint` besides itself: names, policies, and what a function's reverse mode saves."""

from jaxlab.interpreters.saving import Offloadable as Offloadable
from jaxlab.interpreters.saving import Recompute as Recompute
from jaxlab.interpreters.saving import Saveable as Saveable
from jaxlab.primitives.naming import checkpoint_name as checkpoint_name
from jaxlab.transforms.checkpoint_policies import checkpoint_policies as checkpoint_policies
from jaxlab.transforms.residuals import print_saved_residuals as print_saved_residuals
from jaxlab.transforms.residuals import saved_residuals as saved_residuals
