"""The program that the embedded iotcore broker runs as, a child of the server.

It gives up root on its own, and only after its imports: an interpreter in root's home directory
could not be started by anybody else.
"""

import sys

from iotcore import Broker

from app.embedded.launch import tie


def main() -> None:
    """Read `configuration parent signal uid gid`, and serve until ended."""
    configuration = sys.argv[1]
    parent, death_signal, uid, gid = (int(word) for word in sys.argv[2:6])
    broker = Broker(config_path=configuration)
    tie(parent, death_signal, uid, gid)
    broker.run_forever()


if __name__ == "__main__":
    main()
