"""What the replay of all orders looked at and found, check by check."""

from dataclasses import dataclass, field, fields

from app.audit.records import Check, Fault, checked
from app.audit.stories import Story


@dataclass(slots=True)
class Findings:
    orders: int = 0
    events: int = 0
    children: int = 0
    fills: int = 0
    numbering: list[Fault] = field(default_factory=list)
    moves: list[Fault] = field(default_factory=list)
    sums: list[Fault] = field(default_factory=list)
    claims: list[Fault] = field(default_factory=list)
    rows: list[Fault] = field(default_factory=list)
    child_rows: list[Fault] = field(default_factory=list)
    fill_rows: list[Fault] = field(default_factory=list)
    sends: list[Fault] = field(default_factory=list)
    crowds: list[Fault] = field(default_factory=list)
    unproven: list[Fault] = field(default_factory=list)
    decisions: list[Fault] = field(default_factory=list)
    times: list[Fault] = field(default_factory=list)
    beyond: list[Fault] = field(default_factory=list)
    lines: list[Fault] = field(default_factory=list)
    bursts: list[Fault] = field(default_factory=list)
    terms: list[Fault] = field(default_factory=list)
    child_terms: list[Fault] = field(default_factory=list)

    def count(self, story: Story) -> None:
        self.orders += 1
        self.events += len(story.events)
        self.children += len(story.children)
        self.fills += len(story.fills)

    def add(self, other: "Findings") -> None:
        """What another part of the orders gave."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    def checks(self) -> tuple[Check, ...]:
        for each in fields(self):
            # Parts are replayed side by side: what they found is told in one order all the same.
            found = getattr(self, each.name)
            if isinstance(found, list):
                found.sort(key=lambda fault: (fault.subject, fault.detail))
        orders, events, children = self.orders, self.events, self.children
        return (
            checked("events are numbered from 1 without a gap", "I20", events, self.numbering),
            checked("only legal moves, and nothing booked twice", "I17", events, self.moves),
            checked(
                "every event's sums follow from the events before it", "I2 I20", events, self.sums
            ),
            checked(
                "filled + working + unknown never exceed qty + excess at any event",
                "I3", events, self.claims,
            ),
            checked("the last event says what the order's row says", "I20 I26", orders, self.rows),
            checked(
                "children are what their events made them", "I20 I26", children, self.child_rows
            ),
            checked("the fills told are the fills booked", "I20 I26", self.fills, self.fill_rows),
            checked(
                "nothing is sent after a cancel, while paused, or into an excess",
                "I13", children, self.sends,
            ),
            checked("no more than 100 children of an order are open", "I15", children, self.crowds),
            checked("a child leaves unknown by evidence only", "I18", children, self.unproven),
            checked(
                "every child was decided on the sums that its intent met",
                "I3", children, self.decisions,
            ),
            checked("no decision sends beyond its envelope", "I11", children, self.beyond),
            checked(
                "a TWAP's envelope keeps within a slice of the straight line",
                "I11", children, self.lines,
            ),
            checked(
                "what a TWAP is late with goes out two slices at a time at most",
                "I11", children, self.bursts,
            ),
            checked(
                "terms, reasons and counts of an order are rebuilt from its events",
                "I26", orders, self.terms,
            ),
            checked(
                "what is known of a child is rebuilt from its events",
                "I26", children, self.child_terms,
            ),
            checked(
                "an order's events do not go back in market time",
                "I24", events, self.times, warning=True,
            ),
        )  # fmt: skip
