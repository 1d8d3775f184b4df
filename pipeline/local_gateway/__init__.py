"""The music API on loopback: an ASGI app, a job clock, a composer, and faults on request.

It is written from the gateway's contract alone and shares no code with `pipeline.gateway`, the client: two readings of
one contract keep each other honest. Importing this package costs nothing; each use names its module:

- `options.GatewayOptions`: how it behaves
- `app.create_app`: the app itself, to be driven in-process, on virtual time too
- `serving.LocalGatewayThread`, `serving.serve`: the same app on real sockets
- `composition`: what a composer is given, and one that makes nothing but a tone
"""
