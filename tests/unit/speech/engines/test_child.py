"""Children end for good, whatever becomes of those who end them."""

import asyncio
import signal

from speech.engines.child import end

DEADLINE_S = 20


async def sleeper() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec("sleep", "600", stdout=asyncio.subprocess.PIPE)


async def test_a_child_is_gone_when_it_was_ended() -> None:
    process = await sleeper()

    await asyncio.wait_for(end(process), DEADLINE_S)

    assert process.returncode == -signal.SIGKILL
    await asyncio.wait_for(end(process), DEADLINE_S)


async def test_who_is_cancelled_again_and_again_leaves_no_child_behind() -> None:
    process = await sleeper()
    ending = asyncio.create_task(end(process))
    await asyncio.sleep(0)

    while not ending.done():
        ending.cancel()
        await asyncio.sleep(0)

    assert ending.cancelled()
    assert process.returncode == -signal.SIGKILL
