#!/usr/bin/python3
"""Delays what goes through it: this kernel has no netem.   relay.py ADDRESS PORT TO-PORT FILE

Every piece of a connection is passed on so many seconds after it came as FILE says, in both directions, in order.
"""

import asyncio
import pathlib
import sys


async def pump(reader, writer, delay):
    loop = asyncio.get_running_loop()
    queue = asyncio.Queue()

    async def deliver():
        while True:
            due, data = await queue.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                return writer.close()
            writer.write(data)
            await writer.drain()

    delivery = asyncio.ensure_future(deliver())
    try:
        while True:
            data = await reader.read(65536)
            queue.put_nowait((loop.time() + float(delay.read_text()), data))
            if not data:
                break
        await delivery
    except OSError:
        delivery.cancel()
        writer.close()


async def main():
    address, port, to_port, delay = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), pathlib.Path(sys.argv[4])

    async def relay(reader, writer):
        try:
            there, back = await asyncio.open_connection(address, to_port)
        except OSError:
            return writer.close()
        await asyncio.gather(pump(reader, back, delay), pump(there, writer, delay))

    async with await asyncio.start_server(relay, address, port) as server:
        await server.serve_forever()


asyncio.run(main())
