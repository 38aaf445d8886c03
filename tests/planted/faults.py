"""All planted faults, in the order of the path."""

from tests.planted.booking import BOOKING
from tests.planted.deciding import DECIDING
from tests.planted.owning import OWNING
from tests.planted.sending import SENDING
from tests.planted.telling import TELLING

FAULTS = (*SENDING, *OWNING, *BOOKING, *DECIDING, *TELLING)
