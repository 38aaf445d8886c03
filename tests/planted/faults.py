"""All planted faults, in the order of the path."""

from tests.planted.booking import BOOKING
from tests.planted.connecting import CONNECTING
from tests.planted.deciding import DECIDING
from tests.planted.executing import EXECUTING
from tests.planted.owning import OWNING
from tests.planted.restraining import RESTRAINING
from tests.planted.sending import SENDING
from tests.planted.stopping import STOPPING
from tests.planted.telling import TELLING

FAULTS = (
    *SENDING,
    *CONNECTING,
    *OWNING,
    *BOOKING,
    *DECIDING,
    *RESTRAINING,
    *EXECUTING,
    *STOPPING,
    *TELLING,
)
