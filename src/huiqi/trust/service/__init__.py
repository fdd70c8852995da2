"""Who is who: how systems join, know and believe each other, and how people log in."""

from huiqi.trust import invitations
from huiqi.trust.service.enrolment import Enrolment
from huiqi.trust.service.membership import Membership
from huiqi.trust.service.people import People
from huiqi.trust.service.stamping import Stamping
from huiqi.trust.signatures import key_id as key_id
from huiqi.trust.signatures import suite as suite
from huiqi.trust.signatures import suites as suites
from huiqi.trust.signatures import verify_with as verify_with

# What an invitation code says, before anything is done with it.
read_invitation = invitations.decode


class Trust(Enrolment, Stamping, People, Membership):
    """Every verb of this room, on the books of one system."""
