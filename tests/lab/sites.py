"""A datacenter in a box: a web tier and, if asked for, a database, at one address."""

from .nginx import Nginx
from .postgres import Postgres


class Site:
    def __init__(self, lab, name, address, web_port, database_port=None):
        self.lab, self.name, self.address = lab, name, address
        self.web = Nginx(lab, name, address, web_port)
        self.database = Postgres(lab, name, address, database_port) if database_port else None

    def kill(self):
        """The power goes."""
        self.web.kill()
        if self.database:
            self.database.kill()

    def freeze(self):
        """Everything accepts connections and nothing answers."""
        self.web.freeze()
        if self.database:
            self.database.freeze()

    def thaw(self):
        self.web.thaw()
        if self.database:
            self.database.thaw()


def two_sites(lab, database=True):
    """East with the primary and west with its streaming standby, both with a web tier."""
    addresses = {"east": lab.address(1), "west": lab.address(2)}
    web_port = lab.free_port(*addresses.values())
    database_port = lab.free_port(*addresses.values()) if database else None
    east, west = (Site(lab, name, address, web_port, database_port) for name, address in addresses.items())
    east.web.start()
    west.web.start()
    if database:
        east.database.start_primary()
        west.database.start_standby(east.database)
    return east, west
