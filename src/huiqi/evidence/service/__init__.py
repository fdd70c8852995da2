"""Which verbs does the evidence room offer?"""

from huiqi.evidence.ports import Keys as Keys
from huiqi.evidence.ports import SignatureCheck as SignatureCheck
from huiqi.evidence.service.log import Evidence as Evidence
from huiqi.evidence.verification import parse_proof as parse_proof
from huiqi.evidence.verification import verify_proof as verify_proof
