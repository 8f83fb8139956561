"""The platforms of the provinces: who they are (a register, data) and how they are asked (transports).

What a return means is not known here; this room hands out bytes. Public names are re-exported.
"""

from resources.platforms.client import PlatformClient
from resources.platforms.collecting import Failure, collect, collect_listings
from resources.platforms.incidents import Incident
from resources.platforms.model import Delivery, Listing, NotModified, Offer
from resources.platforms.register import Platform, Register, load_register

__all__ = [
    "Delivery",
    "Failure",
    "Incident",
    "Listing",
    "NotModified",
    "Offer",
    "Platform",
    "PlatformClient",
    "Register",
    "collect",
    "collect_listings",
    "load_register",
]
