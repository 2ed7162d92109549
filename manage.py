#!/usr/bin/env python
"""Django's command line: `manage.py help` lists what there is, `serve` runs the whole house."""

import gc
import os
import sys

GC_THRESHOLDS = (50_000, 50, 100)
"""What modules consist of lives as long as the process: looking through it for garbage as often as
Python does by default takes a fifth of a worker's start."""


def main() -> None:
    gc.set_threshold(*GC_THRESHOLDS)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readrealm.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
