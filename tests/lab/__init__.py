"""A small vocabulary for stories with real processes: datacenters, databases, resolvers and a Fairway in front.

    with Lab() as lab:
        east, west = two_sites(lab)
        fairway = Fairwayd(lab, CONFIG, east=east, west=west).start()
        east.kill()
        fairway.watch("shop.gtm.example.com").until(west.address, within=20)

Everything runs on loopback, in a temporary directory, with ports that were free when they were looked for. A Lab ends
by pid what it started and removes its directory, also after a failure or a signal. Nothing here sleeps for luck: what
takes time is waited for with `wait_until`, which knows what it waits for and how long that may take.
"""

from .dns import Answer, Record, Silence, ask
from .fairwayd import Fairwayd, Watch
from .nginx import Nginx
from .postgres import Postgres
from .sites import Site, two_sites
from .story import Timings, check, equal, story, tell, within_points
from .unbound import Unbound
from .world import Failure, Lab, Process, wait_until

__all__ = [
    "Answer", "Failure", "Fairwayd", "Lab", "Nginx", "Postgres", "Process", "Record", "Silence", "Site", "Timings",
    "Unbound", "Watch", "ask", "check", "equal", "story", "tell", "two_sites", "wait_until", "within_points",
]
