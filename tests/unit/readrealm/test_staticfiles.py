"""Which words in a script are imports whose paths get a hash."""

import re

import pytest

from readrealm.staticfiles import DYNAMIC_IMPORT, STATIC_IMPORT, HashedModulesStorage


def paths(pattern, script):
    return [match["url"] for match in re.finditer(pattern, script)]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('import { a, b } from "./log.js";', ["./log.js"]),
        ("import log from '../chat/log.js'", ["../chat/log.js"]),
        ('import * as log from "/static/chat/log.js";', ["/static/chat/log.js"]),
        ('import {\n  a,\n  b as c,\n} from "./log.js";', ["./log.js"]),
        ('import "./log.js";', ["./log.js"]),
        ('import"./log.js";', ["./log.js"]),
        ('export { a } from "./log.js";', ["./log.js"]),
        ('export * from "./log.js";', ["./log.js"]),
        ('import { io } from "socket.io-client";', []),
        ('import { io } from "socket.io-client";\nimport { a } from "./log.js";', ["./log.js"]),
        ('export const from = "./log.js";', []),
        ('say("import", "./log.js");', []),
        ('const important = "./log.js";', []),
    ],
)
def test_static_imports_of_files_are_found_and_of_packages_are_not(script, expected):
    assert paths(STATIC_IMPORT, script) == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('await import("./log.js")', ["./log.js"]),
        ('import("./log.js").then((log) => log.open())', ["./log.js"]),
        ('import("socket.io-client")', []),
        ('/** @typedef {import("./log.js").Message} Message */', []),
        ('/** @param {Promise<import("./log.js").RoomLog>} log */', []),
    ],
)
def test_dynamic_imports_are_found_and_types_in_comments_are_not(script, expected):
    assert paths(DYNAMIC_IMPORT, script) == expected


def test_styles_keep_what_django_does_for_them():
    assert "*.css" in [glob for glob, _ in HashedModulesStorage.patterns]
