# SPDX-License-Identifier: Apache-2.0
"""What runs on this machine."""

import subprocess

import psutil


def run(*command, **options):
    """Run a command, which must succeed; returns its output as bytes.

    :param options: more of subprocess.run()
    """
    return subprocess.run(
        command, check=True, capture_output=True, **options
    ).stdout


def running(word, program=''):
    """Ids of processes.

    :param word: what is in the command line
    :param program: what is in the name of the program
    """
    return [
        process.pid
        for process in psutil.process_iter(['cmdline'])
        for name, *arguments in [process.info['cmdline'] or ['']]
        if program in name and str(word) in ' '.join((name, *arguments))
    ]


def qemus(path):
    """Ids of the QEMU processes that were given a file.

    :param path: of the file, or of a directory that it is below
    """
    return running(path, program='qemu-system')
