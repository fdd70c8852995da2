"""What can be done with money: the platform settles, the parties check."""

from huiqi.settlement.plans import check_price as check_price
from huiqi.settlement.service.desk import SettlementDesk as SettlementDesk
from huiqi.settlement.service.platform import Settlement as Settlement
