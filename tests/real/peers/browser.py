"""A SIP client over a WebSocket, as a browser's program is (RFC 7118): websockets by Debian does all below SIP.

    browser.py URL NAME [CA]

Registers NAME@domain.com with a Contact that leads nowhere, prints `registered`, then each message it gets as one JSON
line, and answers requests with 200. A line on standard input is sent as it is, with \\n for line ends.
"""

import asyncio
import json
import ssl
import sys

import websockets

CONTACT = "<sip:{name}@df7jal23ls0d.invalid;transport=ws>"
REGISTER = """REGISTER sip:domain.com SIP/2.0
Via: SIP/2.0/{via} df7jal23ls0d.invalid;branch=z9hG4bK{name}
Max-Forwards: 70
From: <sip:{name}@domain.com>;tag={name}
To: <sip:{name}@domain.com>
Call-ID: {name}
CSeq: 1 REGISTER
Contact: {contact}
Expires: 600
Content-Length: 0

"""


def answer(request):
    lines = request.split("\r\n\r\n")[0].split("\r\n")
    kept = [line for line in lines if line.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
    kept = [line + ";tag=b" if line.startswith("To:") and ";tag=" not in line else line for line in kept]
    return "\r\n".join(["SIP/2.0 200 OK"] + kept + ["Content-Length: 0", "", ""])


async def listen(socket):
    async for message in socket:
        kind = "text" if isinstance(message, str) else "binary"
        text = message if kind == "text" else message.decode("utf-8", "replace")
        if text.startswith("SIP/2.0 200") and "REGISTER" in text:
            print("registered", flush=True)
        print(json.dumps({"kind": kind, "message": text}), flush=True)
        if not text.startswith("SIP/2.0") and text.strip():
            await socket.send(answer(text))


async def main(url, name, authority=None):
    trust = ssl.create_default_context(cafile=authority) if authority else None
    named = {"ssl": trust, "server_hostname": "domain.com"} if authority else {}
    async with websockets.connect(url, subprotocols=["sip"], **named) as socket:
        assert socket.subprotocol == "sip", socket.subprotocol
        fields = {"name": name, "contact": CONTACT.format(name=name), "via": "WSS" if authority else "WS"}
        await socket.send(REGISTER.format(**fields).replace("\n", "\r\n"))
        listening = asyncio.ensure_future(listen(socket))
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            await socket.send(line.rstrip("\n").replace("\\n", "\r\n"))
        await listening


asyncio.run(main(*sys.argv[1:]))
