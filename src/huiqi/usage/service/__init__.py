"""How is data used under a contract, and how is every use receipted by both sides?"""

from huiqi.usage.files import Checked as Checked
from huiqi.usage.files import ReceiptFile as ReceiptFile
from huiqi.usage.files import Step as Step
from huiqi.usage.files import verify_receipt_file as verify_receipt_file
from huiqi.usage.replay import decided_again as decided_again
from huiqi.usage.results import result_bytes as result_bytes
from huiqi.usage.results import result_table as result_table
from huiqi.usage.service.countersigning import Countersigning
from huiqi.usage.service.enforcement import Enforcement
from huiqi.usage.service.reading import Reading
from huiqi.usage.service.upkeep import Upkeep


class Usage(Enforcement, Upkeep, Countersigning, Reading):
    """The verbs of the room, for a connector on either side of a contract."""
