"""How is a query answered under contracts, without the data leaving those who own it?"""

from huiqi.compute.service.asking import Asking
from huiqi.compute.service.executing import Executing


class Compute(Asking, Executing):
    """The verbs of the room, for a connector in any role: it asks, executes and lends."""
