"""Days, weeks, months and quarters of a time zone, as half-open ranges of Unix seconds."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

Range = tuple[float, float]


def zone_named(name: str) -> tzinfo:
    """The zone of an IANA name; UTC for a name nobody knows."""
    if not name or name == "UTC" or len(name) > 64:
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return UTC


class Calendar:
    """The calendar of one zone at one moment. Weeks begin on Monday."""

    def __init__(self, now: float, zone: tzinfo = UTC) -> None:
        self.now = now
        self.zone = zone
        self.today = datetime.fromtimestamp(now, zone).date()

    def start(self, day: date) -> float:
        """The day's first moment."""
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp()

    def at(self, day: date, hour: int, minute: int = 0) -> float:
        """A time of a day; hour 24 is the next day's first moment."""
        if hour >= 24:
            return self.start(day + timedelta(days=1))
        return datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone).timestamp()

    def days(self, first: date, count: int) -> Range:
        """So many days from a day on."""
        return self.start(first), self.start(first + timedelta(days=count))

    def day(self, back: int) -> Range:
        """The day so many days ago."""
        return self.days(self.today - timedelta(days=back), 1)

    def week(self, back: int) -> Range:
        """The week so many weeks ago, Monday to Sunday."""
        monday = self.today - timedelta(days=self.today.weekday() + 7 * back)
        return self.days(monday, 7)

    def month(self, back: int) -> Range:
        """The month so many months ago."""
        months = self.today.year * 12 + self.today.month - 1 - back
        return self.month_of(months // 12, months % 12 + 1)

    def month_of(self, year: int, month: int) -> Range:
        """A month of a year."""
        following = date(year + month // 12, month % 12 + 1, 1)
        return self.start(date(year, month, 1)), self.start(following)

    def quarter(self, back: int) -> Range:
        """The quarter so many quarters ago."""
        quarters = self.today.year * 4 + (self.today.month - 1) // 3 - back
        return self.quarter_of(quarters // 4, quarters % 4 + 1)

    def quarter_of(self, year: int, quarter: int) -> Range:
        """A quarter of a year, 1 to 4."""
        first = self.month_of(year, 3 * quarter - 2)
        last = self.month_of(year, 3 * quarter)
        return first[0], last[1]

    def year(self, back: int) -> Range:
        """The year so many years ago."""
        year = self.today.year - back
        return self.start(date(year, 1, 1)), self.start(date(year + 1, 1, 1))

    def weekday(self, number: int, *, before_today: bool = False) -> Range:
        """The latest such day of the week, Monday 0, today included unless it has to lie before."""
        back = (self.today.weekday() - number) % 7
        return self.day(back or 7 if before_today else back)

    def dated(self, year: int | None, month: int, day: int | None) -> Range | None:
        """A date or a month; without a year the latest that has begun. None for what no calendar has."""
        try:
            wanted = date(year or self.today.year, month, day or 1)
            if year is None and wanted > self.today:
                wanted = date(self.today.year - 1, month, day or 1)
        except ValueError:
            return None
        return self.month_of(wanted.year, month) if day is None else self.days(wanted, 1)
