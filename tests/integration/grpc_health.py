#!/usr/bin/python3
"""A gRPC server (Debian's python3-grpcio) with the standard health protocol: grpc_health.py ADDRESS:PORT

Serving as a whole and for shop.Orders, not for shop.Payments; any other service is not known. Messages are packed by hand:
the protocol's own stubs are not in Debian.
"""

import concurrent.futures
import sys

import grpc

STATUS = {b"": 1, b"\x0a\x0bshop.Orders": 1, b"\x0a\x0dshop.Payments": 2}  # HealthCheckRequest -> ServingStatus


def check(request, context):
    if request not in STATUS:
        context.abort(grpc.StatusCode.NOT_FOUND, "no such service")
    return bytes([0x08, STATUS[request]])


def main():
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    method = grpc.unary_unary_rpc_method_handler(check)  # bytes in, bytes out
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": method})])
    if not server.add_insecure_port(sys.argv[1]):
        sys.exit(f"cannot listen at {sys.argv[1]}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
