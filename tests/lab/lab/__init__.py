# SPDX-License-Identifier: Apache-2.0
"""The inside of ./lab: network, nodes, machines, commands. Runs as root in the lab's namespaces.

    init.py      PID 1
    shell.py     running commands, waiting for things
    node.py      a node made of a network namespace
    machine.py   a node that is a booted Debian
    network.py   who is connected to whom: tables, and what makes them true
    lab.py       all of it together
    state.py     a machine's network state, to be compared
    build.py     CMake, and what is put into the machines
    __main__.py  the commands of ./lab; demo.py and suite.py are two of them
"""
