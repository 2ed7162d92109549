"""A restart: how long it takes, and that nothing which was acknowledged is lost by it."""

import os
import signal

import pytest
from pymongo import MongoClient

from readrealm.stores.addresses import mongod_url
from tests.integration.attendance import in_order
from tests.support.accounts import column
from tests.support.processes import wait_until_gone

pytestmark = pytest.mark.timeout(120)

SECOND_START_S = 5.0


@pytest.mark.alone
def test_a_second_start_takes_less_than_five_seconds(server, record_property, capsys):
    os.sync()  # what other tests wrote is not waited for in this one
    running = server(workers=2, MONGODB_URL="")
    first_s = running.started_in_s

    running.restart()

    record_property("second_start_s", running.started_in_s)
    with capsys.disabled():
        print(f"\nfirst start {first_s:.2f} s, second start {running.started_in_s:.2f} s")  # noqa: T201
    assert running.started_in_s < SECOND_START_S, running.running.timed_output


@pytest.mark.parametrize("who", ["everything", "the supervisor"])
def test_what_was_acknowledged_is_there_after_kill_9(shared_server, who):
    running = in_order(shared_server(MONGODB_URL=""))
    with MongoClient(mongod_url(running.folder)) as mongo:
        kept = [mongo.readrealm.notes.insert_one({}).inserted_id for _ in range(100)]
    below = running.running.descendants()

    running.running.send_signal(signal.SIGKILL)
    if who == "everything":
        for known in below:
            os.kill(int(known.partition(":")[0]), signal.SIGKILL)
    running.running.wait()
    running.close()
    running.start()

    wait_until_gone(below)
    with MongoClient(mongod_url(running.folder)) as mongo:
        found = mongo.readrealm.notes.find({"_id": {"$gte": kept[0]}}).sort("_id")
        assert [note["_id"] for note in found] == kept


def test_accounts_stay_over_a_restart(shared_server):
    running = in_order(shared_server(MONGODB_URL=""))
    running.manage("createsuperuser", "--noinput", "--username", "ahab", "--email", "a@example.org")

    running.restart()

    assert "ahab" in column(running, "select username from auth_user")
