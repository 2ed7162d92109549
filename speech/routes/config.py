"""Reading and changing the configuration that all sessions and workers share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from readrealm.kernel.clock import Clock
from readrealm.kernel.errors import Forbidden, InvalidValue
from speech.routes.audio import Commands
from speech.routes.configuration import (
    ALL,
    KNOWN,
    MAX_UNKNOWN_KEYS,
    Stored,
    check_value,
    effective,
    require_category,
)
from speech.routes.events import (
    ConfigData,
    ConfigReset,
    ConfigUpdated,
    GetConfig,
    ResetConfig,
    UpdateConfig,
)
from speech.routes.sessions import Caller
from speech.routes.work_events import GLOBAL, ProcessCommand


class Values(Protocol):
    """Where values are kept; all may raise `StoreUnavailable`."""

    async def read(self) -> Stored:
        """Everything that was set, as it is now."""

    async def put(self, category: str, key: str, value: Any) -> None: ...

    async def remove(self, category: str | None) -> None:
        """Forget what was set in one category, or in all."""


class Speakers(Protocol):
    def check(self) -> None:
        """Raises `ProviderUnavailable` when speakers cannot be told apart here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigService:
    """The use cases of ``config:*``.

    Attributes:
        staff_only: whether only staff may change anything.
    """

    values: Values
    commands: Commands
    speakers: Speakers
    clock: Clock
    staff_only: bool

    async def update(self, command: UpdateConfig, caller: Caller) -> ConfigUpdated:
        """Keep a value, and tell the workers before the caller.

        Raises:
            Forbidden: the caller is not staff.
            UnknownCategory, InvalidValue: see `check_value`; also too many unknown keys.
            ProviderUnavailable: speakers are to be told apart, and there is no model.
        """
        self._require_staff(caller)
        check_value(command.category, command.key, command.value)
        if (command.category, command.key, command.value) == ("diarization", "enabled", True):
            self.speakers.check()
        await self._require_room(command)
        await self.values.put(command.category, command.key, command.value)
        await self._tell(command.category, command.key, command.value)
        return ConfigUpdated(
            category=command.category,
            key=command.key,
            value=command.value,
            timestamp=self.clock(),
        )

    async def get(self, command: GetConfig) -> ConfigData:
        """Every value of a category, or of all.

        Raises:
            UnknownCategory: there is none of that name.
        """
        category = command.category or ALL
        if category != ALL:
            require_category(category)
        config = effective(await self.values.read())
        return ConfigData(
            category=category,
            config=config if category == ALL else config[category],
            timestamp=self.clock(),
        )

    async def reset(self, command: ResetConfig, caller: Caller) -> ConfigReset:
        """Restore defaults; the workers are told each value that changed.

        Raises:
            Forbidden: the caller is not staff.
            UnknownCategory: there is none of that name.
        """
        self._require_staff(caller)
        category = command.category or ALL
        if category != ALL:
            require_category(category)
        before = await self.values.read()
        await self.values.remove(None if category == ALL else category)
        for (changed, key), value in before.items():
            known = KNOWN[changed].get(key) if changed in KNOWN else None
            default = known.default if known else None
            if category in (ALL, changed) and value != default:
                await self._tell(changed, key, default)
        return ConfigReset(category=category, timestamp=self.clock())

    def _require_staff(self, caller: Caller) -> None:
        if self.staff_only and not caller.is_staff:
            raise Forbidden("only staff may change the configuration")

    async def _require_room(self, command: UpdateConfig) -> None:
        """Unknown keys are kept, but not without end."""
        if command.key in KNOWN[command.category]:
            return
        stored = await self.values.read()
        others = {
            key
            for category, key in stored
            if category == command.category and key not in KNOWN[category]
        }
        if command.key not in others and len(others) >= MAX_UNKNOWN_KEYS:
            raise InvalidValue(f"{command.category} may have {MAX_UNKNOWN_KEYS} keys of your own")

    async def _tell(self, category: str, key: str, value: Any) -> None:
        data: Mapping[str, Any] = {"category": category, "key": key, "value": value}
        await self.commands.tell(
            ProcessCommand(
                session_id=GLOBAL, action="configure", data=dict(data), timestamp=self.clock()
            )
        )
