"""The training objectives, one file each: two files differ as their two papers do.

A new method is one new file and one line here.
"""

from training.methods.adacm import AdaCM
from training.methods.dta_snl import DtaSnl
from training.methods.fixmatch import FixMatch
from training.methods.freematch import FreeMatch
from training.methods.fullmatch import FullMatch
from training.methods.method import Method
from training.methods.personal import Personal
from training.methods.supervised import Supervised

METHODS: dict[str, type[Method]] = {
    "supervised": Supervised,
    "fixmatch": FixMatch,
    "freematch": FreeMatch,
    "fullmatch": FullMatch,
    "adacm": AdaCM,
    "dta_snl": DtaSnl,
    "personal": Personal,
}
