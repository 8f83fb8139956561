"""Which thread asks which platform next, so that nobody waits for a platform while another one could be asked.

A thread takes the next question of a platform that is *ready*: not in a penalty, within its pace, with a place free. A
platform that has not answered yet is asked one question at a time, so one that hangs holds one thread. A thread that
waits for a platform, or hangs in it, has another stand in for it. Not here: HTTP, and results (``collecting``).
"""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from resources.errors import PlatformError, PlatformUnavailable
from resources.platforms.manners import Lane, parking

# A thread that has asked for so long counts as hanging, and another one stands in for it.
HANGING_AFTER_SECONDS = 0.5
# More threads than this would not help: each stands in one platform, and there are 94.
MOST_STAND_INS = 96
# A thread without a question looks again so often at the latest; changes wake it earlier.
LOOK_AGAIN_SECONDS = 0.2

Asked = TypeVar("Asked")


@dataclass(frozen=True, slots=True)
class Question(Generic[Asked]):
    """What to ask of the platform of ``province`` and ``sector``."""

    province: str
    sector: str
    asked: Asked

    @property
    def platform(self) -> str:
        """``510000/health``."""
        return f"{self.province}/{self.sector}"


Answering = Callable[[Question[Asked]], tuple[Callable[[], None], PlatformError | None]]
"""Asks, and gives what hands the result over (it may block) and the error that the platform gave, if any."""


@dataclass
class _Duty:
    """What a thread does: asks since ``began`` (None: hands over), or waits for a platform."""

    began: float | None
    is_parked: bool = False

    def counts(self, now: float) -> bool:
        """Whether it is at work, rather than waiting or hanging."""
        hangs = self.began is not None and now - self.began > HANGING_AFTER_SECONDS
        return not (self.is_parked or hangs)


class Crew(Generic[Asked]):
    """Threads and the questions that wait; begins at once. ``lane_of(province, sector)`` tells a platform's manners."""

    def __init__(
        self,
        lane_of: Callable[[str, str], Lane],
        answer: Answering[Asked],
        questions: Iterable[Question[Asked]],
        threads: int,
    ) -> None:
        self._lane_of = lane_of
        self._answer = answer
        self._size = threads
        self._waiting: OrderedDict[str, deque[Question[Asked]]] = OrderedDict()
        for question in questions:
            self._waiting.setdefault(question.platform, deque()).append(question)
        self._asked_now: Counter[str] = Counter()
        self._proven: set[str] = set()
        self._duties: dict[threading.Thread, _Duty] = {}
        self._members: set[threading.Thread] = set()
        self._idle = 0
        self._is_dismissed = False
        self._changed = threading.Condition(threading.RLock())
        self.reinforce()

    def reinforce(self) -> None:
        """Put threads to work until as many are at it as shall be; hanging and waiting ones do not count."""
        with self._changed:
            lacking = self._size - self._at_work() - self._idle
            room = self._size + MOST_STAND_INS - len(self._members)
            askable = sum(len(waiting) for waiting in self._waiting.values()) - self._idle
            for _ in range(0 if self._is_dismissed else min(lacking, room, askable)):
                member = threading.Thread(target=self._work, name="collect", daemon=True)
                self._members.add(member)
                self._idle += 1
                member.start()

    def dismiss(self, deadline: float) -> None:
        """Take no further question; wait for the threads until ``deadline`` (monotonic)."""
        with self._changed:
            self._is_dismissed = True
            self._changed.notify_all()
            members = list(self._members)
        for member in members:
            member.join(max(0.0, deadline - time.monotonic()))

    def _work(self) -> None:
        """What a thread does: take a question, ask, hand over, until there is none or too many are at it."""
        me = threading.current_thread()
        parking.set(lambda is_parked: self._park(me, is_parked))
        while (question := self._take(me)) is not None:
            hand_over, error = self._answer(question)
            self._finish(me, question, error)
            hand_over()
            with self._changed:
                del self._duties[me]
                self._idle += 1

    def _take(self, me: threading.Thread) -> Question[Asked] | None:
        """The next question; waits until a platform is ready. None: this thread's work is done."""
        with self._changed:
            while True:
                is_one_too_many = self._at_work() + self._idle > self._size
                if self._is_dismissed or not self._waiting or is_one_too_many:
                    self._idle -= 1
                    self._members.discard(me)
                    self._changed.notify()
                    return None
                platform, seconds = self._next_ready()
                if platform is not None:
                    self._idle -= 1
                    self._duties[me] = _Duty(time.monotonic())
                    return self._pop(platform)
                self._changed.wait(min(seconds, LOOK_AGAIN_SECONDS))

    def _next_ready(self) -> tuple[str | None, float]:
        """The platform whose turn it is among those that are ready; else seconds until one may be."""
        soonest, at_once = LOOK_AGAIN_SECONDS, None
        for platform, questions in self._waiting.items():
            lane = self._lane_of(questions[0].province, questions[0].sector)
            places = lane.concurrency if platform in self._proven else 1
            if self._asked_now[platform] >= places:
                continue
            seconds = lane.seconds_until_ready()
            if seconds <= 0:
                return platform, 0.0
            if seconds > lane.patience:
                at_once = platform  # a wait that nobody begins: once nothing else is left, the question says so
            soonest = min(soonest, seconds)
        is_nothing_else = at_once is not None and not self._asked_now.total() and soonest >= LOOK_AGAIN_SECONDS
        return (at_once, 0.0) if is_nothing_else else (None, soonest)

    def _pop(self, platform: str) -> Question[Asked]:
        questions = self._waiting[platform]
        question = questions.popleft()
        self._asked_now[platform] += 1
        self._waiting.move_to_end(platform)
        if not questions:
            del self._waiting[platform]
        return question

    def _finish(self, me: threading.Thread, question: Question[Asked], error: PlatformError | None) -> None:
        with self._changed:
            self._duties[me] = _Duty(None)
            self._asked_now[question.platform] -= 1
            if isinstance(error, PlatformUnavailable):
                self._proven.discard(question.platform)
            else:
                self._proven.add(question.platform)
            self._changed.notify_all()

    def _park(self, me: threading.Thread, is_parked: bool) -> None:
        with self._changed:
            duty = self._duties.get(me)
            if duty is not None:
                duty.is_parked = is_parked
                # What it waited is no time that it hung.
                duty.began = time.monotonic() if duty.began is not None else None
        if is_parked:
            self.reinforce()

    def _at_work(self) -> int:
        now = time.monotonic()
        return sum(duty.counts(now) for duty in self._duties.values())
