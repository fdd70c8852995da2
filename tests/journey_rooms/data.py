"""Which rows do the journeys through the rooms work on?"""

from datetime import UTC, datetime

# A Tuesday, 10:00 in Shanghai.
START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
SMALL_CITY_ROWS, CITY_ROWS, REGULARS = 4, 30, 3


def _visits() -> str:
    """30 people once each in hefei, 3 people ten times each in wuhu, 4 people in huangshan."""
    rows = ["city,person,day,delay,secret"]
    for at in range(CITY_ROWS):
        day = f"2026-01-{at % 28 + 1:02d}"
        rows.append(f"hefei,h{at},{day},{at},s-{at}")
        rows.append(f"wuhu,w{at % REGULARS},{day},{at + 100},t-{at}")
        if at < SMALL_CITY_ROWS:
            rows.append(f"huangshan,x{at},{day},{at + 500},u-{at}")
    return "\n".join(rows) + "\n"


VISITS = _visits()
WEATHER = "city,temp\nhefei,21\nwuhu,23\nhuangshan,15\n"
