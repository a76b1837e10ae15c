"""Stands in for Keycloak with the extension: takes one new webhook of a realm, and keeps it as webhook.json.

It prints its URL. The folder of the file is given as an argument."""
import http.server
import json
import pathlib
import sys


class Webhooks(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        path = self.path.split("/")
        good = path[1:2] + path[3:] == ["realms", "webhooks"] and self.headers["authorization"] == "Bearer made-up"
        good = good and body["enabled"] == "true"
        hook = {"url": body["url"], "secret": body["secret"], "types": body["eventTypes"], "realm": path[2]}
        pathlib.Path(sys.argv[1], "webhook.json").write_text(json.dumps(hook))
        self.send_response(201 if good else 400)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Webhooks)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.handle_request()
