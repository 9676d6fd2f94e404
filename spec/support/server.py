"""A web server for download specs, on loopback: it serves a folder, and misbehaves where the first part of the path says
so. Usage: server.py FOLDER; prints its port.
"""
import http.server
import os
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def respond(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def do_GET(self):
        # A proxy is asked for a whole address; its host is the behaviour.
        path = self.path.removeprefix("http:/").lstrip("/")
        behaviour, _, name = path.rpartition("/")
        if behaviour == "moved":
            return self.respond(302, Location="/" + name)
        if behaviour == "elsewhere":
            return self.respond(302, Location="file:///etc/hostname")
        try:
            with open(os.path.join(sys.argv[1], name), "rb") as file:
                content = file.read()
        except FileNotFoundError:
            return self.respond(404)
        if behaviour == "endless":  # for all that its client can tell
            self.respond(200)
            for _ in range(100000):
                self.wfile.write(content)
            return None
        if behaviour == "slow":
            self.respond(200, Content_Length=len(content) * 50)
            for _ in range(50):
                self.wfile.write(content)
                self.wfile.flush()
                time.sleep(0.02)
            return None
        self.respond(200, Content_Length=len(content))
        self.wfile.write(content[:len(content) // 2] if behaviour == "cut" else content)
        return None


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass  # a client that leaves in the middle is what some specs are about


server = Server(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
