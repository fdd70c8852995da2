"""What can be done with contracts: in a connector, and at the platform that files them."""

from huiqi.contracts.service.connector import Contracts as Contracts
from huiqi.contracts.service.desk import ContractsDesk as ContractsDesk
