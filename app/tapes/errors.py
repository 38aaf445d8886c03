"""Why market data are not imported, or not found."""

from dataclasses import dataclass

from app.ports import FeedError


class TapeError(FeedError):
    """One sentence: what cannot be read, found or kept."""


@dataclass(frozen=True, slots=True)
class Question:
    """What cannot be told from the data, and the option that answers it."""

    option: str
    text: str


class Ambiguous(TapeError):
    """The data allow more than one reading."""

    def __init__(self, file: str, questions: tuple[Question, ...]) -> None:
        self.questions = questions
        asked = "; ".join(f"{q.text} ({q.option})" for q in questions)
        super().__init__(f"{file}: {asked}")
