"""Runs one interview on one worker: its sockets, its timers, and what it wants done.

What is done to the interview is done one thing after the other, and kept before it is told
wherever the interview takes a step. Decides nothing.
"""

import asyncio
import logging
from collections.abc import Callable

from readrealm.kernel.errors import InterviewInProgress, SessionNotFound
from speech.interviews import announcements
from speech.interviews.contract import InterviewContract
from speech.interviews.crew import Crew, Seat
from speech.interviews.effects import Effect, Effects, Receiver, Tell
from speech.interviews.errands import Errands
from speech.interviews.hearing import InterviewHearing
from speech.interviews.interview import Interview
from speech.interviews.keeping import Keeper
from speech.interviews.live_store import Snapshot
from speech.interviews.owners import Owner
from speech.interviews.state import Phase

log = logging.getLogger(__name__)


class InterviewRunner:
    """One interview while this worker runs it.

    Args:
        container: what the sound was in on another worker; empty for raw samples and for none.
    """

    def __init__(
        self, interview: Interview, owner: Owner, *, crew: Crew, container: str = ""
    ) -> None:
        self.interview, self.owner = interview, owner
        self._crew = crew
        self._hearing = InterviewHearing(
            interview, crew=crew, container=container, act=self.act, tell=self._tell_seat
        )
        self._ear = self._hearing.ear
        self._errands = Errands(interview, owner, crew=crew, hearing=self._hearing, act=self.act)
        self._seat: Seat | None = None
        self._keeper = Keeper(crew.snapshots, take=lambda: self.snapshot, lost=self._lose)
        self._turnstile = asyncio.Lock()
        self._news, self._over = asyncio.Event(), asyncio.Event()
        self._is_replaced = False

    # ------------------------------------------------------------------ state

    @property
    def session_id(self) -> str:
        return self.interview.state.session_id

    @property
    def seat(self) -> Seat | None:
        """The socket that is attached."""
        return self._seat

    @property
    def is_over(self) -> bool:
        """Whether this worker has nothing to do with it any more."""
        return self._over.is_set()

    @property
    def snapshot(self) -> Snapshot:
        """The interview as it stands."""
        state = self.interview.state
        is_done = state.phase is Phase.DONE and state.job is None
        return Snapshot(
            owner=self.owner,
            state=state,
            container=self._ear.container,
            channel=self._seat.channel if self._seat else "",
            is_free=state.away_since_ms is not None and state.ending is None,
            is_live=not (is_done or state.left or self._is_replaced),
            is_done=is_done,
        )

    # ------------------------------------------------------------------ life

    async def run(self) -> None:
        """Run it to its end, or until somebody else does."""
        self._crew.judge.prepare()
        for duty in (self._ear.run, self._keep_time, self._keep_lease):
            self._errands.stand(duty, broken=self._over.set)
        try:
            await self._over.wait()
        finally:
            self._over.set()
            await self._errands.cancel()

    async def open(self, effects: Effects, seat: Seat) -> None:
        """Say how the interview begins; it is kept already."""
        async with self._turnstile:
            self._seat = seat
            self._keeper.created()
            await self._carry_out(effects, seat)

    async def adopt(self) -> None:
        """Go on where another worker stopped."""
        self._hearing.resume()
        await self.act(self.interview.adopt, ticks=False)

    async def release(self) -> None:
        """This worker ends: leave the interview to whoever comes first."""
        if self._over.is_set():
            return
        # Before the turnstile, through which what is heard has to pass.
        await self._ear.keep_sound()
        async with self._turnstile:
            if self._over.is_set():
                return
            self._seat = None
            self.interview.detach(self._crew.time.now_ms())
            await self._keeper.release()
            self._over.set()

    # ------------------------------------------------------------------ sockets

    async def attach(self, seat: Seat) -> None:
        """A socket of the reader goes on with the interview.

        Raises:
            SessionNotFound: somebody else runs it, or it was left.
        """
        self._seat = seat
        try:
            await self.act(self.interview.attach, caller=seat, ticks=False)
        finally:
            if self._over.is_set():
                self._seat = None

    async def detach(self, seat: Seat) -> None:
        """A socket has gone; unless it was the attached one, nothing happens."""
        if self._seat is seat and not self._over.is_set():
            self._seat = None
            await self._ear.keep_sound()
            await self.act(self.interview.detach, ticks=False)

    async def hand_over(self) -> None:
        """The reader goes on elsewhere: the attached socket learns it, and hears no more."""
        seat = self._seat
        if seat is not None:
            refusal = InterviewInProgress("this interview goes on in another window")
            await seat.tell(announcements.refusal(refusal, event="start_interview"))
            await self.detach(seat)

    async def give_up(self) -> None:
        """The reader begins another interview: finish this one, which nobody attends."""
        self._is_replaced = True
        await self.act(self.interview.give_up)

    # ------------------------------------------------------------------ commands

    async def act(
        self,
        do: Callable[[int], Effects],
        *,
        caller: Seat | None = None,
        ticks: bool = True,
    ) -> None:
        """Do something to the interview, and what it then wants done.

        Args:
            do: takes the moment.
            caller: the socket whose command it is.
            ticks: whether what is due by now comes first, whatever becomes of ``do``.

        Raises:
            AppError: the interview refuses.
        """
        # Whoever asks may be cancelled; what was begun is finished.
        await asyncio.shield(self._errands.own(self._act(do, caller, ticks)))

    async def _act(self, do: Callable[[int], Effects], caller: Seat | None, ticks: bool) -> None:
        async with self._turnstile:
            if self._over.is_set():
                raise SessionNotFound("this interview is over")
            now_ms = self._crew.time.now_ms()
            if ticks:
                await self._carry_out(self.interview.tick(now_ms), caller)
            await self._carry_out(do(now_ms), caller)

    async def interviewer_done(self, seat: Seat) -> None:
        await self.act(self.interview.interviewer_done, caller=seat)

    async def user_done(self, seat: Seat) -> None:
        await self._hearing.settle()
        await self.act(self.interview.user_done, caller=seat)

    async def stop(self, seat: Seat) -> None:
        await self._hearing.settle()
        await self.act(self.interview.stop, caller=seat)

    async def leave(self) -> None:
        await self.act(self.interview.leave)

    async def caption(self, text: str, *, is_final: bool) -> None:
        turn = self.interview.state.open_turn
        await self.act(lambda now_ms: self.interview.caption(text, now_ms, is_final=is_final))
        if turn is not None and turn.captions.text:
            self._ear.captions_came()

    def listen(self, payload: bytes, rate_hz: int) -> None:
        """Microphone audio, at any time.

        Raises:
            RateLimited: it comes faster than it can be heard.
            UnsupportedMedia: this stream was refused.
        """
        self._hearing.listen(payload, rate_hz)

    # ------------------------------------------------------------------ effects

    async def _carry_out(self, effects: Effects, caller: Seat | None) -> None:
        self._hearing.follow(effects)
        await self._keeper.keep_step()
        if not self._over.is_set():
            for effect in effects:
                await self._begin(effect, caller)
        self._news.set()
        if self.interview.state.phase is Phase.DONE and self.interview.state.job is None:
            await self._ear.forget_sound()
            self._over.set()

    async def _begin(self, effect: Effect, caller: Seat | None) -> None:
        if isinstance(effect, Tell):
            seat = caller if effect.to is Receiver.CALLER and caller else self._seat
            if seat is not None:
                await seat.tell(effect.event)
            return
        self._errands.begin(effect)

    # ------------------------------------------------------------------ time and lease

    async def _keep_time(self) -> None:
        time = self._crew.time
        while True:
            await time.wait(self._news, self.interview.deadline_ms)
            self._news.clear()
            due_ms = self.interview.deadline_ms
            if due_ms is None or due_ms > time.now_ms():
                continue
            # A second does not wait until a step is kept.
            if timer := self.interview.tell_time(time.now_ms()):
                await self._tell(timer)
            else:
                await self.act(lambda _: [])

    async def _tell(self, effects: Effects) -> None:
        for effect in effects:
            if isinstance(effect, Tell):
                await self._tell_seat(effect.event)

    async def _tell_seat(self, event: InterviewContract) -> None:
        if self._seat is not None:
            await self._seat.tell(event)

    async def _keep_lease(self) -> None:
        await self._keeper.keep_lease(self._crew.time)

    async def _lose(self) -> None:
        """Another worker took it; with a socket here only if this worker was taken for dead."""
        log.info("interview %s does not run here any more", self.session_id)
        seat, self._seat = self._seat, None
        self._over.set()
        if seat is not None:
            refusal = SessionNotFound("the connection to this interview was lost; resume it")
            await seat.tell(announcements.refusal(refusal, event="start_interview"))
