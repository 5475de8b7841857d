"""Posts standard input to an address over TLS, and prints the status and the answer.

    post.py ADDRESS CA_FILE < body

The API key is taken from LOGFLUX_API_KEY. The client of this project would not send such bodies.
"""

import os
import ssl
import sys
import urllib.error
import urllib.request


def main():
    """Posts once."""
    address, authority = sys.argv[1:]
    request = urllib.request.Request(
        address,
        data=sys.stdin.buffer.read(),
        headers={
            "Authorization": "Bearer " + os.environ["LOGFLUX_API_KEY"],
            "Content-Type": "application/json",
        },
    )
    context = ssl.create_default_context(cafile=authority)
    try:
        with urllib.request.urlopen(request, context=context) as answer:
            print(answer.status, answer.read().decode())
    except urllib.error.HTTPError as error:
        print(error.code, error.read().decode())


if __name__ == "__main__":
    main()
