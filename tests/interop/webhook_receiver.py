"""A receiver of webhooks written with the library of Standard Webhooks.

Writes the port it listens on. Then, for each line of JSON it reads, a list of secrets: takes one delivery, and writes
which of the secrets it believes it by, what was in it, and whether a body with one more byte is believed.
"""

import http.server
import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

taken = []


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        taken.append((body, dict(self.headers)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def believes(secret, body, headers):
    try:
        Webhook(secret).verify(body, headers)
        return True
    except WebhookVerificationError:
        return False


def main():
    server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
    print(server.server_port, flush=True)
    for line in sys.stdin:
        secrets = json.loads(line)
        server.handle_request()
        body, headers = taken.pop()
        told = {
            "believed": [believes(secret, body, headers) for secret in secrets],
            "forged": [believes(secret, body + b" ", headers) for secret in secrets],
            "event": json.loads(body),
        }
        print(json.dumps(told), flush=True)


main()
