"""Does the log give the same verdict again? Whoever holds it can ask, on any machine.

The document of UseGranted and UseDecided is the context of the decision, that of ContractFiled the
agreement with its terms; a verdict follows from these two alone.
"""

import msgspec

from huiqi.contracts.types import AgreementBody
from huiqi.kernel.digests import sm3_hex
from huiqi.kernel.errors import IntegrityError
from huiqi.policy.service import Policies
from huiqi.policy.types import Context, Verdict


def decided_again(agreement: bytes, context: bytes, policies: Policies) -> Verdict:
    """The verdict on ``context`` under the terms of ``agreement``, both as the log holds them.

    Raises:
        IntegrityError: one of them is not such a document.
    """
    try:
        terms = msgspec.json.decode(agreement, type=AgreementBody).terms
        asked = msgspec.json.decode(context, type=Context)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise IntegrityError(what="context or agreement of a decision") from error
    return policies.decide(policies.compiled(f"replay:{sm3_hex(agreement)}", terms), asked)
